//! Arithmetic modulo p and modulo n: the code is generated and machine-checked by fiat-crypto, the
//! types around it are ours.

mod field;
mod montgomery;
mod scalar;

pub(crate) use field::FieldElement;
pub(crate) use scalar::Scalar;
