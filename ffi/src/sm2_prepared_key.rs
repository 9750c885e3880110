//! SM2 public keys prepared for many verifications.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm2::PreparedKey,
};

use crate::{
    export::export,
    handle::handles,
    pointer::{In, Owned, Ref, Slot},
    public_key::gmkit_public_key,
    sm2_sign::{SignatureForm, read_id},
};

handles! {
    /// A public key with a table of its multiples (86 KiB), for one ID. Any number of threads may
    /// use it at the same time.
    struct gmkit_sm2_prepared_key(PreparedKey);
}

export! {
    /// Prepares a public key for many verifications under one ID (as in `gmkit_sm2_sign`). It costs
    /// as much as about ten of them, each of which then takes about a third of the time. The key may
    /// be freed before. Free it with `gmkit_sm2_prepared_key_free`.
    fn gmkit_sm2_prepared_key_new(
        key: Ref<gmkit_public_key>,
        id: In,
        id_len: usize,
        prepared: Slot<gmkit_sm2_prepared_key>,
    ) {
        selftest::require(Algorithm::Sm2Signature)?;
        prepared.check()?;
        prepared.put(PreparedKey::new(key.get()?, read_id(&id, id_len)?))
    }

    /// Verifies a signature over a message. ONLY GMKIT_OK MEANS THAT IT FITS. `form` as in
    /// `gmkit_sm2_sign`.
    ///
    /// Errors: as `gmkit_sm2_verify`.
    fn gmkit_sm2_prepared_key_verify(
        prepared: Ref<gmkit_sm2_prepared_key>,
        message: In,
        message_len: usize,
        form: u32,
        signature: In,
        signature_len: usize,
    ) {
        let (prepared, message) = (prepared.get()?, message.bytes(message_len)?);
        let signature = SignatureForm::of(form)?.read(signature.bytes(signature_len)?)?;
        Ok(prepared.verify(message, &signature)?)
    }

    /// Frees. NULL is allowed.
    fn gmkit_sm2_prepared_key_free(prepared: Owned<gmkit_sm2_prepared_key>) = void {
        prepared.free();
    }
}
