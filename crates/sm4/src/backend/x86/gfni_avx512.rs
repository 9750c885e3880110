//! GFNI and AVX-512: sixteen blocks per group of vectors, four groups in flight; up to eight blocks in
//! 128-bit vectors, for their latency is the same and the wide units need not wake up.
//!
//! A round of a group is 3 instructions of GFNI, 3 rotations by bytes and 4 sums of three; two ports
//! take 512-bit instructions, so that 64 blocks take 32·4·5 cycles: 0.63 per byte.

use core::arch::x86_64::*;

use cipher::array::Array;

use super::{
    Backend, Block, HashKey, RoundKeys, backend, clmul,
    cpu::GfniAvx512,
    drive, fill_counters, gfni_narrow, last_word,
    maps::{self, INTO, M0, M1, M3, OUT, OUT_OF, gfni, rotation, swapped},
    padded, vpclmul,
};
use crate::block::{InOutBlocks, wipe, xor_blocks};

/// Blocks that a group of vectors holds.
const GROUP: usize = 16;

type Vector = __m512i;

backend!(GfniAvx512, schedule: narrow::schedule, hash: clmul::key, vpclmul::hash);

drive!("avx2,avx512f,avx512bw,avx512vl,gfni", wide: 4);

padded!("avx2,avx512f,avx512bw,avx512vl,gfni", fn padded);

/// Less than a group.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn few<const DECRYPT: bool>(rk: &[u32; 32], blocks: &mut [Block]) {
    if blocks.len() <= narrow::FEW {
        return narrow::few::<DECRYPT>(rk, blocks);
    }
    padded::<DECRYPT>(rk, blocks);
}

/// x0 + L(S(z)).
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn round(x0: Vector, z: Vector) -> Vector {
    let y0 = _mm512_gf2p8affineinv_epi64_epi8::<0>(z, matrix(const { gfni(&M0) }));
    let y1 = _mm512_gf2p8affineinv_epi64_epi8::<0>(z, matrix(const { gfni(&M1) }));
    let y3 = _mm512_gf2p8affineinv_epi64_epi8::<{ OUT as i32 }>(z, matrix(const { gfni(&M3) }));
    let sum = xor3(x0, y0, rotated::<1>(y1));
    xor3(sum, rotated::<2>(y1), rotated::<3>(y3))
}

/// Rotates each word left by `N` bytes.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn rotated<const N: usize>(x: Vector) -> Vector {
    _mm512_shuffle_epi8(x, bytes(&const { rotation::<64>(N) }))
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn read_rows(blocks: &[Block; GROUP]) -> [Vector; 4] {
    let (rows, _) = blocks.as_flattened().as_chunks::<64>();
    [bytes(&rows[0]), bytes(&rows[1]), bytes(&rows[2]), bytes(&rows[3])]
}

/// Blocks become words: first words, second words and so on, mapped.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn words(rows: [Vector; 4]) -> [Vector; 4] {
    transposed(rows).map(|x| into(x))
}

/// The same back, with the words in reversed order (the transformation R).
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn rows(x: &[Vector; 4]) -> [Vector; 4] {
    let plain = x.map(|x| _mm512_gf2p8affine_epi64_epi8::<0>(x, matrix(const { gfni(&OUT_OF) })));
    transposed([plain[3], plain[2], plain[1], plain[0]])
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn xor_rows(rows: [Vector; 4], blocks: &[Block; GROUP]) -> [Vector; 4] {
    let (other, _) = blocks.as_flattened().as_chunks();
    core::array::from_fn(|i| xor(rows[i], bytes(&other[i])))
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn write_rows(rows: [Vector; 4], blocks: &mut [Block; GROUP]) {
    let (out, _) = blocks.as_flattened_mut().as_chunks_mut::<64>();
    for (out, row) in out.iter_mut().zip(rows) {
        // SAFETY: 64 bytes may be written, at any alignment.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), row) }
    }
}

/// The first three words of a counter block, mapped, in each place.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn prefix(counter: &Block) -> [Vector; 3] {
    let (words, _) = counter.as_chunks::<4>();
    core::array::from_fn(|i| into(_mm512_set1_epi32(i32::from_le_bytes(words[i]))))
}

/// Counter blocks from `count` on.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn counters([a, b, c]: &[Vector; 3], count: u32) -> [Vector; 4] {
    let numbers = _mm512_add_epi32(
        _mm512_set1_epi32(count as i32),
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
    );
    [*a, *b, *c, into(_mm512_shuffle_epi8(numbers, bytes(&const { swapped::<64>() })))]
}

/// Maps each byte by P.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn into(x: Vector) -> Vector {
    _mm512_gf2p8affine_epi64_epi8::<0>(x, matrix(const { gfni(&INTO) }))
}

/// Transposes the 4 x 4 words of each 128-bit lane across the four vectors. Its own inverse. Which
/// blocks meet in a vector does not matter, as long as they come out where they came in.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn transposed([a, b, c, d]: [Vector; 4]) -> [Vector; 4] {
    let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
    let (ab_high, cd_high) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
    [
        _mm512_unpacklo_epi64(ab, cd),
        _mm512_unpackhi_epi64(ab, cd),
        _mm512_unpacklo_epi64(ab_high, cd_high),
        _mm512_unpackhi_epi64(ab_high, cd_high),
    ]
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn matrix(matrix: i64) -> Vector {
    _mm512_set1_epi64(matrix)
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn bytes(bytes: &[u8; 64]) -> Vector {
    // SAFETY: 64 bytes may be read, at any alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm512_xor_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,gfni")]
fn word(word: u32) -> Vector {
    _mm512_set1_epi32(word as i32)
}

/// 128-bit vectors, for the key schedule and for few blocks.
mod narrow {
    use core::arch::x86_64::*;

    use super::{
        Block, RoundKeys,
        gfni_narrow::{GROUP, narrow},
        maps::{
            IN, INTO, KEY_M, KEY_OUT, M0, M1, M3, MAPPED_CK, MAPPED_FK, OUT, OUT_OF, gfni, rotation,
        },
    };

    /// Blocks that `few` takes at most.
    pub(super) const FEW: usize = 2 * GROUP;

    narrow!("avx2,avx512f,avx512bw,avx512vl,gfni", |a, b, c| _mm_ternarylogic_epi32::<0x96>(
        a, b, c
    ));
}
