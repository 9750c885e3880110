//! GF(p) on four full words, in plain Rust: faster than fiat-crypto's code, because it knows p.
//!
//! p = 2^256 - 2^224 - 2^96 + 2^64 - 1 is -1 modulo 2^64, so that Montgomery's factor for the lowest
//! word m is m itself; and m·p takes no product, only shifts by 32 bits and sums. That is what a
//! generic Montgomery product cannot see. Addition, subtraction and the two products are
//! here, and the tests compare all four with fiat-crypto's machine-checked functions; conversions from and to
//! bytes, and square roots, are left to those.
//!
//! Selections are masks without a barrier against the compiler, as in fiat-crypto's Rust code: that they
//! stay free of branches is checked on the machine code (`cargo xtask ct`).

use core::{
    marker::PhantomData,
    ops::{Add, Mul, Neg, Sub},
};

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{DefaultIsZeroes, Zeroize};

use super::{Field, FieldElement, Kernel, Plain, Ring, divsteps::Modulus};

/// A coordinate in Montgomery form, below p, least significant word first; `K` computes with it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Saturated<K = Plain>([u64; 4], PhantomData<K>);

const P: [u64; 4] = FieldElement::MODULUS;

const MODULUS: Modulus = Modulus::new(&P);

/// R^3 for R = 2^256.
const R3: [u64; 4] = {
    let r = FieldElement::ONE.montgomery_words();
    let r2 = FieldElement::from_words(r).montgomery_words();
    FieldElement::from_words(r2).montgomery_words()
};

/// 2^256 - p.
const MINUS_P: [u64; 4] = [1, 0xffff_ffff, 0, 1 << 32];

impl<K: Kernel> DefaultIsZeroes for Saturated<K> {}

/// a + b + carry, and the new carry. In this form compilers see an ADC.
#[inline(always)]
const fn add_carry(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(carry as u64);
    (sum, first | second)
}

/// a - b - borrow, and the new borrow. In this form compilers see an SBB.
#[inline(always)]
const fn sub_borrow(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(borrow as u64);
    (difference, first | second)
}

/// a·b + c + carry, which is below 2^128.
#[inline(always)]
const fn multiply_add(a: u64, b: u64, c: u64, carry: u64) -> (u64, u64) {
    let sum = a as u128 * b as u128 + c as u128 + carry as u128;
    (sum as u64, (sum >> 64) as u64)
}

#[inline(always)]
fn add(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], bool) {
    let mut carry = false;
    let sum = core::array::from_fn(|i| {
        let (word, next) = add_carry(a[i], b[i], carry);
        carry = next;
        word
    });
    (sum, carry)
}

#[inline(always)]
fn sub(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], bool) {
    let mut borrow = false;
    let difference = core::array::from_fn(|i| {
        let (word, next) = sub_borrow(a[i], b[i], borrow);
        borrow = next;
        word
    });
    (difference, borrow)
}

/// The number x + carry·2^256, which is below 2p, modulo p.
#[inline(always)]
fn reduced_once(x: [u64; 4], carry: bool) -> [u64; 4] {
    // x - p is x + (2^256 - p) with the carry for a borrow that did not happen.
    let (less, enough) = add(&x, &MINUS_P);
    let keep = u64::from(!(enough | carry)).wrapping_neg();
    core::array::from_fn(|i| less[i] ^ (keep & (less[i] ^ x[i])))
}

/// t/2^256 modulo p, for t below p·2^256 (Montgomery's reduction).
#[inline(always)]
fn reduced([t0, t1, t2, t3, t4, t5, t6, t7]: [u64; 8]) -> [u64; 4] {
    // Takes the lowest word m away, as (x + m·p)/2^64: m·p is -m + m·(2^256 - 2^224 - 2^96 + 2^64).
    // From x < 2^256 follows (x + m·p)/2^64 < 2^192 + p < 2^256: no carry is lost.
    let step = |[m, x1, x2, x3]: [u64; 4]| -> [u64; 4] {
        let (low, high) = (m << 32, m >> 32);
        let (a0, borrow) = sub_borrow(m, low, false);
        let (a1, borrow) = sub_borrow(0, high, borrow);
        let (a2, borrow) = sub_borrow(0, low, borrow);
        let (a3, _) = sub_borrow(m, high, borrow);
        let (y0, carry) = add_carry(x1, a0, false);
        let (y1, carry) = add_carry(x2, a1, carry);
        let (y2, carry) = add_carry(x3, a2, carry);
        let (y3, _) = add_carry(0, a3, carry);
        [y0, y1, y2, y3]
    };
    let low = step(step(step(step([t0, t1, t2, t3]))));
    let (sum, carry) = add(&low, &[t4, t5, t6, t7]);
    reduced_once(sum, carry)
}

impl Kernel for Plain {
    #[inline(always)]
    fn add(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
        let (sum, carry) = add(a, b);
        reduced_once(sum, carry)
    }

    #[inline(always)]
    fn sub(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
        let (difference, borrow) = sub(a, b);
        let mask = u64::from(borrow).wrapping_neg();
        add(&difference, &P.map(|word| word & mask)).0
    }

    #[inline(always)]
    fn multiply(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
        let mut t = [0; 8];
        for i in 0..4 {
            let mut carry = 0;
            for j in 0..4 {
                (t[i + j], carry) = multiply_add(a[i], b[j], t[i + j], carry);
            }
            t[i + 4] = carry;
        }
        reduced(t)
    }

    /// Six products and four squares of words.
    #[inline(always)]
    fn square(a: &[u64; 4]) -> [u64; 4] {
        let [a0, a1, a2, a3] = *a;
        let (t1, carry) = multiply_add(a0, a1, 0, 0);
        let (t2, carry) = multiply_add(a0, a2, 0, carry);
        let (t3, t4) = multiply_add(a0, a3, 0, carry);
        let (t3, carry) = multiply_add(a1, a2, t3, 0);
        let (t4, t5) = multiply_add(a1, a3, t4, carry);
        let (t5, t6) = multiply_add(a2, a3, t5, 0);
        let doubled = [
            t1 << 1,
            t2 << 1 | t1 >> 63,
            t3 << 1 | t2 >> 63,
            t4 << 1 | t3 >> 63,
            t5 << 1 | t4 >> 63,
            t6 << 1 | t5 >> 63,
            t6 >> 63,
        ];
        let squares = a.map(|a| u128::from(a) * u128::from(a));
        let (low, high) = (squares.map(|s| s as u64), squares.map(|s| (s >> 64) as u64));
        let (t1, carry) = add_carry(doubled[0], high[0], false);
        let (t2, carry) = add_carry(doubled[1], low[1], carry);
        let (t3, carry) = add_carry(doubled[2], high[1], carry);
        let (t4, carry) = add_carry(doubled[3], low[2], carry);
        let (t5, carry) = add_carry(doubled[4], high[2], carry);
        let (t6, carry) = add_carry(doubled[5], low[3], carry);
        let (t7, _) = add_carry(doubled[6], high[3], carry);
        reduced([low[0], t1, t2, t3, t4, t5, t6, t7])
    }
}

impl<K> Saturated<K> {
    #[inline(always)]
    const fn new(words: [u64; 4]) -> Self {
        Self(words, PhantomData)
    }
}

impl<K: Kernel> Ring for Saturated<K> {
    #[cfg(any(test, feature = "alloc"))]
    #[inline(always)]
    fn times_b(&self) -> Self {
        *self * const { Self::new(FieldElement::B.montgomery_words()) }
    }

    #[inline(always)]
    fn square(&self) -> Self {
        Self::new(K::square(&self.0))
    }
}

impl<K: Kernel> Field for Saturated<K> {
    const ZERO: Self = Self::new([0; 4]);
    const ONE: Self = Self::new(FieldElement::ONE.montgomery_words());

    #[inline(always)]
    fn from_montgomery(words: [u64; 4]) -> Self {
        Self::new(words)
    }

    #[inline(always)]
    fn to_montgomery(self) -> [u64; 4] {
        self.0
    }

    /// The inverse of x·R is x^-1·R^-1, which a product with R^3 makes x^-1·R.
    fn invert(&self) -> Self {
        let mut inverse = MODULUS.invert(&self.0);
        let product = Self::new(inverse) * Self::new(R3);
        inverse.zeroize();
        product
    }

    #[inline(always)]
    fn select(entries: &[[u8; 64]], number: u64) -> [u64; 8] {
        K::select(entries, number)
    }

    fn is_zero(&self) -> Choice {
        self.0.ct_eq(&[0; 4])
    }
}

impl<K: Kernel> Add for Saturated<K> {
    type Output = Self;
    #[inline(always)]
    fn add(self, rhs: Self) -> Self {
        Self::new(K::add(&self.0, &rhs.0))
    }
}

impl<K: Kernel> Sub for Saturated<K> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, rhs: Self) -> Self {
        Self::new(K::sub(&self.0, &rhs.0))
    }
}

impl<K: Kernel> Neg for Saturated<K> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl<K: Kernel> Mul for Saturated<K> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, rhs: Self) -> Self {
        Self::new(K::multiply(&self.0, &rhs.0))
    }
}

impl<K: Kernel> ConditionallySelectable for Saturated<K> {
    #[inline(always)]
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self::new(core::array::from_fn(|i| u64::conditional_select(&a.0[i], &b.0[i], choice)))
    }
}

impl<K> PartialEq for Saturated<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl<K> Eq for Saturated<K> {}

#[cfg(test)]
pub(crate) mod tests {
    extern crate std;

    use proptest::{prelude::*, test_runner::TestRunner};

    use super::*;

    /// Words at which carries run, or do not, and any others.
    fn word() -> impl Strategy<Value = u64> {
        let edge = proptest::sample::select(
            &[0, 1, 2, 1 << 31, 1 << 32, (1 << 32) - 1, u64::MAX << 32, u64::MAX - 1, u64::MAX][..],
        );
        prop_oneof![edge, any::<u64>()]
    }

    /// The words of a number below p: its distance from p, where it is not.
    pub(crate) fn below_p() -> impl Strategy<Value = [u64; 4]> {
        [word(), word(), word(), word()].prop_map(|words| {
            let (less, borrow) = sub(&words, &P);
            if borrow { words } else { less }
        })
    }

    /// All operations on the numbers with these words.
    fn compare<K: Kernel>(a: [u64; 4], b: [u64; 4]) {
        let (fa, fb) = (fiat(a), fiat(b));
        let (a, b) = (Saturated::<K>::new(a), Saturated::<K>::new(b));
        assert_eq!((a + b).0, (fa + fb).to_montgomery());
        assert_eq!((a - b).0, (fa - fb).to_montgomery());
        assert_eq!((-a).0, (-fa).to_montgomery());
        assert_eq!((a * b).0, (fa * fb).to_montgomery());
        assert_eq!(a.square().0, fa.square().to_montgomery());
        assert_eq!(a.invert().0, fa.invert().to_montgomery());
    }

    fn fiat(words: [u64; 4]) -> FieldElement {
        FieldElement::from_montgomery(words)
    }

    /// The arithmetic over this kernel is fiat-crypto's, and it reads tables as it should.
    pub(crate) fn is_right<K: Kernel>() {
        let p_minus = |n: u64| [P[0] - n, P[1], P[2], P[3]];
        let numbers = [[0; 4], [1, 0, 0, 0], [0, 0, 0, 1], p_minus(1), p_minus(2)];
        for a in numbers {
            numbers.iter().for_each(|b| compare::<K>(a, *b));
        }
        let mut runner = TestRunner::new(ProptestConfig::with_cases(20_000));
        let pairs = (below_p(), below_p());
        runner
            .run(&pairs, |(a, b)| {
                compare::<K>(a, b);
                Ok(())
            })
            .unwrap();
        let entries: std::vec::Vec<[u8; 64]> =
            (0..40).map(|n| core::array::from_fn(|i| (n * 64 + i) as u8 ^ 0xa5)).collect();
        for number in 0..42_u64 {
            let entry = number.checked_sub(1).and_then(|at| entries.get(at as usize));
            let want = entry.copied().unwrap_or([0; 64]);
            let words = K::select(&entries, number).map(u64::to_le_bytes);
            assert_eq!(words.as_flattened(), want);
        }
    }

    #[test]
    fn plain_rust_is_right() {
        is_right::<Plain>();
    }
}
