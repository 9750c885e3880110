//! SM4, the block cipher of GB/T 32907-2016 (GM/T 0002-2012): 16-byte blocks, 16-byte keys.
//!
//! | what | where |
//! | --- | --- |
//! | the cipher, with the `cipher` traits and a parallel backend | [`Sm4`] |
//! | GCM, one call or streaming, and through the `aead` traits | [`gcm`] |
//! | CTR and CBC (GB/T 17964-2021), streaming | [`ctr`], [`cbc`] |
//! | ECB, short GCM tags | [`hazmat`] |
//!
//! The portable backend is bitsliced: no table, no branch and no address depends on key or data.
//! Keys and intermediate states are zeroized on drop.
//!
//! ```
//! use gmkit_sm4::gcm::Gcm;
//!
//! let gcm = Gcm::new(&[0x42; 16]);
//! let nonce = [0; 12]; // must never repeat under one key
//! let mut buffer = *b"attack at dawn";
//! let tag = gcm.seal(&nonce, b"header", &mut buffer)?;
//! gcm.open(&nonce, b"header", &mut buffer, &tag)?;
//! assert_eq!(&buffer, b"attack at dawn");
//! # Ok::<(), gmkit_sm4::Error>(())
//! ```
#![no_std]

#[cfg(any(test, feature = "alloc"))]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod backend;
mod block;
pub mod cbc;
pub mod ctr;
mod error;
pub mod gcm;
pub mod hazmat;

pub use block::Sm4;
pub use cipher;
pub use error::Error;

/// Block size in bytes.
pub const BLOCK_SIZE: usize = 16;

/// Key size in bytes.
pub const KEY_SIZE: usize = 16;

/// Names of the backends compiled in, in order of preference; the first one is used.
#[must_use]
pub fn backends() -> &'static [&'static str] {
    backend::NAMES
}
