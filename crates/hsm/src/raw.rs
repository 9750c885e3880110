//! Calls that `cryptoki` makes twice (asking for the length first, which doubles the trips to a
//! device, and breaks those that do the work on the first call).

#![allow(unsafe_code, reason = "the module's own functions, by pointer")]

use std::{num::NonZeroUsize, path::Path, ptr};

use cryptoki_sys::*;
use zeroize::Zeroizing;

use crate::Error;

/// Room for any signature.
const SIGNATURE: usize = 512;

/// The table of functions of a loaded module.
pub(crate) struct Functions {
    table: *const CK_FUNCTION_LIST,
    /// Keeps the library in memory.
    _library: Pkcs11,
}

// SAFETY: the table is the module's and constant; PKCS#11 wants its functions to be callable from
// any thread after C_Initialize with `CKF_OS_LOCKING_OK`, which `Module::load` asks for, or leaves as
// its duty to a program that has initialised the module itself.
unsafe impl Send for Functions {}
// SAFETY: as above.
unsafe impl Sync for Functions {}

impl Functions {
    /// The table of a module that is loaded already: the loader gives the same library again.
    pub(crate) fn of(path: &Path) -> Result<Self, Error> {
        let fail = |reason: &str| Error::Load { path: path.to_owned(), reason: reason.to_owned() };
        // SAFETY: this module was loaded, and so trusted, a moment ago.
        let library = unsafe { Pkcs11::new(path) }.map_err(|error| fail(&error.to_string()))?;
        if library.C_GetFunctionList.is_err() {
            return Err(fail("it has no C_GetFunctionList"));
        }
        let mut table = ptr::null_mut();
        // SAFETY: the function is there, and the pointer is to room for a pointer.
        let rv = unsafe { library.C_GetFunctionList(&mut table) };
        if rv != CKR_OK || table.is_null() {
            return Err(Error::code("C_GetFunctionList", rv));
        }
        Ok(Self { table, _library: library })
    }

    /// C_SignInit and C_Sign, or pieces of at most `frame` bytes.
    pub(crate) fn sign(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: CK_MECHANISM_TYPE,
        key: CK_OBJECT_HANDLE,
        data: &[u8],
        frame: Option<NonZeroUsize>,
    ) -> Result<Vec<u8>, Error> {
        // SAFETY: a table that the module gave is one for its whole life.
        let table = unsafe { &*self.table };
        let mut mechanism = without_parameter(mechanism);
        let init = table.C_SignInit.ok_or(missing("C_SignInit"))?;
        // SAFETY: the module's function, a mechanism of ours, and handles, which may be bad.
        check("C_SignInit", unsafe { init(session, &mut mechanism, key) })?;
        let mut signature = vec![0; SIGNATURE];
        let mut len = SIGNATURE as CK_ULONG;
        match frame.filter(|frame| data.len() > frame.get()) {
            None => {
                let sign = table.C_Sign.ok_or(missing("C_Sign"))?;
                let (data, data_len) = (data.as_ptr().cast_mut(), data.len() as CK_ULONG);
                // SAFETY: both buffers are as long as said; the standard does not write to data.
                let rv = unsafe { sign(session, data, data_len, signature.as_mut_ptr(), &mut len) };
                check("C_Sign", rv)?;
            }
            Some(frame) => {
                let update = table.C_SignUpdate.ok_or(missing("C_SignUpdate"))?;
                for piece in data.chunks(frame.get()) {
                    let (data, data_len) = (piece.as_ptr().cast_mut(), piece.len() as CK_ULONG);
                    // SAFETY: as above.
                    check("C_SignUpdate", unsafe { update(session, data, data_len) })?;
                }
                let finish = table.C_SignFinal.ok_or(missing("C_SignFinal"))?;
                // SAFETY: as above.
                let rv = unsafe { finish(session, signature.as_mut_ptr(), &mut len) };
                check("C_SignFinal", rv)?;
            }
        }
        signature.truncate(len as usize);
        Ok(signature)
    }

    /// C_DecryptInit and C_Decrypt. A plaintext is no longer than its ciphertext.
    pub(crate) fn decrypt(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: CK_MECHANISM_TYPE,
        key: CK_OBJECT_HANDLE,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        // SAFETY: a table that the module gave is one for its whole life.
        let table = unsafe { &*self.table };
        let mut mechanism = without_parameter(mechanism);
        let init = table.C_DecryptInit.ok_or(missing("C_DecryptInit"))?;
        // SAFETY: the module's function, a mechanism of ours, and handles, which may be bad.
        check("C_DecryptInit", unsafe { init(session, &mut mechanism, key) })?;
        let decrypt = table.C_Decrypt.ok_or(missing("C_Decrypt"))?;
        let mut plaintext = Zeroizing::new(vec![0; ciphertext.len()]);
        let mut len = plaintext.len() as CK_ULONG;
        let (data, data_len) = (ciphertext.as_ptr().cast_mut(), ciphertext.len() as CK_ULONG);
        // SAFETY: both buffers are as long as said; the standard does not write to data.
        let rv = unsafe { decrypt(session, data, data_len, plaintext.as_mut_ptr(), &mut len) };
        check("C_Decrypt", rv)?;
        plaintext.truncate(len as usize);
        Ok(plaintext)
    }
}

fn without_parameter(mechanism: CK_MECHANISM_TYPE) -> CK_MECHANISM {
    CK_MECHANISM { mechanism, pParameter: ptr::null_mut(), ulParameterLen: 0 }
}

fn missing(function: &'static str) -> Error {
    Error::code(function, CKR_FUNCTION_NOT_SUPPORTED)
}

fn check(function: &'static str, rv: CK_RV) -> Result<(), Error> {
    if rv == CKR_OK { Ok(()) } else { Err(Error::code(function, rv)) }
}
