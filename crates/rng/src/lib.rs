//! Random numbers for those whose assessor asks for a national generator.
//!
//! - [`Drng`]: the deterministic random bit generators of GM/T 0105-2021, on SM3 or on SM4, seeded
//!   from the operating system's generator, with the health tests of annex D on what comes from
//!   there. It implements `rand_core`'s traits, so that SM2 can sign with it.
//! - [`randomness`] (feature `randomness`): the fifteen tests of GM/T 0005-2021.
//!
//! Nothing in gmkit uses this generator by itself: keys and nonces come from the operating system,
//! which is as good, and simpler.

mod ctr;
mod drng;
mod error;
mod hash;
pub mod hazmat;
pub mod health;
#[cfg(feature = "randomness")]
pub mod randomness;

pub use drng::{Drng, Level, MAX_INPUT, Mechanism, selftest};
pub use error::Error;
