//! Slots and tokens (PKCS#11 2.40, 5.5).

use std::ffi::c_void;

use cryptoki_sys::*;

use super::{
    call,
    general::version,
    memory::{bytes, padded, put, put_list},
};
use crate::{
    module::Module,
    persona, pins,
    rv::{Result, Rv, ensure, fail},
    slot::{MAX_SESSIONS, Slot},
    store::{Role, TokenFile},
};

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetSlotList(
    _present: CK_BBOOL,
    list: *mut CK_SLOT_ID,
    count: *mut CK_ULONG,
) -> CK_RV {
    call(|module| {
        let slots: Vec<_> = (0..module.slots().len() as CK_SLOT_ID).collect();
        // SAFETY: by the standard an array of so many, or NULL.
        unsafe { put_list(list, count, &slots) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetSlotInfo(slot: CK_SLOT_ID, info: *mut CK_SLOT_INFO) -> CK_RV {
    call(|module| {
        module.slot(slot)?;
        let value = CK_SLOT_INFO {
            slotDescription: padded(&format!("gmkit software slot {slot}")),
            manufacturerID: padded(persona::current().manufacturer),
            flags: CKF_TOKEN_PRESENT,
            hardwareVersion: version(),
            firmwareVersion: version(),
        };
        // SAFETY: NULL or room for it, by the standard.
        unsafe { put(info, value) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetTokenInfo(
    slot: CK_SLOT_ID,
    info: *mut CK_TOKEN_INFO,
) -> CK_RV {
    call(|module| {
        let value = token_info(module.slot(slot)?)?;
        // SAFETY: NULL or room for it, by the standard.
        unsafe { put(info, value) }
    })
}

fn token_info(slot: &Slot) -> Result<CK_TOKEN_INFO> {
    let token = slot.store.token()?;
    let (open, writable) = slot.state()?.counts();
    let mut label = [b' '; 32];
    if let Some(token) = &token {
        label.copy_from_slice(token.label());
    }
    Ok(CK_TOKEN_INFO {
        label,
        manufacturerID: padded(persona::current().manufacturer),
        model: padded("software"),
        serialNumber: padded(&token.as_ref().map(TokenFile::serial_hex).unwrap_or_default()),
        flags: CKF_RNG | CKF_LOGIN_REQUIRED | token.as_ref().map_or(0, flags),
        ulMaxSessionCount: MAX_SESSIONS as CK_ULONG,
        ulSessionCount: open as CK_ULONG,
        ulMaxRwSessionCount: MAX_SESSIONS as CK_ULONG,
        ulRwSessionCount: writable as CK_ULONG,
        ulMaxPinLen: pins::MAX_LEN as CK_ULONG,
        ulMinPinLen: pins::MIN_LEN as CK_ULONG,
        ulTotalPublicMemory: CK_UNAVAILABLE_INFORMATION,
        ulFreePublicMemory: CK_UNAVAILABLE_INFORMATION,
        ulTotalPrivateMemory: CK_UNAVAILABLE_INFORMATION,
        ulFreePrivateMemory: CK_UNAVAILABLE_INFORMATION,
        hardwareVersion: version(),
        firmwareVersion: version(),
        utcTime: padded(""),
    })
}

/// What the counts of wrong PINs say, in flags.
fn flags(token: &TokenFile) -> CK_FLAGS {
    let mut flags = CKF_TOKEN_INITIALIZED;
    for (role, low, last, locked) in [
        (Role::User, CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED),
        (Role::Officer, CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED),
    ] {
        let Some((failures, limit)) = token.tries(role) else { continue };
        if role == Role::User {
            flags |= CKF_USER_PIN_INITIALIZED;
        }
        if failures > 0 {
            flags |= low;
        }
        match limit - failures.min(limit) {
            0 => flags |= locked,
            1 => flags |= last,
            _ => {}
        }
    }
    flags
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetMechanismList(
    slot: CK_SLOT_ID,
    list: *mut CK_MECHANISM_TYPE,
    count: *mut CK_ULONG,
) -> CK_RV {
    call(|module| {
        module.slot(slot)?;
        let codes: Vec<_> = persona::current().offers.iter().map(|offer| offer.code).collect();
        // SAFETY: by the standard an array of so many, or NULL.
        unsafe { put_list(list, count, &codes) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetMechanismInfo(
    slot: CK_SLOT_ID,
    code: CK_MECHANISM_TYPE,
    info: *mut CK_MECHANISM_INFO,
) -> CK_RV {
    call(|module| {
        module.slot(slot)?;
        let offer = persona::current().offer(code).ok_or(Rv(CKR_MECHANISM_INVALID))?;
        let value = CK_MECHANISM_INFO {
            ulMinKeySize: offer.sizes.0 as CK_ULONG,
            ulMaxKeySize: offer.sizes.1 as CK_ULONG,
            flags: offer.flags,
        };
        // SAFETY: NULL or room for it, by the standard.
        unsafe { put(info, value) }
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_InitToken(
    slot: CK_SLOT_ID,
    pin: *mut CK_UTF8CHAR,
    pin_len: CK_ULONG,
    label: *mut CK_UTF8CHAR,
) -> CK_RV {
    call(|module| {
        let slot = module.slot(slot)?;
        // SAFETY: by the standard NULL or so many bytes.
        let pin = unsafe { bytes(pin, pin_len) }?;
        ensure(!label.is_null(), CKR_ARGUMENTS_BAD)?;
        // SAFETY: not NULL, and 32 bytes by the standard.
        let label = unsafe { bytes(label, 32) }?;
        slot.initialise(pin, label.try_into().map_err(|_| Rv(CKR_ARGUMENTS_BAD))?)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_InitPIN(
    session: CK_SESSION_HANDLE,
    pin: *mut CK_UTF8CHAR,
    len: CK_ULONG,
) -> CK_RV {
    call(|module| {
        // SAFETY: by the standard NULL or so many bytes.
        let pin = unsafe { bytes(pin, len) }?;
        module.call(session)?.set_user_pin(pin)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SetPIN(
    session: CK_SESSION_HANDLE,
    old: *mut CK_UTF8CHAR,
    old_len: CK_ULONG,
    new: *mut CK_UTF8CHAR,
    new_len: CK_ULONG,
) -> CK_RV {
    call(|module| {
        // SAFETY: by the standard NULL or so many bytes, both.
        let (old, new) = unsafe { (bytes(old, old_len)?, bytes(new, new_len)?) };
        module.call(session)?.change_pin(old, new)
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_WaitForSlotEvent(
    flags: CK_FLAGS,
    _: *mut CK_SLOT_ID,
    _: *mut c_void,
) -> CK_RV {
    // Nothing is ever put in or taken out: a call that waits would wait for ever.
    call(|_: &Module| match flags & CKF_DONT_BLOCK {
        0 => fail(CKR_FUNCTION_NOT_SUPPORTED),
        _ => fail(CKR_NO_EVENT),
    })
}
