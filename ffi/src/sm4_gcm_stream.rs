//! SM4-GCM of messages that come in pieces.

use toolkit::sm4::gcm::{Opener, Sealer};

use crate::{
    export::export,
    fault::Fault,
    handle::handles,
    pointer::{In, InOut, Out, OutArray, Owned, Ref, RefMut, Slot},
    sm4_gcm::gmkit_sm4_gcm,
};

handles! {
    /// A message being sealed in pieces. Not for two threads at the same time.
    struct gmkit_sm4_gcm_sealer(Option<Sealer>);
    /// A message being opened in pieces. Not for two threads at the same time.
    struct gmkit_sm4_gcm_opener(Option<Opener>);
}

export! {
    /// Starts to seal a message in pieces. What `gmkit_sm4_gcm_seal` says about nonces holds here.
    /// `gcm` may be freed before the sealer. Free the sealer with `gmkit_sm4_gcm_sealer_free`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT for an empty nonce.
    fn gmkit_sm4_gcm_sealer_new(
        gcm: Ref<gmkit_sm4_gcm>,
        nonce: In,
        nonce_len: usize,
        aad: In,
        aad_len: usize,
        sealer: Slot<gmkit_sm4_gcm_sealer>,
    ) {
        let (nonce, aad) = (nonce.bytes(nonce_len)?, aad.bytes(aad_len)?);
        sealer.put(Some(Sealer::new(gcm.get()?, nonce, aad)?))
    }

    /// Encrypts the next piece, of any length. `ciphertext` has room for `len` bytes; it may be
    /// `plaintext`.
    ///
    /// Errors: GMKIT_ERR_TOO_LONG, GMKIT_ERR_FINISHED; the pieces before stay valid.
    fn gmkit_sm4_gcm_sealer_update(
        sealer: RefMut<gmkit_sm4_gcm_sealer>,
        plaintext: In,
        ciphertext: Out,
        len: usize,
    ) {
        sealer.with(|sealer| {
            let sealer = sealer.as_mut().ok_or_else(Fault::finished)?;
            Ok(match InOut::new(&plaintext, &mut ciphertext, len)? {
                InOut::InPlace(buffer) => sealer.update(buffer),
                InOut::Apart(plaintext, ciphertext) => sealer.update_to(plaintext, ciphertext),
            }?)
        })
    }

    /// Writes the tag, 16 bytes, and ends the message.
    ///
    /// Errors: GMKIT_ERR_FINISHED.
    fn gmkit_sm4_gcm_sealer_finish(
        sealer: RefMut<gmkit_sm4_gcm_sealer>,
        tag: OutArray<16>,
    ) {
        tag.check()?;
        let sealer = sealer.with(|sealer| sealer.take().ok_or_else(Fault::finished))?;
        tag.write(&sealer.finish())
    }

    /// Wipes and frees, also in the middle of a message. NULL is allowed.
    fn gmkit_sm4_gcm_sealer_free(sealer: Owned<gmkit_sm4_gcm_sealer>) = void {
        sealer.free();
    }

    /// Starts to open a message in pieces. `gcm` may be freed before the opener. Free the opener
    /// with `gmkit_sm4_gcm_opener_free`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT for an empty nonce.
    fn gmkit_sm4_gcm_opener_new(
        gcm: Ref<gmkit_sm4_gcm>,
        nonce: In,
        nonce_len: usize,
        aad: In,
        aad_len: usize,
        opener: Slot<gmkit_sm4_gcm_opener>,
    ) {
        let (nonce, aad) = (nonce.bytes(nonce_len)?, aad.bytes(aad_len)?);
        opener.put(Some(Opener::new(gcm.get()?, nonce, aad)?))
    }

    /// Decrypts the next piece, of any length. `plaintext` has room for `len` bytes; it may be
    /// `ciphertext`.
    ///
    /// THE PLAINTEXT IS NOT AUTHENTICATED until `gmkit_sm4_gcm_opener_finish` has returned
    /// GMKIT_OK: keep it where nobody acts on it, and throw it away otherwise. If the message fits
    /// into memory, `gmkit_sm4_gcm_open` needs no such care.
    ///
    /// Errors: GMKIT_ERR_TOO_LONG, GMKIT_ERR_FINISHED.
    fn gmkit_sm4_gcm_opener_update_unverified(
        opener: RefMut<gmkit_sm4_gcm_opener>,
        ciphertext: In,
        plaintext: Out,
        len: usize,
    ) {
        opener.with(|opener| {
            let opener = opener.as_mut().ok_or_else(Fault::finished)?;
            Ok(match InOut::new(&ciphertext, &mut plaintext, len)? {
                InOut::InPlace(buffer) => opener.update_unverified(buffer),
                InOut::Apart(ciphertext, plaintext) => {
                    opener.update_unverified_to(ciphertext, plaintext)
                }
            }?)
        })
    }

    /// Checks the tag (12 to 16 bytes) and ends the message, whatever the result.
    ///
    /// Errors: GMKIT_ERR_REJECTED when the message is not authentic; GMKIT_ERR_ARGUMENT for a tag
    /// of another length; GMKIT_ERR_FINISHED.
    fn gmkit_sm4_gcm_opener_finish(
        opener: RefMut<gmkit_sm4_gcm_opener>,
        tag: In,
        tag_len: usize,
    ) {
        let tag = tag.bytes(tag_len)?;
        let opener = opener.with(|opener| opener.take().ok_or_else(Fault::finished))?;
        Ok(opener.finish(tag)?)
    }

    /// Wipes and frees, also in the middle of a message. NULL is allowed.
    fn gmkit_sm4_gcm_opener_free(opener: Owned<gmkit_sm4_gcm_opener>) = void {
        opener.free();
    }
}
