//! Calls that `cryptoki` makes twice (asking for the length first, which doubles the trips to a
//! device, and breaks those that do the work on the first call).

#![allow(unsafe_code, reason = "the module's own functions, by pointer")]

mod mechanism;
mod operations;

use std::{path::Path, ptr};

use cryptoki_sys::{CK_FUNCTION_LIST, CK_RV, CKR_FUNCTION_NOT_SUPPORTED, CKR_OK, Pkcs11};

pub(crate) use mechanism::{Call, Parameter};
pub(crate) use operations::Work;

use crate::Error;

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

    fn table(&self) -> &CK_FUNCTION_LIST {
        // SAFETY: a table that the module gave is one for its whole life, and the library stays.
        unsafe { &*self.table }
    }
}

fn check(function: &'static str, rv: CK_RV) -> Result<(), Error> {
    if rv == CKR_OK { Ok(()) } else { Err(Error::code(function, rv)) }
}

fn missing(function: &'static str) -> Error {
    Error::code(function, CKR_FUNCTION_NOT_SUPPORTED)
}
