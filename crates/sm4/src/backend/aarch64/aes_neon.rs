//! The AES instructions with NEON: four blocks per group of vectors, four groups in flight.
//! `x86::aesni_avx2` has the method.

use core::arch::aarch64::*;

use cipher::array::Array;

use super::{
    Backend, Block, HashKey, RoundKeys,
    affine::{
        AES_KEY_OUT, AES_OUT, IN, INTO, KEY_M, M0, M1, MAPPED_CK, MAPPED_FK, OUT_OF, after_aes,
        nibbles, rotation_after_aes,
    },
    backend,
    cpu::AesNeon,
    drive, fill_counters, last_word,
    neon::{GROUP, Vector, bytes, counts, read_rows, transposed, word, write_rows, xor, xor_rows},
    padded, pmull,
};
use crate::block::{InOutBlocks, wipe, xor_blocks};

backend!(AesNeon, schedule: schedule, hash: pmull::key, pmull::hash);

drive!("neon,aes", wide: 4);

/// Key expansion, 7.3. Round keys are mapped by P, with p added.
#[target_feature(enable = "neon,aes")]
fn schedule(key: &Block) -> RoundKeys {
    let block = vreinterpretq_u32_u8(mapped(bytes(key), &const { nibbles(&INTO, 0) }));
    let mut k = [
        vreinterpretq_u8_u32(vdupq_laneq_u32::<0>(block)),
        vreinterpretq_u8_u32(vdupq_laneq_u32::<1>(block)),
        vreinterpretq_u8_u32(vdupq_laneq_u32::<2>(block)),
        vreinterpretq_u8_u32(vdupq_laneq_u32::<3>(block)),
    ];
    for (k, fk) in k.iter_mut().zip(MAPPED_FK) {
        *k = xor(*k, word(fk));
    }
    let mut rk = [0; 32];
    for (rk, ck) in rk.iter_mut().zip(MAPPED_CK) {
        let [k0, k1, k2, k3] = k;
        let s = aes(xor(xor(k1, k2), xor(k3, word(ck))));
        let y0 = mapped(s, &const { nibbles(&after_aes(&KEY_M[0]), AES_KEY_OUT) });
        let y1 = mapped(s, &const { nibbles(&after_aes(&KEY_M[1]), 0) });
        let y2 = mapped(s, &const { nibbles(&after_aes(&KEY_M[2]), 0) });
        let y3 = mapped(s, &const { nibbles(&after_aes(&KEY_M[3]), 0) });
        let sum = xor(xor(k0, rotated::<0>(y0)), rotated::<1>(y1));
        let next = xor(sum, xor(rotated::<2>(y2), rotated::<3>(y3)));
        *rk = vgetq_lane_u32::<0>(vreinterpretq_u32_u8(next)) ^ u32::from_ne_bytes([IN; 4]);
        k = [k1, k2, k3, next];
    }
    rk
}

padded!("neon,aes", fn few);

/// x0 + L(S(z)).
#[inline]
#[target_feature(enable = "neon,aes")]
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
#[target_feature(enable = "neon,aes")]
fn aes(x: Vector) -> Vector {
    vaeseq_u8(x, vdupq_n_u8(0))
}

/// A map, looked up.
#[inline]
#[target_feature(enable = "neon,aes")]
fn mapped(x: Vector, [low, high]: &[[u8; 16]; 2]) -> Vector {
    xor(
        vqtbl1q_u8(bytes(low), vandq_u8(x, vdupq_n_u8(0x0f))),
        vqtbl1q_u8(bytes(high), vshrq_n_u8::<4>(x)),
    )
}

/// Undoes ShiftRows and rotates each word left by `N` bytes.
#[inline]
#[target_feature(enable = "neon,aes")]
fn rotated<const N: usize>(x: Vector) -> Vector {
    vqtbl1q_u8(x, bytes(&const { rotation_after_aes(N) }))
}

/// Blocks become words: first words, second words and so on, mapped.
#[inline]
#[target_feature(enable = "neon,aes")]
fn words(rows: [Vector; 4]) -> [Vector; 4] {
    transposed(rows).map(|x| into(x))
}

/// The same back, with the words in reversed order (the transformation R).
#[inline]
#[target_feature(enable = "neon,aes")]
fn rows(x: &[Vector; 4]) -> [Vector; 4] {
    let plain = x.map(|x| mapped(x, &const { nibbles(&OUT_OF, 0) }));
    transposed([plain[3], plain[2], plain[1], plain[0]])
}

/// The first three words of a counter block, mapped, in each place.
#[inline]
#[target_feature(enable = "neon,aes")]
fn prefix(counter: &Block) -> [Vector; 3] {
    let (words, _) = counter.as_chunks::<4>();
    core::array::from_fn(|i| into(word(u32::from_le_bytes(words[i]))))
}

/// Counter blocks from `count` on.
#[inline]
#[target_feature(enable = "neon,aes")]
fn counters([a, b, c]: &[Vector; 3], count: u32) -> [Vector; 4] {
    [*a, *b, *c, into(counts(count))]
}

/// Maps each byte by P.
#[inline]
#[target_feature(enable = "neon,aes")]
fn into(x: Vector) -> Vector {
    mapped(x, &const { nibbles(&INTO, 0) })
}

#[inline]
#[target_feature(enable = "neon,aes")]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    xor(xor(a, b), c)
}
