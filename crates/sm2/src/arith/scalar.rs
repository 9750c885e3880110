//! Integers modulo n, the order of the generator (GB/T 32918.5-2017).

use core::ops::{Add, Mul, Neg, Sub};

use fiat_crypto::sm2_scalar_64::*;
use rand_core::TryCryptoRng;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, CtOption};
use zeroize::{DefaultIsZeroes, Zeroize};

use super::divsteps::Modulus;
use super::montgomery::{montgomery, sub_words, words_from_be};
use crate::Error;

montgomery!(
    /// A secret or public multiplier: an integer modulo n.
    Scalar,
    modulus: [0x53bb_f409_39d5_4123, 0x7203_df6b_21c6_052b, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff],
    domain: fiat_sm2_scalar_montgomery_domain_field_element,
    fiat_sm2_scalar_non_montgomery_domain_field_element,
    fiat_sm2_scalar_mul, fiat_sm2_scalar_add, fiat_sm2_scalar_sub,
    fiat_sm2_scalar_opp, fiat_sm2_scalar_to_montgomery, fiat_sm2_scalar_from_montgomery
);

impl Scalar {
    /// Big-endian bytes of any 256-bit number, reduced. n is above 2^255, so one subtraction is
    /// enough.
    pub(crate) fn from_bytes_reduced(bytes: &[u8; 32]) -> Self {
        let words = words_from_be(bytes);
        let (reduced, borrow) = sub_words(&words, &Self::MODULUS);
        Self::from_words(core::array::from_fn(|i| {
            u64::conditional_select(&reduced[i], &words[i], borrow)
        }))
    }

    /// 1/self, and 0 for 0.
    pub(crate) fn invert(&self) -> Self {
        const MODULUS: Modulus = Modulus::new(&Scalar::MODULUS);
        let mut words = self.to_words();
        let mut inverse = MODULUS.invert(&words);
        let scalar = Self::from_words(inverse);
        words.zeroize();
        inverse.zeroize();
        scalar
    }

    /// A number in [1, n-1] from big-endian bytes; `None` for 0 and for n and above.
    pub(crate) fn from_bytes_nonzero(bytes: &[u8; 32]) -> Option<Self> {
        let scalar: Self = Option::from(Self::from_bytes(bytes))?;
        if bool::from(scalar.is_zero()) { None } else { Some(scalar) }
    }

    /// A uniform number in [1, n-1], by rejection: a candidate is thrown away with chance 2^-32,
    /// and what is thrown away says nothing about what is kept.
    pub(crate) fn random<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, Error> {
        // A working generator needs a second try once in 2^32 calls; one that needs a hundred is
        // broken, and must not hang the caller.
        for _ in 0..100 {
            let mut bytes = [0; 32];
            rng.try_fill_bytes(&mut bytes).map_err(|_| Error::Rng)?;
            let scalar = Self::from_bytes_nonzero(&bytes);
            bytes.zeroize();
            if let Some(scalar) = scalar {
                return Ok(scalar);
            }
        }
        Err(Error::Rng)
    }
}

#[cfg(test)]
mod tests {
    use super::Scalar;

    #[test]
    fn inverse() {
        let mut x = Scalar::from_words([5, 6, 7, 8]);
        for _ in 0..100 {
            assert!(x * x.invert() == Scalar::ONE);
            x = x.invert() + Scalar::ONE;
        }
        for x in [Scalar::ZERO, Scalar::ONE, -Scalar::ONE] {
            assert!(x.invert() == x);
        }
    }
}
