//! GF(p), p = 2^256 - 2^224 - 2^96 + 2^64 - 1 (GB/T 32918.5-2017).

use core::ops::{Add, Mul, Neg, Sub};

use fiat_crypto::sm2_64::*;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, CtOption};
use zeroize::DefaultIsZeroes;

use super::{
    Field, Ring,
    montgomery::{montgomery, sub_words, words_from_be},
};

montgomery!(
    /// A coordinate: an integer modulo p.
    FieldElement,
    modulus: [0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff],
    domain: fiat_sm2_montgomery_domain_field_element, fiat_sm2_non_montgomery_domain_field_element,
    fiat_sm2_mul, fiat_sm2_add, fiat_sm2_sub, fiat_sm2_opp,
    fiat_sm2_to_montgomery, fiat_sm2_from_montgomery
);

impl FieldElement {
    /// A square root, if there is one. p = 3 mod 4, so it is the power (p + 1)/4. The input is
    /// the right side of the curve equation for a public x.
    pub(crate) fn sqrt(&self) -> CtOption<Self> {
        const P_PLUS_1_OVER_4: [u64; 4] = [
            0x4000_0000_0000_0000,
            0xffff_ffff_c000_0000,
            0xffff_ffff_ffff_ffff,
            0x3fff_ffff_bfff_ffff,
        ];
        let mut root = Self::ONE;
        for word in P_PLUS_1_OVER_4.iter().rev() {
            for bit in (0..64).rev() {
                root = root.square();
                if word >> bit & 1 == 1 {
                    root = root * *self;
                }
            }
        }
        CtOption::new(root, root.square().ct_eq(self))
    }

    /// The lowest bit of the number.
    pub(crate) fn is_odd(&self) -> Choice {
        Choice::from(self.to_words()[0] as u8 & 1)
    }
}

impl Ring for FieldElement {
    #[cfg(any(test, feature = "alloc"))]
    #[inline(always)]
    fn times_b(&self) -> Self {
        *self * Self::B
    }

    #[inline(always)]
    fn square(&self) -> Self {
        let mut out = fiat_sm2_montgomery_domain_field_element([0; 4]);
        fiat_sm2_square(&mut out, &self.0);
        Self(out)
    }
}

impl Field for FieldElement {
    const ZERO: Self = Self::ZERO;
    const ONE: Self = Self::ONE;

    #[inline(always)]
    fn from_montgomery(words: [u64; 4]) -> Self {
        Self(fiat_sm2_montgomery_domain_field_element(words))
    }

    #[inline(always)]
    fn to_montgomery(self) -> [u64; 4] {
        self.0.0
    }

    fn is_zero(&self) -> Choice {
        self.is_zero()
    }
}

impl FieldElement {
    /// b of GB/T 32918.5-2017.
    pub(crate) const B: Self = Self::from_words([
        0xddbc_bd41_4d94_0e93,
        0xf397_89f5_15ab_8f92,
        0x4d5a_9e4b_cf65_09a7,
        0x28e9_fa9e_9d9f_5e34,
    ]);

    /// The words in Montgomery form.
    pub(crate) const fn montgomery_words(&self) -> [u64; 4] {
        self.0.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, FieldElement, Ring};

    #[test]
    fn inverse_and_root() {
        let x = FieldElement::from_words([3, 1, 4, 1]);
        assert!(x * x.invert() == FieldElement::ONE);
        assert!(FieldElement::ZERO.invert() == FieldElement::ZERO);
        let root = x.square().sqrt().unwrap();
        assert!(root == x || root == -x);
        // p = 3 mod 4, so -1 and the negative of any square have no root.
        assert!(bool::from((-x.square()).sqrt().is_none()));
    }

    #[test]
    fn bytes_are_canonical() {
        let mut p = [0; 32];
        for (i, word) in FieldElement::MODULUS.iter().rev().enumerate() {
            p[8 * i..8 * i + 8].copy_from_slice(&word.to_be_bytes());
        }
        assert!(bool::from(FieldElement::from_bytes(&p).is_none()));
        assert!(bool::from(FieldElement::from_bytes(&[0xff; 32]).is_none()));
        p[31] -= 1;
        assert_eq!(FieldElement::from_bytes(&p).unwrap().to_bytes(), p);
    }
}
