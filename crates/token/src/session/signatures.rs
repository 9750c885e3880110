//! Signatures and MACs.

use cryptoki_sys::*;
use zeroize::Zeroizing;

use super::{Answer, Asking, Call, Under, live};
use crate::{
    mechanism::Mechanism,
    ops::{Signing, Verifying},
    rv::{Result, Rv, ensure},
};

impl Call<'_> {
    pub(crate) fn start_signing(&self, mechanism: &Mechanism, key: CK_OBJECT_HANDLE) -> Result {
        let mut operations = self.session.operations()?;
        ensure(operations.sign.is_none(), CKR_OPERATION_ACTIVE)?;
        let object = self.usable_key(key, mechanism, (CKA_SIGN, CKF_SIGN))?;
        let signing = Signing::start(mechanism, &object.key()?)?;
        operations.sign = Some(Under::with_key(signing, &object, self.slot.epoch()));
        operations.asking = Some(Asking::Sign);
        Ok(())
    }

    pub(crate) fn sign_update(&self, piece: &[u8]) -> Result {
        let mut operations = self.session.operations()?;
        let under = live(&mut operations.sign, self.slot.epoch())?;
        ensure(!under.asks_pin, CKR_USER_NOT_LOGGED_IN)?;
        under.pieces = true;
        let done = under.operation.update(piece);
        if done.is_err() {
            operations.sign = None;
        }
        done
    }

    /// C_Sign with `input`, C_SignFinal without.
    pub(crate) fn sign(&self, input: Option<&[u8]>, room: Option<usize>) -> Result<Answer> {
        let mut operations = self.session.operations()?;
        let under = live(&mut operations.sign, self.slot.epoch())?;
        ensure(input.is_none() || !under.pieces, CKR_OPERATION_ACTIVE)?;
        ensure(!under.asks_pin, CKR_USER_NOT_LOGGED_IN)?;
        if let Some(answer) = Answer::without_room(under.operation.len(), room) {
            return Ok(answer);
        }
        let under = operations.sign.take().ok_or(Rv(CKR_OPERATION_NOT_INITIALIZED))?;
        let mut signing = under.operation;
        signing.update(input.unwrap_or_default())?;
        signing.finish().map(|signature| Answer::Bytes(Zeroizing::new(signature)))
    }

    pub(crate) fn start_verifying(&self, mechanism: &Mechanism, key: CK_OBJECT_HANDLE) -> Result {
        let mut operations = self.session.operations()?;
        ensure(operations.verify.is_none(), CKR_OPERATION_ACTIVE)?;
        let object = self.usable_key(key, mechanism, (CKA_VERIFY, CKF_VERIFY))?;
        let verifying = Verifying::start(mechanism, &object.key()?)?;
        operations.verify = Some(Under::new(verifying));
        Ok(())
    }

    pub(crate) fn verify_update(&self, piece: &[u8]) -> Result {
        let mut operations = self.session.operations()?;
        let under = operations.verify.as_mut().ok_or(Rv(CKR_OPERATION_NOT_INITIALIZED))?;
        under.pieces = true;
        let done = under.operation.update(piece);
        if done.is_err() {
            operations.verify = None;
        }
        done
    }

    /// C_Verify with `input`, C_VerifyFinal without.
    pub(crate) fn verify(&self, input: Option<&[u8]>, signature: &[u8]) -> Result {
        let mut operations = self.session.operations()?;
        let under = operations.verify.as_ref().ok_or(Rv(CKR_OPERATION_NOT_INITIALIZED))?;
        ensure(input.is_none() || !under.pieces, CKR_OPERATION_ACTIVE)?;
        let under = operations.verify.take().ok_or(Rv(CKR_OPERATION_NOT_INITIALIZED))?;
        let mut verifying = under.operation;
        verifying.update(input.unwrap_or_default())?;
        verifying.finish(signature)
    }
}
