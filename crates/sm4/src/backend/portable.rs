//! Portable SM4: bitsliced on 32-bit words, without tables.
//!
//! Eight blocks share one set of words: bit 8p + j of plane b is bit b of byte p (least
//! significant first) of block j. The S-box is then a circuit on eight planes, a rotation of a
//! 32-bit SM4 word by eight bits is a rotation of each plane by eight, and what is left of a
//! rotation renames planes. `L` such sets stand side by side in arrays; the loops over `L` have no
//! dependency between their iterations, so the compiler turns them into whatever vectors the
//! target offers.

mod ghash;
mod sbox;

use zeroize::{Zeroize, Zeroizing};

use self::sbox::sbox;
use super::{
    Backend, Block, HashKey, PARALLEL_BLOCKS, RoundKeys, fill_counters, last_word,
    schedule::{CK, FK},
};
use crate::block::{InOutBlocks, wipe, xor_blocks};

/// Plane sets of the widest path: enough for two 128-bit vectors in flight.
const WIDE: usize = 8;
/// Plane sets of the middle path, for shorter inputs: one 128-bit vector.
const NARROW: usize = 4;

/// One SM4 word of `8 * L` blocks.
type Word<const L: usize> = [[u32; L]; 8];

/// The byte `b` in all four places of a word.
const fn bytes(b: u8) -> u32 {
    u32::from_le_bytes([b; 4])
}

/// L of the round function, 6.2 b).
const fn l(b: u32) -> u32 {
    b ^ b.rotate_left(2) ^ b.rotate_left(10) ^ b.rotate_left(18) ^ b.rotate_left(24)
}

/// L' of the key schedule, 6.3.
const fn l_prime(b: u32) -> u32 {
    b ^ b.rotate_left(13) ^ b.rotate_left(23)
}

/// A word as planes, the same for all eight blocks.
const fn planes(word: u32) -> [u32; 8] {
    let mut out = [0; 8];
    let mut b = 0;
    while b < 8 {
        out[b] = ((word >> b) & 0x0101_0101) * 0xff;
        b += 1;
    }
    out
}

/// What to add in key schedule round i: CK_i and the S-box's input constant.
const KEY_ROUND_IN: [[u32; 8]; 32] = {
    let mut out = [[0; 8]; 32];
    let mut i = 0;
    while i < 32 {
        out[i] = planes(CK[i] ^ bytes(sbox::IN));
        i += 1;
    }
    out
};

/// The S-box's output constant, seen through L'.
const KEY_ROUND_OUT: [u32; 8] = planes(l_prime(bytes(sbox::OUT)));

/// What to add to round key i so that no round needs to care for the S-box's constants.
///
/// The circuit leaves out +OUT, so word X_(i+4) lacks L(OUT) in every second group of four words
/// (it is X_i, with or without it, plus one more). The three words that enter round i lack an odd
/// number of them for i mod 8 in {1, 3, 4, 6}; the pattern is its own mirror image, so that the
/// reversed keys decrypt; and after 32 rounds the four words of the result lack none.
const fn round_key_constant(i: usize) -> u32 {
    let lacking = matches!(i % 8, 1 | 3 | 4 | 6);
    bytes(sbox::IN) ^ if lacking { l(bytes(sbox::OUT)) } else { 0 }
}

/// Needs nothing that not every CPU has.
pub(super) struct Portable;

impl Backend for Portable {
    fn schedule(&self, key: &Block) -> RoundKeys {
        schedule(key)
    }

    fn encrypt(&self, rk: &RoundKeys, blocks: &mut [Block]) {
        crypt(&Zeroizing::new(rk.map(planes)), blocks);
    }

    fn decrypt(&self, rk: &RoundKeys, blocks: &mut [Block]) {
        let mut rk = Zeroizing::new(rk.map(planes));
        rk.reverse();
        crypt(&rk, blocks);
    }

    fn ctr(&self, rk: &RoundKeys, counter: &Block, mut data: InOutBlocks<'_, '_>) {
        let rk = Zeroizing::new(rk.map(planes));
        let mut stream = [[0; 16]; PARALLEL_BLOCKS];
        let mut count = last_word(counter);
        while !data.is_empty() {
            let stream = &mut stream[..data.len().min(PARALLEL_BLOCKS)];
            fill_counters(stream, counter, count);
            count = count.wrapping_add(stream.len() as u32);
            crypt(&rk, stream);
            let (now, rest) = data.split_at(stream.len());
            xor_blocks(now, stream);
            data = rest;
        }
        wipe(&mut stream);
    }

    fn hash_key(&self, h: &Block) -> HashKey {
        ghash::key(h)
    }

    fn hash(&self, key: &HashKey, y: &mut Block, blocks: &[Block]) {
        ghash::hash(key, y, blocks);
    }
}

/// Round keys have the S-box's constants folded in.
fn schedule(key: &Block) -> RoundKeys {
    let mut mk = *key;
    for (bytes, fk) in mk.as_chunks_mut::<4>().0.iter_mut().zip(FK) {
        *bytes = (u32::from_be_bytes(*bytes) ^ fk).to_be_bytes();
    }
    let mut k = pack::<1>(&[mk; 8]);
    mk.zeroize();

    let mut rk = [0; 32];
    for (i, rk) in rk.iter_mut().enumerate() {
        let input =
            core::array::from_fn(|b| k[1][b][0] ^ k[2][b][0] ^ k[3][b][0] ^ KEY_ROUND_IN[i][b]);
        let s = sbox(input);
        for b in 0..8 {
            let t = s[b] ^ rotated(&s, b, 13) ^ rotated(&s, b, 23) ^ KEY_ROUND_OUT[b];
            k[0][b][0] ^= t;
            // All eight blocks are the same one: the first has it all.
            *rk |= (k[0][b][0] & 0x0101_0101) << b;
        }
        *rk ^= round_key_constant(i);
        k.rotate_left(1);
    }
    k.zeroize();
    rk
}

fn crypt(rk: &[[u32; 8]; 32], blocks: &mut [Block]) {
    let mut rest = blocks;
    while rest.len() > 8 * NARROW {
        rest = batch::<WIDE>(rk, rest);
    }
    while rest.len() > 8 {
        rest = batch::<NARROW>(rk, rest);
    }
    if !rest.is_empty() {
        batch::<1>(rk, rest);
    }
}

/// Works on up to `8 * L` blocks and returns the ones that are left.
fn batch<'b, const L: usize>(rk: &[[u32; 8]; 32], blocks: &'b mut [Block]) -> &'b mut [Block] {
    let (now, rest) = blocks.split_at_mut(blocks.len().min(8 * L));
    let mut x = pack::<L>(now);
    for (i, rk) in rk.iter().enumerate() {
        let [x0, x1, x2, x3] = &mut x;
        match i % 4 {
            0 => round(x0, x1, x2, x3, rk),
            1 => round(x1, x2, x3, x0, rk),
            2 => round(x2, x3, x0, x1, rk),
            _ => round(x3, x0, x1, x2, rk),
        }
    }
    unpack(&mut x, now);
    x.zeroize();
    rest
}

/// One round, 7.1: x0 += L(tau(x1 + x2 + x3 + rk)).
fn round<const L: usize>(
    x0: &mut Word<L>,
    x1: &Word<L>,
    x2: &Word<L>,
    x3: &Word<L>,
    rk: &[u32; 8],
) {
    for i in 0..L {
        let s = sbox(core::array::from_fn(|b| x1[b][i] ^ x2[b][i] ^ x3[b][i] ^ rk[b]));
        // L(s) = u + e<<<2 + s<<<26 with u = s + s<<<24 and e the sum of the four rotations of s
        // by whole bytes: two terms fewer than written out.
        let r24: [u32; 8] = core::array::from_fn(|b| s[b].rotate_left(24));
        let u: [u32; 8] = core::array::from_fn(|b| s[b] ^ r24[b]);
        let e: [u32; 8] = core::array::from_fn(|b| u[b] ^ u[b].rotate_left(16));
        for b in 0..8 {
            // e has the same bits in each byte, so its rotation by two only renames planes.
            x0[b][i] ^= u[b] ^ e[(b + 6) % 8] ^ rotated(&r24, b, 2);
        }
    }
}

/// Plane `b` of a word rotated left by `n` bits.
#[inline(always)]
fn rotated(planes: &[u32; 8], b: usize, n: usize) -> u32 {
    let whole_bytes = if b < n % 8 { n / 8 + 1 } else { n / 8 };
    planes[(b + 8 - n % 8) % 8].rotate_left(8 * whole_bytes as u32)
}

/// Spreads up to `8 * L` blocks into planes; missing blocks count as zero.
fn pack<const L: usize>(blocks: &[Block]) -> [Word<L>; 4] {
    let mut x = [[[0; L]; 8]; 4];
    for (n, block) in blocks.iter().enumerate() {
        for (word, bytes) in x.iter_mut().zip(block.as_chunks::<4>().0) {
            word[n % 8][n / 8] = u32::from_be_bytes(*bytes);
        }
    }
    x.iter_mut().for_each(transpose);
    x
}

/// Takes the blocks out again, in the reversed word order of 7.1 (the transformation R).
fn unpack<const L: usize>(x: &mut [Word<L>; 4], blocks: &mut [Block]) {
    x.iter_mut().for_each(transpose);
    for (n, block) in blocks.iter_mut().enumerate() {
        for (word, bytes) in x.iter().rev().zip(block.as_chunks_mut::<4>().0) {
            *bytes = word[n % 8][n / 8].to_be_bytes();
        }
    }
}

/// Transposes the 8 x 8 bits of each byte position across the eight rows. Its own inverse.
fn transpose<const L: usize>(rows: &mut Word<L>) {
    for (step, mask) in [(1, 0x5555_5555), (2, 0x3333_3333), (4, 0x0f0f_0f0f)] {
        for j in (0..8).filter(|j| j & step == 0) {
            let (low, high) = rows.split_at_mut(j + step);
            for (a, b) in low[j].iter_mut().zip(&mut high[0]) {
                let t = ((*a >> step) ^ *b) & mask;
                *b ^= t;
                *a ^= t << step;
            }
        }
    }
}
