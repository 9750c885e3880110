//! Objects (PKCS#11 2.40, 5.7).

use std::ptr;

use cryptoki_sys::*;

use super::{
    call,
    memory::{put, put_list, template, wanted},
};
use crate::{
    rv::{Result, Rv, ensure},
    session::Value,
};

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CreateObject(
    session: CK_SESSION_HANDLE,
    attributes: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    object: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    call(|module| {
        ensure(!object.is_null(), CKR_ARGUMENTS_BAD)?;
        // SAFETY: by the standard NULL or so many attributes.
        let attributes = unsafe { template(attributes, count) }?;
        let handle = module.call(session)?.create(attributes)?;
        // SAFETY: not NULL, and room for a handle by the standard.
        unsafe { put(object, handle) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CopyObject(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    attributes: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    copy: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    call(|module| {
        ensure(!copy.is_null(), CKR_ARGUMENTS_BAD)?;
        // SAFETY: by the standard NULL or so many attributes.
        let changes = unsafe { template(attributes, count) }?;
        let handle = module.call(session)?.copy(object, &changes)?;
        // SAFETY: not NULL, and room for a handle by the standard.
        unsafe { put(copy, handle) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DestroyObject(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
) -> CK_RV {
    call(|module| module.call(session)?.destroy(object))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetObjectSize(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    size: *mut CK_ULONG,
) -> CK_RV {
    call(|module| {
        let value = module.call(session)?.size(object)?;
        // SAFETY: NULL or room for it, by the standard.
        unsafe { put(size, value as CK_ULONG) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetAttributeValue(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    attributes: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    call(|module| {
        // SAFETY: by the standard NULL or so many attributes, to be filled in.
        let attributes = unsafe { wanted(attributes, count) }?;
        let kinds: Vec<_> = attributes.iter().map(|attribute| attribute.type_).collect();
        let values = module.call(session)?.values(object, &kinds)?;
        // All are done; one of the failures is told (5.7.5).
        let mut result = Ok(());
        for (attribute, value) in attributes.iter_mut().zip(values) {
            if let Err(error) = answer(attribute, &value) {
                attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
                result = Err(error);
            }
        }
        result
    })
}

fn answer(attribute: &mut CK_ATTRIBUTE, value: &Value) -> Result {
    let bytes = match value {
        Value::Bytes(bytes) => bytes,
        Value::Sensitive => return Err(Rv(CKR_ATTRIBUTE_SENSITIVE)),
        Value::Absent => return Err(Rv(CKR_ATTRIBUTE_TYPE_INVALID)),
    };
    let len = bytes.len() as CK_ULONG;
    if !attribute.pValue.is_null() {
        ensure(attribute.ulValueLen >= len, CKR_BUFFER_TOO_SMALL)?;
        // SAFETY: by the standard the value points to as many bytes as it says, which are enough.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), attribute.pValue.cast(), bytes.len());
        }
    }
    attribute.ulValueLen = len;
    Ok(())
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SetAttributeValue(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    attributes: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    call(|module| {
        // SAFETY: by the standard NULL or so many attributes.
        let changes = unsafe { template(attributes, count) }?;
        module.call(session)?.change(object, &changes)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_FindObjectsInit(
    session: CK_SESSION_HANDLE,
    attributes: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    call(|module| {
        // SAFETY: by the standard NULL or so many attributes.
        let wanted = unsafe { template(attributes, count) }?;
        module.call(session)?.start_search(&wanted)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_FindObjects(
    session: CK_SESSION_HANDLE,
    list: *mut CK_OBJECT_HANDLE,
    most: CK_ULONG,
    count: *mut CK_ULONG,
) -> CK_RV {
    call(|module| {
        let bad = count.is_null() || list.is_null() && most > 0;
        ensure(!bad, CKR_ARGUMENTS_BAD)?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let found = module.call(session)?.search(most)?;
        let mut room = found.len() as CK_ULONG;
        // SAFETY: `list` has `most` items by the standard, which is no less than were found; `room`
        // is ours, and `count` is not NULL.
        unsafe {
            put_list(list, &mut room, &found)?;
            put(count, room)
        }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_FindObjectsFinal(session: CK_SESSION_HANDLE) -> CK_RV {
    call(|module| module.call(session)?.end_search())
}
