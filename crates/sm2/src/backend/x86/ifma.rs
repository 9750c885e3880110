//! Sums of table entries, eight at a time: what multiplying the generator, or a prepared point, is.
//!
//! For one multiplier lane l takes the windows l, l + 8, l + 16 and so on, and the eight sums are summed at
//! the end; for many multipliers each lane has one to itself.

use alloc::vec::Vec;
use core::{
    arch::{asm, x86_64::*},
    array::from_fn,
};

use subtle::Choice;
use zeroize::Zeroize;

use super::{
    Affine, Arithmetic, Field, Jacobian, Multiples, Projective, Ring, Scalar, base, cpu,
    lanes::{Lanes, Words},
};

type Number = <cpu::Adx as Arithmetic>::Number;

const LANES: usize = 8;
/// Windows of a lane for one multiplier. Those that there are not have the digit 0.
const ROUNDS: usize = base::WINDOWS.div_ceil(LANES);

impl Arithmetic for cpu::Ifma {
    /// [`cpu::Adx`] asks for no more than this token has.
    type Number = Number;

    fn generator(&self, k: &Scalar) -> Jacobian<Number> {
        let mut words = k.to_words();
        // SAFETY: this value proves that the CPU has the features.
        let product = unsafe { generator(&words) };
        words.zeroize();
        product
    }

    fn generators(&self, k: &[Scalar]) -> Vec<Jacobian<Number>> {
        let mut products = Vec::with_capacity(k.len());
        for k in k.chunks(LANES) {
            // A lane without a multiplier has 0.
            let mut words = [[0; 4]; LANES];
            words.iter_mut().zip(k).for_each(|(words, k)| *words = k.to_words());
            // SAFETY: this value proves that the CPU has the features.
            let mut all = unsafe { generators(&words) };
            products.extend_from_slice(&all[..k.len()]);
            words.zeroize();
            all.zeroize();
        }
        products
    }

    fn prepared(&self, s: &Scalar, t: &Scalar, multiples: &Multiples) -> Jacobian<Number> {
        // SAFETY: this value proves that the CPU has the features.
        unsafe { prepared(&s.to_words(), &t.to_words(), multiples) }
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn generator(k: &[u64; 4]) -> Jacobian<Number> {
    let sums = sums(ROUNDS, |round| {
        Terms::new(|terms, lane| secret_term(terms, lane, k, round * LANES + lane))
    });
    one(&total(homogeneous(sums)))
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn generators(k: &[[u64; 4]; LANES]) -> [Jacobian<Number>; LANES] {
    let Sums { point: Jacobian { x, y, z }, infinite } = sums(base::WINDOWS, |window| {
        Terms::new(|terms, lane| secret_term(terms, lane, &k[lane], window))
    });
    let z = z.select(&Lanes::zero(), infinite);
    let mut words = [x, y, z].map(|lanes| lanes.to_montgomery());
    let points = from_fn(|lane| {
        let [x, y, z] = words.each_ref().map(|words| Number::from_montgomery(words[lane]));
        Jacobian { x, y, z }
    });
    words.zeroize();
    points
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn prepared(s: &[u64; 4], t: &[u64; 4], multiples: &Multiples) -> Jacobian<Number> {
    let of_generator = sums(ROUNDS, |round| {
        Terms::new(|terms, lane| {
            public_term(terms, lane, s, round * LANES + lane, base::entry_vartime);
        })
    });
    let entry = |i, j| {
        let point = multiples.entry(i, j);
        let (x, y) = (point.x.to_montgomery(), point.y.to_montgomery());
        from_fn(|i| if i < 4 { x[i] } else { y[i - 4] })
    };
    let of_point = sums(ROUNDS, |round| {
        Terms::new(|terms, lane| public_term(terms, lane, t, round * LANES + lane, entry))
    });
    one(&total(homogeneous(of_generator).add(&homogeneous(of_point))))
}

/// Adds window `i` of the generator's table for a secret k to the terms. All entries are read.
#[target_feature(enable = "avx512f")]
fn secret_term(terms: &mut Terms, lane: usize, k: &[u64; 4], i: usize) {
    if i >= base::WINDOWS {
        return;
    }
    let (negative, magnitude) = base::digit(k, i);
    let mut words = select(base::window(i), magnitude);
    terms.set(lane, &words, negative, base::is_zero(magnitude));
    words.zeroize();
}

/// Adds window `i` of a table for a public multiplier to the terms.
fn public_term(
    terms: &mut Terms,
    lane: usize,
    k: &[u64; 4],
    i: usize,
    entry: impl Fn(usize, u64) -> [u64; 8],
) {
    if i >= base::WINDOWS {
        return;
    }
    let (negative, magnitude) = base::digit(k, i);
    if magnitude != 0 {
        terms.set(lane, &entry(i, magnitude), negative, Choice::from(0));
    }
}

/// Entry `number` of a table, counted from 1, by reading all of it.
#[target_feature(enable = "avx512f")]
fn select(entries: &base::Window, number: u64) -> [u64; 8] {
    let number = opaque(_mm512_set1_epi64(number as i64));
    let mut found = _mm512_setzero_si512();
    for (entry, j) in entries.iter().zip(1..) {
        // SAFETY: reads 64 bytes from a reference to as many, at any alignment.
        let entry = unsafe { _mm512_loadu_si512(entry.as_ptr().cast()) };
        let wanted = _mm512_cmpeq_epi64_mask(number, _mm512_set1_epi64(j));
        found = _mm512_mask_mov_epi64(found, wanted, opaque(entry));
    }
    let mut words = [0; 8];
    // SAFETY: writes 64 bytes to a reference to as many, at any alignment.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), found) };
    words
}

/// The same, for all the compiler knows. It made one instruction of a load and what takes it or
/// leaves it, which reads nothing, and faults on no page, where the mask is empty; and a scalar comparison of
/// one in each lane.
#[inline]
#[target_feature(enable = "avx512f")]
fn opaque(mut x: __m512i) -> __m512i {
    // SAFETY: no instruction at all, on a register.
    unsafe {
        asm!("/* {0} */", inout(zmm_reg) x, options(pure, nomem, nostack, preserves_flags));
    }
    x
}

/// What each lane adds in a round.
struct Terms {
    x: Words,
    y: Words,
    negative: __mmask8,
    /// Where it is nothing, and x and y are not a point.
    nothing: __mmask8,
}

impl Terms {
    /// Nothing but what `fill` sets.
    #[inline(always)]
    fn new(mut fill: impl FnMut(&mut Self, usize)) -> Self {
        let mut terms = Self { x: [[0; 8]; 4], y: [[0; 8]; 4], negative: 0, nothing: 0xff };
        for lane in 0..LANES {
            fill(&mut terms, lane);
        }
        terms
    }

    #[inline(always)]
    fn set(&mut self, lane: usize, words: &[u64; 8], negative: Choice, nothing: Choice) {
        for i in 0..4 {
            self.x[i][lane] = words[i];
            self.y[i][lane] = words[i + 4];
        }
        self.negative |= negative.unwrap_u8() << lane;
        self.nothing ^= (!nothing).unwrap_u8() << lane;
    }

    #[target_feature(enable = "avx512f")]
    fn points(&self) -> Affine<Lanes> {
        let y = Lanes::from_montgomery(&self.y).negate(self.negative);
        Affine { x: Lanes::from_montgomery(&self.x), y }
    }
}

impl Drop for Terms {
    fn drop(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.negative.zeroize();
        self.nothing.zeroize();
    }
}

/// A sum in each lane, and in which it is the point at infinity, and not what `point` says.
struct Sums {
    point: Jacobian<Lanes>,
    infinite: __mmask8,
}

/// Sums the terms of all rounds, in each lane.
///
/// The incomplete addition meets no exceptions. For all windows of a multiplier, in rising order, that is
/// proved at [`base::multiply_generator`], for any point of order n. For each eighth window let A, again,
/// be the sum before window i, and D = d·2^(6i), d != 0, the new term: then |A| < 0.51·2^(6i) <= |D|, so
/// that A != D and A != -D as integers, and for i < 42 |A| + |D| < n. For i = 42 |A| < 2^210, and D, one
/// of 2^252 to 16·2^252, is farther than that from n and from 0, and |A| + |D| < 2n.
#[target_feature(enable = "avx512f,avx512ifma")]
fn sums(rounds: usize, mut terms: impl FnMut(usize) -> Terms) -> Sums {
    let first = terms(0);
    let Affine { x, y } = first.points();
    let mut point = Jacobian { x, y, z: Lanes::one() };
    let mut infinite = first.nothing;
    for round in 1..rounds {
        let terms = terms(round);
        let term = terms.points();
        let sum = point.add_affine_incomplete(&term);
        let alone = infinite & !terms.nothing;
        let both = !infinite & !terms.nothing;
        point = Jacobian {
            x: point.x.select(&sum.x, both).select(&term.x, alone),
            y: point.y.select(&sum.y, both).select(&term.y, alone),
            z: point.z.select(&sum.z, both).select(&Lanes::one(), alone),
        };
        infinite &= terms.nothing;
    }
    Sums { point, infinite }
}

/// (X : Y : Z) that stands for (X/Z, Y/Z), from one that stands for (X/Z^2, Y/Z^3).
#[target_feature(enable = "avx512f,avx512ifma")]
fn homogeneous(Sums { point: Jacobian { x, y, z }, infinite }: Sums) -> Projective<Lanes> {
    Projective {
        x: (x * z).select(&Lanes::zero(), infinite),
        y: y.select(&Lanes::one(), infinite),
        z: (z.square() * z).select(&Lanes::zero(), infinite),
    }
}

/// The sum of all lanes, in each of them. The addition is complete.
#[target_feature(enable = "avx512f,avx512ifma")]
fn total(sums: Projective<Lanes>) -> Projective<Lanes> {
    let sums = sums.add(&rotated::<4>(&sums));
    let sums = sums.add(&rotated::<2>(&sums));
    sums.add(&rotated::<1>(&sums))
}

#[target_feature(enable = "avx512f")]
fn rotated<const N: i32>(point: &Projective<Lanes>) -> Projective<Lanes> {
    let Projective { x, y, z } = *point;
    Projective { x: x.rotate::<N>(), y: y.rotate::<N>(), z: z.rotate::<N>() }
}

/// The point in lane 0.
#[target_feature(enable = "avx512f,avx512ifma")]
fn one(point: &Projective<Lanes>) -> Jacobian<Number> {
    let mut words = [point.x, point.y, point.z].map(|lanes| lanes.to_montgomery());
    let [x, y, z] = words.each_ref().map(|words| Number::from_montgomery(words[0]));
    words.zeroize();
    Jacobian { x: x * z, y: y * z.square(), z }
}
