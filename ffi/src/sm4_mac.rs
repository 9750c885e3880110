//! CMAC and GMAC with SM4, and key wrap.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm4::{
        Cmac,
        cmac::{KeyInit, Mac},
        gcm::Gcm,
        wrap::KeyWrap,
    },
};
use zeroize::Zeroizing;

use crate::{
    export::export,
    fault::{Fault, gmkit_error},
    handle::handles,
    pointer::{In, InArray, Len, Out, OutArray, Output, Owned, RefMut, Slot},
};

handles! {
    /// SM4-CMAC of a message that comes in pieces. Not for two threads at the same time.
    struct gmkit_sm4_cmac(Keyed);
}

/// A key, and the message under way.
pub struct Keyed {
    key: Cmac,
    message: Cmac,
}

impl Keyed {
    fn take(&mut self) -> Cmac {
        std::mem::replace(&mut self.message, self.key.clone())
    }
}

fn check(mac: Cmac, expected: &[u8; 16]) -> Result<(), Fault> {
    mac.verify(expected.into())
        .map_err(|_| Fault::new(gmkit_error::GMKIT_ERR_REJECTED, "the MAC does not fit"))
}

export! {
    /// Starts an SM4-CMAC (NIST SP 800-38B) of a message in pieces, with a key of 16 bytes. Free it
    /// with `gmkit_sm4_cmac_free`.
    fn gmkit_sm4_cmac_new(key: InArray<16>, cmac: Slot<gmkit_sm4_cmac>) {
        selftest::require(Algorithm::Sm4)?;
        let key = Cmac::new(key.get()?.into());
        cmac.put(Keyed { message: key.clone(), key })
    }

    /// Adds the next piece of the message.
    fn gmkit_sm4_cmac_update(cmac: RefMut<gmkit_sm4_cmac>, piece: In, piece_len: usize) {
        let piece = piece.bytes(piece_len)?;
        cmac.with(|cmac| {
            cmac.message.update(piece);
            Ok(())
        })
    }

    /// Writes the MAC, 16 bytes. The handle is then ready for another message under the same key.
    fn gmkit_sm4_cmac_finish(cmac: RefMut<gmkit_sm4_cmac>, mac: OutArray<16>) {
        mac.check()?;
        mac.write(&cmac.with(|cmac| Ok(cmac.take()))?.finalize().into_bytes().into())
    }

    /// Compares the MAC with a received one of 16 bytes, in constant time. The handle is then
    /// ready for another message under the same key.
    ///
    /// Errors: GMKIT_ERR_REJECTED when it does not fit.
    fn gmkit_sm4_cmac_finish_check(cmac: RefMut<gmkit_sm4_cmac>, mac: InArray<16>) {
        let expected = mac.get()?;
        check(cmac.with(|cmac| Ok(cmac.take()))?, expected)
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_sm4_cmac_free(cmac: Owned<gmkit_sm4_cmac>) = void {
        cmac.free();
    }

    /// SM4-GMAC of a message in one call: GCM without a plaintext. The key has 16 bytes; THE NONCE
    /// MUST NEVER BE USED TWICE UNDER ONE KEY, for GMAC and GCM together. `mac` has room for 16
    /// bytes.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT for an empty nonce.
    fn gmkit_sm4_gmac(
        key: InArray<16>,
        nonce: In,
        nonce_len: usize,
        message: In,
        message_len: usize,
        mac: OutArray<16>,
    ) {
        selftest::require(Algorithm::Sm4Gcm)?;
        mac.check()?;
        let gcm = Gcm::new(key.get()?);
        mac.write(&gcm.gmac(nonce.bytes(nonce_len)?, message.bytes(message_len)?)?)
    }

    /// Wraps a key of 16, 24, 32, ... bytes under a key of 16 bytes (RFC 3394 with SM4). `out`
    /// needs room for `len` + 8 bytes.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT for another length, GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_sm4_wrap(kek: InArray<16>, key: In, len: usize, out: Out, out_len: Len) {
        wrapped(&kek, key.bytes(len)?, &mut out, &out_len, KeyWrap::wrap)
    }

    /// Unwraps what `gmkit_sm4_wrap` made. `out` needs room for `len` - 8 bytes.
    ///
    /// Errors: GMKIT_ERR_REJECTED when it was not wrapped with this key, or was changed;
    /// GMKIT_ERR_ARGUMENT for a length that no wrapped key has, GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_sm4_unwrap(kek: InArray<16>, wrapped: In, len: usize, out: Out, out_len: Len) {
        unwrapped(&kek, wrapped.bytes(len)?, &mut out, &out_len, KeyWrap::unwrap)
    }

    /// Wraps a key of any length from 1 byte under a key of 16 bytes (RFC 5649 with SM4). `out`
    /// needs room for `len`, rounded up to a multiple of 8, + 8 bytes.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT for an empty key, GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_sm4_wrap_padded(kek: InArray<16>, key: In, len: usize, out: Out, out_len: Len) {
        wrapped(&kek, key.bytes(len)?, &mut out, &out_len, KeyWrap::wrap_padded)
    }

    /// Unwraps what `gmkit_sm4_wrap_padded` made. `out` needs room for `len` - 8 bytes.
    ///
    /// Errors: as `gmkit_sm4_unwrap`.
    fn gmkit_sm4_unwrap_padded(kek: InArray<16>, wrapped: In, len: usize, out: Out, out_len: Len) {
        unwrapped(&kek, wrapped.bytes(len)?, &mut out, &out_len, KeyWrap::unwrap_padded)
    }
}

type Wrap = for<'o> fn(&KeyWrap, &[u8], &'o mut [u8]) -> Result<&'o [u8], toolkit::sm4::Error>;

fn wrapped(
    kek: &InArray<16>,
    key: &[u8],
    out: &mut Out,
    out_len: &Len,
    wrap: Wrap,
) -> Result<(), Fault> {
    selftest::require(Algorithm::Sm4)?;
    let most = key.len().div_ceil(8) * 8 + 8;
    let kek = KeyWrap::new(kek.get()?);
    let Some(out) = Output::new(out, out_len, most)? else {
        return Ok(());
    };
    out.write(wrap(&kek, key, &mut vec![0; most])?)
}

/// A caller who only asks for the size gets the verdict too.
fn unwrapped(
    kek: &InArray<16>,
    wrapped: &[u8],
    out: &mut Out,
    out_len: &Len,
    unwrap: Wrap,
) -> Result<(), Fault> {
    selftest::require(Algorithm::Sm4)?;
    out_len.check()?;
    let mut key = Zeroizing::new(vec![0; wrapped.len()]);
    let key = unwrap(&KeyWrap::new(kek.get()?), wrapped, &mut key)?;
    match Output::new(out, out_len, wrapped.len() - 8)? {
        Some(out) => out.write(key),
        None => Ok(()),
    }
}
