//! Numbers as numerals of a radix, as bytes, and their sums, without a branch on their values.

use alloc::{vec, vec::Vec};

use zeroize::Zeroizing;

use crate::Error;

/// A radix of 2 to 2^16, with what division by it needs.
#[derive(Clone, Copy)]
pub(super) struct Radix {
    value: u32,
    /// 2^64 divided by the radix, rounded down.
    reciprocal: u64,
}

impl Radix {
    pub(super) fn new(value: u32) -> Result<Self, Error> {
        if !(2..=1 << 16).contains(&value) {
            return Err(Error::Radix);
        }
        let reciprocal = ((1_u128 << 64) / u128::from(value)) as u64;
        Ok(Self { value, reciprocal })
    }

    pub(super) const fn value(&self) -> u32 {
        self.value
    }

    /// Whether `len` numerals take at least `domain` values.
    pub(super) fn reaches(&self, len: usize, domain: u64) -> bool {
        let mut values = 1_u64;
        (0..len).any(|_| {
            values *= u64::from(self.value); // below 2^20 * 2^16 before the end
            values >= domain
        })
    }

    /// Whether all numerals are below the radix.
    pub(super) fn check(&self, numerals: &[u16]) -> Result<(), Error> {
        let above = numerals.iter().fold(0, |above, &x| above | (1 ^ self.below(u32::from(x))));
        if above == 0 { Ok(()) } else { Err(Error::Numeral) }
    }

    /// Bytes of the largest number of `len` numerals.
    pub(super) fn bytes(&self, len: usize) -> usize {
        let mut largest = vec![0; 2 * len];
        self.write_number(&vec![(self.value - 1) as u16; len], &mut largest);
        largest.iter().skip_while(|byte| **byte == 0).count()
    }

    /// NUM: the number as big-endian bytes, with zeros in front. `out` must have room for it.
    pub(super) fn write_number(&self, numerals: &[u16], out: &mut [u8]) {
        let mut limbs = Zeroizing::new(vec![0_u32; out.len().div_ceil(4)]);
        for &numeral in numerals {
            let mut carry = u64::from(numeral);
            for limb in limbs.iter_mut() {
                carry += u64::from(*limb) * u64::from(self.value);
                *limb = carry as u32;
                carry >>= 32;
            }
        }
        for (bytes, limb) in out.rchunks_mut(4).zip(limbs.iter()) {
            bytes.copy_from_slice(&limb.to_be_bytes()[4 - bytes.len()..]);
        }
    }

    /// STR: the number in big-endian `bytes` (a multiple of four), modulo radix^m, as m numerals.
    pub(super) fn numerals(&self, bytes: &[u8], m: usize) -> Zeroizing<Vec<u16>> {
        let limbs = bytes.as_chunks::<4>().0.iter().map(|limb| u32::from_be_bytes(*limb));
        let mut limbs = Zeroizing::new(limbs.collect::<Vec<_>>());
        let mut numerals = Zeroizing::new(vec![0; m]);
        for numeral in numerals.iter_mut().rev() {
            let mut remainder = 0;
            for limb in limbs.iter_mut() {
                (*limb, remainder) = self.divide(u64::from(remainder) << 32 | u64::from(*limb));
            }
            *numeral = remainder as u16;
        }
        numerals
    }

    /// a + y modulo radix^m; both have m numerals.
    pub(super) fn add(&self, a: &mut [u16], y: &[u16]) {
        let mut carry = 0;
        for (a, y) in a.iter_mut().zip(y).rev() {
            let sum = u32::from(*a) + u32::from(*y) + carry;
            carry = 1 ^ self.below(sum);
            *a = (sum - (self.value & carry.wrapping_neg())) as u16;
        }
    }

    /// a - y modulo radix^m; both have m numerals.
    pub(super) fn subtract(&self, a: &mut [u16], y: &[u16]) {
        let mut borrow = 0;
        for (a, y) in a.iter_mut().zip(y).rev() {
            let difference = u32::from(*a).wrapping_sub(u32::from(*y)).wrapping_sub(borrow);
            borrow = core::hint::black_box(difference >> 31);
            *a = difference.wrapping_add(self.value & borrow.wrapping_neg()) as u16;
        }
    }

    /// 1 if `x`, below 2^31, is below the radix, else 0. The barrier keeps the compiler from making
    /// a branch of it.
    fn below(&self, x: u32) -> u32 {
        core::hint::black_box(x.wrapping_sub(self.value) >> 31)
    }

    /// Quotient and remainder for x below radix · 2^32, so that the quotient has 32 bits.
    ///
    /// The divide instruction takes longer for some operands than for others. x · reciprocal / 2^64
    /// is below x / radix by less than x · radix / (radix · 2^64) < 2^-16, so its integer part is
    /// the quotient or one less.
    fn divide(&self, x: u64) -> (u32, u32) {
        let quotient = ((u128::from(x) * u128::from(self.reciprocal)) >> 64) as u64;
        let remainder = (x - quotient * u64::from(self.value)) as u32;
        let more = 1 ^ self.below(remainder);
        (quotient as u32 + more, remainder - (self.value & more.wrapping_neg()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_is_right_at_the_edges() {
        for value in [2, 3, 7, 10, 26, 255, 256, 257, 1000, 65_521, 65_535, 65_536] {
            let radix = Radix::new(value).unwrap();
            let value = u64::from(value);
            let top = (value << 32) - 1;
            for quotient in [0, 1, 2, value, 1 << 31, (1 << 32) - 2, (1 << 32) - 1] {
                for x in [quotient * value, quotient * value + value - 1, top, top - value + 1] {
                    assert_eq!(radix.divide(x), ((x / value) as u32, (x % value) as u32), "{x}");
                }
            }
        }
    }

    #[test]
    fn lengths_in_bytes() {
        let bytes = |radix, len| Radix::new(radix).unwrap().bytes(len);
        assert_eq!([bytes(256, 3), bytes(2, 8), bytes(2, 9), bytes(10, 19)], [3, 1, 2, 8]);
        assert_eq!([bytes(65_536, 2), bytes(10, 20), bytes(36, 12)], [4, 9, 8]);
    }
}
