//! The SM3 instructions of ARMv8.2, one message. Inline assembly, because stable Rust has no intrinsics
//! for them.
//!
//! They hold A, B, C, D in one vector, A in the highest lane, and E, F, G, H in another. A step is SM3SS1
//! (SS1), SM3TT1 (the new A, B, C, D) and SM3TT2 (the new E, F, G, H); SM3PARTW1 and SM3PARTW2 make four
//! words of the message expansion.

use core::{arch::aarch64::*, arch::asm};

use super::{Backend, Block, Lanes, MAX_LANES, T, cpu, neon};

impl Backend for cpu::Sm3 {
    fn compress(&self, state: &mut [u32; 8], blocks: &[Block]) {
        // SAFETY: this value proves that the CPU has the features.
        unsafe { compress(state, blocks) }
    }

    fn lanes(&self) -> usize {
        cpu::Neon::detect().lanes()
    }

    /// The instructions work on one message only.
    fn compress_lanes(&self, states: &mut Lanes, blocks: &[&[Block]; MAX_LANES]) {
        cpu::Neon::detect().compress_lanes(states, blocks);
    }
}

#[target_feature(enable = "neon,sm4")]
fn compress(state: &mut [u32; 8], blocks: &[Block]) {
    let (halves, _) = state.as_chunks_mut::<4>();
    let [mut abcd, mut efgh] = [0, 1].map(|i| reversed(load(&halves[i])));
    for block in blocks {
        let before = (abcd, efgh);
        (abcd, efgh) = steps(abcd, efgh, block);
        abcd = veorq_u32(abcd, before.0);
        efgh = veorq_u32(efgh, before.1);
    }
    store(reversed(abcd), &mut halves[0]);
    store(reversed(efgh), &mut halves[1]);
}

/// The 64 steps of 5.3.3.
#[inline]
#[target_feature(enable = "neon,sm4")]
fn steps(mut abcd: uint32x4_t, mut efgh: uint32x4_t, block: &Block) -> (uint32x4_t, uint32x4_t) {
    // W_j to W_(j+15), four to a vector.
    let (rows, _) = block.as_chunks::<16>();
    let mut w: [uint32x4_t; 4] = core::array::from_fn(|i| neon::row(&rows[i]));
    for (i, t) in T.as_chunks::<4>().0.iter().enumerate() {
        // W'_j is the sum of W_j and W_(j+4).
        let sums = veorq_u32(w[0], w[1]);
        if i < 4 {
            (abcd, efgh) = four_steps::<true>(abcd, efgh, w[0], sums, t);
        } else {
            (abcd, efgh) = four_steps::<false>(abcd, efgh, w[0], sums, t);
        }
        let next = expanded(&w);
        w = [w[1], w[2], w[3], next];
    }
    (abcd, efgh)
}

/// Defines the instructions with a result that depends on what was there before.
macro_rules! instruction {
    ($(#[$doc:meta])* $name:ident, $mnemonic:literal) => {
        $(#[$doc])*
        #[inline]
        #[target_feature(enable = "neon,sm4")]
        fn $name(mut d: uint32x4_t, n: uint32x4_t, m: uint32x4_t) -> uint32x4_t {
            // SAFETY: the instruction, which the features contain, reads and writes these registers only.
            unsafe {
                asm!(
                    concat!($mnemonic, " {d:v}.4s, {n:v}.4s, {m:v}.4s"),
                    d = inout(vreg) d, n = in(vreg) n, m = in(vreg) m,
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
            d
        }
    };
}

instruction!(
    /// W_(j-16) + W_(j-9) + (W_(j-3) <<< 15) through P1, for four j.
    part_1, "sm3partw1"
);
instruction!(
    /// What is missing then: (W_(j-13) <<< 7) + W_(j-6), and W_(j-3) where it is one of the four.
    part_2, "sm3partw2"
);

/// W_(j+16) to W_(j+19) from W_j to W_(j+15), message expansion of 5.3.2.
#[inline]
#[target_feature(enable = "neon,sm4")]
fn expanded(w: &[uint32x4_t; 4]) -> uint32x4_t {
    let w7 = vextq_u32::<3>(w[1], w[2]);
    let w3 = vextq_u32::<3>(w[0], w[1]);
    let w10 = vextq_u32::<2>(w[2], w[3]);
    part_2(part_1(w[0], w7, w[3]), w10, w3)
}

/// Four steps, with FF and GG of the first sixteen or of the others. `t` is T_j <<< j, `w` W_j and
/// `sums` W'_j of each.
#[inline]
#[target_feature(enable = "neon,sm4")]
fn four_steps<const FIRST: bool>(
    mut abcd: uint32x4_t,
    mut efgh: uint32x4_t,
    w: uint32x4_t,
    sums: uint32x4_t,
    t: &[u32; 4],
) -> (uint32x4_t, uint32x4_t) {
    macro_rules! step {
        ($tt1:literal, $tt2:literal, $j:literal) => {
            // SAFETY: the instructions, which the features contain, read and write these registers only.
            unsafe {
                asm!(
                    "sm3ss1 {s:v}.4s, {abcd:v}.4s, {efgh:v}.4s, {t:v}.4s",
                    concat!($tt1, " {abcd:v}.4s, {s:v}.4s, {sums:v}.s[", $j, "]"),
                    concat!($tt2, " {efgh:v}.4s, {s:v}.4s, {w:v}.s[", $j, "]"),
                    abcd = inout(vreg) abcd, efgh = inout(vreg) efgh, s = out(vreg) _,
                    t = in(vreg) vdupq_n_u32(t[$j]), sums = in(vreg) sums, w = in(vreg) w,
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
        };
    }
    macro_rules! steps {
        ($tt1:literal, $tt2:literal) => {
            step!($tt1, $tt2, 0);
            step!($tt1, $tt2, 1);
            step!($tt1, $tt2, 2);
            step!($tt1, $tt2, 3);
        };
    }
    if FIRST {
        steps!("sm3tt1a", "sm3tt2a");
    } else {
        steps!("sm3tt1b", "sm3tt2b");
    }
    (abcd, efgh)
}

/// The words in reversed order.
#[inline]
#[target_feature(enable = "neon")]
fn reversed(x: uint32x4_t) -> uint32x4_t {
    let x = vrev64q_u32(x);
    vextq_u32::<2>(x, x)
}

#[inline]
#[target_feature(enable = "neon")]
fn load(words: &[u32; 4]) -> uint32x4_t {
    // SAFETY: 16 bytes may be read.
    unsafe { vld1q_u32(words.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn store(x: uint32x4_t, words: &mut [u32; 4]) {
    // SAFETY: 16 bytes may be written.
    unsafe { vst1q_u32(words.as_mut_ptr(), x) }
}
