//! SM4, the block cipher of GB/T 32907-2016 (GM/T 0002-2012): 16-byte blocks, 16-byte keys.
//!
//! | what | where |
//! | --- | --- |
//! | the cipher, with the `cipher` traits and a parallel backend | [`Sm4`] |
//! | GCM, one call or streaming, and through the `aead` traits | [`gcm`] |
//! | CCM | [`ccm`] |
//! | GCM-SIV, which survives a repeated nonce | [`gcm_siv`] |
//! | CTR, CBC, CFB, OFB (GB/T 17964-2021), streaming | [`ctr`], [`cbc`], [`cfb`], [`ofb`] |
//! | XTS for storage, in both conventions | [`xts`] |
//! | HCTR, a wide block as long as the message | [`hctr`] |
//! | FF1, which keeps the format of what it encrypts | [`ff1`] |
//! | CBC and CMAC over many messages at once | [`batch`] |
//! | BC and OFBNLF (feature `rare-modes`) | `bc`, `ofbnlf` |
//! | CMAC; GMAC | [`Cmac`]; [`gcm::Gcm::gmac`] |
//! | key wrap | [`wrap`] |
//! | ECB, short GCM and CCM tags | [`hazmat`] |
//!
//! The CPU decides who computes ([`backend()`]). In every backend no branch and no address depends on key
//! or data; there are no tables. Keys, and buffers with keystream or plaintext, are zeroized on drop;
//! what kernels hold in registers, or the compiler spills, is not.
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
pub mod batch;
#[cfg(feature = "rare-modes")]
pub mod bc;
mod block;
pub mod cbc;
pub mod ccm;
pub mod cfb;
pub mod ctr;
mod error;
#[cfg(feature = "alloc")]
pub mod ff1;
pub mod gcm;
pub mod gcm_siv;
mod ghash;
pub mod hazmat;
pub mod hctr;
pub mod ofb;
#[cfg(feature = "rare-modes")]
pub mod ofbnlf;
pub mod wrap;
pub mod xts;

pub use block::Sm4;
pub use cipher;
pub use cmac;
pub use error::Error;

/// CMAC with SM4 (NIST SP 800-38B), through the traits of the `digest` and `cmac` crates.
///
/// ```
/// use gmkit_sm4::{Cmac, cmac::{KeyInit, Mac}};
///
/// let mut mac = Cmac::new(&[7; 16].into());
/// mac.update(b"message");
/// let tag = mac.finalize().into_bytes();
/// assert_eq!(tag.len(), 16);
/// ```
pub type Cmac = cmac::Cmac<Sm4>;

/// Block size in bytes.
pub const BLOCK_SIZE: usize = 16;

/// Key size in bytes.
pub const KEY_SIZE: usize = 16;

/// Name of the backend that new keys use: the first of [`backends`] that this CPU has.
#[must_use]
pub fn backend() -> &'static str {
    backend::chosen().0
}

/// Names of the backends compiled in, preferred first, and whether this CPU has what they need.
pub fn backends() -> impl Iterator<Item = (&'static str, bool)> {
    backend::all()
}

/// New keys use the named backend from now on, in the whole process; `None`: the CPU's choice again.
/// Returns `false`, and changes nothing, where there is no such backend or the CPU has not got it.
#[cfg(feature = "backend-choice")]
pub fn prefer_backend(name: Option<&str>) -> bool {
    backend::preference::set(name)
}
