//! GHASH with PCLMULQDQ, eight blocks per reduction.
//!
//! GHASH's field elements have their bits reversed. Of numbers whose bits are reversed the carry-less
//! product is the reversed product, shifted by one; with H·x instead of H the shift is done once and
//! for all, and the reduction becomes Montgomery's, modulo x^128 + x^127 + x^126 + x^121 + 1, two
//! products with the constant that stands in its middle. (S. Gueron and M. Kounavis, "Carry-Less
//! Multiplication and Its Usage for Computing the GCM Mode"; RFC 8452, appendix A.)

use core::arch::x86_64::*;

use super::{Block, HashKey};

/// x^127 + x^126 + x^121, without the lower 64 bits.
const REDUCTION: u64 = 0xc200_0000_0000_0000;

/// Blocks per reduction.
const GROUP: usize = 8;

/// H·x^16, ..., H·x: the last power comes last.
#[target_feature(enable = "pclmulqdq,ssse3")]
pub(super) fn key(h: &Block) -> HashKey {
    let h = u128::from_be_bytes(*h);
    let carry = core::hint::black_box(h >> 127).wrapping_neg();
    let hx = h << 1 ^ carry & (u128::from(REDUCTION) << 64 | 1);
    let h = vector(&hx);
    let mut power = h;
    let mut key = [0; 16];
    key[15] = hx;
    for slot in key[..15].iter_mut().rev() {
        power = Product::of(power, h).reduced();
        *slot = number(power);
    }
    key
}

#[target_feature(enable = "pclmulqdq,ssse3")]
pub(super) fn hash(key: &HashKey, y: &mut Block, blocks: &[Block]) {
    let mut sum = reversed(y);
    let (groups, rest) = blocks.as_chunks::<GROUP>();
    for group in groups {
        sum = hash_few(key, sum, group);
    }
    if !rest.is_empty() {
        sum = hash_few(key, sum, rest);
    }
    *y = number(sum).to_be_bytes();
}

/// At most sixteen blocks, with one reduction.
#[inline]
#[target_feature(enable = "pclmulqdq,ssse3")]
pub(super) fn hash_few(key: &HashKey, sum: __m128i, blocks: &[Block]) -> __m128i {
    let powers = &key[key.len() - blocks.len()..];
    let mut product = Product::of(_mm_xor_si128(sum, reversed(&blocks[0])), vector(&powers[0]));
    for (block, power) in blocks.iter().zip(powers).skip(1) {
        product = product.plus(&Product::of(reversed(block), vector(power)));
    }
    product.reduced()
}

/// A product that is not reduced: its low and high 128 bits, and what belongs between them.
pub(super) struct Product {
    pub(super) low: __m128i,
    pub(super) middle: __m128i,
    pub(super) high: __m128i,
}

impl Product {
    #[inline]
    #[target_feature(enable = "pclmulqdq,ssse3")]
    fn of(a: __m128i, b: __m128i) -> Self {
        Self {
            low: _mm_clmulepi64_si128::<0x00>(a, b),
            middle: _mm_xor_si128(
                _mm_clmulepi64_si128::<0x01>(a, b),
                _mm_clmulepi64_si128::<0x10>(a, b),
            ),
            high: _mm_clmulepi64_si128::<0x11>(a, b),
        }
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq,ssse3")]
    fn plus(&self, other: &Self) -> Self {
        Self {
            low: _mm_xor_si128(self.low, other.low),
            middle: _mm_xor_si128(self.middle, other.middle),
            high: _mm_xor_si128(self.high, other.high),
        }
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq,ssse3")]
    pub(super) fn reduced(&self) -> __m128i {
        let low = _mm_xor_si128(self.low, _mm_slli_si128::<8>(self.middle));
        let high = _mm_xor_si128(self.high, _mm_srli_si128::<8>(self.middle));
        _mm_xor_si128(high, folded(folded(low)))
    }
}

/// Adds the multiple of the modulus that clears the lower 64 bits, and drops them.
#[inline]
#[target_feature(enable = "pclmulqdq,ssse3")]
fn folded(x: __m128i) -> __m128i {
    let multiple = _mm_clmulepi64_si128::<0x00>(x, _mm_cvtsi64_si128(REDUCTION as i64));
    _mm_xor_si128(_mm_shuffle_epi32::<0b01_00_11_10>(x), multiple)
}

/// A block as a number, most significant byte first.
#[inline]
#[target_feature(enable = "pclmulqdq,ssse3")]
pub(super) fn reversed(block: &Block) -> __m128i {
    const REVERSED: u128 = 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f;
    _mm_shuffle_epi8(vector(&u128::from_le_bytes(*block)), vector(&REVERSED))
}

#[inline]
#[target_feature(enable = "pclmulqdq,ssse3")]
fn vector(x: &u128) -> __m128i {
    // SAFETY: 16 bytes may be read, at any alignment.
    unsafe { _mm_loadu_si128(core::ptr::from_ref(x).cast()) }
}

#[inline]
#[target_feature(enable = "pclmulqdq,ssse3")]
pub(super) fn number(x: __m128i) -> u128 {
    let mut out = 0_u128;
    // SAFETY: 16 bytes may be written, at any alignment.
    unsafe { _mm_storeu_si128((&raw mut out).cast(), x) };
    out
}
