//! One message, with the message expansion in vectors: four words take about as many instructions as two of
//! the portable code, and none of them is one that a step waits for.

use core::arch::x86_64::*;

use digest::zeroize::Zeroize;

use super::{
    Block, T,
    portable::{choose, majority, parity, step},
};

/// W_j and W'_j of four steps, where the instructions of the steps take them from.
#[derive(Default)]
struct Words {
    w: [u32; 4],
    sums: [u32; 4],
}

#[target_feature(enable = "avx2,avx512f,avx512vl,bmi1,bmi2")]
pub(super) fn compress(state: &mut [u32; 8], blocks: &[Block]) {
    let mut words = Words::default();
    for block in blocks {
        compress_one(state, block, &mut words);
    }
    // They are of a block that may hold a key (HMAC).
    words.w.zeroize();
    words.sums.zeroize();
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512vl,bmi1,bmi2")]
fn compress_one(state: &mut [u32; 8], block: &Block, words: &mut Words) {
    let (rows, _) = block.as_chunks::<16>();
    let mut v: [__m128i; 4] = core::array::from_fn(|i| row(&rows[i]));
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    macro_rules! four_steps {
        ($ff:ident, $gg:ident, $($j:literal)*) => {$(
            next(&mut v, words);
            step!(a b c d e f g h, $ff, $gg, words.w[0], words.sums[0], $j);
            step!(d a b c h e f g, $ff, $gg, words.w[1], words.sums[1], $j + 1);
            step!(c d a b g h e f, $ff, $gg, words.w[2], words.sums[2], $j + 2);
            step!(b c d a f g h e, $ff, $gg, words.w[3], words.sums[3], $j + 3);
        )*};
    }
    four_steps!(parity, parity, 0 4 8 12);
    four_steps!(majority, choose, 16 20 24 28 32 36 40 44 48 52 56 60);
    for (v, x) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *v ^= x;
    }
}

/// Takes the first four words away, and makes four more at the end (message expansion of 5.3.2).
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512vl")]
fn next(v: &mut [__m128i; 4], words: &mut Words) {
    let [v0, v1, v2, v3] = *v;
    store(v0, &mut words.w);
    store(_mm_xor_si128(v0, v1), &mut words.sums);
    let w3 = _mm_alignr_epi8::<12>(v1, v0);
    let w7 = _mm_alignr_epi8::<12>(v2, v1);
    let w10 = _mm_alignr_epi8::<8>(v3, v2);
    // W_13 to W_15, and for the fourth lane nothing yet.
    let w13 = _mm_srli_si128::<4>(v3);
    let most = _mm_ternarylogic_epi32::<0x96>(
        p1(_mm_ternarylogic_epi32::<0x96>(v0, w7, _mm_rol_epi32::<15>(w13))),
        _mm_rol_epi32::<7>(w3),
        w10,
    );
    // The word that the fourth lane lacks is the first of these; P1 is linear.
    let lacking = p1(_mm_rol_epi32::<15>(_mm_slli_si128::<12>(most)));
    *v = [v1, v2, v3, _mm_xor_si128(most, lacking)];
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512vl")]
fn p1(x: __m128i) -> __m128i {
    _mm_ternarylogic_epi32::<0x96>(x, _mm_rol_epi32::<15>(x), _mm_rol_epi32::<23>(x))
}

#[inline]
#[target_feature(enable = "avx2")]
fn row(bytes: &[u8; 16]) -> __m128i {
    let order = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    // SAFETY: 16 bytes may be read, at any alignment.
    _mm_shuffle_epi8(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }, order)
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(x: __m128i, words: &mut [u32; 4]) {
    // SAFETY: 16 bytes may be written, at any alignment.
    unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), x) }
}
