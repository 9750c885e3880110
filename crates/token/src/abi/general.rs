//! C_Initialize and its kin (PKCS#11 2.40, 5.4), and random numbers (5.14).

use std::ffi::c_void;

use cryptoki_sys::*;

use super::{
    call, guarded,
    memory::{get, padded, put},
};
use crate::{
    module, persona,
    rv::{ensure, fail},
};

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Initialize(arguments: *mut c_void) -> CK_RV {
    guarded(|| {
        if !arguments.is_null() {
            // SAFETY: by the standard NULL or CK_C_INITIALIZE_ARGS.
            let arguments: CK_C_INITIALIZE_ARGS = unsafe { get(arguments.cast()) }?;
            ensure(arguments.pReserved.is_null(), CKR_ARGUMENTS_BAD)?;
            let given = [
                arguments.CreateMutex.is_some(),
                arguments.DestroyMutex.is_some(),
                arguments.LockMutex.is_some(),
                arguments.UnlockMutex.is_some(),
            ];
            let all = given.iter().all(|given| *given);
            ensure(all || !given.contains(&true), CKR_ARGUMENTS_BAD)?;
            // Only the system's locks are used here.
            ensure(!all || arguments.flags & CKF_OS_LOCKING_OK != 0, CKR_CANT_LOCK)?;
        }
        module::initialise()
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Finalize(reserved: *mut c_void) -> CK_RV {
    guarded(|| {
        ensure(reserved.is_null(), CKR_ARGUMENTS_BAD)?;
        module::finalise()
    })
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetInfo(info: *mut CK_INFO) -> CK_RV {
    call(|_| {
        let value = CK_INFO {
            cryptokiVersion: CK_VERSION { major: 2, minor: 40 },
            manufacturerID: padded(persona::current().manufacturer),
            flags: 0,
            libraryDescription: padded(persona::current().description),
            libraryVersion: version(),
        };
        // SAFETY: NULL or room for it, by the standard.
        unsafe { put(info, value) }
    })
}

/// The version of this crate.
pub(super) fn version() -> CK_VERSION {
    let part = |text: &str| text.parse().unwrap_or(0);
    CK_VERSION {
        major: part(env!("CARGO_PKG_VERSION_MAJOR")),
        minor: part(env!("CARGO_PKG_VERSION_MINOR")),
    }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SeedRandom(
    session: CK_SESSION_HANDLE,
    _: *mut CK_BYTE,
    _: CK_ULONG,
) -> CK_RV {
    // The operating system's generator takes none.
    call(|module| module.call(session).and(fail(CKR_RANDOM_SEED_NOT_SUPPORTED)))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GenerateRandom(
    session: CK_SESSION_HANDLE,
    buffer: *mut CK_BYTE,
    len: CK_ULONG,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        ensure(len == 0 || !buffer.is_null(), CKR_ARGUMENTS_BAD)?;
        let mut written = 0;
        let mut piece = zeroize::Zeroizing::new([0; 4096]);
        while written < len {
            let now = (len - written).min(piece.len() as CK_ULONG) as usize;
            call.random(&mut piece[..now])?;
            // SAFETY: the caller's buffer has `len` bytes by the standard, of which `written` are
            // behind us; `piece` is ours.
            unsafe {
                std::ptr::copy_nonoverlapping(piece.as_ptr(), buffer.add(written as usize), now);
            }
            written += now as CK_ULONG;
        }
        Ok(())
    })
}
