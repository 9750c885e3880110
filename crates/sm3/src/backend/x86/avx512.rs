//! AVX-512: sixteen messages at once. A step with its part of the message expansion is about 26
//! instructions, of which the rotations have only one of the two ports.

use core::arch::x86_64::*;

use super::{
    Backend, Block, Lanes, MAX_LANES, T, cpu::Avx512, four_steps, lanes, one_avx512, step,
};

type Vector = __m512i;

impl Backend for Avx512 {
    fn compress(&self, state: &mut [u32; 8], blocks: &[Block]) {
        // SAFETY: this value proves that the CPU has the features.
        unsafe { one_avx512::compress(state, blocks) }
    }

    fn lanes(&self) -> usize {
        16
    }

    fn compress_lanes(&self, states: &mut Lanes, blocks: &[&[Block]; MAX_LANES]) {
        // SAFETY: this value proves that the CPU has the features.
        unsafe { compress_lanes(states, blocks) }
    }
}

lanes!("avx2,avx512f,avx512bw,avx512vl");

/// The words of sixteen blocks, transposed: first words, second words and so on.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn words(blocks: &[&Block; 16]) -> [Vector; 16] {
    let rows = blocks.map(|block| swapped(bytes(block)));
    // Pairs of words, then pairs of pairs within each quarter of the vectors...
    let mut quads = [_mm512_setzero_si512(); 16];
    for i in (0..16).step_by(4) {
        let [a, b, c, d] = [rows[i], rows[i + 1], rows[i + 2], rows[i + 3]];
        let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
        let (ab_high, cd_high) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
        quads[i] = _mm512_unpacklo_epi64(ab, cd);
        quads[i + 1] = _mm512_unpackhi_epi64(ab, cd);
        quads[i + 2] = _mm512_unpacklo_epi64(ab_high, cd_high);
        quads[i + 3] = _mm512_unpackhi_epi64(ab_high, cd_high);
    }
    // ... then the quarters: vector i of group g has words i, i + 4, i + 8, i + 12 of blocks 4g to 4g + 3.
    let mut out = [_mm512_setzero_si512(); 16];
    for i in 0..4 {
        let [a, b, c, d] = [quads[i], quads[i + 4], quads[i + 8], quads[i + 12]];
        let (ab, cd) = (_mm512_shuffle_i32x4::<0x44>(a, b), _mm512_shuffle_i32x4::<0x44>(c, d));
        let (ab_high, cd_high) =
            (_mm512_shuffle_i32x4::<0xee>(a, b), _mm512_shuffle_i32x4::<0xee>(c, d));
        out[i] = _mm512_shuffle_i32x4::<0x88>(ab, cd);
        out[i + 4] = _mm512_shuffle_i32x4::<0xdd>(ab, cd);
        out[i + 8] = _mm512_shuffle_i32x4::<0x88>(ab_high, cd_high);
        out[i + 12] = _mm512_shuffle_i32x4::<0xdd>(ab_high, cd_high);
    }
    out
}

/// Most significant byte first becomes least significant byte first.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn swapped(x: Vector) -> Vector {
    let order = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    _mm512_shuffle_epi8(x, _mm512_broadcast_i32x4(order))
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn bytes(bytes: &Block) -> Vector {
    // SAFETY: 64 bytes may be read, at any alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn load(words: &[u32; 16]) -> Vector {
    // SAFETY: 64 bytes may be read, at any alignment.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn store(x: Vector, words: &mut [u32; 16]) {
    // SAFETY: 64 bytes may be written, at any alignment.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), x) }
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn broadcast(word: u32) -> Vector {
    _mm512_set1_epi32(word as i32)
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn add(a: Vector, b: Vector) -> Vector {
    _mm512_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm512_xor_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn rotated<const N: i32>(x: Vector) -> Vector {
    _mm512_rol_epi32::<N>(x)
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn majority(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm512_ternarylogic_epi32::<0xe8>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn choose(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm512_ternarylogic_epi32::<0xca>(a, b, c)
}
