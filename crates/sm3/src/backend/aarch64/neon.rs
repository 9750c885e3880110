//! NEON: four messages at once. Rotations are a shift, and one that inserts.

use core::arch::aarch64::*;

use super::{Backend, Block, Lanes, MAX_LANES, T, cpu::Neon, four_steps, lanes, portable, step};

type Vector = uint32x4_t;

impl Backend for Neon {
    fn compress(&self, state: &mut [u32; 8], blocks: &[Block]) {
        portable::compress(state, blocks);
    }

    fn lanes(&self) -> usize {
        4
    }

    fn compress_lanes(&self, states: &mut Lanes, blocks: &[&[Block]; MAX_LANES]) {
        // SAFETY: this value proves that the CPU has the feature.
        unsafe { compress_lanes(states, blocks) }
    }
}

lanes!("neon");

/// The words of four blocks, transposed: first words, second words and so on.
#[inline]
#[target_feature(enable = "neon")]
fn words(blocks: &[&Block; MAX_LANES]) -> [Vector; 16] {
    let mut out = [vdupq_n_u32(0); 16];
    for (quarter, out) in out.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let [a, b, c, d] =
            core::array::from_fn(|lane| row(&blocks[lane].as_chunks::<16>().0[quarter]));
        // Pairs of words, then pairs of pairs.
        let (ab, cd) = (vtrnq_u32(a, b), vtrnq_u32(c, d));
        *out = [
            low_pairs(ab.0, cd.0),
            low_pairs(ab.1, cd.1),
            high_pairs(ab.0, cd.0),
            high_pairs(ab.1, cd.1),
        ];
    }
    out
}

/// Four words of a block, whose bytes come most significant first.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn row(bytes: &[u8; 16]) -> Vector {
    // SAFETY: 16 bytes may be read, at any alignment.
    let bytes = unsafe { vld1q_u8(bytes.as_ptr()) };
    vreinterpretq_u32_u8(vrev32q_u8(bytes))
}

#[inline]
#[target_feature(enable = "neon")]
fn low_pairs(a: Vector, b: Vector) -> Vector {
    vreinterpretq_u32_u64(vtrn1q_u64(vreinterpretq_u64_u32(a), vreinterpretq_u64_u32(b)))
}

#[inline]
#[target_feature(enable = "neon")]
fn high_pairs(a: Vector, b: Vector) -> Vector {
    vreinterpretq_u32_u64(vtrn2q_u64(vreinterpretq_u64_u32(a), vreinterpretq_u64_u32(b)))
}

#[inline]
#[target_feature(enable = "neon")]
fn load(words: &[u32; MAX_LANES]) -> Vector {
    // SAFETY: 16 of 64 bytes may be read.
    unsafe { vld1q_u32(words.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn store(x: Vector, words: &mut [u32; MAX_LANES]) {
    // SAFETY: 16 of 64 bytes may be written.
    unsafe { vst1q_u32(words.as_mut_ptr(), x) }
}

#[inline]
#[target_feature(enable = "neon")]
fn broadcast(word: u32) -> Vector {
    vdupq_n_u32(word)
}

#[inline]
#[target_feature(enable = "neon")]
fn add(a: Vector, b: Vector) -> Vector {
    vaddq_u32(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn xor(a: Vector, b: Vector) -> Vector {
    veorq_u32(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn rotated<const N: i32>(x: Vector) -> Vector {
    // The difference 32 - N cannot be written as a const parameter.
    macro_rules! by {
        ($($n:literal $back:literal),*) => {
            match N {
                $($n => vsriq_n_u32::<$back>(vshlq_n_u32::<$n>(x), x),)*
                _ => unreachable!(),
            }
        };
    }
    by!(7 25, 9 23, 12 20, 15 17, 17 15, 19 13, 23 9)
}

#[inline]
#[target_feature(enable = "neon")]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    xor(xor(a, b), c)
}

#[inline]
#[target_feature(enable = "neon")]
fn majority(a: Vector, b: Vector, c: Vector) -> Vector {
    // Where a and b differ c decides, else either of them.
    vbslq_u32(xor(a, b), c, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn choose(a: Vector, b: Vector, c: Vector) -> Vector {
    vbslq_u32(a, b, c)
}
