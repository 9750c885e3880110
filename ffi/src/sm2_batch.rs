//! Many SM2 signatures at once, with one answer for each.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm2::{Id, PublicKey, batch},
};

use crate::{
    export::export,
    fault::{Fault, gmkit_error},
    pointer::{In, InMany, Out, Ref, Verdicts},
    private_key::gmkit_private_key,
    public_key::gmkit_public_key,
    sm2_sign::{SignatureForm, read_id},
};

export! {
    /// Signs `count` messages, each with a nonce of its own. `id` as in `gmkit_sm2_sign`.
    /// `signatures` has room for 64 bytes of each: r and s, 32 bytes each. They are written when all
    /// have been made.
    ///
    /// Errors: as `gmkit_sm2_sign`.
    fn gmkit_sm2_sign_many(
        key: Ref<gmkit_private_key>,
        id: In,
        id_len: usize,
        messages: InMany,
        count: usize,
        signatures: Out,
    ) {
        let (key, id) = (key.get()?.key(), read_id(&id, id_len)?);
        let messages = messages.get(count)?;
        signatures.check_room(count)?;
        let mut all = Vec::with_capacity(count);
        for signature in key.sign_many(id, &messages) {
            all.push(signature?.to_raw());
        }
        signatures.write(all.as_flattened())
    }

    /// Verifies `count` signatures of one signer, each over its own message. `id` and `form` as in
    /// `gmkit_sm2_sign`. `verdicts` has room for one number of each: GMKIT_OK for a signature that
    /// fits, else the error that `gmkit_sm2_verify` gives for it. The function returns GMKIT_OK ONLY
    /// WHEN ALL OF THEM FIT; when it returns GMKIT_ERR_REJECTED, look at the verdicts. With any
    /// other error nothing was verified, and where `verdicts` can be written to, they all say
    /// GMKIT_ERR_REJECTED: an exception to the rule that outputs stay untouched. So they must not
    /// overlap with what is read: that is refused, and they are not written to then.
    ///
    /// Errors: GMKIT_ERR_REJECTED; GMKIT_ERR_ARGUMENT, also for no signature at all.
    fn gmkit_sm2_verify_many(
        key: Ref<gmkit_public_key>,
        id: In,
        id_len: usize,
        messages: InMany,
        form: u32,
        signatures: InMany,
        count: usize,
        verdicts: Verdicts,
    ) = always {
        // First of all: what somebody left in there must not be taken for an answer.
        verdicts.check(count)?;
        verdicts.apart_from(count, &[&messages, &signatures], (&id, id_len))?;
        verdicts.fill(count, gmkit_error::GMKIT_ERR_REJECTED)?;
        selftest::require(Algorithm::Sm2Signature)?;
        if count == 0 {
            return Err(Fault::argument("there is no signature to verify"));
        }
        let (key, id, form) = (key.get()?, read_id(&id, id_len)?, SignatureForm::of(form)?);
        let all = verify(key, id, &messages.get(count)?, form, &signatures.get(count)?);
        verdicts.write(&all)?;
        if all.iter().all(|verdict| *verdict == gmkit_error::GMKIT_OK) {
            return Ok(());
        }
        Err(Fault::new(gmkit_error::GMKIT_ERR_REJECTED, "not all signatures fit"))
    }
}

/// One verdict for each. A malformed signature has its own; the others are verified together.
fn verify(
    key: &PublicKey,
    id: Id<'_>,
    messages: &[&[u8]],
    form: SignatureForm,
    signatures: &[&[u8]],
) -> Vec<gmkit_error> {
    let read: Vec<_> = signatures.iter().map(|signature| form.read(signature)).collect();
    let items: Vec<_> = messages
        .iter()
        .zip(&read)
        .filter_map(|(message, signature)| Some((*message, *signature.as_ref().ok()?)))
        .collect();
    let mut verified = batch::verify(key, id, &items).into_iter();
    let verdict = |signature: Result<_, Fault>| match signature {
        Err(fault) => fault.code(),
        Ok(_) => match verified.next() {
            Some(Ok(())) => gmkit_error::GMKIT_OK,
            _ => gmkit_error::GMKIT_ERR_REJECTED,
        },
    };
    read.into_iter().map(verdict).collect()
}
