//! The tables of functions, and how a client gets at them (PKCS#11 2.40, 5.4; 3.0, 5.4).

use std::{
    ffi::{CStr, c_void},
    ptr,
};

use cryptoki_sys::*;

use super::{
    ciphers::*,
    digests::*,
    general::*,
    guarded,
    keys::*,
    memory::{get, put, put_list},
    objects::*,
    sessions::*,
    signatures::*,
    slots::*,
    unsupported::*,
};
use crate::rv::{Result, Rv, ensure};

/// Both tables have the functions of 2.40 under the same names.
macro_rules! with_functions_of_2_40 {
    ($table:ident { $($field:ident: $value:expr),* $(,)? }) => {
        $table {
            $($field: $value,)*
            C_Initialize: Some(C_Initialize),
            C_Finalize: Some(C_Finalize),
            C_GetInfo: Some(C_GetInfo),
            C_GetFunctionList: Some(C_GetFunctionList),
            C_GetSlotList: Some(C_GetSlotList),
            C_GetSlotInfo: Some(C_GetSlotInfo),
            C_GetTokenInfo: Some(C_GetTokenInfo),
            C_GetMechanismList: Some(C_GetMechanismList),
            C_GetMechanismInfo: Some(C_GetMechanismInfo),
            C_InitToken: Some(C_InitToken),
            C_InitPIN: Some(C_InitPIN),
            C_SetPIN: Some(C_SetPIN),
            C_OpenSession: Some(C_OpenSession),
            C_CloseSession: Some(C_CloseSession),
            C_CloseAllSessions: Some(C_CloseAllSessions),
            C_GetSessionInfo: Some(C_GetSessionInfo),
            C_GetOperationState: Some(C_GetOperationState),
            C_SetOperationState: Some(C_SetOperationState),
            C_Login: Some(C_Login),
            C_Logout: Some(C_Logout),
            C_CreateObject: Some(C_CreateObject),
            C_CopyObject: Some(C_CopyObject),
            C_DestroyObject: Some(C_DestroyObject),
            C_GetObjectSize: Some(C_GetObjectSize),
            C_GetAttributeValue: Some(C_GetAttributeValue),
            C_SetAttributeValue: Some(C_SetAttributeValue),
            C_FindObjectsInit: Some(C_FindObjectsInit),
            C_FindObjects: Some(C_FindObjects),
            C_FindObjectsFinal: Some(C_FindObjectsFinal),
            C_EncryptInit: Some(C_EncryptInit),
            C_Encrypt: Some(C_Encrypt),
            C_EncryptUpdate: Some(C_EncryptUpdate),
            C_EncryptFinal: Some(C_EncryptFinal),
            C_DecryptInit: Some(C_DecryptInit),
            C_Decrypt: Some(C_Decrypt),
            C_DecryptUpdate: Some(C_DecryptUpdate),
            C_DecryptFinal: Some(C_DecryptFinal),
            C_DigestInit: Some(C_DigestInit),
            C_Digest: Some(C_Digest),
            C_DigestUpdate: Some(C_DigestUpdate),
            C_DigestKey: Some(C_DigestKey),
            C_DigestFinal: Some(C_DigestFinal),
            C_SignInit: Some(C_SignInit),
            C_Sign: Some(C_Sign),
            C_SignUpdate: Some(C_SignUpdate),
            C_SignFinal: Some(C_SignFinal),
            C_SignRecoverInit: Some(C_SignRecoverInit),
            C_SignRecover: Some(C_SignRecover),
            C_VerifyInit: Some(C_VerifyInit),
            C_Verify: Some(C_Verify),
            C_VerifyUpdate: Some(C_VerifyUpdate),
            C_VerifyFinal: Some(C_VerifyFinal),
            C_VerifyRecoverInit: Some(C_VerifyRecoverInit),
            C_VerifyRecover: Some(C_VerifyRecover),
            C_DigestEncryptUpdate: Some(C_DigestEncryptUpdate),
            C_DecryptDigestUpdate: Some(C_DecryptDigestUpdate),
            C_SignEncryptUpdate: Some(C_SignEncryptUpdate),
            C_DecryptVerifyUpdate: Some(C_DecryptVerifyUpdate),
            C_GenerateKey: Some(C_GenerateKey),
            C_GenerateKeyPair: Some(C_GenerateKeyPair),
            C_WrapKey: Some(C_WrapKey),
            C_UnwrapKey: Some(C_UnwrapKey),
            C_DeriveKey: Some(C_DeriveKey),
            C_SeedRandom: Some(C_SeedRandom),
            C_GenerateRandom: Some(C_GenerateRandom),
            C_GetFunctionStatus: Some(C_GetFunctionStatus),
            C_CancelFunction: Some(C_CancelFunction),
            C_WaitForSlotEvent: Some(C_WaitForSlotEvent),
        }
    };
}

static TABLE_2_40: CK_FUNCTION_LIST =
    with_functions_of_2_40!(CK_FUNCTION_LIST { version: CK_VERSION { major: 2, minor: 40 } });

static TABLE_3_0: CK_FUNCTION_LIST_3_0 = with_functions_of_2_40!(CK_FUNCTION_LIST_3_0 {
    version: CK_VERSION { major: 3, minor: 0 },
    C_GetInterfaceList: Some(C_GetInterfaceList),
    C_GetInterface: Some(C_GetInterface),
    C_LoginUser: Some(C_LoginUser),
    C_SessionCancel: Some(C_SessionCancel),
    C_MessageEncryptInit: Some(C_MessageEncryptInit),
    C_EncryptMessage: Some(C_EncryptMessage),
    C_EncryptMessageBegin: Some(C_EncryptMessageBegin),
    C_EncryptMessageNext: Some(C_EncryptMessageNext),
    C_MessageEncryptFinal: Some(C_MessageEncryptFinal),
    C_MessageDecryptInit: Some(C_MessageDecryptInit),
    C_DecryptMessage: Some(C_DecryptMessage),
    C_DecryptMessageBegin: Some(C_DecryptMessageBegin),
    C_DecryptMessageNext: Some(C_DecryptMessageNext),
    C_MessageDecryptFinal: Some(C_MessageDecryptFinal),
    C_MessageSignInit: Some(C_MessageSignInit),
    C_SignMessage: Some(C_SignMessage),
    C_SignMessageBegin: Some(C_SignMessageBegin),
    C_SignMessageNext: Some(C_SignMessageNext),
    C_MessageSignFinal: Some(C_MessageSignFinal),
    C_MessageVerifyInit: Some(C_MessageVerifyInit),
    C_VerifyMessage: Some(C_VerifyMessage),
    C_VerifyMessageBegin: Some(C_VerifyMessageBegin),
    C_VerifyMessageNext: Some(C_VerifyMessageNext),
    C_MessageVerifyFinal: Some(C_MessageVerifyFinal),
});

const NAME: &CStr = c"PKCS 11";

/// A static that clients get pointers to.
struct Interface(CK_INTERFACE);

// SAFETY: the pointers in it are to statics that nobody writes to.
unsafe impl Sync for Interface {}

const fn interface(table: *const c_void) -> Interface {
    Interface(CK_INTERFACE {
        pInterfaceName: NAME.as_ptr().cast_mut().cast(),
        pFunctionList: table.cast_mut(),
        flags: 0,
    })
}

static INTERFACE_3_0: Interface = interface((&raw const TABLE_3_0).cast());
static INTERFACE_2_40: Interface = interface((&raw const TABLE_2_40).cast());

/// Gives the table of 2.40. The one function that a client must find by name.
///
/// # Safety
/// `list` is NULL or points to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    // SAFETY: the caller's duty.
    guarded(|| unsafe { put(list, (&raw const TABLE_2_40).cast_mut()) })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetInterfaceList(
    list: *mut CK_INTERFACE,
    count: *mut CK_ULONG,
) -> CK_RV {
    // SAFETY: by the standard an array of so many, or NULL.
    guarded(|| unsafe { put_list(list, count, &[INTERFACE_3_0.0, INTERFACE_2_40.0]) })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetInterface(
    name: *mut CK_UTF8CHAR,
    version: *mut CK_VERSION,
    interface: *mut *mut CK_INTERFACE,
    flags: CK_FLAGS,
) -> CK_RV {
    guarded(|| {
        // SAFETY: by the standard NULL or a string that ends with NUL.
        let known = name.is_null() || unsafe { CStr::from_ptr(name.cast()) } == NAME;
        ensure(known && flags == 0, CKR_ARGUMENTS_BAD)?;
        // SAFETY: by the standard NULL or a version.
        let found = unsafe { find(version) }?;
        // SAFETY: NULL or room for a pointer, by the standard.
        unsafe { put(interface, ptr::from_ref(&found.0).cast_mut()) }
    })
}

/// The interface of a version, the newest where none is asked for.
///
/// # Safety
/// `version` is NULL or points to a version.
unsafe fn find(version: *const CK_VERSION) -> Result<&'static Interface> {
    if version.is_null() {
        return Ok(&INTERFACE_3_0);
    }
    // SAFETY: the caller's duty.
    let version = unsafe { get(version) }?;
    match (version.major, version.minor) {
        (3, 0) => Ok(&INTERFACE_3_0),
        (2, 40) => Ok(&INTERFACE_2_40),
        _ => Err(Rv(CKR_ARGUMENTS_BAD)),
    }
}
