//! The message expansion with the rotations and sums of three of AVX-512.

use core::arch::x86_64::*;

use super::{
    Block,
    one::{self, Expansion, Words},
};

#[target_feature(enable = "avx2,avx512f,avx512vl,bmi1,bmi2")]
pub(super) fn compress(state: &mut [u32; 8], blocks: &[Block]) {
    one::compress(state, blocks, |block| one::load(block), |v, words| next(v, words));
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512vl")]
fn next(v: &mut Expansion, words: &mut Words) {
    one::give(v, words);
    let [w13, w9, w6, w3] = one::before(*v);
    let most = xor3(p1(xor3(v[0], w9, _mm_rol_epi32::<15>(w3))), _mm_rol_epi32::<7>(w13), w6);
    // What the fourth lacks is the first of these; P1 is linear.
    let lacking = p1(_mm_rol_epi32::<15>(_mm_slli_si128::<12>(most)));
    *v = [v[1], v[2], v[3], _mm_xor_si128(most, lacking)];
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512vl")]
fn p1(x: __m128i) -> __m128i {
    xor3(x, _mm_rol_epi32::<15>(x), _mm_rol_epi32::<23>(x))
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512vl")]
fn xor3(a: __m128i, b: __m128i, c: __m128i) -> __m128i {
    _mm_ternarylogic_epi32::<0x96>(a, b, c)
}
