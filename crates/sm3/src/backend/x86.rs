//! Kernels for x86-64.

mod avx2;
mod avx512;
mod cpu;
mod one;
mod one_avx2;
mod one_avx512;

use super::{
    Backend, Block, Candidate, Lanes, MAX_LANES,
    lanes::{four_steps, lanes, step},
    portable,
};
use crate::consts::T;

/// Preferred first.
pub(super) const KERNELS: &[Candidate] = &[
    #[cfg(not(gmkit_without = "avx512"))]
    ("avx512", || Some(cpu::Avx512::detect()?)),
    #[cfg(not(gmkit_without = "avx2"))]
    ("avx2", || Some(cpu::Avx2::detect()?)),
];
