//! AES-NI and SSSE3: four blocks per group of vectors, four groups in flight. `aesni_avx2` has the
//! method; it uses this for less than a group of its own.

use core::arch::x86_64::*;

use cipher::array::Array;

use super::{
    Backend, Block, HashKey, RoundKeys, backend, clmul,
    cpu::Aesni,
    drive, fill_counters, last_word,
    maps::{
        AES_KEY_OUT, AES_OUT, IN, INTO, KEY_M, M0, M1, MAPPED_CK, MAPPED_FK, OUT_OF, after_aes,
        nibbles, rotation_after_aes, swapped,
    },
    padded,
};
use crate::block::{InOutBlocks, wipe, xor_blocks};

/// Blocks that a group of vectors holds.
pub(super) const GROUP: usize = 4;

type Vector = __m128i;

backend!(Aesni, schedule: schedule, hash: clmul::key, clmul::hash);

drive!("ssse3,aes", wide: 4);

/// Key expansion, 7.3. Round keys are mapped by P, with p added.
#[target_feature(enable = "ssse3,aes")]
pub(super) fn schedule(key: &Block) -> RoundKeys {
    let block = mapped(bytes(key), &const { nibbles(&INTO, 0) });
    let mut k = [
        _mm_shuffle_epi32::<0b00_00_00_00>(block),
        _mm_shuffle_epi32::<0b01_01_01_01>(block),
        _mm_shuffle_epi32::<0b10_10_10_10>(block),
        _mm_shuffle_epi32::<0b11_11_11_11>(block),
    ];
    for (k, fk) in k.iter_mut().zip(MAPPED_FK) {
        *k = xor(*k, _mm_set1_epi32(fk as i32));
    }
    let mut rk = [0; 32];
    for (rk, ck) in rk.iter_mut().zip(MAPPED_CK) {
        let [k0, k1, k2, k3] = k;
        let s = aes(xor(xor(k1, k2), xor(k3, _mm_set1_epi32(ck as i32))));
        let y0 = mapped(s, &const { nibbles(&after_aes(&KEY_M[0]), AES_KEY_OUT) });
        let y1 = mapped(s, &const { nibbles(&after_aes(&KEY_M[1]), 0) });
        let y2 = mapped(s, &const { nibbles(&after_aes(&KEY_M[2]), 0) });
        let y3 = mapped(s, &const { nibbles(&after_aes(&KEY_M[3]), 0) });
        let sum = xor(xor(k0, rotated::<0>(y0)), rotated::<1>(y1));
        let next = xor(sum, xor(rotated::<2>(y2), rotated::<3>(y3)));
        *rk = _mm_cvtsi128_si32(next) as u32 ^ u32::from_ne_bytes([IN; 4]);
        k = [k1, k2, k3, next];
    }
    rk
}

padded!("ssse3,aes", pub(super) fn few);

/// x0 + L(S(z)).
#[inline]
#[target_feature(enable = "ssse3,aes")]
fn round(x0: Vector, z: Vector) -> Vector {
    let s = aes(z);
    let y0 = mapped(s, &const { nibbles(&after_aes(&M0), 0) });
    let y1 = mapped(s, &const { nibbles(&after_aes(&M1), AES_OUT) });
    let y3 = xor(y0, y1);
    let sum = xor(xor(x0, rotated::<0>(y0)), rotated::<1>(y1));
    xor(sum, xor(rotated::<2>(y1), rotated::<3>(y3)))
}

/// AES's S-box on each byte, and ShiftRows.
#[inline]
#[target_feature(enable = "ssse3,aes")]
fn aes(x: Vector) -> Vector {
    _mm_aesenclast_si128(x, _mm_setzero_si128())
}

/// A map, looked up.
#[inline]
#[target_feature(enable = "ssse3,aes")]
fn mapped(x: Vector, [low, high]: &[[u8; 16]; 2]) -> Vector {
    let mask = _mm_set1_epi8(0x0f);
    xor(
        _mm_shuffle_epi8(bytes(low), _mm_and_si128(x, mask)),
        _mm_shuffle_epi8(bytes(high), _mm_and_si128(_mm_srli_epi32::<4>(x), mask)),
    )
}

/// Undoes ShiftRows and rotates each word left by `N` bytes.
#[inline]
#[target_feature(enable = "ssse3,aes")]
fn rotated<const N: usize>(x: Vector) -> Vector {
    _mm_shuffle_epi8(x, bytes(&const { rotation_after_aes(N) }))
}

#[inline]
#[target_feature(enable = "ssse3,aes")]
fn read_rows(blocks: &[Block; GROUP]) -> [Vector; 4] {
    blocks.each_ref().map(|block| bytes(block))
}

/// Blocks become words: first words, second words and so on, mapped.
#[inline]
#[target_feature(enable = "ssse3,aes")]
fn words(rows: [Vector; 4]) -> [Vector; 4] {
    transposed(rows).map(|x| into(x))
}

/// The same back, with the words in reversed order (the transformation R).
#[inline]
#[target_feature(enable = "ssse3,aes")]
fn rows(x: &[Vector; 4]) -> [Vector; 4] {
    let plain = x.map(|x| mapped(x, &const { nibbles(&OUT_OF, 0) }));
    transposed([plain[3], plain[2], plain[1], plain[0]])
}

#[inline]
#[target_feature(enable = "ssse3,aes")]
fn xor_rows(rows: [Vector; 4], blocks: &[Block; GROUP]) -> [Vector; 4] {
    let (other, _) = blocks.as_flattened().as_chunks();
    core::array::from_fn(|i| xor(rows[i], bytes(&other[i])))
}

#[inline]
#[target_feature(enable = "ssse3,aes")]
fn write_rows(rows: [Vector; 4], blocks: &mut [Block; GROUP]) {
    let (out, _) = blocks.as_flattened_mut().as_chunks_mut::<16>();
    for (out, row) in out.iter_mut().zip(rows) {
        // SAFETY: 16 bytes may be written, at any alignment.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), row) }
    }
}

/// The first three words of a counter block, mapped, in each place.
#[inline]
#[target_feature(enable = "ssse3,aes")]
fn prefix(counter: &Block) -> [Vector; 3] {
    let (words, _) = counter.as_chunks::<4>();
    core::array::from_fn(|i| into(_mm_set1_epi32(i32::from_le_bytes(words[i]))))
}

/// Counter blocks from `count` on.
#[inline]
#[target_feature(enable = "ssse3,aes")]
fn counters([a, b, c]: &[Vector; 3], count: u32) -> [Vector; 4] {
    let numbers = _mm_add_epi32(_mm_set1_epi32(count as i32), _mm_setr_epi32(0, 1, 2, 3));
    [*a, *b, *c, into(_mm_shuffle_epi8(numbers, bytes(&const { swapped() })))]
}

/// Maps each byte by P.
#[inline]
#[target_feature(enable = "ssse3,aes")]
fn into(x: Vector) -> Vector {
    mapped(x, &const { nibbles(&INTO, 0) })
}

/// Transposes the 4 x 4 words across the four vectors. Its own inverse. Which
/// blocks meet in a vector does not matter, as long as they come out where they came in.
#[inline]
#[target_feature(enable = "ssse3,aes")]
fn transposed([a, b, c, d]: [Vector; 4]) -> [Vector; 4] {
    let (ab, cd) = (_mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, d));
    let (ab_high, cd_high) = (_mm_unpackhi_epi32(a, b), _mm_unpackhi_epi32(c, d));
    [
        _mm_unpacklo_epi64(ab, cd),
        _mm_unpackhi_epi64(ab, cd),
        _mm_unpacklo_epi64(ab_high, cd_high),
        _mm_unpackhi_epi64(ab_high, cd_high),
    ]
}

#[inline]
#[target_feature(enable = "ssse3,aes")]
fn bytes(bytes: &[u8; 16]) -> Vector {
    // SAFETY: 16 bytes may be read, at any alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "ssse3,aes")]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm_xor_si128(a, b)
}

#[inline]
#[target_feature(enable = "ssse3,aes")]
fn word(word: u32) -> Vector {
    _mm_set1_epi32(word as i32)
}

#[inline]
#[target_feature(enable = "ssse3,aes")]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    xor(xor(a, b), c)
}
