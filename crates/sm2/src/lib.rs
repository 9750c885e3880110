//! SM2, the elliptic curve algorithms of GB/T 32918-2016 (GM/T 0003-2012) on the curve of
//! GB/T 32918.5-2017: digital signatures, public-key encryption and key exchange.
//!
//! ```
//! use gmkit_sm2::{Id, SecretKey, Signature};
//! # use rand::rngs::SysRng;
//!
//! let key = SecretKey::generate(&mut SysRng)?;
//! let signature = key.sign(&mut SysRng, Id::DEFAULT, b"message")?;
//!
//! let received = Signature::from_der(signature.to_der().as_bytes())?;
//! key.public_key().verify(Id::DEFAULT, b"message", &received)?;
//! assert!(key.public_key().verify(Id::DEFAULT, b"massage", &received).is_err());
//! # Ok::<(), gmkit_sm2::Error>(())
//! ```
//!
//! Everything that touches a private key, a nonce or a shared secret is constant time: complete
//! addition formulas (or, for multiples of the generator, a proof that no exception is met), fixed
//! windows, tables read in full. Arithmetic is generated and checked by fiat-crypto, but for sums and
//! products modulo p, which are our own by default and tested against it ([`backends`]). Verification works on public values only and is variable time; its code is in
//! modules and functions named so. Secrets are zeroized on drop and never printed.
//!
//! Random numbers come from the caller; an error of the generator is an error of the operation.
#![no_std]

#[cfg(any(test, feature = "alloc"))]
extern crate alloc;

mod arith;
mod backend;
#[cfg(feature = "alloc")]
pub mod batch;
#[cfg(feature = "alloc")]
mod ciphertext;
mod curve;
mod der_value;
#[cfg(feature = "alloc")]
mod encrypt;
mod error;
#[cfg(feature = "alloc")]
pub mod exchange;
pub mod hazmat;
mod id;
mod key_der;
mod nonce;
#[cfg(feature = "pkcs8")]
mod pkcs8_traits;
#[cfg(feature = "alloc")]
mod prepared_key;
mod public_key;
mod secret_key;
mod sign;
mod signature_value;
mod signing_key;
mod spki_traits;
mod verify;

#[cfg(feature = "alloc")]
pub use ciphertext::Ciphertext;
pub use error::{DerFault, Error};
pub use id::Id;
#[cfg(feature = "alloc")]
pub use prepared_key::PreparedKey;
pub use public_key::PublicKey;
pub use secret_key::SecretKey;
pub use sign::Signer;
pub use signature_value::{DerSignature, Signature};
pub use signing_key::{SigningKey, VerifyingKey};
pub use verify::Verifier;

pub use der::asn1::ObjectIdentifier;
pub use rand_core;
pub use signature;
pub use spki;

/// id-ecPublicKey, the algorithm of elliptic curve keys (RFC 5480).
pub const EC_PUBLIC_KEY_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// The curve sm2p256v1, and the algorithm SM2 (GM/T 0006).
pub const SM2_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301");

/// The signature algorithm SM2 with SM3 (GM/T 0006).
pub const SM2_WITH_SM3_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.501");

/// Name of the backend that computes: the first of [`backends`].
#[must_use]
pub fn backend() -> &'static str {
    backend::chosen().0
}

/// Names of the backends compiled in, preferred first, and whether this CPU has what they need.
pub fn backends() -> impl Iterator<Item = (&'static str, bool)> {
    backend::all()
}

/// The named backend computes from now on, in the whole process; `None`: the preferred one again.
/// Returns `false`, and changes nothing, where there is no such backend.
#[cfg(feature = "backend-choice")]
pub fn prefer_backend(name: Option<&str>) -> bool {
    backend::preference::set(name)
}
