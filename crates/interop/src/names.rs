//! The peers' names.

pub(crate) const OPENSSL4: &str = "OpenSSL 4";
pub(crate) const TONGSUO: &str = "Tongsuo 8.5";
pub(crate) const GMSSL: &str = "GmSSL 3.1.1";
pub(crate) const OPENSSL3: &str = "OpenSSL 3";
pub(crate) const TONGSUOPY: &str = "tongsuopy";
pub(crate) const SM_CRYPTO: &str = "sm-crypto";
pub(crate) const GMSSL_PY: &str = "gmssl.py";
pub(crate) const BOTAN: &str = "Botan 2";
pub(crate) const RUSTCRYPTO: &str = "RustCrypto";
