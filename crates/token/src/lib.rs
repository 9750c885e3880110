//! `libgmkit_token.so`: a PKCS#11 2.40 module (3.0's interface too) in software, with SM2, SM3 and
//! SM4 from gmkit, and P-256 and AES so that generic clients have something to use.
//!
//! **For development and tests.** It is not a certified module: keys lie in files, and whoever
//! copies the files can try PINs without a limit. What it does keep: keys are encrypted under the
//! PIN, every object is authenticated, a wrong PIN counts before it is tried, and nothing is half
//! written.
//!
//! The module is loaded, never linked: `GMKIT_TOKEN_DIR` names one directory per token, with `:`
//! between several; each is a slot. Mechanism numbers are in [`codes`].
//!
//! Layers, from the outside: `abi` (pointers, the only place with `unsafe`), `module`, `slot` and
//! `session` (the state machine of PKCS#11 2.40, 6.6 and 6.7), `ops` (what keys do), `store`
//! (files).

mod abi;
mod attributes;
pub mod codes;
#[cfg(feature = "lab")]
mod lab;
mod mechanism;
mod module;
mod ops;
mod persona;
mod pins;
mod rules;
mod rv;
mod session;
mod slot;
mod store;

pub use abi::tables::C_GetFunctionList;
