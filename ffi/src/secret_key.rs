//! Symmetric keys behind `SecretKey`: nonces are drawn, framing is fixed.

use std::sync::Arc;

use toolkit::keys::{SecretKey, SoftwareSecret};
use zeroize::Zeroizing;

use crate::{
    export::export,
    fault::{Fault, gmkit_error},
    handle::handles,
    pointer::{In, InArray, Len, Out, Output, Owned, Ref, Slot},
};

/// How many bytes a sealed message is longer than its plaintext: nonce and tag.
pub const GMKIT_SEAL_OVERHEAD: usize = 28;

handles! {
    /// A symmetric key that seals and opens. Any number of threads may use it at the same time.
    struct gmkit_secret_key(Arc<dyn SecretKey>);
}

export! {
    /// Takes an SM4 key of 16 bytes. Free it with `gmkit_secret_key_free`.
    fn gmkit_secret_key_new_sm4(key: InArray<16>, secret_key: Slot<gmkit_secret_key>) {
        secret_key.put(Arc::new(SoftwareSecret::sm4(key.get()?)?))
    }

    /// Seals a message with SM4-GCM under a fresh random nonce: nonce (12 bytes), ciphertext, tag
    /// (16 bytes), as `gmkit cipher --encrypt` writes it. `out` needs room for `len` +
    /// GMKIT_SEAL_OVERHEAD bytes. One key must not seal more than 2^32 messages (NIST SP 800-38D,
    /// 8.3).
    ///
    /// Errors: GMKIT_ERR_TOO_LONG, GMKIT_ERR_BUFFER_TOO_SMALL, GMKIT_ERR_RANDOM.
    fn gmkit_secret_key_seal(
        key: Ref<gmkit_secret_key>,
        aad: In,
        aad_len: usize,
        plaintext: In,
        len: usize,
        out: Out,
        out_len: Len,
    ) {
        let (key, aad, plaintext) = (key.get()?, aad.bytes(aad_len)?, plaintext.bytes(len)?);
        let most = len.checked_add(GMKIT_SEAL_OVERHEAD).ok_or_else(too_long)?;
        let Some(out) = Output::new(&mut out, &out_len, most)? else {
            return Ok(());
        };
        out.write(&key.seal(aad, plaintext)?)
    }

    /// Opens what `gmkit_secret_key_seal` made. `out` needs room for `len` - GMKIT_SEAL_OVERHEAD
    /// bytes; nothing is written unless the message is authentic. Asking for the size with a NULL
    /// `out` checks the message too.
    ///
    /// Errors: GMKIT_ERR_REJECTED, also for a message that is too short;
    /// GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_secret_key_open(
        key: Ref<gmkit_secret_key>,
        aad: In,
        aad_len: usize,
        sealed: In,
        len: usize,
        out: Out,
        out_len: Len,
    ) {
        let (key, aad, sealed) = (key.get()?, aad.bytes(aad_len)?, sealed.bytes(len)?);
        out_len.check()?;
        // First the verdict: a caller who only asks for the size gets it too, so that GMKIT_OK
        // always means an authentic message.
        let plaintext = Zeroizing::new(key.open(aad, sealed)?);
        match Output::new(&mut out, &out_len, plaintext.len())? {
            Some(out) => out.write(&plaintext),
            None => Ok(()),
        }
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_secret_key_free(key: Owned<gmkit_secret_key>) = void {
        key.free();
    }
}

fn too_long() -> Fault {
    Fault::new(gmkit_error::GMKIT_ERR_TOO_LONG, "the message is too long")
}
