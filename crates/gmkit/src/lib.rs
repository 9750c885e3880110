//! gmkit: China's national ("commercial", 国密) algorithms for Rust.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`sm2`] | signatures, public-key encryption and key exchange, GB/T 32918 |
//! | [`sm3`] | the hash function and the key derivation function, GB/T 32905 |
//! | [`sm4`] | the block cipher and its modes, GB/T 32907 and 17964 |
//! | `keys` | keys in files and behind URIs, self-tests (feature `keys`, on by default) |
//! | `hsm` | keys in PKCS#11 devices (feature `hsm`) |
//! | `pki` | certificates: issuing, chains, revocation, requests, OCSP; CMS messages, PKCS#12 (feature `pki`) |
//! | `tls` | TLS 1.3 of RFC 8998 for rustls (feature `tls`) |
//! | `audit` | an audit log that proves itself (feature `audit`) |
//! | `mask` | personal data found and masked, in JSON and text (feature `mask`) |
//! | `seal` | bodies of requests and responses, sealed (feature `seal`) |
//! | `rng` | the generators of GM/T 0105 (feature `rng`), the tests of GM/T 0005 (feature `randomness`) |
//!
//! Sign a message and verify it:
//!
//! ```
//! # #[cfg(feature = "keys")] {
//! use gmkit::{
//!     keys::{PrivateKey, SoftwareKey},
//!     sm2::{Id, Signature},
//! };
//!
//! let key = SoftwareKey::generate()?;
//! let signature = key.sign(Id::DEFAULT, b"pay 100 to Alice")?;
//!
//! let received = Signature::from_der(signature.to_der().as_bytes())?;
//! key.public_key().verify(Id::DEFAULT, b"pay 100 to Alice", &received)?;
//! assert!(key.public_key().verify(Id::DEFAULT, b"pay 999 to Alice", &received).is_err());
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Encrypt with a shared key: see [`sm4`]. Hash: see [`sm3`].
//!
//! The cores implement the RustCrypto traits (`digest`, `cipher`, `aead`, `signature`, `pkcs8`),
//! so they drop into `hmac`, `hkdf`, `pbkdf2` and the like. What is easy to misuse is in modules
//! named `hazmat`.
//!
//! gmkit is not a certified cryptographic module.
#![no_std]

#[cfg(feature = "audit")]
pub use gmkit_audit as audit;
#[cfg(feature = "hsm")]
pub use gmkit_hsm as hsm;
#[cfg(feature = "keys")]
pub use gmkit_keys as keys;
#[cfg(feature = "mask")]
pub use gmkit_mask as mask;
#[cfg(feature = "pki")]
pub use gmkit_pki as pki;
#[cfg(feature = "rng")]
pub use gmkit_rng as rng;
#[cfg(feature = "seal")]
pub use gmkit_seal as seal;
pub use gmkit_sm2 as sm2;
pub use gmkit_sm3 as sm3;
pub use gmkit_sm4 as sm4;
#[cfg(feature = "tls")]
pub use gmkit_tls as tls;
