//! One message, with the message expansion in vectors, four words at a time: a sixth fewer instructions, none
//! of them one that a step waits for.

use core::arch::x86_64::*;

use digest::zeroize::Zeroize;

use super::{
    Block, T,
    portable::{choose, majority, parity, step},
};

/// The last sixteen words of the expansion, four to a vector.
pub(super) type Expansion = [__m128i; 4];

/// W_j and W'_j of four steps, where the instructions of the steps take them from.
#[derive(Default)]
pub(super) struct Words {
    w: [u32; 4],
    sums: [u32; 4],
}

/// CF, applied to each block in turn. `load` gives a block's words, and `next` takes four words away and makes
/// four more. Inlined, so that a backend can compile it for its CPU.
#[inline(always)]
pub(super) fn compress(
    state: &mut [u32; 8],
    blocks: &[Block],
    load: impl Fn(&Block) -> Expansion,
    next: impl Fn(&mut Expansion, &mut Words),
) {
    let mut words = Words::default();
    // The compiler adds what it knows to be constant last, after E; what it must read it adds first. Each
    // step waits for one addition less.
    let t = core::hint::black_box(&T);
    for block in blocks {
        let mut v = load(block);
        steps(state, t, |words| next(&mut v, words), &mut words);
    }
    // They are of a block that may hold a key (HMAC).
    words.w.zeroize();
    words.sums.zeroize();
}

/// The 64 steps of 5.3.3.
#[inline(always)]
fn steps(state: &mut [u32; 8], t: &[u32; 64], mut next: impl FnMut(&mut Words), words: &mut Words) {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    macro_rules! four_steps {
        ($ff:ident, $gg:ident, $($j:literal)*) => {$(
            next(words);
            step!(a b c d e f g h, $ff, $gg, words.w[0], words.sums[0], t[$j]);
            step!(d a b c h e f g, $ff, $gg, words.w[1], words.sums[1], t[$j + 1]);
            step!(c d a b g h e f, $ff, $gg, words.w[2], words.sums[2], t[$j + 2]);
            step!(b c d a f g h e, $ff, $gg, words.w[3], words.sums[3], t[$j + 3]);
        )*};
    }
    four_steps!(parity, parity, 0 4 8 12);
    four_steps!(majority, choose, 16 20 24 28 32 36 40 44 48 52 56 60);
    for (v, x) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *v ^= x;
    }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load(block: &Block) -> Expansion {
    let (rows, _) = block.as_chunks::<16>();
    core::array::from_fn(|i| {
        // SAFETY: 16 bytes may be read, at any alignment.
        let row = unsafe { _mm_loadu_si128(rows[i].as_ptr().cast()) };
        // Most significant byte first becomes least significant byte first.
        _mm_shuffle_epi8(row, _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3))
    })
}

/// W_j to W_(j+3), and what they are added to in W'.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn give(v: &Expansion, words: &mut Words) {
    store(v[0], &mut words.w);
    store(_mm_xor_si128(v[0], v[1]), &mut words.sums);
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(x: __m128i, words: &mut [u32; 4]) {
    // SAFETY: 16 bytes may be written, at any alignment.
    unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), x) }
}

/// What the next four words are made of (message expansion of 5.3.2): W_(j-13), W_(j-9), W_(j-6), and
/// W_(j-3), of which the fourth is one of the four themselves, and 0 here.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn before([v0, v1, v2, v3]: Expansion) -> [__m128i; 4] {
    [
        _mm_alignr_epi8::<12>(v1, v0),
        _mm_alignr_epi8::<12>(v2, v1),
        _mm_alignr_epi8::<8>(v3, v2),
        _mm_srli_si128::<4>(v3),
    ]
}
