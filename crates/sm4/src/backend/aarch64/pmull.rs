//! GHASH with PMULL, eight blocks per reduction. `x86::clmul` has the method.

use core::arch::aarch64::*;

use super::{Block, HashKey};

/// x^127 + x^126 + x^121, without the lower 64 bits.
const REDUCTION: u64 = 0xc200_0000_0000_0000;

/// Blocks per reduction.
const GROUP: usize = 8;

/// H·x^16, ..., H·x: the last power comes last.
#[target_feature(enable = "neon,aes")]
pub(super) fn key(h: &Block) -> HashKey {
    let h = u128::from_be_bytes(*h);
    let carry = core::hint::black_box(h >> 127).wrapping_neg();
    let hx = h << 1 ^ carry & (u128::from(REDUCTION) << 64 | 1);
    let mut key = [0; 16];
    let mut power = hx;
    key[15] = hx;
    for slot in key[..15].iter_mut().rev() {
        power = Product::of(power, hx).reduced();
        *slot = power;
    }
    key
}

#[target_feature(enable = "neon,aes")]
pub(super) fn hash(key: &HashKey, y: &mut Block, blocks: &[Block]) {
    let mut sum = u128::from_be_bytes(*y);
    for group in blocks.chunks(GROUP) {
        sum = hash_few(key, sum, group);
    }
    *y = sum.to_be_bytes();
}

/// At most sixteen blocks, with one reduction.
#[inline]
#[target_feature(enable = "neon,aes")]
fn hash_few(key: &HashKey, sum: u128, blocks: &[Block]) -> u128 {
    let powers = &key[key.len() - blocks.len()..];
    let mut product = Product { low: 0, middle: 0, high: 0 };
    let mut sum = sum;
    for (block, power) in blocks.iter().zip(powers) {
        product = product.plus(&Product::of(u128::from_be_bytes(*block) ^ sum, *power));
        sum = 0;
    }
    product.reduced()
}

/// A product that is not reduced: its low and high 128 bits, and what belongs between them.
struct Product {
    low: u128,
    middle: u128,
    high: u128,
}

impl Product {
    #[inline]
    #[target_feature(enable = "neon,aes")]
    fn of(a: u128, b: u128) -> Self {
        let (a0, a1, b0, b1) = (a as u64, (a >> 64) as u64, b as u64, (b >> 64) as u64);
        Self {
            low: vmull_p64(a0, b0),
            middle: vmull_p64(a0, b1) ^ vmull_p64(a1, b0),
            high: vmull_p64(a1, b1),
        }
    }

    #[inline]
    #[target_feature(enable = "neon,aes")]
    fn plus(&self, other: &Self) -> Self {
        Self {
            low: self.low ^ other.low,
            middle: self.middle ^ other.middle,
            high: self.high ^ other.high,
        }
    }

    #[inline]
    #[target_feature(enable = "neon,aes")]
    fn reduced(&self) -> u128 {
        let (low, high) = (self.low ^ self.middle << 64, self.high ^ self.middle >> 64);
        high ^ folded(folded(low))
    }
}

/// Adds the multiple of the modulus that clears the lower 64 bits, and drops them.
#[inline]
#[target_feature(enable = "neon,aes")]
fn folded(x: u128) -> u128 {
    x.rotate_left(64) ^ vmull_p64(x as u64, REDUCTION)
}
