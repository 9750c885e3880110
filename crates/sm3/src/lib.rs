//! SM3, the hash function of GB/T 32905-2016 (GM/T 0004-2012): 64-byte blocks, 32-byte digests.
//!
//! [`Sm3`] implements the `digest` traits, so it drops into `hmac`, `hkdf` and `pbkdf2`.
//! [`kdf()`] is the key derivation function of GB/T 32918.4-2016 5.4.3 that SM2 encryption and
//! SM2 key exchange use; HKDF, PBKDF2 and the PRFs of TLS are in `kdfs` (feature `kdfs`).
//!
//! ```
//! use gmkit_sm3::{Digest, Sm3};
//!
//! let mut hash = Sm3::new();
//! hash.update(b"a");
//! hash.update(b"bc");
//! assert_eq!(hash.finalize()[..4], [0x66, 0xc7, 0xf0, 0xf4]);
//! ```
//!
//! The hash state is zeroized on drop, because under HMAC and in the KDF it holds key material.
//! No branch and no memory address depends on the hashed data, only on its length.
#![no_std]

#[cfg(test)]
extern crate std;

mod backend;
mod block_api;
mod consts;
mod kdf;
#[cfg(feature = "kdfs")]
pub mod kdfs;
mod many;

pub use block_api::Sm3Core;
pub use digest::{self, Digest};
pub use kdf::{KdfError, kdf};
pub use many::hash_many;

/// Digest size in bytes.
pub const OUTPUT_SIZE: usize = 32;

/// Block size in bytes, as HMAC needs it.
pub const BLOCK_SIZE: usize = 64;

digest::buffer_fixed!(
    /// SM3 hasher. Messages are limited to 2^64 - 1 bits (GB/T 32905-2016, 5.1).
    ///
    /// ```
    /// use gmkit_sm3::{Digest, Sm3};
    /// let digest = Sm3::digest(b"abc");
    /// assert_eq!(digest.len(), 32);
    /// ```
    pub struct Sm3(block_api::Sm3Core);
    oid: "1.2.156.10197.1.401";
    impl: BaseFixedTraits AlgorithmName Default Clone HashMarker Reset FixedOutputReset;
);

// Core and buffer zeroize themselves.
impl digest::zeroize::ZeroizeOnDrop for Sm3 {}

/// Hashes `parts`, taken as one message, in one call.
///
/// ```
/// assert_eq!(gmkit_sm3::digest(&[b"a", b"bc"]), gmkit_sm3::digest(&[b"abc"]));
/// ```
#[must_use]
pub fn digest(parts: &[&[u8]]) -> [u8; OUTPUT_SIZE] {
    let mut hash = Sm3::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// Name of the backend that computes: the first of [`backends`] that this CPU has.
#[must_use]
pub fn backend() -> &'static str {
    backend::chosen().0
}

/// Names of the backends compiled in, preferred first, and whether this CPU has what they need.
pub fn backends() -> impl Iterator<Item = (&'static str, bool)> {
    backend::all()
}

/// The named backend computes from now on, in the whole process; `None`: the CPU's choice again.
/// Returns `false`, and changes nothing, where there is no such backend or the CPU has not got it.
#[cfg(feature = "backend-choice")]
pub fn prefer_backend(name: Option<&str>) -> bool {
    backend::preference::set(name)
}
