//! The C functions. Only here is `unsafe`: each function turns the caller's pointers into slices
//! and copies, calls the safe code, and writes what comes back.
//!
//! What every caller owes (PKCS#11 2.40, 5): a pointer is NULL or points to as many bytes or
//! structures as its count says, for the time of the call. NULL, counts beyond all reason, bad
//! handles and wrong order are answered with an error; no panic leaves a function.

#![allow(unsafe_code, reason = "a C ABI is made of raw pointers")]
#![allow(non_snake_case, reason = "the standard's names")]

mod ciphers;
mod digests;
mod general;
mod keys;
mod memory;
mod objects;
mod sessions;
mod signatures;
mod slots;
pub(crate) mod tables;
mod unsupported;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cryptoki_sys::{CK_RV, CKR_GENERAL_ERROR, CKR_OK};

use crate::{
    module::{self, Module},
    rv::{Result, Rv},
};

/// Runs the body of a C function. A panic ends here: it would end the caller's process.
fn guarded(body: impl FnOnce() -> Result) -> CK_RV {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => CKR_OK,
        Ok(Err(Rv(code))) => code,
        Err(_) => CKR_GENERAL_ERROR,
    }
}

/// The same with the module, which must be initialised.
fn call(body: impl FnOnce(&Module) -> Result) -> CK_RV {
    guarded(|| {
        let module = module::current()?;
        #[cfg(feature = "lab")]
        crate::lab::fault(None, || module.lose_sessions())?;
        body(&module)
    })
}
