//! GHASH on 64-bit integer multiplication, without tables.
//!
//! A carry-less product is formed from ordinary products of numbers that have only every fourth
//! bit set: a column of such a product adds up at most 16 ones, and only the topmost column can
//! reach 16, whose carry leaves the word; so no carry reaches the next bit that is kept. (Thomas
//! Pornin describes the method for BearSSL.) Ordinary multiplication is constant time on the
//! 64-bit targets gmkit supports.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Block, HashKey};

/// H itself is all that is kept.
pub(super) fn key(h: &Block) -> HashKey {
    let mut key = [0; 16];
    key[0] = u128::from_be_bytes(*h);
    key
}

pub(super) fn hash(key: &HashKey, y: &mut Block, blocks: &[Block]) {
    let h = Multiplier::new(key[0]);
    let mut sum = u128::from_be_bytes(*y);
    for block in blocks {
        sum = h.multiply(sum ^ u128::from_be_bytes(*block));
    }
    *y = sum.to_be_bytes();
}

/// A factor prepared for multiplication: its halves, their sum, and the same with bits reversed,
/// since the upper half of a product is the reversed lower half of the reversed factors' product.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Multiplier {
    parts: [u64; 3],
    reversed: [u64; 3],
}

impl Multiplier {
    fn new(h: u128) -> Self {
        let parts = karatsuba_parts(h);
        Self { parts, reversed: parts.map(u64::reverse_bits) }
    }

    /// Multiplies in GHASH's field, where the first bit of a block is the coefficient of x^0.
    fn multiply(&self, y: u128) -> u128 {
        let y = karatsuba_parts(y);
        let mut low = [0; 3];
        let mut high = [0; 3];
        for i in 0..3 {
            low[i] = clmul_low(y[i], self.parts[i]);
            high[i] = clmul_low(y[i].reverse_bits(), self.reversed[i]).reverse_bits() >> 1;
        }
        let middle_low = low[0] ^ low[1] ^ low[2];
        let middle_high = high[0] ^ high[1] ^ high[2];
        reduce([low[0], high[0] ^ middle_low, low[1] ^ middle_high, high[1]])
    }
}

fn karatsuba_parts(x: u128) -> [u64; 3] {
    let (low, high) = (x as u64, (x >> 64) as u64);
    [low, high, low ^ high]
}

/// Reduces a 255-bit product (least significant word first) by x^128 + x^7 + x^2 + x + 1. The
/// bits stand reversed in the words, so the product is first shifted up by one, and the words
/// that hold the high powers are the low ones.
fn reduce([v0, v1, v2, v3]: [u64; 4]) -> u128 {
    let w3 = v3 << 1 | v2 >> 63;
    let mut w2 = v2 << 1 | v1 >> 63;
    let mut w1 = v1 << 1 | v0 >> 63;
    let w0 = v0 << 1;
    w2 ^= w0 ^ w0 >> 1 ^ w0 >> 2 ^ w0 >> 7;
    w1 ^= w0 << 63 ^ w0 << 62 ^ w0 << 57;
    let w3 = w3 ^ w1 ^ w1 >> 1 ^ w1 >> 2 ^ w1 >> 7;
    let w2 = w2 ^ w1 << 63 ^ w1 << 62 ^ w1 << 57;
    u128::from(w3) << 64 | u128::from(w2)
}

/// Lower 64 bits of the carry-less product.
fn clmul_low(x: u64, y: u64) -> u64 {
    const EVERY_FOURTH: u64 = 0x1111_1111_1111_1111;
    let x: [u64; 4] = core::array::from_fn(|i| x & EVERY_FOURTH << i);
    let y: [u64; 4] = core::array::from_fn(|i| y & EVERY_FOURTH << i);
    (0..4).fold(0, |z, i| {
        let column = (0..4).fold(0, |sum, j| sum ^ x[j].wrapping_mul(y[(i + 4 - j) % 4]));
        z | column & EVERY_FOURTH << i
    })
}
