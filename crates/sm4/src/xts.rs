//! XTS mode, for storage: a data unit (a disk sector) is encrypted in place under a tweak (its
//! number). There are two standards, and they agree on the first block only:
//!
//! - [`Xts::gb`]: GB/T 17964-2021, the default of OpenSSL, Tongsuo and GmSSL for SM4;
//! - [`Xts::ieee`]: IEEE 1619 and NIST SP 800-38E, as disk encryption with AES does it.
//!
//! XTS does not authenticate: a changed unit decrypts to something else, without an error.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::{BLOCK_SIZE, Error, Sm4, backend::PARALLEL_BLOCKS, block::wipe};

/// Longest data unit: 2^20 blocks (IEEE 1619-2018, 5.1).
pub const MAX_DATA_UNIT: usize = 1 << 24;

type Block = [u8; BLOCK_SIZE];

/// How the tweak goes from block to block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Convention {
    Gb,
    Ieee,
}

/// An XTS key: K1 encrypts data, K2 encrypts tweaks.
///
/// ```
/// use gmkit_sm4::xts::Xts;
///
/// let key: [u8; 32] = core::array::from_fn(|i| i as u8);
/// let xts = Xts::gb(&key)?;
/// let mut sector = [0x5a; 512];
/// let mut tweak = [0; 16];
/// tweak[..8].copy_from_slice(&7_u64.to_le_bytes()); // sector 7
/// xts.encrypt(&tweak, &mut sector)?;
/// xts.decrypt(&tweak, &mut sector)?;
/// assert_eq!(sector, [0x5a; 512]);
/// # Ok::<(), gmkit_sm4::Error>(())
/// ```
#[derive(Clone)]
pub struct Xts {
    data: Sm4,
    tweak: Sm4,
    convention: Convention,
}

impl Xts {
    /// XTS of GB/T 17964-2021 with the key K1 ‖ K2.
    ///
    /// # Errors
    /// [`Error::EqualKeys`] when K1 = K2, which would give the tweaks away.
    pub fn gb(key: &[u8; 32]) -> Result<Self, Error> {
        Self::new(key, Convention::Gb)
    }

    /// XTS of IEEE 1619 with the key K1 ‖ K2.
    ///
    /// # Errors
    /// As [`Xts::gb`].
    pub fn ieee(key: &[u8; 32]) -> Result<Self, Error> {
        Self::new(key, Convention::Ieee)
    }

    fn new(key: &[u8; 32], convention: Convention) -> Result<Self, Error> {
        let [k1, k2] = [0, 1].map(|half| &key.as_chunks::<16>().0[half]);
        if bool::from(k1.ct_eq(k2)) {
            return Err(Error::EqualKeys);
        }
        Ok(Self { data: Sm4::new(k1), tweak: Sm4::new(k2), convention })
    }

    /// Encrypts a data unit in place.
    ///
    /// # Errors
    /// [`Error::DataUnitLength`] unless it has 16 to [`MAX_DATA_UNIT`] bytes; it is then unchanged.
    pub fn encrypt(&self, tweak: &[u8; 16], unit: &mut [u8]) -> Result<(), Error> {
        self.unit(tweak, unit, false)
    }

    /// Decrypts a data unit in place.
    ///
    /// # Errors
    /// As [`Xts::encrypt`].
    pub fn decrypt(&self, tweak: &[u8; 16], unit: &mut [u8]) -> Result<(), Error> {
        self.unit(tweak, unit, true)
    }

    /// Whether a data unit may have this length, in bytes.
    ///
    /// # Errors
    /// [`Error::DataUnitLength`].
    pub const fn check_len(len: usize) -> Result<(), Error> {
        if len < BLOCK_SIZE || len > MAX_DATA_UNIT { Err(Error::DataUnitLength) } else { Ok(()) }
    }

    fn unit(&self, tweak: &Block, unit: &mut [u8], decrypt: bool) -> Result<(), Error> {
        Self::check_len(unit.len())?;
        let mut first = [*tweak];
        self.tweak.encrypt(&mut first);
        let mut tweaks = Tweaks::new(&first[0], self.convention);
        wipe(&mut first);

        let (blocks, tail) = unit.as_chunks_mut::<BLOCK_SIZE>();
        // With a partial block at the end, the last whole one is part of the exchange below.
        let plain = blocks.len() - usize::from(!tail.is_empty());
        let (blocks, last) = blocks.split_at_mut(plain);
        for blocks in blocks.chunks_mut(PARALLEL_BLOCKS) {
            self.data.masked(blocks, tweaks.next(blocks.len()), decrypt);
        }
        if let Some(last) = last.first_mut() {
            self.steal(&mut tweaks, last, tail, decrypt);
        }
        Ok(())
    }

    /// Ciphertext stealing: the last whole block and the partial one behind it. Decryption meets
    /// the two tweaks in the other order.
    fn steal(&self, tweaks: &mut Tweaks, last: &mut Block, tail: &mut [u8], decrypt: bool) {
        let [first, second] = [usize::from(decrypt), usize::from(!decrypt)];
        let tweaks = tweaks.next(2);
        let last = core::slice::from_mut(last);
        self.data.masked(last, &tweaks[first..=first], decrypt);
        for (a, b) in last[0].iter_mut().zip(tail) {
            core::mem::swap(a, b);
        }
        self.data.masked(last, &tweaks[second..=second], decrypt);
    }
}

impl fmt::Debug for Xts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Xts({:?}) {{ .. }}", self.convention)
    }
}

/// How many tweaks are made side by side: each is x^8 times the one so far before it.
const STEP: usize = 8;

/// The tweaks of blocks that follow each other, as many as are worked on at once.
struct Tweaks {
    bytes: [Block; PARALLEL_BLOCKS],
    /// The next ones, as numbers.
    numbers: [u128; STEP],
    convention: Convention,
}

impl Tweaks {
    fn new(first: &Block, convention: Convention) -> Self {
        let mut numbers = [0; STEP];
        numbers[0] = match convention {
            Convention::Ieee => u128::from_le_bytes(*first),
            Convention::Gb => u128::from_be_bytes(*first),
        };
        for i in 1..STEP {
            numbers[i] = times_x(numbers[i - 1], convention);
        }
        Self { bytes: [[0; BLOCK_SIZE]; PARALLEL_BLOCKS], numbers, convention }
    }

    /// The tweaks of the next `count` blocks, at most [`PARALLEL_BLOCKS`].
    fn next(&mut self, count: usize) -> &[Block] {
        for bytes in self.bytes[..count].chunks_mut(STEP) {
            for (bytes, number) in bytes.iter_mut().zip(&mut self.numbers) {
                *bytes = match self.convention {
                    Convention::Ieee => number.to_le_bytes(),
                    Convention::Gb => number.to_be_bytes(),
                };
                *number = times_x8(*number, self.convention);
            }
            // Of the last, shorter, row the numbers that were used go to the end.
            self.numbers.rotate_left(bytes.len() % STEP);
        }
        &self.bytes[..count]
    }
}

/// t·x in GF(2^128). The two standards differ in the order of the bits: IEEE 1619 counts from the first
/// byte's least significant bit upward, GB/T 17964 from the first byte's most significant bit downward,
/// as GHASH does.
fn times_x(t: u128, convention: Convention) -> u128 {
    match convention {
        Convention::Ieee => (t << 1) ^ (0x87 & (t >> 127).wrapping_neg()),
        Convention::Gb => (t >> 1) ^ ((0xe1 << 120) & (t & 1).wrapping_neg()),
    }
}

/// t·x^8: a byte goes out, and comes back times x^7 + x^2 + x + 1.
fn times_x8(t: u128, convention: Convention) -> u128 {
    match convention {
        Convention::Ieee => {
            let out = t >> 120;
            (t << 8) ^ out ^ (out << 1) ^ (out << 2) ^ (out << 7)
        }
        Convention::Gb => {
            let out = t << 120;
            (t >> 8) ^ out ^ (out >> 1) ^ (out >> 2) ^ (out >> 7)
        }
    }
}

impl Drop for Tweaks {
    fn drop(&mut self) {
        wipe(&mut self.bytes);
        self.numbers.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_steps_at_once() {
        for convention in [Convention::Ieee, Convention::Gb] {
            for t in [1, 0x87, 1 << 127, u128::MAX, 0x0123_4567_89ab_cdef << 60 | 0x5a] {
                let one_by_one = (0..8).fold(t, |t, _| times_x(t, convention));
                assert_eq!(times_x8(t, convention), one_by_one);
            }
        }
    }

    /// Each count in a row, so that rows end everywhere.
    #[test]
    fn tweaks_follow_each_other() {
        for convention in [Convention::Ieee, Convention::Gb] {
            let first = core::array::from_fn(|i| (i * 29 + 3) as u8);
            let mut one_by_one = Tweaks::new(&first, convention);
            let mut many = Tweaks::new(&first, convention);
            for count in 1..=PARALLEL_BLOCKS {
                for tweak in many.next(count) {
                    assert_eq!(*tweak, one_by_one.next(1)[0], "{count}");
                }
            }
        }
    }
}
