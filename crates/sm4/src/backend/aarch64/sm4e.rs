//! The SM4 instructions of ARMv8.2: SM4E does four rounds of one block, SM4EKEY makes four round keys.
//! Inline assembly, because stable Rust has no intrinsics for them. Eight blocks are in flight.

use core::{arch::aarch64::*, arch::asm};

use super::{
    Backend, Block, HashKey, RoundKeys,
    cpu::Sm4e,
    fill_counters, last_word, pmull,
    schedule::{CK, FK},
};
use crate::block::{InOutBlocks, wipe, xor_blocks};

/// Blocks in flight.
const GROUP: usize = 8;

impl Backend for Sm4e {
    fn schedule(&self, key: &Block) -> RoundKeys {
        // SAFETY: this value proves that the CPU has the features.
        unsafe { schedule(key) }
    }

    fn encrypt(&self, rk: &RoundKeys, blocks: &mut [Block]) {
        // SAFETY: this value proves that the CPU has the features.
        unsafe { crypt::<false>(rk, blocks) }
    }

    fn decrypt(&self, rk: &RoundKeys, blocks: &mut [Block]) {
        // SAFETY: this value proves that the CPU has the features.
        unsafe { crypt::<true>(rk, blocks) }
    }

    fn ctr(&self, rk: &RoundKeys, counter: &Block, data: InOutBlocks<'_, '_>) {
        // SAFETY: this value proves that the CPU has the features.
        unsafe { ctr(rk, counter, data) }
    }

    fn hash_key(&self, h: &Block) -> HashKey {
        // SAFETY: this value proves that the CPU has the features.
        unsafe { pmull::key(h) }
    }

    fn hash(&self, key: &HashKey, y: &mut Block, blocks: &[Block]) {
        // SAFETY: this value proves that the CPU has the features.
        unsafe { pmull::hash(key, y, blocks) }
    }
}

/// Key expansion, 7.3.
#[target_feature(enable = "neon,sm4")]
fn schedule(key: &Block) -> RoundKeys {
    let mut k = veorq_u32(words(key), vector(&FK));
    let mut rk = [0; 32];
    for (rk, ck) in rk.as_chunks_mut::<4>().0.iter_mut().zip(CK.as_chunks::<4>().0) {
        k = next_keys(k, vector(ck));
        // SAFETY: 16 bytes may be written.
        unsafe { vst1q_u32(rk.as_mut_ptr(), k) }
    }
    rk
}

#[target_feature(enable = "neon,sm4")]
fn crypt<const DECRYPT: bool>(rk: &RoundKeys, blocks: &mut [Block]) {
    let rk = round_keys::<DECRYPT>(rk);
    let (groups, rest) = blocks.as_chunks_mut::<GROUP>();
    for group in groups {
        let x = rounds(&rk, group.each_ref().map(|block| words(block)));
        for (block, x) in group.iter_mut().zip(x) {
            write(bytes_of(x), block);
        }
    }
    for block in rest {
        let [x] = rounds(&rk, [words(block)]);
        write(bytes_of(x), block);
    }
}

/// Adds keystream to whole blocks; of the counter the last 32 bits are counted, and wrap.
#[target_feature(enable = "neon,sm4")]
fn ctr(rk: &RoundKeys, counter: &Block, mut data: InOutBlocks<'_, '_>) {
    let keys = round_keys::<false>(rk);
    let (first, mut count) = (words(counter), last_word(counter));
    while data.len() >= GROUP {
        let (mut now, rest) = data.split_at(GROUP);
        let x: [uint32x4_t; GROUP] =
            core::array::from_fn(|i| vsetq_lane_u32::<3>(count.wrapping_add(i as u32), first));
        for (i, x) in rounds(&keys, x).into_iter().enumerate() {
            let input = load(&now.get_in()[i].0);
            write(veorq_u8(bytes_of(x), input), &mut now.get_out()[i].0);
        }
        count = count.wrapping_add(GROUP as u32);
        data = rest;
    }
    let mut stream = [[0; 16]; GROUP];
    let stream = &mut stream[..data.len()];
    fill_counters(stream, counter, count);
    crypt::<false>(rk, stream);
    xor_blocks(data, stream);
    wipe(stream);
}

#[inline]
#[target_feature(enable = "neon,sm4")]
fn round_keys<const DECRYPT: bool>(rk: &RoundKeys) -> [uint32x4_t; 8] {
    let (keys, _) = rk.as_chunks::<4>();
    core::array::from_fn(
        |i| {
            if DECRYPT { reversed(vector(&keys[7 - i])) } else { vector(&keys[i]) }
        },
    )
}

/// All rounds of `N` blocks.
#[inline]
#[target_feature(enable = "neon,sm4")]
fn rounds<const N: usize>(rk: &[uint32x4_t; 8], mut x: [uint32x4_t; N]) -> [uint32x4_t; N] {
    for rk in rk {
        for x in &mut x {
            *x = four_rounds(*x, *rk);
        }
    }
    x
}

#[inline]
#[target_feature(enable = "neon,sm4")]
fn four_rounds(x: uint32x4_t, rk: uint32x4_t) -> uint32x4_t {
    let mut out = x;
    // SAFETY: the function has the instruction's feature; it reads and writes these registers only.
    unsafe {
        asm!(
            "sm4e {x:v}.4s, {rk:v}.4s",
            x = inout(vreg) out,
            rk = in(vreg) rk,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    out
}

#[inline]
#[target_feature(enable = "neon,sm4")]
fn next_keys(k: uint32x4_t, ck: uint32x4_t) -> uint32x4_t {
    let out;
    // SAFETY: the function has the instruction's feature; it reads and writes these registers only.
    unsafe {
        asm!(
            "sm4ekey {out:v}.4s, {k:v}.4s, {ck:v}.4s",
            out = lateout(vreg) out,
            k = in(vreg) k,
            ck = in(vreg) ck,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    out
}

/// A block as words.
#[inline]
#[target_feature(enable = "neon")]
fn words(block: &Block) -> uint32x4_t {
    vreinterpretq_u32_u8(vrev32q_u8(load(block)))
}

/// The block of four words in reversed order (the transformation R).
#[inline]
#[target_feature(enable = "neon")]
fn bytes_of(x: uint32x4_t) -> uint8x16_t {
    vrev32q_u8(vreinterpretq_u8_u32(reversed(x)))
}

/// The words in reversed order.
#[inline]
#[target_feature(enable = "neon")]
fn reversed(x: uint32x4_t) -> uint32x4_t {
    let pairs = vrev64q_u32(x);
    vextq_u32::<2>(pairs, pairs)
}

#[inline]
#[target_feature(enable = "neon")]
fn vector(words: &[u32; 4]) -> uint32x4_t {
    // SAFETY: 16 bytes may be read.
    unsafe { vld1q_u32(words.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load(block: &Block) -> uint8x16_t {
    // SAFETY: 16 bytes may be read, at any alignment.
    unsafe { vld1q_u8(block.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn write(x: uint8x16_t, block: &mut Block) {
    // SAFETY: 16 bytes may be written, at any alignment.
    unsafe { vst1q_u8(block.as_mut_ptr(), x) }
}
