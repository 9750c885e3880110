//! HCTR mode of GB/T 17964-2021: one wide block, as long as the message, under a tweak.
//!
//! Each bit of the ciphertext depends on each bit of the message, which XTS does not give; and the
//! ciphertext is no longer than the message. HCTR does not authenticate: a changed ciphertext
//! decrypts to noise, without an error.

use core::fmt;

use zeroize::Zeroizing;

use crate::{
    BLOCK_SIZE, Error, Sm4,
    backend::PARALLEL_BLOCKS,
    block::{wipe, xor},
    ghash::{Ghash, GhashKey},
};

type Block = [u8; BLOCK_SIZE];

/// An HCTR key: K1 for SM4, K2 for the hash.
///
/// ```
/// use gmkit_sm4::hctr::Hctr;
///
/// let hctr = Hctr::new(&[1; 16], &[2; 16]);
/// let mut data = *b"any length from sixteen bytes on";
/// hctr.encrypt(&[7; 16], &mut data)?;
/// hctr.decrypt(&[7; 16], &mut data)?;
/// assert_eq!(&data, b"any length from sixteen bytes on");
/// # Ok::<(), gmkit_sm4::Error>(())
/// ```
#[derive(Clone)]
pub struct Hctr {
    cipher: Sm4,
    hash: GhashKey,
}

impl Hctr {
    /// Takes K1, the key of the cipher, and K2, the key of the hash, which must be independent.
    #[must_use]
    pub fn new(k1: &[u8; 16], k2: &[u8; 16]) -> Self {
        Self { cipher: Sm4::new(k1), hash: GhashKey::new(k2) }
    }

    /// Encrypts in place. The whole message is needed at once; equal messages under equal tweaks
    /// give equal ciphertexts.
    ///
    /// # Errors
    /// [`Error::TooShort`] for less than 16 bytes, which stay as they are.
    pub fn encrypt(&self, tweak: &[u8; 16], data: &mut [u8]) -> Result<(), Error> {
        let (first, rest) = split(data)?;
        xor(first, &*self.hash(rest, tweak)); // Z1
        let mut stream = Zeroizing::new(*first);
        self.cipher.encrypt(core::slice::from_mut(first)); // Z2
        xor(&mut *stream, first);
        self.add_keystream(&stream, rest);
        xor(first, &*self.hash(rest, tweak));
        Ok(())
    }

    /// Decrypts in place.
    ///
    /// # Errors
    /// As [`Hctr::encrypt`].
    pub fn decrypt(&self, tweak: &[u8; 16], data: &mut [u8]) -> Result<(), Error> {
        let (first, rest) = split(data)?;
        xor(first, &*self.hash(rest, tweak)); // Z2
        let mut stream = Zeroizing::new(*first);
        self.cipher.decrypt(core::slice::from_mut(first)); // Z1
        xor(&mut *stream, first);
        self.add_keystream(&stream, rest);
        xor(first, &*self.hash(rest, tweak));
        Ok(())
    }

    /// H over X ‖ tweak, filled with zeros, and the length of the two in bits.
    fn hash(&self, x: &[u8], tweak: &Block) -> Zeroizing<Block> {
        let mut hash = Ghash::new();
        hash.update(&self.hash, x);
        hash.update(&self.hash, tweak);
        Zeroizing::new(hash.finish(&self.hash, 0, (x.len() + tweak.len()) as u64))
    }

    /// Adds E(S ⊕ 1), E(S ⊕ 2), ... to `data`.
    fn add_keystream(&self, s: &Block, data: &mut [u8]) {
        let s = Zeroizing::new(u128::from_be_bytes(*s));
        let mut i = 0_u128;
        let mut blocks = [[0; BLOCK_SIZE]; PARALLEL_BLOCKS];
        for chunk in data.chunks_mut(BLOCK_SIZE * PARALLEL_BLOCKS) {
            let blocks = &mut blocks[..chunk.len().div_ceil(BLOCK_SIZE)];
            blocks.fill_with(|| {
                i += 1;
                (*s ^ i).to_be_bytes()
            });
            self.cipher.encrypt(blocks);
            xor(chunk, blocks.as_flattened());
        }
        wipe(&mut blocks);
    }
}

impl fmt::Debug for Hctr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hctr { .. }")
    }
}

fn split(data: &mut [u8]) -> Result<(&mut Block, &mut [u8]), Error> {
    data.split_first_chunk_mut().ok_or(Error::TooShort)
}
