//! Inversion by division steps: Bernstein and Yang, "Fast constant-time gcd computation and modular
//! inversion" (2019).
//!
//! A step takes (δ, f, g), f odd, to (1 - δ, g, (g - f)/2) if δ > 0 and g is odd, else to
//! (1 + δ, f, (g + (g mod 2)·f)/2). From f = m, g = x it leads to g = 0 and f = ±gcd(m, x). With
//! δ = 1/2 at the start 590 steps are enough for numbers of 256 bits (computed for libsecp256k1, in its
//! `safegcd_implementation.md`). Two numbers go along, d with f = d·x and e with g = e·x modulo m: at
//! the end d = ±1/x.
//!
//! The lowest bits of f and g decide the next steps, so 59 of them are made at a time on single words,
//! and collected in a matrix that is applied to the long numbers then. Numbers are five signed words of
//! 62 bits. All of it is constant time.

use core::hint::black_box;

use zeroize::Zeroize;

const BITS: usize = 62;
const MASK: u64 = (1 << BITS) - 1;
/// How many steps a matrix holds, and how many matrices there are.
const STEPS: usize = 59;
const ROUNDS: usize = 10;
const _: () = assert!(STEPS * ROUNDS >= 590);

/// Least significant word first; all but the highest are in [0, 2^62).
type Signed = [i64; 5];

/// An odd number of 256 bits to compute modulo of.
pub(super) struct Modulus {
    m: Signed,
    /// 1/m modulo 2^62.
    inverse: u64,
}

impl Modulus {
    pub(super) const fn new(words: &[u64; 4]) -> Self {
        // Newton's iteration: m·m is 1 modulo 8, and each time twice as many bits are right.
        let (mut inverse, mut bits) = (words[0], 3);
        while bits < BITS {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(words[0].wrapping_mul(inverse)));
            bits *= 2;
        }
        Self { m: split(words), inverse: inverse & MASK }
    }

    /// 1/x for x below the modulus and prime to it; 0 for 0.
    pub(super) fn invert(&self, x: &[u64; 4]) -> [u64; 4] {
        let (mut f, mut g) = (self.m, split(x));
        let (mut d, mut e) = ([0; 5], [1, 0, 0, 0, 0]);
        // -(δ + 1/2).
        let mut zeta = -1;
        for _ in 0..ROUNDS {
            let (next, mut t) = steps(zeta, f[0] as u64, g[0] as u64);
            zeta = next;
            self.apply_modulo(&t, &mut d, &mut e);
            apply(&t, &mut f, &mut g);
            t.zeroize();
        }
        self.reduce(&mut d, f[4] >> 63);
        let inverse = join(&d);
        for number in [&mut f, &mut g, &mut d, &mut e] {
            number.zeroize();
        }
        inverse
    }

    /// [`apply`] modulo m, on numbers in (-2m, m), which they are afterwards.
    fn apply_modulo(&self, t: &Matrix, d: &mut Signed, e: &mut Signed) {
        let [[u, v], [q, r]] = t.0;
        let (d_sign, e_sign) = (black_box(d[4] >> 63), black_box(e[4] >> 63));
        // Adds m where a number is negative, and what makes the lowest word 0.
        let multiple = |[a, b]: [i64; 2], low: i128| {
            let negative = (a & d_sign) + (b & e_sign);
            let low = (low as u64).wrapping_mul(self.inverse).wrapping_add(negative as u64);
            negative - (low & MASK) as i64
        };
        let low = |[a, b]: [i64; 2]| product(a, d[0]) + product(b, e[0]);
        let (for_d, for_e) = (multiple([u, v], low([u, v])), multiple([q, r], low([q, r])));
        let (mut carry_d, mut carry_e) = (0, 0);
        for i in 0..5 {
            let (di, ei, mi) = (d[i], e[i], self.m[i]);
            carry_d += product(u, di) + product(v, ei) + product(for_d, mi);
            carry_e += product(q, di) + product(r, ei) + product(for_e, mi);
            shift_in(i, d, &mut carry_d);
            shift_in(i, e, &mut carry_e);
        }
        (d[4], e[4]) = (carry_d as i64, carry_e as i64);
    }

    /// ±x modulo m for x in (-2m, m), the sign being a mask.
    fn reduce(&self, x: &mut Signed, minus: i64) {
        // The barriers hide from the compiler that a mask is all or nothing: it made branches of them.
        let (below_zero, minus) = (black_box(x[4] >> 63), black_box(minus));
        for (x, m) in x.iter_mut().zip(self.m) {
            *x = ((*x + (m & below_zero)) ^ minus) - minus;
        }
        carry(x);
        let below_zero = black_box(x[4] >> 63);
        for (x, m) in x.iter_mut().zip(self.m) {
            *x += m & below_zero;
        }
        carry(x);
    }
}

/// 2^62 times the matrix that takes (f, g) to what they are after [`STEPS`] steps. The magnitudes in
/// a row add up to 2^62 at most.
#[derive(Zeroize)]
struct Matrix([[i64; 2]; 2]);

/// The next steps, from the lowest words of f and g, and ζ after them.
#[inline(always)]
fn steps(mut zeta: i64, mut f: u64, mut g: u64) -> (i64, Matrix) {
    let scale = 1 << (BITS - STEPS);
    let (mut u, mut v, mut q, mut r) = (scale, 0_u64, 0_u64, scale);
    for _ in 0..STEPS {
        // Where δ > 0 the sign of f changes, and where g is odd f is added to it.
        let mut swap = (zeta >> 63) as u64;
        let odd = (g & 1).wrapping_neg();
        let signed = |x: u64| (x ^ swap).wrapping_sub(swap) & odd;
        let (add_f, add_u, add_v) = (signed(f), signed(u), signed(v));
        g = g.wrapping_add(add_f);
        q = q.wrapping_add(add_u);
        r = r.wrapping_add(add_v);
        // Where both hold g becomes the next f, which is f + (g - f).
        swap &= odd;
        zeta = (zeta ^ swap as i64) - 1;
        f = f.wrapping_add(g & swap);
        u = u.wrapping_add(q & swap);
        v = v.wrapping_add(r & swap);
        // All entries are halved in each step; instead those of f are doubled.
        g >>= 1;
        u <<= 1;
        v <<= 1;
    }
    (zeta, Matrix([[u as i64, v as i64], [q as i64, r as i64]]))
}

/// The matrix, divided by 2^62, on f and g: their lowest words become 0 and go away.
#[inline(always)]
fn apply(t: &Matrix, f: &mut Signed, g: &mut Signed) {
    let [[u, v], [q, r]] = t.0;
    let (mut carry_f, mut carry_g) = (0, 0);
    for i in 0..5 {
        let (fi, gi) = (f[i], g[i]);
        carry_f += product(u, fi) + product(v, gi);
        carry_g += product(q, fi) + product(r, gi);
        shift_in(i, f, &mut carry_f);
        shift_in(i, g, &mut carry_g);
    }
    (f[4], g[4]) = (carry_f as i64, carry_g as i64);
}

/// The lowest word of `carry` goes to where word i stands after the lowest one is gone.
#[inline(always)]
fn shift_in(i: usize, out: &mut Signed, carry: &mut i128) {
    if i > 0 {
        out[i - 1] = (*carry as u64 & MASK) as i64;
    }
    *carry >>= BITS;
}

#[inline(always)]
fn product(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

/// All words but the highest are in [0, 2^62) again.
#[inline(always)]
fn carry(x: &mut Signed) {
    for i in 0..4 {
        x[i + 1] += x[i] >> BITS;
        x[i] &= MASK as i64;
    }
}

const fn split(words: &[u64; 4]) -> Signed {
    let [a, b, c, d] = *words;
    [
        (a & MASK) as i64,
        ((a >> 62 | b << 2) & MASK) as i64,
        ((b >> 60 | c << 4) & MASK) as i64,
        ((c >> 58 | d << 6) & MASK) as i64,
        (d >> 56) as i64,
    ]
}

/// The words of a number in [0, 2^256).
fn join(x: &Signed) -> [u64; 4] {
    let [a, b, c, d, e] = x.map(|word| word as u64);
    [a | b << 62, b >> 2 | c << 60, c >> 4 | d << 58, d >> 6 | e << 56]
}
