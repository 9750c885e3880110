//! SM3 and the KDF over it.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm3::{self, Digest, Sm3},
};
use zeroize::Zeroizing;

use crate::{
    export::export,
    handle::handles,
    pointer::{In, Out, OutArray, Owned, Ref, RefMut, Slot},
};

/// Size of an SM3 digest and of an HMAC-SM3, in bytes.
pub const GMKIT_SM3_SIZE: usize = 32;

handles! {
    /// SM3 of a message that comes in pieces. Not for two threads at the same time.
    struct gmkit_sm3(Sm3);
}

export! {
    /// SM3 (GB/T 32905-2016) of a message in one call. `digest` has room for 32 bytes.
    fn gmkit_sm3_digest(message: In, message_len: usize, digest: OutArray<GMKIT_SM3_SIZE>) {
        selftest::require(Algorithm::Sm3)?;
        digest.write(&sm3::digest(&[message.bytes(message_len)?]))
    }

    /// Starts SM3 of a message in pieces. Free it with `gmkit_sm3_free`.
    fn gmkit_sm3_new(hash: Slot<gmkit_sm3>) {
        selftest::require(Algorithm::Sm3)?;
        hash.put(Sm3::new())
    }

    /// Adds the next piece of the message.
    fn gmkit_sm3_update(hash: RefMut<gmkit_sm3>, piece: In, piece_len: usize) {
        let piece = piece.bytes(piece_len)?;
        hash.with(|hash| {
            hash.update(piece);
            Ok(())
        })
    }

    /// Makes a copy, with what has come in so far: for messages that begin alike.
    fn gmkit_sm3_copy(hash: Ref<gmkit_sm3>, copy: Slot<gmkit_sm3>) {
        copy.put(hash.get()?.clone())
    }

    /// Writes the digest, 32 bytes. The handle is then ready for another message.
    fn gmkit_sm3_finish(hash: RefMut<gmkit_sm3>, digest: OutArray<GMKIT_SM3_SIZE>) {
        digest.check()?;
        digest.write(&hash.with(|hash| Ok(hash.finalize_reset().into()))?)
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_sm3_free(hash: Owned<gmkit_sm3>) = void {
        hash.free();
    }

    /// The key derivation function of GB/T 32918.4-2016, 5.4.3 over SM3: writes `klen` bytes that
    /// are derived from the secret `z`. Both may have any length; `klen` at most 137,438,953,440
    /// bytes. (The standard counts klen in bits.)
    ///
    /// Errors: GMKIT_ERR_TOO_LONG.
    fn gmkit_sm3_kdf(z: In, z_len: usize, out: Out, klen: usize) {
        selftest::require(Algorithm::Sm3)?;
        // `z` is hashed first, in its own place: `out` may lie over it.
        let z = Zeroizing::new(z.bytes(z_len)?.to_vec());
        Ok(sm3::kdf(&[&z], out.fill(klen)?)?)
    }
}
