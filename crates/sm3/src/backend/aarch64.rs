//! Kernels for ARM64.

mod cpu;
mod neon;
mod sm3;

use super::{
    Backend, Block, Candidate, Lanes, MAX_LANES,
    lanes::{four_steps, lanes, step},
    portable,
};
use crate::consts::T;

/// Preferred first.
pub(super) const KERNELS: &[Candidate] = &[
    #[cfg(not(gmkit_without = "sm3"))]
    ("sm3", || Some(cpu::Sm3::detect()?)),
    #[cfg(not(gmkit_without = "neon"))]
    ("neon", || Some(cpu::Neon::detect())),
];
