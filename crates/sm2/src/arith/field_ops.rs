//! What the curve's formulas need of a coordinate, whoever computes it.

use core::ops::{Add, Mul, Neg, Sub};

use subtle::{Choice, ConditionallySelectable};
use zeroize::Zeroize;

use super::kernel::select;

/// What the formulas for points need of a number modulo p, or of several at once.
pub(crate) trait Ring:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
    /// The product with b of the curve.
    #[cfg(any(test, feature = "alloc"))]
    fn times_b(&self) -> Self;

    fn square(&self) -> Self;

    #[inline(always)]
    fn double(&self) -> Self {
        *self + *self
    }

    #[inline(always)]
    fn triple(&self) -> Self {
        self.double() + *self
    }
}

/// Arithmetic modulo p, in Montgomery form with R = 2^256. All of it is constant time, and numbers
/// are fully reduced: equal numbers have equal words.
pub(crate) trait Field:
    Ring + Eq + Zeroize + ConditionallySelectable + Neg<Output = Self> + Send + Sync + 'static
{
    const ZERO: Self;
    const ONE: Self;

    /// From the words in Montgomery form, least significant first, of a number below p.
    fn from_montgomery(words: [u64; 4]) -> Self;

    fn to_montgomery(self) -> [u64; 4];

    fn is_zero(&self) -> Choice;

    /// [`Kernel::select`](super::Kernel::select).
    #[inline(always)]
    fn select(entries: &[[u8; 64]], number: u64) -> [u64; 8] {
        select(entries, number)
    }

    /// The same number, computed by another.
    #[inline(always)]
    fn cast<F: Field>(self) -> F {
        F::from_montgomery(self.to_montgomery())
    }

    /// `self` squared `n` times.
    fn square_n(&self, n: usize) -> Self {
        (0..n).fold(*self, |x, _| x.square())
    }

    /// 1/self, and 0 for 0: the power p - 2, by an addition chain along its runs of ones
    /// (31 ones, a zero, 128 ones, 32 zeros, 62 ones, a zero, a one).
    fn invert(&self) -> Self {
        let x1 = *self;
        let x2 = x1.square() * x1;
        let x3 = x2.square() * x1;
        let x6 = x3.square_n(3) * x3;
        let x12 = x6.square_n(6) * x6;
        let x15 = x12.square_n(3) * x3;
        let x30 = x15.square_n(15) * x15;
        let x31 = x30.square() * x1;
        let x32 = x31.square() * x1;

        let mut x = x31.square();
        for _ in 0..4 {
            x = x.square_n(32) * x32;
        }
        x = x.square_n(64) * x32;
        x = x.square_n(30) * x30;
        x.square_n(2) * x1
    }
}
