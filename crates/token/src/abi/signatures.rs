//! Signatures and MACs (PKCS#11 2.40, 5.11 and 5.12).

use cryptoki_sys::*;

use super::{
    call,
    memory::{Output, bytes, mechanism},
};

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignInit(
    session: CK_SESSION_HANDLE,
    chosen: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL or a mechanism.
        let mechanism = unsafe { mechanism(chosen) }?;
        call.start_signing(&mechanism, key)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Sign(
    session: CK_SESSION_HANDLE,
    input: *mut CK_BYTE,
    len: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_len: *mut CK_ULONG,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL or so many bytes, both.
        let (input, output) =
            unsafe { (bytes(input, len)?, Output::new(signature, signature_len)?) };
        let answer = call.sign(Some(input), output.room())?;
        output.answer(answer)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignUpdate(
    session: CK_SESSION_HANDLE,
    input: *mut CK_BYTE,
    len: CK_ULONG,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL or so many bytes.
        call.sign_update(unsafe { bytes(input, len) }?)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignFinal(
    session: CK_SESSION_HANDLE,
    signature: *mut CK_BYTE,
    signature_len: *mut CK_ULONG,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL or so many bytes.
        let output = unsafe { Output::new(signature, signature_len) }?;
        let answer = call.sign(None, output.room())?;
        output.answer(answer)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyInit(
    session: CK_SESSION_HANDLE,
    chosen: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL or a mechanism.
        let mechanism = unsafe { mechanism(chosen) }?;
        call.start_verifying(&mechanism, key)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Verify(
    session: CK_SESSION_HANDLE,
    input: *mut CK_BYTE,
    len: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_len: CK_ULONG,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL or so many bytes, both.
        let (input, signature) = unsafe { (bytes(input, len)?, bytes(signature, signature_len)?) };
        call.verify(Some(input), signature)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyUpdate(
    session: CK_SESSION_HANDLE,
    input: *mut CK_BYTE,
    len: CK_ULONG,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL or so many bytes.
        call.verify_update(unsafe { bytes(input, len) }?)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyFinal(
    session: CK_SESSION_HANDLE,
    signature: *mut CK_BYTE,
    signature_len: CK_ULONG,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL or so many bytes.
        call.verify(None, unsafe { bytes(signature, signature_len) }?)
    })
}
