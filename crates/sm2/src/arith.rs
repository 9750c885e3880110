//! Arithmetic modulo p and modulo n: the code is generated and machine-checked by fiat-crypto, the
//! types around it are ours. Modulo p there is faster arithmetic of our own beside it.

mod field;
mod field_ops;
mod montgomery;
mod saturated;
mod scalar;

pub(crate) use field::FieldElement;
pub(crate) use field_ops::Field;
pub(crate) use saturated::Saturated;
pub(crate) use scalar::Scalar;
