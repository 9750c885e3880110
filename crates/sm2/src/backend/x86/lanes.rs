//! Eight numbers modulo p in the lanes of AVX-512 vectors, with the products of IFMA.
//!
//! A number is five limbs of 52 bits, least significant first, in Montgomery form with R = 2^260. It is
//! below 2^257, not below p: each operation takes such numbers and gives such numbers, with every limb
//! in [0, 2^52). The comments argue for that; p is 2^256 - 2^224 - 2^96 + 2^64 - 1.
//!
//! VPMADD52 multiplies the low 52 bits of two lanes and adds the low or the high half of the product.

use core::{
    arch::x86_64::*,
    array::from_fn,
    ops::{Add, Mul, Sub},
};

use zeroize::Zeroize;

use super::{FieldElement, Ring};

const BITS: u32 = 52;
const MASK: u64 = (1 << BITS) - 1;

type Limbs = [u64; 5];

/// Eight numbers. Only functions with AVX-512F can make one, so a value is evidence that the CPU has it;
/// and IFMA, for nothing but the methods of a token that proves both calls them.
#[derive(Clone, Copy)]
pub(super) struct Lanes([__m512i; 5]);

/// The words of numbers in memory: word i of lane j is at `[i][j]`.
pub(super) type Words = [[u64; 8]; 4];

/// Two limbs of p; the three others, p0, p2 and p3, are 2^52 - 1.
const P1: u64 = 0x000f_f000_0000_0fff;
const P4: u64 = 0xffff_fffe_ffff;

const P: Limbs = [MASK, P1, MASK, MASK, P4];

/// 4p, in limbs that are not below 2^52.
const FOUR_P: Limbs = [4 * MASK, 4 * P1, 4 * MASK, 4 * MASK, 4 * P4];

/// 2^256 and 2^260 modulo p.
const R_256: Limbs = limbs(FieldElement::ONE.montgomery_words(), 0);
const R_260: Limbs = limbs(FieldElement::ONE.montgomery_words(), 4);

/// The limbs of x·2^n, for n up to 4.
const fn limbs([a, b, c, d]: [u64; 4], n: u32) -> Limbs {
    [
        a << n & MASK,
        (a >> (52 - n) | b << (12 + n)) & MASK,
        (b >> (40 - n) | c << (24 + n)) & MASK,
        (c >> (28 - n) | d << (36 + n)) & MASK,
        d >> (16 - n),
    ]
}

#[target_feature(enable = "avx512f")]
fn splat(limbs: &Limbs) -> [__m512i; 5] {
    limbs.map(|limb| _mm512_set1_epi64(limb as i64))
}

/// Carries between the limbs, which may be negative here; the number they stand for is not.
#[target_feature(enable = "avx512f")]
fn carried(mut t: [__m512i; 5]) -> [__m512i; 5] {
    let mask = _mm512_set1_epi64(MASK as i64);
    for i in 0..4 {
        t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srai_epi64::<BITS>(t[i]));
        t[i] = _mm512_and_si512(t[i], mask);
    }
    t
}

/// A number below 2^256 + 2^229 that is the same modulo p, from a number from 0 up to 2^260 whose limbs
/// are in (-2^55, 2^55).
///
/// With q what is above 2^256, q·2^256 goes away and q·(2^224 + 2^96 - 2^64 + 1) comes. q is read before
/// limbs are carried, so one too small or too large at the edge: then up to 2^212 remain above 2^256,
/// or the number's lower limbs, above -2^212 together, are made up for by q·2^224.
#[target_feature(enable = "avx512f")]
fn small(mut t: [__m512i; 5]) -> [__m512i; 5] {
    let q = _mm512_srai_epi64::<48>(t[4]);
    t[4] = _mm512_and_si512(t[4], _mm512_set1_epi64((1 << 48) - 1));
    t[4] = _mm512_add_epi64(t[4], _mm512_slli_epi64::<16>(q));
    t[1] = _mm512_add_epi64(t[1], _mm512_slli_epi64::<44>(q));
    t[1] = _mm512_sub_epi64(t[1], _mm512_slli_epi64::<12>(q));
    t[0] = _mm512_add_epi64(t[0], q);
    carried(t)
}

#[target_feature(enable = "avx512f")]
fn add(a: &[__m512i; 5], b: &[__m512i; 5]) -> [__m512i; 5] {
    small(from_fn(|i| _mm512_add_epi64(a[i], b[i])))
}

/// a - b + 4p, which is above 0, for b is below 2^257 and so below 4p.
#[target_feature(enable = "avx512f")]
fn sub(a: &[__m512i; 5], b: &[__m512i; 5]) -> [__m512i; 5] {
    let four_p = splat(&FOUR_P);
    small(from_fn(|i| _mm512_sub_epi64(_mm512_add_epi64(a[i], four_p[i]), b[i])))
}

/// Montgomery's product: five times, once for each limb of `a`, the lowest limb goes away.
///
/// The result is (a·b + m·p)/2^260 with m < 2^260, so below 2^514/2^260 + p < 2^257. No lane overflows:
/// it collects at most ten halves of products and a few limbs, below 2^57 together.
#[target_feature(enable = "avx512f,avx512ifma")]
fn multiply(a: &[__m512i; 5], b: &[__m512i; 5]) -> [__m512i; 5] {
    let zero = _mm512_setzero_si512();
    let mut t = [zero; 5];
    for a in a {
        let mut high = [zero; 5];
        for i in 0..5 {
            t[i] = _mm512_madd52lo_epu64(t[i], *a, b[i]);
            high[i] = _mm512_madd52hi_epu64(zero, *a, b[i]);
        }
        t = without_lowest(t);
        for i in 0..5 {
            t[i] = _mm512_add_epi64(t[i], high[i]);
        }
    }
    carried(t)
}

/// [`multiply`] of a number with itself: the products of different limbs once, and doubled.
#[target_feature(enable = "avx512f,avx512ifma")]
fn square(a: &[__m512i; 5]) -> [__m512i; 5] {
    let mut t = [_mm512_setzero_si512(); 10];
    for i in 0..5 {
        for j in i + 1..5 {
            t[i + j] = _mm512_madd52lo_epu64(t[i + j], a[i], a[j]);
            t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a[i], a[j]);
        }
    }
    for (i, a) in a.iter().enumerate() {
        let (low, high) = (2 * i, 2 * i + 1);
        t[low] = _mm512_madd52lo_epu64(_mm512_add_epi64(t[low], t[low]), *a, *a);
        t[high] = _mm512_madd52hi_epu64(_mm512_add_epi64(t[high], t[high]), *a, *a);
    }
    let [mut low, high] = [0, 5].map(|at| from_fn(|i| t[at + i]));
    for high in high {
        low = without_lowest(low);
        low[4] = _mm512_add_epi64(low[4], high);
    }
    carried(low)
}

/// (t + m·p)/2^52 for m = t mod 2^52, which makes it a multiple of 2^52 as p is -1 modulo 2^52.
///
/// m·p0 is m·2^52 - m, which is also what p2 and p3 do where they stand: so the lowest limb leaves its
/// carry and m, and of the others m is taken once and added once.
#[target_feature(enable = "avx512f,avx512ifma")]
fn without_lowest(t: [__m512i; 5]) -> [__m512i; 5] {
    let zero = _mm512_setzero_si512();
    let (p1, p4) = (_mm512_set1_epi64(P1 as i64), _mm512_set1_epi64(P4 as i64));
    let m = _mm512_and_si512(t[0], _mm512_set1_epi64(MASK as i64));
    let above = _mm512_add_epi64(_mm512_srai_epi64::<BITS>(t[0]), m);
    [
        _mm512_madd52lo_epu64(_mm512_add_epi64(t[1], above), m, p1),
        _mm512_madd52hi_epu64(_mm512_sub_epi64(t[2], m), m, p1),
        t[3],
        _mm512_madd52lo_epu64(_mm512_add_epi64(t[4], m), m, p4),
        _mm512_madd52hi_epu64(zero, m, p4),
    ]
}

impl Lanes {
    #[target_feature(enable = "avx512f")]
    pub(super) fn zero() -> Self {
        Self(splat(&[0; 5]))
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn one() -> Self {
        Self(splat(&R_260))
    }

    /// Numbers in Montgomery form with R = 2^256, below p.
    #[target_feature(enable = "avx512f")]
    pub(super) fn from_montgomery(words: &Words) -> Self {
        let [a, b, c, d] = from_fn(|i| load(&words[i]));
        let mask = _mm512_set1_epi64(MASK as i64);
        let either = |x, y| _mm512_and_si512(_mm512_or_si512(x, y), mask);
        Self(small([
            _mm512_and_si512(_mm512_slli_epi64::<4>(a), mask),
            either(_mm512_srli_epi64::<48>(a), _mm512_slli_epi64::<16>(b)),
            either(_mm512_srli_epi64::<36>(b), _mm512_slli_epi64::<28>(c)),
            either(_mm512_srli_epi64::<24>(c), _mm512_slli_epi64::<40>(d)),
            _mm512_srli_epi64::<12>(d),
        ]))
    }

    /// The words of each lane's number in Montgomery form with R = 2^256, below p.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn to_montgomery(self) -> [[u64; 4]; 8] {
        // The factor is below 2^225, so m·p/2^260 is all but 2^222 of the product: it is below 2p.
        let product = multiply(&self.0, &splat(&R_256));
        let p = splat(&P);
        let less = carried(from_fn(|i| _mm512_sub_epi64(product[i], p[i])));
        let is_below = _mm512_cmplt_epi64_mask(less[4], _mm512_setzero_si512());
        let reduced = Self(less).select(&Self(product), is_below);
        let mut limbs = [[0; 8]; 5];
        for (limbs, vector) in limbs.iter_mut().zip(reduced.0) {
            store(limbs, vector);
        }
        let words = from_fn(|lane| {
            let [a, b, c, d, e] = limbs.map(|limb| limb[lane]);
            [a | b << 52, b >> 12 | c << 40, c >> 24 | d << 28, d >> 36 | e << 16]
        });
        limbs.zeroize();
        words
    }

    /// `other` in the lanes of the mask.
    #[target_feature(enable = "avx512f")]
    pub(super) fn select(self, other: &Self, lanes: __mmask8) -> Self {
        Self(from_fn(|i| _mm512_mask_mov_epi64(self.0[i], lanes, other.0[i])))
    }

    /// -x in the lanes of the mask.
    #[target_feature(enable = "avx512f")]
    pub(super) fn negate(self, lanes: __mmask8) -> Self {
        self.select(&Self(sub(&Self::zero().0, &self.0)), lanes)
    }

    /// Lane i is what was lane i + n, counted around.
    #[target_feature(enable = "avx512f")]
    pub(super) fn rotate<const N: i32>(self) -> Self {
        Self(self.0.map(|limb| _mm512_alignr_epi64::<N>(limb, limb)))
    }
}

#[target_feature(enable = "avx512f")]
fn load(words: &[u64; 8]) -> __m512i {
    // SAFETY: reads 64 bytes from a reference to as many, at any alignment.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
fn store(words: &mut [u64; 8], vector: __m512i) {
    // SAFETY: writes 64 bytes to a reference to as many, at any alignment.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), vector) }
}

impl Ring for Lanes {
    #[inline(always)]
    fn times_b(&self) -> Self {
        // SAFETY: the CPU has the instructions, see [`Lanes`].
        unsafe { times_b(self) }
    }

    #[inline(always)]
    fn square(&self) -> Self {
        // SAFETY: the CPU has the instructions, see [`Lanes`].
        Self(unsafe { square(&self.0) })
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn times_b(x: &Lanes) -> Lanes {
    let b = small(splat(&const { limbs(FieldElement::B.montgomery_words(), 4) }));
    Lanes(multiply(&x.0, &b))
}

impl Add for Lanes {
    type Output = Self;
    #[inline(always)]
    fn add(self, rhs: Self) -> Self {
        // SAFETY: the CPU has the instructions, see [`Lanes`].
        Self(unsafe { add(&self.0, &rhs.0) })
    }
}

impl Sub for Lanes {
    type Output = Self;
    #[inline(always)]
    fn sub(self, rhs: Self) -> Self {
        // SAFETY: the CPU has the instructions, see [`Lanes`].
        Self(unsafe { sub(&self.0, &rhs.0) })
    }
}

impl Mul for Lanes {
    type Output = Self;
    #[inline(always)]
    fn mul(self, rhs: Self) -> Self {
        // SAFETY: the CPU has the instructions, see [`Lanes`].
        Self(unsafe { multiply(&self.0, &rhs.0) })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use proptest::{array::uniform8, prelude::*, test_runner::TestRunner};

    use super::{
        super::{Field, cpu},
        *,
    };

    type Eight = [FieldElement; 8];

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn into(numbers: &Eight) -> Lanes {
        let numbers = numbers.map(Field::to_montgomery);
        Lanes::from_montgomery(&from_fn(|i| from_fn(|lane| numbers[lane][i])))
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn out(lanes: Lanes) -> Eight {
        lanes.to_montgomery().map(FieldElement::from_montgomery)
    }

    /// Each operation, also on what is not fully reduced.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn compare(a: &Eight, b: &Eight) {
        let of = |f: fn(FieldElement, FieldElement) -> FieldElement| -> Eight {
            from_fn(|lane| f(a[lane], b[lane]))
        };
        let (x, y) = (into(a), into(b));
        assert!(out(x) == *a);
        assert!(out(x + y) == of(|a, b| a + b));
        assert!(out(x - y) == of(|a, b| a - b));
        assert!(out(x * y) == of(|a, b| a * b));
        assert!(out(x.square()) == of(|a, _| a.square()));
        assert!(out((x - y) * (y - x)) == of(|a, b| (a - b) * (b - a)));
        assert!(out((x * y + y.triple()).square()) == of(|a, b| (a * b + b.triple()).square()));
        assert!(out(x.times_b()) == of(|a, _| a.times_b()));
        assert!(out(x * Lanes::one() - x) == [FieldElement::ZERO; 8]);
        assert!(
            out(x.select(&y, 0b1010_0110).negate(0b11))
                == from_fn(|lane| match lane {
                    0 => -a[0],
                    1 => -b[1],
                    2 | 5 | 7 => b[lane],
                    _ => a[lane],
                })
        );
        assert!(out(x.rotate::<2>()) == from_fn(|lane| a[(lane + 2) % 8]));
    }

    /// Numbers that are not below p, up to the bound: 0, p, 2p, and what is near them, and the largest.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn compare_unreduced() {
        let twice = |limbs: Limbs| {
            let mut carry = 0;
            limbs.map(|limb| {
                let sum = 2 * limb + carry;
                carry = sum >> BITS;
                sum & MASK
            })
        };
        let near = |mut limbs: Limbs, by: u64| {
            limbs[0] = limbs[0].wrapping_add(by) & MASK; // no carry: p ends in ones, 2p in ones and a zero
            limbs
        };
        let two_p = twice(P);
        let largest = [MASK, MASK, MASK, MASK, (1 << 49) - 1];
        let all =
            [[0; 5], P, near(P, MASK), two_p, near(two_p, 1), near(two_p, MASK), largest, R_260];
        let x = Lanes(from_fn(|i| load(&all.map(|limbs| limbs[i]))));
        let a = out(x);
        for y in [x, x.rotate::<1>(), x.rotate::<3>(), x.rotate::<6>()] {
            let b = out(y);
            let of = |f: fn(FieldElement, FieldElement) -> FieldElement| -> Eight {
                from_fn(|lane| f(a[lane], b[lane]))
            };
            assert!(out(x + y) == of(|a, b| a + b));
            assert!(out(x - y) == of(|a, b| a - b));
            assert!(out(x * y) == of(|a, b| a * b));
            assert!(out(x.square()) == of(|a, _| a.square()));
        }
        let zero = FieldElement::ZERO;
        let minus_one = out(Lanes::zero() - Lanes::one())[0];
        assert!(a[0] == zero && a[1] == zero && a[3] == zero && a[7] == -minus_one);
    }

    #[test]
    fn lanes_compute_as_fiat_does() {
        if cpu::Ifma::detect().is_none() {
            std::println!("NOT RUN: ifma, this CPU has not got what it needs");
            return;
        }
        // SAFETY: a token was there.
        unsafe { compare_unreduced() };
        let eight = || uniform8(crate::arith::below_p());
        let mut runner = TestRunner::new(ProptestConfig::with_cases(5_000));
        let compared = runner.run(&(eight(), eight()), |(a, b)| {
            let [a, b] = [a, b].map(|eight| eight.map(FieldElement::from_montgomery));
            // SAFETY: a token was there.
            unsafe { compare(&a, &b) };
            Ok(())
        });
        compared.unwrap();
    }
}
