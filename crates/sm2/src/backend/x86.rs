//! Kernels for x86-64.

mod adx;
mod cpu;

use super::{Arithmetic, Candidate};

/// Preferred first.
pub(super) const KERNELS: &[Candidate] = &[
    #[cfg(not(gmkit_without = "adx"))]
    ("adx", || Some(cpu::Adx::detect()?)),
];
