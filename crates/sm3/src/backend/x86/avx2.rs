//! AVX2: eight messages at once. Rotations are two shifts and a sum here.

use core::arch::x86_64::*;

use super::{Backend, Block, Lanes, MAX_LANES, T, cpu::Avx2, four_steps, lanes, one_avx2, step};

type Vector = __m256i;

impl Backend for Avx2 {
    fn compress(&self, state: &mut [u32; 8], blocks: &[Block]) {
        // SAFETY: this value proves that the CPU has the features.
        unsafe { one_avx2::compress(state, blocks) }
    }

    fn lanes(&self) -> usize {
        8
    }

    fn compress_lanes(&self, states: &mut Lanes, blocks: &[&[Block]; MAX_LANES]) {
        // SAFETY: this value proves that the CPU has the features.
        unsafe { compress_lanes(states, blocks) }
    }
}

lanes!("avx2");

/// The words of eight blocks, transposed: first words, second words and so on.
#[inline]
#[target_feature(enable = "avx2")]
fn words(blocks: &[&Block; MAX_LANES]) -> [Vector; 16] {
    let mut out = [_mm256_setzero_si256(); 16];
    for half in 0..2 {
        let rows: [Vector; 8] =
            core::array::from_fn(|lane| swapped(bytes(&blocks[lane].as_chunks().0[half])));
        // Pairs of words, then pairs of pairs within each half of the vectors, then the halves.
        for i in 0..2 {
            let quads = |at: usize| {
                let [a, b, c, d] = [rows[at], rows[at + 1], rows[at + 2], rows[at + 3]];
                let (ab, cd) = if i == 0 {
                    (_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d))
                } else {
                    (_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d))
                };
                [_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd)]
            };
            for (k, (low, high)) in quads(0).into_iter().zip(quads(4)).enumerate() {
                let at = 8 * half + 2 * i + k;
                out[at] = _mm256_permute2x128_si256::<0x20>(low, high);
                out[at + 4] = _mm256_permute2x128_si256::<0x31>(low, high);
            }
        }
    }
    out
}

/// Most significant byte first becomes least significant byte first.
#[inline]
#[target_feature(enable = "avx2")]
fn swapped(x: Vector) -> Vector {
    let order = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(order))
}

#[inline]
#[target_feature(enable = "avx2")]
fn bytes(bytes: &[u8; 32]) -> Vector {
    // SAFETY: 32 bytes may be read, at any alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(words: &[u32; 16]) -> Vector {
    // SAFETY: 32 of 64 bytes may be read, at any alignment.
    unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(x: Vector, words: &mut [u32; 16]) {
    // SAFETY: 32 of 64 bytes may be written, at any alignment.
    unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), x) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn broadcast(word: u32) -> Vector {
    _mm256_set1_epi32(word as i32)
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(a: Vector, b: Vector) -> Vector {
    _mm256_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm256_xor_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotated<const N: i32>(x: Vector) -> Vector {
    // The difference 32 - N, which cannot be written as a const parameter.
    let back = _mm_cvtsi32_si128(32 - N);
    _mm256_or_si256(_mm256_slli_epi32::<N>(x), _mm256_srl_epi32(x, back))
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    xor(xor(a, b), c)
}

#[inline]
#[target_feature(enable = "avx2")]
fn majority(a: Vector, b: Vector, c: Vector) -> Vector {
    // Both terms have no bit in common.
    xor(_mm256_and_si256(b, c), _mm256_and_si256(xor(b, c), a))
}

#[inline]
#[target_feature(enable = "avx2")]
fn choose(a: Vector, b: Vector, c: Vector) -> Vector {
    xor(_mm256_and_si256(xor(b, c), a), c)
}
