//! The curve y^2 = x^3 - 3x + b over GF(p), its group of prime order n, and multiplication in it.

mod affine;
pub(crate) mod base;
mod booth;
mod jacobian;
#[cfg(feature = "alloc")]
mod normalize;
#[cfg(any(test, feature = "alloc"))]
mod projective;
mod vartime;

pub(crate) use affine::Affine;
pub(crate) use base::multiply_generator;
pub(crate) use jacobian::Jacobian;
#[cfg(feature = "alloc")]
pub(crate) use normalize::to_affine_all;
#[cfg(feature = "alloc")]
pub(crate) use projective::Projective;
#[cfg(feature = "alloc")]
pub(crate) use vartime::{Multiples, prepared_combination};
pub(crate) use vartime::{combination, has_x};

#[cfg(test)]
use crate::arith::FieldElement;

/// The generator G: what the table is made from.
#[cfg(test)]
const G: Affine = Affine {
    x: FieldElement::from_words([
        0x715a_4589_334c_74c7,
        0x8fe3_0bbf_f266_0be1,
        0x5f99_0446_6a39_c994,
        0x32c4_ae2c_1f19_8119,
    ]),
    y: FieldElement::from_words([
        0x02df_32e5_2139_f0a0,
        0xd0a9_877c_c62a_4740,
        0x59bd_cee3_6b69_2153,
        0xbc37_36a2_f4f6_779c,
    ]),
};
