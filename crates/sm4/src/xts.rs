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
        self.unit(tweak, unit, Sm4::encrypt, false)
    }

    /// Decrypts a data unit in place.
    ///
    /// # Errors
    /// As [`Xts::encrypt`].
    pub fn decrypt(&self, tweak: &[u8; 16], unit: &mut [u8]) -> Result<(), Error> {
        self.unit(tweak, unit, Sm4::decrypt, true)
    }

    /// Whether a data unit may have this length, in bytes.
    ///
    /// # Errors
    /// [`Error::DataUnitLength`].
    pub const fn check_len(len: usize) -> Result<(), Error> {
        if len < BLOCK_SIZE || len > MAX_DATA_UNIT { Err(Error::DataUnitLength) } else { Ok(()) }
    }

    fn unit(
        &self,
        tweak: &Block,
        unit: &mut [u8],
        work: fn(&Sm4, &mut [Block]),
        decrypting: bool,
    ) -> Result<(), Error> {
        Self::check_len(unit.len())?;
        let mut t = Tweak { value: *tweak, convention: self.convention };
        self.tweak.encrypt(core::slice::from_mut(&mut t.value));

        let (blocks, tail) = unit.as_chunks_mut::<BLOCK_SIZE>();
        // With a partial block at the end, the last whole one is part of the exchange below.
        let plain = blocks.len() - usize::from(!tail.is_empty());
        let (blocks, last) = blocks.split_at_mut(plain);
        for blocks in blocks.chunks_mut(PARALLEL_BLOCKS) {
            let mut tweaks = [[0; BLOCK_SIZE]; PARALLEL_BLOCKS];
            let tweaks = &mut tweaks[..blocks.len()];
            tweaks.fill_with(|| t.next());
            xor(blocks, tweaks);
            work(&self.data, blocks);
            xor(blocks, tweaks);
            wipe(tweaks);
        }
        if let Some(last) = last.first_mut() {
            self.steal(&mut t, last, tail, work, decrypting);
        }
        Ok(())
    }

    /// Ciphertext stealing: the last whole block and the partial one behind it. Decryption meets
    /// the two tweaks in the other order.
    fn steal(
        &self,
        t: &mut Tweak,
        last: &mut Block,
        tail: &mut [u8],
        work: fn(&Sm4, &mut [Block]),
        decrypting: bool,
    ) {
        let mut tweaks = [t.next(), t.next()];
        if decrypting {
            tweaks.reverse();
        }
        self.one(last, &tweaks[0], work);
        for (a, b) in last.iter_mut().zip(tail) {
            core::mem::swap(a, b);
        }
        self.one(last, &tweaks[1], work);
        wipe(&mut tweaks);
    }

    fn one(&self, block: &mut Block, tweak: &Block, work: fn(&Sm4, &mut [Block])) {
        let block = core::slice::from_mut(block);
        let tweak = core::slice::from_ref(tweak);
        xor(block, tweak);
        work(&self.data, block);
        xor(block, tweak);
    }
}

impl fmt::Debug for Xts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Xts({:?}) {{ .. }}", self.convention)
    }
}

fn xor(blocks: &mut [Block], tweaks: &[Block]) {
    for (b, t) in blocks.as_flattened_mut().iter_mut().zip(tweaks.as_flattened()) {
        *b ^= t;
    }
}

/// The tweak of the next block.
struct Tweak {
    value: Block,
    convention: Convention,
}

impl Tweak {
    /// Returns the tweak, and multiplies it by x in GF(2^128). The two standards differ in the
    /// order of the bits: IEEE 1619 counts from the first byte's least significant bit upward,
    /// GB/T 17964 from the first byte's most significant bit downward, as GHASH does.
    fn next(&mut self) -> Block {
        let now = self.value;
        self.value = match self.convention {
            Convention::Ieee => {
                let t = u128::from_le_bytes(now);
                ((t << 1) ^ (0x87 & (t >> 127).wrapping_neg())).to_le_bytes()
            }
            Convention::Gb => {
                let t = u128::from_be_bytes(now);
                ((t >> 1) ^ ((0xe1 << 120) & (t & 1).wrapping_neg())).to_be_bytes()
            }
        };
        now
    }
}

impl Drop for Tweak {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}
