//! Sessions (PKCS#11 2.40, 5.6), and what 3.0 adds to them.

use std::ffi::c_void;

use cryptoki_sys::*;

use super::{
    call,
    memory::{bytes, put},
};
use crate::rv::{ensure, fail};

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_OpenSession(
    slot: CK_SLOT_ID,
    flags: CK_FLAGS,
    _application: *mut c_void,
    _notify: CK_NOTIFY,
    session: *mut CK_SESSION_HANDLE,
) -> CK_RV {
    call(|module| {
        ensure(flags & CKF_SERIAL_SESSION != 0, CKR_SESSION_PARALLEL_NOT_SUPPORTED)?;
        ensure(!session.is_null(), CKR_ARGUMENTS_BAD)?;
        let handle = module.open_session(slot, flags & CKF_RW_SESSION != 0)?;
        // SAFETY: not NULL, and room for a handle by the standard.
        unsafe { put(session, handle) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CloseSession(session: CK_SESSION_HANDLE) -> CK_RV {
    call(|module| module.close_session(session))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CloseAllSessions(slot: CK_SLOT_ID) -> CK_RV {
    call(|module| module.close_all_sessions(slot))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetSessionInfo(
    session: CK_SESSION_HANDLE,
    info: *mut CK_SESSION_INFO,
) -> CK_RV {
    call(|module| {
        let found = module.call(session)?.info()?;
        let value = CK_SESSION_INFO {
            slotID: found.slot,
            state: found.state,
            flags: CKF_SERIAL_SESSION | if found.writable { CKF_RW_SESSION } else { 0 },
            ulDeviceError: 0,
        };
        // SAFETY: NULL or room for it, by the standard.
        unsafe { put(info, value) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Login(
    session: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin: *mut CK_UTF8CHAR,
    len: CK_ULONG,
) -> CK_RV {
    call(|module| {
        // SAFETY: by the standard NULL or so many bytes.
        let pin = unsafe { bytes(pin, len) }?;
        module.call(session)?.log_in(user, pin)
    })
}

/// 3.0: as C_Login, for users with names, of which there are none here.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_LoginUser(
    session: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin: *mut CK_UTF8CHAR,
    len: CK_ULONG,
    _name: *mut CK_UTF8CHAR,
    name_len: CK_ULONG,
) -> CK_RV {
    call(|module| {
        ensure(name_len == 0, CKR_USER_TYPE_INVALID)?;
        // SAFETY: by the standard NULL or so many bytes.
        let pin = unsafe { bytes(pin, len) }?;
        module.call(session)?.log_in(user, pin)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Logout(session: CK_SESSION_HANDLE) -> CK_RV {
    call(|module| module.call(session)?.log_out())
}

/// 3.0: ends operations.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SessionCancel(
    session: CK_SESSION_HANDLE,
    flags: CK_FLAGS,
) -> CK_RV {
    call(|module| module.call(session)?.cancel(flags))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetFunctionStatus(_: CK_SESSION_HANDLE) -> CK_RV {
    call(|_| fail(CKR_FUNCTION_NOT_PARALLEL))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CancelFunction(_: CK_SESSION_HANDLE) -> CK_RV {
    call(|_| fail(CKR_FUNCTION_NOT_PARALLEL))
}
