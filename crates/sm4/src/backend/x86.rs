//! Kernels for x86-64.

mod aesni;
mod aesni_avx2;
mod clmul;
mod gfni_avx2;
mod gfni_avx512;
mod gfni_narrow;
mod vpclmul;
