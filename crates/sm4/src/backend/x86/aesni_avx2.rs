//! AES-NI and AVX2: eight blocks per group of vectors, four groups in flight; up to four blocks in
//! 128-bit vectors.
//!
//! AESENCLAST with a key of zeros is AES's S-box, an inversion and a map, and a permutation of the
//! bytes. The permutation is undone by the same shuffles that rotate the words; the maps are looked
//! up, four bits at a time, in registers.

use core::arch::x86_64::*;

use cipher::array::Array;

use super::{
    Backend, Block, HashKey, RoundKeys, aesni, backend, clmul,
    cpu::AesniAvx2,
    drive, fill_counters, last_word,
    maps::{AES_OUT, INTO, M0, M1, OUT_OF, after_aes, nibbles, rotation_after_aes, swapped},
    padded,
};
use crate::block::{InOutBlocks, wipe, xor_blocks};

/// Blocks that a group of vectors holds.
const GROUP: usize = 8;

type Vector = __m256i;

backend!(AesniAvx2, schedule: aesni::schedule, hash: clmul::key, clmul::hash);

drive!("avx2,aes", wide: 4);

padded!("avx2,aes", fn padded);

/// Less than a group.
#[target_feature(enable = "avx2,aes")]
fn few<const DECRYPT: bool>(rk: &RoundKeys, blocks: &mut [Block]) {
    if blocks.len() <= aesni::GROUP {
        return aesni::few::<DECRYPT>(rk, blocks);
    }
    padded::<DECRYPT>(rk, blocks);
}

/// x0 + L(S(z)).
#[inline]
#[target_feature(enable = "avx2,aes")]
fn round(x0: Vector, z: Vector) -> Vector {
    let s = aes(z);
    let y0 = mapped(s, &const { nibbles(&after_aes(&M0), 0) });
    let y1 = mapped(s, &const { nibbles(&after_aes(&M1), AES_OUT) });
    let y3 = xor(y0, y1);
    let sum = xor(xor(x0, rotated::<0>(y0)), rotated::<1>(y1));
    xor(sum, xor(rotated::<2>(y1), rotated::<3>(y3)))
}

/// AES's S-box on each byte, and ShiftRows in each lane.
#[inline]
#[target_feature(enable = "avx2,aes")]
fn aes(x: Vector) -> Vector {
    let zero = _mm_setzero_si128();
    let low = _mm_aesenclast_si128(_mm256_castsi256_si128(x), zero);
    let high = _mm_aesenclast_si128(_mm256_extracti128_si256::<1>(x), zero);
    _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high)
}

/// A map, looked up.
#[inline]
#[target_feature(enable = "avx2,aes")]
fn mapped(x: Vector, [low, high]: &[[u8; 16]; 2]) -> Vector {
    let mask = _mm256_set1_epi8(0x0f);
    xor(
        _mm256_shuffle_epi8(table(low), _mm256_and_si256(x, mask)),
        _mm256_shuffle_epi8(table(high), _mm256_and_si256(_mm256_srli_epi32::<4>(x), mask)),
    )
}

/// Undoes ShiftRows and rotates each word left by `N` bytes.
#[inline]
#[target_feature(enable = "avx2,aes")]
fn rotated<const N: usize>(x: Vector) -> Vector {
    _mm256_shuffle_epi8(x, table(&const { rotation_after_aes(N) }))
}

#[inline]
#[target_feature(enable = "avx2,aes")]
fn read_rows(blocks: &[Block; GROUP]) -> [Vector; 4] {
    let (rows, _) = blocks.as_flattened().as_chunks::<32>();
    [bytes(&rows[0]), bytes(&rows[1]), bytes(&rows[2]), bytes(&rows[3])]
}

/// Blocks become words: first words, second words and so on, mapped.
#[inline]
#[target_feature(enable = "avx2,aes")]
fn words(rows: [Vector; 4]) -> [Vector; 4] {
    transposed(rows).map(|x| into(x))
}

/// The same back, with the words in reversed order (the transformation R).
#[inline]
#[target_feature(enable = "avx2,aes")]
fn rows(x: &[Vector; 4]) -> [Vector; 4] {
    let plain = x.map(|x| mapped(x, &const { nibbles(&OUT_OF, 0) }));
    transposed([plain[3], plain[2], plain[1], plain[0]])
}

#[inline]
#[target_feature(enable = "avx2,aes")]
fn xor_rows(rows: [Vector; 4], blocks: &[Block; GROUP]) -> [Vector; 4] {
    let (other, _) = blocks.as_flattened().as_chunks();
    core::array::from_fn(|i| xor(rows[i], bytes(&other[i])))
}

#[inline]
#[target_feature(enable = "avx2,aes")]
fn write_rows(rows: [Vector; 4], blocks: &mut [Block; GROUP]) {
    let (out, _) = blocks.as_flattened_mut().as_chunks_mut::<32>();
    for (out, row) in out.iter_mut().zip(rows) {
        // SAFETY: 32 bytes may be written, at any alignment.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), row) }
    }
}

/// The first three words of a counter block, mapped, in each place.
#[inline]
#[target_feature(enable = "avx2,aes")]
fn prefix(counter: &Block) -> [Vector; 3] {
    let (words, _) = counter.as_chunks::<4>();
    core::array::from_fn(|i| into(_mm256_set1_epi32(i32::from_le_bytes(words[i]))))
}

/// Counter blocks from `count` on.
#[inline]
#[target_feature(enable = "avx2,aes")]
fn counters([a, b, c]: &[Vector; 3], count: u32) -> [Vector; 4] {
    let numbers = _mm256_add_epi32(
        _mm256_set1_epi32(count as i32),
        _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7),
    );
    [*a, *b, *c, into(_mm256_shuffle_epi8(numbers, table(&const { swapped() })))]
}

/// Maps each byte by P.
#[inline]
#[target_feature(enable = "avx2,aes")]
fn into(x: Vector) -> Vector {
    mapped(x, &const { nibbles(&INTO, 0) })
}

/// Transposes the 4 x 4 words of each 128-bit lane across the four vectors. Its own inverse. Which
/// blocks meet in a vector does not matter, as long as they come out where they came in.
#[inline]
#[target_feature(enable = "avx2,aes")]
fn transposed([a, b, c, d]: [Vector; 4]) -> [Vector; 4] {
    let (ab, cd) = (_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d));
    let (ab_high, cd_high) = (_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d));
    [
        _mm256_unpacklo_epi64(ab, cd),
        _mm256_unpackhi_epi64(ab, cd),
        _mm256_unpacklo_epi64(ab_high, cd_high),
        _mm256_unpackhi_epi64(ab_high, cd_high),
    ]
}

/// Sixteen bytes in both lanes.
#[inline]
#[target_feature(enable = "avx2,aes")]
fn table(bytes: &[u8; 16]) -> Vector {
    // SAFETY: 16 bytes may be read, at any alignment.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

#[inline]
#[target_feature(enable = "avx2,aes")]
fn bytes(bytes: &[u8; 32]) -> Vector {
    // SAFETY: 32 bytes may be read, at any alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,aes")]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm256_xor_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2,aes")]
fn word(word: u32) -> Vector {
    _mm256_set1_epi32(word as i32)
}

#[inline]
#[target_feature(enable = "avx2,aes")]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    xor(xor(a, b), c)
}
