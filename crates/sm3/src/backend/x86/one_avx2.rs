//! The message expansion without rotations: two shifts and a sum, or a shuffle of bytes.

use core::arch::x86_64::*;

use super::{
    Block,
    one::{self, Expansion, Words},
};

#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) fn compress(state: &mut [u32; 8], blocks: &[Block]) {
    one::compress(state, blocks, |block| one::load(block), |v, words| next(v, words));
}

#[inline]
#[target_feature(enable = "avx2")]
fn next(v: &mut Expansion, words: &mut Words) {
    one::give(v, words);
    let [w13, w9, w6, w3] = one::before(*v);
    let rest = xor(rotated::<7, 25>(w13), w6);
    let most = xor(p1(xor(xor(v[0], w9), rotated::<15, 17>(w3))), rest);
    // What the fourth lacks is the first of these; P1 is linear.
    let lacking = p1(rotated::<15, 17>(_mm_slli_si128::<12>(most)));
    *v = [v[1], v[2], v[3], xor(most, lacking)];
}

/// x + x<<<15 + x<<<23 is x + (x + x<<<8)<<<15.
#[inline]
#[target_feature(enable = "avx2")]
fn p1(x: __m128i) -> __m128i {
    let by_a_byte = _mm_set_epi8(14, 13, 12, 15, 10, 9, 8, 11, 6, 5, 4, 7, 2, 1, 0, 3);
    xor(x, rotated::<15, 17>(xor(x, _mm_shuffle_epi8(x, by_a_byte))))
}

/// Left by `N` bits; `BACK` is 32 - `N`.
#[inline]
#[target_feature(enable = "avx2")]
fn rotated<const N: i32, const BACK: i32>(x: __m128i) -> __m128i {
    _mm_or_si128(_mm_slli_epi32::<N>(x), _mm_srli_epi32::<BACK>(x))
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor(a: __m128i, b: __m128i) -> __m128i {
    _mm_xor_si128(a, b)
}
