//! Kernels for x86-64.

mod aesni;
mod aesni_avx2;
mod clmul;
mod cpu;
mod gfni_avx2;
mod gfni_avx512;
mod gfni_narrow;
mod maps;
mod vpclmul;

use super::{
    Backend, Block, Candidate, HashKey, RoundKeys, affine,
    cpu::token,
    drive::{backend, drive, padded},
    fill_counters, last_word,
};

/// Preferred first.
pub(super) const KERNELS: &[Candidate] = &[
    #[cfg(not(gmkit_without = "gfni-avx512"))]
    ("gfni-avx512", || Some(cpu::GfniAvx512::detect()?)),
    #[cfg(not(gmkit_without = "gfni-avx2"))]
    ("gfni-avx2", || Some(cpu::GfniAvx2::detect()?)),
    #[cfg(not(gmkit_without = "aesni-avx2"))]
    ("aesni-avx2", || Some(cpu::AesniAvx2::detect()?)),
    #[cfg(not(gmkit_without = "aesni"))]
    ("aesni", || Some(cpu::Aesni::detect()?)),
];
