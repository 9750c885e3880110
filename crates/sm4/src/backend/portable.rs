//! Portable SM4: bitsliced on 32-bit words, without tables.
//!
//! Eight blocks share one set of words: bit 8p + j of plane b is bit b of byte p (least
//! significant first) of block j. The S-box is then a circuit on eight planes, a rotation of a
//! 32-bit SM4 word by eight bits is a rotation of each plane by eight, and what is left of a
//! rotation renames planes. `L` such sets stand side by side in arrays; the loops over `L` have no
//! dependency between their iterations, so the compiler turns them into whatever vectors the
//! target offers.

mod sbox;

use zeroize::{Zeroize, ZeroizeOnDrop};

use self::sbox::sbox;
use crate::BLOCK_SIZE;

/// Blocks worked on at once by the widest path.
pub(crate) const PARALLEL_BLOCKS: usize = 8 * WIDE;

/// Plane sets of the widest path: enough for two 128-bit vectors in flight.
const WIDE: usize = 8;
/// Plane sets of the middle path, for shorter inputs: one 128-bit vector.
const NARROW: usize = 4;

type Block = [u8; BLOCK_SIZE];
/// One SM4 word of `8 * L` blocks.
type Word<const L: usize> = [[u32; L]; 8];

/// FK of GB/T 32907-2016, 6.3.
const FK: [u32; 4] = [0xa3b1_bac6, 0x56aa_3350, 0x677d_9197, 0xb270_22dc];

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

/// CK of 6.3: byte j of word i, most significant first, is 7(4i + j) mod 256.
const fn ck(i: usize) -> u32 {
    let i = i as u32 * 28;
    u32::from_be_bytes([i as u8, (i + 7) as u8, (i + 14) as u8, (i + 21) as u8])
}

/// A constant word as planes, the same for all eight blocks.
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
        out[i] = planes(ck(i) ^ bytes(sbox::IN));
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

const ROUND_KEY_CONSTANTS: [[u32; 8]; 32] = {
    let mut out = [[0; 8]; 32];
    let mut i = 0;
    while i < 32 {
        out[i] = planes(round_key_constant(i));
        i += 1;
    }
    out
};

/// Round keys as planes, with the S-box's constants folded in.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Key {
    rk: [[u32; 8]; 32],
}

impl Key {
    /// Key expansion, GB/T 32907-2016, 7.3.
    pub(crate) fn new(key: &[u8; 16]) -> Self {
        let mut mk = *key;
        for (bytes, fk) in mk.as_chunks_mut::<4>().0.iter_mut().zip(FK) {
            *bytes = (u32::from_be_bytes(*bytes) ^ fk).to_be_bytes();
        }
        let mut k = pack::<1>(&[mk; 8]);
        mk.zeroize();

        let mut rk = [[0; 8]; 32];
        for (i, rk) in rk.iter_mut().enumerate() {
            let input =
                core::array::from_fn(|b| k[1][b][0] ^ k[2][b][0] ^ k[3][b][0] ^ KEY_ROUND_IN[i][b]);
            let s = sbox(input);
            for (b, rk) in rk.iter_mut().enumerate() {
                let t = s[b] ^ rotated(&s, b, 13) ^ rotated(&s, b, 23) ^ KEY_ROUND_OUT[b];
                k[0][b][0] ^= t;
                *rk = k[0][b][0] ^ ROUND_KEY_CONSTANTS[i][b];
            }
            k.rotate_left(1);
        }
        k.zeroize();
        Self { rk }
    }

    /// Encrypts each block in place.
    pub(crate) fn encrypt_blocks(&self, blocks: &mut [Block]) {
        crypt(self.rk.iter(), blocks);
    }

    /// Decrypts each block in place: encryption with the round keys reversed.
    pub(crate) fn decrypt_blocks(&self, blocks: &mut [Block]) {
        crypt(self.rk.iter().rev(), blocks);
    }
}

fn crypt<'k>(rk: impl Iterator<Item = &'k [u32; 8]> + Clone, blocks: &mut [Block]) {
    let mut rest = blocks;
    while rest.len() > 8 * NARROW {
        rest = batch::<WIDE>(rk.clone(), rest);
    }
    while rest.len() > 8 {
        rest = batch::<NARROW>(rk.clone(), rest);
    }
    if !rest.is_empty() {
        batch::<1>(rk, rest);
    }
}

/// Works on up to `8 * L` blocks and returns the ones that are left.
fn batch<'b, 'k, const L: usize>(
    rk: impl Iterator<Item = &'k [u32; 8]>,
    blocks: &'b mut [Block],
) -> &'b mut [Block] {
    let (now, rest) = blocks.split_at_mut(blocks.len().min(8 * L));
    let mut x = pack::<L>(now);
    for (i, rk) in rk.enumerate() {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The cipher as the standard writes it, with its own S-box circuit replaced by field
    /// arithmetic: the readable reference.
    fn reference(key: &Block, block: &Block, decrypt: bool) -> Block {
        fn multiply(mut a: u16, mut b: u16) -> u16 {
            let mut r = 0;
            while b != 0 {
                r ^= if b & 1 == 1 { a } else { 0 };
                a = (a << 1) ^ if a & 0x80 == 0 { 0 } else { 0x1f5 };
                b >>= 1;
            }
            r
        }
        fn affine(x: u8) -> u8 {
            (0..8)
                .fold(0xd3, |y, i| y ^ (((x & 0xa7u8.rotate_left(i)).count_ones() as u8 & 1) << i))
        }
        fn s(x: u8) -> u8 {
            let x = u16::from(affine(x));
            affine((0..254).fold(1, |r, _| multiply(r, x)) as u8)
        }
        fn tau(x: u32) -> u32 {
            u32::from_be_bytes(x.to_be_bytes().map(s))
        }
        let words = |b: &Block| -> [u32; 4] {
            core::array::from_fn(|i| u32::from_be_bytes(b.as_chunks::<4>().0[i]))
        };

        let mut k = words(key);
        k.iter_mut().zip(FK).for_each(|(k, fk)| *k ^= fk);
        let mut rk = [0; 32];
        for (i, rk) in rk.iter_mut().enumerate() {
            k[0] ^= l_prime(tau(k[1] ^ k[2] ^ k[3] ^ ck(i)));
            *rk = k[0];
            k.rotate_left(1);
        }
        if decrypt {
            rk.reverse();
        }
        let mut x = words(block);
        for rk in rk {
            x[0] ^= l(tau(x[1] ^ x[2] ^ x[3] ^ rk));
            x.rotate_left(1);
        }
        let mut out = [0; 16];
        for (bytes, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(x.iter().rev()) {
            *bytes = word.to_be_bytes();
        }
        out
    }

    #[test]
    fn every_count_of_blocks_equals_the_reference() {
        let key: Block = core::array::from_fn(|i| (i * 37 + 11) as u8);
        let cipher = Key::new(&key);
        let block = |n: usize| -> Block { core::array::from_fn(|i| ((n * 16 + i) % 251) as u8) };
        for count in 0..=(2 * PARALLEL_BLOCKS + 9) {
            let plain: std::vec::Vec<Block> = (0..count).map(block).collect();
            let mut blocks = plain.clone();
            cipher.encrypt_blocks(&mut blocks);
            for n in [0, count / 2, count.saturating_sub(1)] {
                if n < count {
                    assert_eq!(blocks[n], reference(&key, &plain[n], false), "{n} of {count}");
                }
            }
            cipher.decrypt_blocks(&mut blocks);
            assert_eq!(blocks, plain, "count {count}");
        }
    }

    #[test]
    fn decryption_equals_the_reference() {
        let key = [0xfe; 16];
        let mut blocks = [[0x5a; 16]];
        Key::new(&key).decrypt_blocks(&mut blocks);
        assert_eq!(blocks[0], reference(&key, &[0x5a; 16], true));
    }
}
