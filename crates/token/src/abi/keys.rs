//! Making, wrapping and deriving keys (PKCS#11 2.40, 5.13).

use cryptoki_sys::*;

use super::{
    call,
    memory::{Output, bytes, mechanism, put, template},
};
use crate::rv::ensure;

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GenerateKey(
    session: CK_SESSION_HANDLE,
    chosen: *mut CK_MECHANISM,
    attributes: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        ensure(!key.is_null(), CKR_ARGUMENTS_BAD)?;
        // SAFETY: by the standard NULL, or a mechanism and so many attributes.
        let (mechanism, attributes) = unsafe { (mechanism(chosen)?, template(attributes, count)?) };
        let handle = call.generate_key(&mechanism, attributes)?;
        // SAFETY: not NULL, and room for a handle by the standard.
        unsafe { put(key, handle) }
    })
}

#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the standard's function")]
pub(super) unsafe extern "C" fn C_GenerateKeyPair(
    session: CK_SESSION_HANDLE,
    chosen: *mut CK_MECHANISM,
    public: *mut CK_ATTRIBUTE,
    public_count: CK_ULONG,
    private: *mut CK_ATTRIBUTE,
    private_count: CK_ULONG,
    public_key: *mut CK_OBJECT_HANDLE,
    private_key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        ensure(!public_key.is_null() && !private_key.is_null(), CKR_ARGUMENTS_BAD)?;
        // SAFETY: by the standard NULL, or a mechanism and so many attributes, twice.
        let (mechanism, public, private) = unsafe {
            (mechanism(chosen)?, template(public, public_count)?, template(private, private_count)?)
        };
        let (public, private) = call.generate_pair(&mechanism, public, private)?;
        // SAFETY: not NULL, and room for a handle each by the standard.
        unsafe {
            put(public_key, public)?;
            put(private_key, private)
        }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_WrapKey(
    session: CK_SESSION_HANDLE,
    chosen: *mut CK_MECHANISM,
    wrapping: CK_OBJECT_HANDLE,
    key: CK_OBJECT_HANDLE,
    output: *mut CK_BYTE,
    output_len: *mut CK_ULONG,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL, or a mechanism and so many bytes.
        let (mechanism, output) = unsafe { (mechanism(chosen)?, Output::new(output, output_len)?) };
        let answer = call.wrap(&mechanism, wrapping, key, output.room())?;
        output.answer(answer)
    })
}

#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the standard's function")]
pub(super) unsafe extern "C" fn C_UnwrapKey(
    session: CK_SESSION_HANDLE,
    chosen: *mut CK_MECHANISM,
    unwrapping: CK_OBJECT_HANDLE,
    wrapped: *mut CK_BYTE,
    wrapped_len: CK_ULONG,
    attributes: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        ensure(!key.is_null(), CKR_ARGUMENTS_BAD)?;
        // SAFETY: by the standard NULL, or a mechanism, so many bytes, and so many attributes.
        let (mechanism, wrapped, attributes) = unsafe {
            (mechanism(chosen)?, bytes(wrapped, wrapped_len)?, template(attributes, count)?)
        };
        let handle = call.unwrap(&mechanism, unwrapping, wrapped, attributes)?;
        // SAFETY: not NULL, and room for a handle by the standard.
        unsafe { put(key, handle) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DeriveKey(
    session: CK_SESSION_HANDLE,
    chosen: *mut CK_MECHANISM,
    base: CK_OBJECT_HANDLE,
    attributes: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        ensure(!key.is_null(), CKR_ARGUMENTS_BAD)?;
        // SAFETY: by the standard NULL, or a mechanism and so many attributes.
        let (mechanism, attributes) = unsafe { (mechanism(chosen)?, template(attributes, count)?) };
        let handle = call.derive(&mechanism, base, attributes)?;
        // SAFETY: not NULL, and room for a handle by the standard.
        unsafe { put(key, handle) }
    })
}
