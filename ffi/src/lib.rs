//! The C ABI of gmkit. C readers want `include/gmkit.h`, which is generated from this crate by
//! `cargo xtask header`; its first comment is the contract that all functions keep.
//!
//! - `export` makes C functions out of Rust ones and puts the panic guard around each. The header
//!   is generated from its invocations alone, and the ABI check refuses an exported symbol that
//!   the header lacks, so there is no other way to export a function.
//! - `pointer` has the types of arguments: NULL, lengths and overlap are checked when they are
//!   read, and their methods are safe because only a C caller can make them.
//! - `stream` has the functions that callers pass to read and write for us.
//! - `handle` has the opaque handles, which know their type.
//! - `fault` has the error codes and the message of the last error.
//! - The other modules are the functions, one module per object.
#![allow(non_camel_case_types, reason = "names of C types")]
#![cfg_attr(
    not(all(feature = "audit", feature = "mask", feature = "tls")),
    allow(dead_code, reason = "arguments of functions that are left out")
)]

#[cfg(all(unix, feature = "audit"))]
mod audit_log;
#[cfg(all(unix, feature = "audit"))]
mod audit_verify;
mod certificate;
mod cms;
mod drng;
mod envelope;
mod export;
mod fault;
mod handle;
mod hazmat;
mod hmac_sm3;
mod kdfs;
mod library;
#[cfg(feature = "mask")]
mod mask;
mod pkcs12;
mod pointer;
mod private_key;
mod public_key;
mod secret_key;
mod sm2_batch;
mod sm2_encrypt;
mod sm2_exchange;
mod sm2_prepared_key;
mod sm2_sign;
mod sm2_verify;
mod sm3;
mod sm4_batch;
mod sm4_cbc;
mod sm4_ccm;
mod sm4_cfb;
mod sm4_ctr;
mod sm4_ff1;
mod sm4_gcm;
mod sm4_gcm_stream;
mod sm4_hctr;
mod sm4_mac;
mod sm4_rare;
mod sm4_xts;
mod stream;
#[cfg(all(unix, feature = "tls"))]
mod tls_client;
#[cfg(all(unix, feature = "tls"))]
mod tls_server;
#[cfg(all(unix, feature = "tls"))]
mod tls_session;
mod verifier;
