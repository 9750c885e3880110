//! NEON without the AES instructions: the S-box is 256 bytes in sixteen registers, of which TBL takes
//! one byte for each byte of another. No memory is looked up in.

use core::arch::aarch64::*;

use cipher::array::Array;

use super::{
    Backend, Block, HashKey, Portable, RoundKeys,
    affine::{S_BOX, rotation},
    backend,
    cpu::Neon,
    drive, fill_counters, last_word, padded,
    schedule::{CK, FK},
};
use crate::block::{InOutBlocks, wipe, xor_blocks};

/// Blocks that a group of vectors holds.
pub(super) const GROUP: usize = 4;

pub(super) type Vector = uint8x16_t;

backend!(Neon, schedule: schedule, hash: hash_key, hash);

drive!("neon", wide: 2);

/// Key expansion, 7.3. The bytes of round keys stand in the order in which they do in a block.
#[target_feature(enable = "neon")]
fn schedule(key: &Block) -> RoundKeys {
    let (words, _) = key.as_chunks::<4>();
    let mut k: [Vector; 4] =
        core::array::from_fn(|i| word(u32::from_le_bytes(words[i]) ^ FK[i].swap_bytes()));
    let mut rk = [0; 32];
    for (rk, ck) in rk.iter_mut().zip(CK) {
        let [k0, k1, k2, k3] = k;
        let s = s_box(xor3(xor(k1, k2), k3, word(ck.swap_bytes())));
        // L'(s) = s + s<<<13 + s<<<23.
        let next = xor(k0, xor3(s, bits::<5, 3>(rotated::<1>(s)), bits::<7, 1>(rotated::<2>(s))));
        *rk = vgetq_lane_u32::<0>(vreinterpretq_u32_u8(next));
        k = [k1, k2, k3, next];
    }
    rk
}

/// GHASH has no instruction here.
#[target_feature(enable = "neon")]
fn hash_key(h: &Block) -> HashKey {
    Portable.hash_key(h)
}

#[target_feature(enable = "neon")]
fn hash(key: &HashKey, y: &mut Block, blocks: &[Block]) {
    Portable.hash(key, y, blocks);
}

padded!("neon", fn few);

/// x0 + L(S(z)), where L(s) = s + s<<<24 + (s + s<<<8 + s<<<16)<<<2.
#[inline]
#[target_feature(enable = "neon")]
fn round(x0: Vector, z: Vector) -> Vector {
    let s = s_box(z);
    let sum = xor3(s, rotated::<1>(s), rotated::<2>(s));
    xor(x0, xor3(s, rotated::<3>(s), bits::<2, 6>(sum)))
}

/// The S-box on each byte. Of the four quarters three are looked up out of range, which gives zero.
#[inline]
#[target_feature(enable = "neon")]
fn s_box(x: Vector) -> Vector {
    let quarter = |i: usize| {
        let rows = S_BOX.as_chunks::<16>().0;
        let [a, b, c, d] = core::array::from_fn(|j| bytes(&rows[4 * i + j]));
        vqtbl4q_u8(uint8x16x4_t(a, b, c, d), vsubq_u8(x, vdupq_n_u8(64 * i as u8)))
    };
    xor(xor(quarter(0), quarter(1)), xor(quarter(2), quarter(3)))
}

/// Rotates each word left by `N` bytes.
#[inline]
#[target_feature(enable = "neon")]
fn rotated<const N: usize>(x: Vector) -> Vector {
    vqtbl1q_u8(x, bytes(&const { rotation::<16>(N) }))
}

/// Rotates each word left by `N` bits, less than eight; `BACK` is 8 - `N`. The highest byte comes first, so
/// what leaves a byte enters the one before it.
#[inline]
#[target_feature(enable = "neon")]
fn bits<const N: i32, const BACK: i32>(x: Vector) -> Vector {
    vorrq_u8(vshlq_n_u8::<N>(x), vshrq_n_u8::<BACK>(rotated::<1>(x)))
}

/// Blocks become words: first words, second words and so on.
#[inline]
#[target_feature(enable = "neon")]
fn words(rows: [Vector; 4]) -> [Vector; 4] {
    transposed(rows)
}

/// The same back, with the words in reversed order (the transformation R).
#[inline]
#[target_feature(enable = "neon")]
fn rows([a, b, c, d]: &[Vector; 4]) -> [Vector; 4] {
    transposed([*d, *c, *b, *a])
}

/// The first three words of a counter block in each place.
#[inline]
#[target_feature(enable = "neon")]
fn prefix(counter: &Block) -> [Vector; 3] {
    let (words, _) = counter.as_chunks::<4>();
    core::array::from_fn(|i| word(u32::from_le_bytes(words[i])))
}

/// Counter blocks from `count` on.
#[inline]
#[target_feature(enable = "neon")]
fn counters([a, b, c]: &[Vector; 3], count: u32) -> [Vector; 4] {
    [*a, *b, *c, counts(count)]
}

/// Four numbers from `count` on, as blocks hold them.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn counts(count: u32) -> Vector {
    let numbers = [0, 1, 2, 3].map(|i| count.wrapping_add(i).to_be_bytes());
    bytes(numbers.as_flattened().as_chunks().0.first().expect("16 bytes"))
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn read_rows(blocks: &[Block; GROUP]) -> [Vector; 4] {
    blocks.each_ref().map(|block| bytes(block))
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn xor_rows(rows: [Vector; 4], blocks: &[Block; GROUP]) -> [Vector; 4] {
    let (other, _) = blocks.as_flattened().as_chunks();
    core::array::from_fn(|i| xor(rows[i], bytes(&other[i])))
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn write_rows(rows: [Vector; 4], blocks: &mut [Block; GROUP]) {
    let (out, _) = blocks.as_flattened_mut().as_chunks_mut::<16>();
    for (out, row) in out.iter_mut().zip(rows) {
        // SAFETY: 16 bytes may be written, at any alignment.
        unsafe { vst1q_u8(out.as_mut_ptr(), row) }
    }
}

/// Transposes the 4 x 4 words across the four vectors. Its own inverse. Which
/// blocks meet in a vector does not matter, as long as they come out where they came in.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn transposed([a, b, c, d]: [Vector; 4]) -> [Vector; 4] {
    let [a, b, c, d] = [a, b, c, d].map(|x| vreinterpretq_u32_u8(x));
    // Pairs of words change places, then pairs of pairs.
    let even = |x, y| vreinterpretq_u64_u32(vtrn1q_u32(x, y));
    let odd = |x, y| vreinterpretq_u64_u32(vtrn2q_u32(x, y));
    [
        vreinterpretq_u8_u64(vtrn1q_u64(even(a, b), even(c, d))),
        vreinterpretq_u8_u64(vtrn1q_u64(odd(a, b), odd(c, d))),
        vreinterpretq_u8_u64(vtrn2q_u64(even(a, b), even(c, d))),
        vreinterpretq_u8_u64(vtrn2q_u64(odd(a, b), odd(c, d))),
    ]
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn bytes(bytes: &[u8; 16]) -> Vector {
    // SAFETY: 16 bytes may be read, at any alignment.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn xor(a: Vector, b: Vector) -> Vector {
    veorq_u8(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn word(word: u32) -> Vector {
    vreinterpretq_u8_u32(vdupq_n_u32(word))
}

#[inline]
#[target_feature(enable = "neon")]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    xor(xor(a, b), c)
}
