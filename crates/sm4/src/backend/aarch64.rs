//! Kernels for ARM64.

mod aes_neon;
mod cpu;
mod neon;
mod pmull;
mod sm4e;

use super::{
    Backend, Block, Candidate, HashKey, RoundKeys, affine,
    cpu::token,
    drive::{backend, drive, padded},
    fill_counters, last_word,
    portable::Portable,
    schedule,
};

/// Preferred first.
pub(super) const KERNELS: &[Candidate] = &[
    #[cfg(not(gmkit_without = "sm4e"))]
    ("sm4e", || Some(cpu::Sm4e::detect()?)),
    #[cfg(not(gmkit_without = "aes-neon"))]
    ("aes-neon", || Some(cpu::AesNeon::detect()?)),
    #[cfg(not(gmkit_without = "neon"))]
    ("neon", || Some(cpu::Neon::detect()?)),
];
