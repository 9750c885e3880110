//! GHASH with VPCLMULQDQ on 512-bit vectors, sixteen blocks per reduction. See `clmul` for the method
//! and for the key.

use core::arch::x86_64::*;

use super::{
    Block, HashKey,
    clmul::{self, Product},
};

/// Blocks per reduction: as many as the key has powers.
const GROUP: usize = 16;

#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,pclmulqdq,vpclmulqdq")]
pub(super) fn hash(key: &HashKey, y: &mut Block, blocks: &[Block]) {
    let mut sum = clmul::reversed(y);
    let (groups, rest) = blocks.as_chunks::<GROUP>();
    for group in groups {
        sum = hash_group(key, sum, group);
    }
    if !rest.is_empty() {
        sum = clmul::hash_few(key, sum, rest);
    }
    *y = clmul::number(sum).to_be_bytes();
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,pclmulqdq,vpclmulqdq")]
fn hash_group(key: &HashKey, sum: __m128i, group: &[Block; GROUP]) -> __m128i {
    let (rows, _) = group.as_flattened().as_chunks::<64>();
    let (powers, _) = key.as_chunks::<4>();
    // What waits for the last group enters at the end.
    let mut low = _mm512_setzero_si512();
    let (mut middle, mut high) = (low, low);
    for i in [1, 2, 3, 0] {
        let carried = if i == 0 { _mm512_zextsi128_si512(sum) } else { _mm512_setzero_si512() };
        let (x, h) = (_mm512_xor_si512(reversed(&rows[i]), carried), powers_of(&powers[i]));
        low = _mm512_xor_si512(low, _mm512_clmulepi64_epi128::<0x00>(x, h));
        high = _mm512_xor_si512(high, _mm512_clmulepi64_epi128::<0x11>(x, h));
        let (a, b) =
            (_mm512_clmulepi64_epi128::<0x01>(x, h), _mm512_clmulepi64_epi128::<0x10>(x, h));
        middle = _mm512_ternarylogic_epi64::<0x96>(middle, a, b);
    }
    Product { low: folded(low), middle: folded(middle), high: folded(high) }.reduced()
}

/// The sum of the four lanes.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,pclmulqdq,vpclmulqdq")]
fn folded(x: __m512i) -> __m128i {
    let two = _mm256_xor_si256(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64::<1>(x));
    _mm_xor_si128(_mm256_castsi256_si128(two), _mm256_extracti128_si256::<1>(two))
}

/// Four blocks as numbers, most significant byte first.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,pclmulqdq,vpclmulqdq")]
fn reversed(row: &[u8; 64]) -> __m512i {
    let order = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    // SAFETY: 64 bytes may be read, at any alignment.
    let row = unsafe { _mm512_loadu_si512(row.as_ptr().cast()) };
    _mm512_shuffle_epi8(row, _mm512_broadcast_i32x4(order))
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,pclmulqdq,vpclmulqdq")]
fn powers_of(powers: &[u128; 4]) -> __m512i {
    // SAFETY: 64 bytes may be read, at any alignment.
    unsafe { _mm512_loadu_si512(powers.as_ptr().cast()) }
}
