//! Symmetric keys behind `SecretKey`: nonces are drawn, framing is fixed.

use std::sync::Arc;

use toolkit::{
    hsm::Opener,
    keys::{FileOpener, KeyRegistry, KeyUri, Origin, SecretKey, SecretUse, SoftwareSecret},
};
use zeroize::Zeroizing;

use crate::{
    export::export,
    fault::{Fault, gmkit_error},
    handle::handles,
    pointer::{In, InArray, Len, Out, OutArray, Output, Owned, Ref, Slot, Text},
    private_key::given,
};

/// How many bytes a sealed message is longer than its plaintext: nonce and tag.
pub const GMKIT_SEAL_OVERHEAD: usize = 28;

/// A secret key that seals and opens: SM4.
pub const GMKIT_SECRET_SEAL: u32 = 0;
/// A secret key that authenticates: HMAC-SM3.
pub const GMKIT_SECRET_MAC: u32 = 1;

fn secret_use(number: u32) -> Result<SecretUse, Fault> {
    match number {
        GMKIT_SECRET_SEAL => Ok(SecretUse::Seal),
        GMKIT_SECRET_MAC => Ok(SecretUse::Mac),
        _ => Err(Fault::argument("unknown use of a secret key")),
    }
}

handles! {
    /// A symmetric key that seals and opens, or authenticates. Any number of threads may use it at the same time.
    struct gmkit_secret_key(Arc<dyn SecretKey>);
}

export! {
    /// Takes an SM4 key of 16 bytes. Free it with `gmkit_secret_key_free`.
    fn gmkit_secret_key_new_sm4(key: InArray<16>, secret_key: Slot<gmkit_secret_key>) {
        secret_key.put(Arc::new(SoftwareSecret::sm4(key.get()?)?))
    }

    /// Takes an HMAC-SM3 key of any length from 1 byte. Free it with `gmkit_secret_key_free`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT for an empty key.
    fn gmkit_secret_key_new_hmac_sm3(key: In, key_len: usize, secret_key: Slot<gmkit_secret_key>) {
        secret_key.put(Arc::new(SoftwareSecret::hmac_sm3(key.bytes(key_len)?)?))
    }

    /// Opens the secret key that a URI names, as `gmkit_private_key_open` does for private ones:
    /// `for_what` is GMKIT_SECRET_SEAL or GMKIT_SECRET_MAC, which a file of bytes does not say.
    ///
    /// Errors: GMKIT_ERR_URI, GMKIT_ERR_IO, GMKIT_ERR_DEVICE, GMKIT_ERR_PASSPHRASE_NEEDED;
    /// GMKIT_ERR_UNSUPPORTED for a key that is for something else.
    fn gmkit_secret_key_open_uri(
        uri: Text,
        for_what: u32,
        passphrase: In,
        passphrase_len: usize,
        secret_key: Slot<gmkit_secret_key>,
    ) {
        secret_key.check()?;
        let uri = KeyUri::parse(uri.get()?, Origin::Operator)?;
        let (for_what, passphrase) = (secret_use(for_what)?, passphrase.optional(passphrase_len)?);
        let opened = KeyRegistry::new()
            .with(FileOpener)
            .with(Opener::new())
            .open_secret(&uri, for_what, &|_: &str| given(passphrase))?;
        secret_key.put(opened)
    }

    /// HMAC-SM3 of a message: 32 bytes.
    ///
    /// Errors: GMKIT_ERR_UNSUPPORTED for a key that seals; GMKIT_ERR_DEVICE.
    fn gmkit_secret_key_mac(
        key: Ref<gmkit_secret_key>,
        message: In,
        len: usize,
        mac: OutArray<32>,
    ) {
        mac.check()?;
        let (key, message) = (key.get()?, message.bytes(len)?);
        let mut context = key.start_mac()?;
        context.update(message)?;
        mac.write(&context.finish()?)
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
