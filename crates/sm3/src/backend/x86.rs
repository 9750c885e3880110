//! Kernels for x86-64.

mod avx2;
mod avx512;
mod bmi2;
mod lanes;
