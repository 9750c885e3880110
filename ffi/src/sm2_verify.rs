//! SM2 verification.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm2::Verifier,
};

use crate::{
    export::export,
    fault::Fault,
    handle::handles,
    pointer::{In, Owned, Ref, RefMut, Slot},
    public_key::gmkit_public_key,
    sm2_sign::{SignatureForm, read_id},
};

handles! {
    /// A signature being verified over a message in pieces. Not for two threads at the same time.
    struct gmkit_sm2_verifier(Option<Verifier>);
}

export! {
    /// Verifies a signature over a message in one call (GB/T 32918.2-2016). ONLY GMKIT_OK MEANS
    /// THAT IT FITS. `id` and `form` as in `gmkit_sm2_sign`; DER is read strictly, so that each
    /// signature has one encoding only.
    ///
    /// Errors: GMKIT_ERR_REJECTED when it does not fit; GMKIT_ERR_ENCODING when it is malformed.
    fn gmkit_sm2_verify(
        key: Ref<gmkit_public_key>,
        id: In,
        id_len: usize,
        message: In,
        message_len: usize,
        form: u32,
        signature: In,
        signature_len: usize,
    ) {
        selftest::require(Algorithm::Sm2Signature)?;
        let (key, id) = (key.get()?, read_id(&id, id_len)?);
        let signature = SignatureForm::of(form)?.read(signature.bytes(signature_len)?)?;
        Ok(key.verify(id, message.bytes(message_len)?, &signature)?)
    }

    /// Starts to verify a signature over a message in pieces, with `id` as in `gmkit_sm2_sign`.
    /// The key may be freed before the verifier. Free the verifier with
    /// `gmkit_sm2_verifier_free`.
    fn gmkit_sm2_verifier_new(
        key: Ref<gmkit_public_key>,
        id: In,
        id_len: usize,
        verifier: Slot<gmkit_sm2_verifier>,
    ) {
        selftest::require(Algorithm::Sm2Signature)?;
        verifier.put(Some(key.get()?.verifier(read_id(&id, id_len)?)))
    }

    /// Adds the next piece of the message.
    ///
    /// Errors: GMKIT_ERR_FINISHED.
    fn gmkit_sm2_verifier_update(
        verifier: RefMut<gmkit_sm2_verifier>,
        piece: In,
        piece_len: usize,
    ) {
        let piece = piece.bytes(piece_len)?;
        verifier.with(|verifier| {
            verifier.as_mut().ok_or_else(Fault::finished)?.update(piece);
            Ok(())
        })
    }

    /// Checks the signature over what has come in and ends the message, whatever the result. ONLY
    /// GMKIT_OK MEANS THAT IT FITS.
    ///
    /// Errors: as `gmkit_sm2_verify`, and GMKIT_ERR_FINISHED.
    fn gmkit_sm2_verifier_finish(
        verifier: RefMut<gmkit_sm2_verifier>,
        form: u32,
        signature: In,
        signature_len: usize,
    ) {
        let verifier = verifier.with(|verifier| verifier.take().ok_or_else(Fault::finished))?;
        let signature = SignatureForm::of(form)?.read(signature.bytes(signature_len)?)?;
        Ok(verifier.verify(&signature)?)
    }

    /// Frees, also in the middle of a message. NULL is allowed.
    fn gmkit_sm2_verifier_free(verifier: Owned<gmkit_sm2_verifier>) = void {
        verifier.free();
    }
}
