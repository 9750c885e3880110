//! HMAC with SM3.

use hmac::{Hmac, KeyInit, Mac};
use toolkit::{
    keys::selftest::{self, Algorithm},
    sm3::Sm3,
};

use crate::{
    export::export,
    fault::{Fault, gmkit_error},
    handle::handles,
    pointer::{In, InArray, OutArray, Owned, RefMut, Slot},
    sm3::GMKIT_SM3_SIZE,
};

/// A key, and the message under way.
pub struct Streaming {
    key: Hmac<Sm3>,
    message: Hmac<Sm3>,
}

impl Streaming {
    /// The message so far; the next one starts.
    fn take(&mut self) -> Hmac<Sm3> {
        std::mem::replace(&mut self.message, self.key.clone())
    }
}

handles! {
    /// HMAC-SM3 of a message that comes in pieces. Not for two threads at the same time.
    struct gmkit_hmac_sm3(Streaming);
}

fn start(key: &[u8]) -> Result<Hmac<Sm3>, Fault> {
    selftest::require(Algorithm::HmacSm3)?;
    if key.is_empty() {
        return Err(Fault::argument("an HMAC key has at least one byte"));
    }
    Hmac::new_from_slice(key).map_err(|_| Fault::argument("HMAC key"))
}

fn check(mac: Hmac<Sm3>, expected: &[u8; 32]) -> Result<(), Fault> {
    mac.verify(expected.into())
        .map_err(|_| Fault::new(gmkit_error::GMKIT_ERR_REJECTED, "the MAC does not fit"))
}

export! {
    /// HMAC-SM3 of a message in one call. The key has any length from 1 byte (32 are usual); `mac`
    /// has room for 32 bytes.
    fn gmkit_hmac_sm3_mac(
        key: In,
        key_len: usize,
        message: In,
        message_len: usize,
        mac: OutArray<GMKIT_SM3_SIZE>,
    ) {
        mac.check()?;
        let context = start(key.bytes(key_len)?)?.chain_update(message.bytes(message_len)?);
        mac.write(&context.finalize().into_bytes().into())
    }

    /// Compares the HMAC-SM3 of a message with a received one of 32 bytes, in constant time.
    ///
    /// Errors: GMKIT_ERR_REJECTED when it does not fit.
    fn gmkit_hmac_sm3_check(
        key: In,
        key_len: usize,
        message: In,
        message_len: usize,
        mac: InArray<GMKIT_SM3_SIZE>,
    ) {
        let context = start(key.bytes(key_len)?)?.chain_update(message.bytes(message_len)?);
        check(context, mac.get()?)
    }

    /// Starts an HMAC-SM3 of a message in pieces. The key has any length from 1 byte. Free it with
    /// `gmkit_hmac_sm3_free`.
    fn gmkit_hmac_sm3_new(key: In, key_len: usize, hmac: Slot<gmkit_hmac_sm3>) {
        let key = start(key.bytes(key_len)?)?;
        hmac.put(Streaming { message: key.clone(), key })
    }

    /// Adds the next piece of the message.
    fn gmkit_hmac_sm3_update(hmac: RefMut<gmkit_hmac_sm3>, piece: In, piece_len: usize) {
        let piece = piece.bytes(piece_len)?;
        hmac.with(|hmac| {
            hmac.message.update(piece);
            Ok(())
        })
    }

    /// Writes the MAC, 32 bytes. The handle is then ready for another message under the same key.
    fn gmkit_hmac_sm3_finish(hmac: RefMut<gmkit_hmac_sm3>, mac: OutArray<GMKIT_SM3_SIZE>) {
        mac.check()?;
        mac.write(&hmac.with(|hmac| Ok(hmac.take()))?.finalize().into_bytes().into())
    }

    /// Compares the MAC with a received one of 32 bytes, in constant time. The handle is then
    /// ready for another message under the same key.
    ///
    /// Errors: GMKIT_ERR_REJECTED when it does not fit.
    fn gmkit_hmac_sm3_finish_check(hmac: RefMut<gmkit_hmac_sm3>, mac: InArray<GMKIT_SM3_SIZE>) {
        let expected = mac.get()?;
        check(hmac.with(|hmac| Ok(hmac.take()))?, expected)
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_hmac_sm3_free(hmac: Owned<gmkit_hmac_sm3>) = void {
        hmac.free();
    }
}
