//! Arithmetic modulo p and modulo n: the code is generated and machine-checked by fiat-crypto, the
//! types around it are ours. Modulo p there is faster arithmetic of our own beside it.

mod divsteps;
mod field;
mod field_ops;
mod kernel;
mod montgomery;
mod saturated;
mod scalar;

pub(crate) use field::FieldElement;
pub(crate) use field_ops::{Field, Ring};
pub(crate) use kernel::{Kernel, Plain};
pub(crate) use saturated::Saturated;
#[cfg(all(test, target_arch = "x86_64"))]
pub(crate) use saturated::tests::{below_p, is_right};
pub(crate) use scalar::Scalar;
