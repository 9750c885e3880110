//! Kernels for x86-64.

mod adx;
mod cpu;
#[cfg(feature = "alloc")]
mod ifma;
#[cfg(feature = "alloc")]
mod lanes;

use super::{Arithmetic, Candidate};
#[cfg(feature = "alloc")]
use crate::{
    arith::{Field, FieldElement, Ring, Scalar},
    curve::{Affine, Jacobian, Multiples, Projective, base},
};

/// Preferred first.
pub(super) const KERNELS: &[Candidate] = &[
    #[cfg(all(feature = "alloc", not(gmkit_without = "ifma")))]
    ("ifma", || Some(cpu::Ifma::detect()?)),
    #[cfg(not(gmkit_without = "adx"))]
    ("adx", || Some(cpu::Adx::detect()?)),
];
