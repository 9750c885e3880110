//! SM4-GCM with nonces of the caller, in one call.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm4::gcm::Gcm,
};

use crate::{
    export::export,
    handle::handles,
    pointer::{In, InArray, InOut, Out, OutArray, Owned, Ref, Slot},
};

handles! {
    /// An SM4-GCM key. Any number of threads may use it at the same time.
    struct gmkit_sm4_gcm(Gcm);
}

export! {
    /// Takes an SM4 key of 16 bytes for GCM. Free it with `gmkit_sm4_gcm_free`.
    fn gmkit_sm4_gcm_new(key: InArray<16>, gcm: Slot<gmkit_sm4_gcm>) {
        selftest::require(Algorithm::Sm4Gcm)?;
        gcm.put(Gcm::new(key.get()?))
    }

    /// Encrypts and authenticates a message (NIST SP 800-38D; RFC 8998 with a nonce of 12 bytes).
    ///
    /// THE NONCE MUST NEVER BE USED TWICE UNDER ONE KEY: two messages under one nonce give away
    /// their difference and the key that authenticates. It has any length but zero, 12 bytes are
    /// usual. Use `gmkit_secret_key_seal` to have it drawn for you.
    ///
    /// `ciphertext` has room for `len` bytes, at most 2^36 - 32; it may be `plaintext`. `tag` has
    /// room for 16 bytes. The associated data are authenticated, not encrypted, and may be none.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT for an empty nonce, GMKIT_ERR_TOO_LONG.
    fn gmkit_sm4_gcm_seal(
        gcm: Ref<gmkit_sm4_gcm>,
        nonce: In,
        nonce_len: usize,
        aad: In,
        aad_len: usize,
        plaintext: In,
        ciphertext: Out,
        len: usize,
        tag: OutArray<16>,
    ) {
        tag.check()?;
        let (gcm, nonce, aad) = (gcm.get()?, nonce.bytes(nonce_len)?, aad.bytes(aad_len)?);
        ciphertext.apart_from(len, &[nonce, aad])?;
        tag.apart_from(&ciphertext, len)?;
        let sealed = match InOut::new(&plaintext, &mut ciphertext, len)? {
            InOut::InPlace(buffer) => gcm.seal(nonce, aad, buffer)?,
            InOut::Apart(plaintext, ciphertext) => gcm.seal_to(nonce, aad, plaintext, ciphertext)?,
        };
        tag.write(&sealed)
    }

    /// Checks the tag (12 to 16 bytes) and only then writes the plaintext, `len` bytes.
    /// `plaintext` may be `ciphertext`.
    ///
    /// Errors: GMKIT_ERR_REJECTED when the message is not authentic; GMKIT_ERR_ARGUMENT for an
    /// empty nonce or a tag of another length; GMKIT_ERR_TOO_LONG.
    fn gmkit_sm4_gcm_open(
        gcm: Ref<gmkit_sm4_gcm>,
        nonce: In,
        nonce_len: usize,
        aad: In,
        aad_len: usize,
        ciphertext: In,
        plaintext: Out,
        len: usize,
        tag: In,
        tag_len: usize,
    ) {
        let (gcm, nonce, aad) = (gcm.get()?, nonce.bytes(nonce_len)?, aad.bytes(aad_len)?);
        let tag = tag.bytes(tag_len)?;
        plaintext.apart_from(len, &[nonce, aad, tag])?;
        match InOut::new(&ciphertext, &mut plaintext, len)? {
            InOut::InPlace(buffer) => Ok(gcm.open(nonce, aad, buffer, tag)?),
            InOut::Apart(ciphertext, plaintext) => {
                Ok(gcm.open_to(nonce, aad, ciphertext, plaintext, tag)?)
            }
        }
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_sm4_gcm_free(gcm: Owned<gmkit_sm4_gcm>) = void {
        gcm.free();
    }
}
