//! Kernels for ARM64.

mod aes_neon;
mod pmull;
mod sm4e;
