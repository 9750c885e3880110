//! Message digests (PKCS#11 2.40, 5.10).

use cryptoki_sys::*;

use super::{
    call,
    memory::{Output, bytes, mechanism},
};
use crate::rv::fail;

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DigestInit(
    session: CK_SESSION_HANDLE,
    chosen: *mut CK_MECHANISM,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL or a mechanism.
        let mechanism = unsafe { mechanism(chosen) }?;
        call.start_digest(&mechanism)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Digest(
    session: CK_SESSION_HANDLE,
    input: *mut CK_BYTE,
    len: CK_ULONG,
    output: *mut CK_BYTE,
    output_len: *mut CK_ULONG,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL or so many bytes, both.
        let (input, output) = unsafe { (bytes(input, len)?, Output::new(output, output_len)?) };
        let answer = call.digest(Some(input), output.room())?;
        output.answer(answer)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DigestUpdate(
    session: CK_SESSION_HANDLE,
    input: *mut CK_BYTE,
    len: CK_ULONG,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL or so many bytes.
        call.digest_update(unsafe { bytes(input, len) }?)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DigestKey(
    session: CK_SESSION_HANDLE,
    _: CK_OBJECT_HANDLE,
) -> CK_RV {
    // The hash of a key is a way to guess it.
    call(|module| module.call(session).and(fail(CKR_KEY_INDIGESTIBLE)))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DigestFinal(
    session: CK_SESSION_HANDLE,
    output: *mut CK_BYTE,
    output_len: *mut CK_ULONG,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL or so many bytes.
        let output = unsafe { Output::new(output, output_len) }?;
        let answer = call.digest(None, output.room())?;
        output.answer(answer)
    })
}
