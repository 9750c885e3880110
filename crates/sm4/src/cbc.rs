//! CBC mode of GB/T 17964-2021 with PKCS#7 padding, streaming and in one call.
//!
//! CBC does not authenticate, and a service that tells good padding from bad hands out plaintext.
//! Unless a peer dictates it, use [`crate::gcm`].

#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};
use core::fmt;

use subtle::{ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{BLOCK_SIZE, Error, Sm4, backend::PARALLEL_BLOCKS};

type Block = [u8; BLOCK_SIZE];

/// The bytes of a block that has not come in whole yet.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Partial {
    bytes: Block,
    len: usize,
}

impl Partial {
    const EMPTY: Self = Self { bytes: [0; BLOCK_SIZE], len: 0 };

    /// Takes bytes from `input` until the block is whole or `input` is empty.
    fn fill(&mut self, input: &mut &[u8]) {
        let (head, rest) = input.split_at(input.len().min(BLOCK_SIZE - self.len));
        self.bytes[self.len..][..head.len()].copy_from_slice(head);
        self.len += head.len();
        *input = rest;
    }

    /// The whole block, which leaves an empty one behind.
    fn take(&mut self) -> Block {
        debug_assert_eq!(self.len, BLOCK_SIZE);
        self.len = 0;
        self.bytes
    }
}

/// Streaming CBC encryption with PKCS#7 padding.
///
/// ```
/// use gmkit_sm4::cbc::{Decryptor, Encryptor};
///
/// let (key, iv) = ([1; 16], [2; 16]);
/// let mut out = [0; 64];
/// let mut enc = Encryptor::new(&key, &iv);
/// let mut n = enc.update(b"twenty bytes of text", &mut out)?;
/// n += enc.finish(&mut out[n..])?;
/// assert_eq!(n, 32);
/// # let mut dec = Decryptor::new(&key, &iv);
/// # let mut back = [0; 64];
/// # let mut m = dec.update(&out[..n], &mut back)?;
/// # m += dec.finish(&mut back[m..])?;
/// # assert_eq!(&back[..m], b"twenty bytes of text");
/// # Ok::<(), gmkit_sm4::Error>(())
/// ```
pub struct Encryptor {
    cipher: Sm4,
    chain: Block,
    partial: Partial,
}

impl Encryptor {
    /// Starts a stream with a 16-byte key and a 16-byte IV. The IV must be unpredictable.
    #[must_use]
    pub fn new(key: &[u8; 16], iv: &[u8; 16]) -> Self {
        Self { cipher: Sm4::new(key), chain: *iv, partial: Partial::EMPTY }
    }

    /// Encrypts the whole blocks that `input` completes, keeps the rest for later, and returns how
    /// many bytes were written.
    ///
    /// # Errors
    /// [`Error::OutputTooSmall`] when `output` cannot hold those blocks; `input.len() + 15` bytes
    /// are always enough. Nothing was taken in then.
    pub fn update(&mut self, mut input: &[u8], output: &mut [u8]) -> Result<usize, Error> {
        let blocks = (self.partial.len + input.len()) / BLOCK_SIZE;
        let output = output.as_chunks_mut::<BLOCK_SIZE>().0;
        for out in output.get_mut(..blocks).ok_or(Error::OutputTooSmall)? {
            self.partial.fill(&mut input);
            *out = self.encrypt_partial();
        }
        self.partial.fill(&mut input);
        Ok(blocks * BLOCK_SIZE)
    }

    /// Pads and encrypts the last block; returns 16.
    ///
    /// # Errors
    /// [`Error::OutputTooSmall`] when `output` has fewer than 16 bytes.
    pub fn finish(mut self, output: &mut [u8]) -> Result<usize, Error> {
        let out = output.first_chunk_mut::<BLOCK_SIZE>().ok_or(Error::OutputTooSmall)?;
        let pad = BLOCK_SIZE - self.partial.len;
        self.partial.bytes[BLOCK_SIZE - pad..].fill(pad as u8);
        *out = self.encrypt_partial();
        Ok(BLOCK_SIZE)
    }

    fn encrypt_partial(&mut self) -> Block {
        for (c, p) in self.chain.iter_mut().zip(&self.partial.bytes) {
            *c ^= p;
        }
        self.cipher.encrypt(core::slice::from_mut(&mut self.chain));
        self.partial.len = 0;
        self.chain
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cbc::Encryptor { .. }")
    }
}

/// Streaming CBC decryption with PKCS#7 padding. The last whole block is held back until
/// [`Decryptor::finish`] has checked its padding.
///
/// Nothing here is authenticated: what [`Decryptor::update`] returns may have been tampered with.
pub struct Decryptor {
    cipher: Sm4,
    chain: Block,
    partial: Partial,
}

impl Decryptor {
    /// Starts a stream with a 16-byte key and a 16-byte IV.
    #[must_use]
    pub fn new(key: &[u8; 16], iv: &[u8; 16]) -> Self {
        Self { cipher: Sm4::new(key), chain: *iv, partial: Partial::EMPTY }
    }

    /// Decrypts the whole blocks that are not the last, keeps the rest for later, and returns how
    /// many bytes were written.
    ///
    /// # Errors
    /// [`Error::OutputTooSmall`] when `output` cannot hold those blocks; `input.len() + 15` bytes
    /// are always enough. Nothing was taken in then.
    pub fn update(&mut self, mut input: &[u8], output: &mut [u8]) -> Result<usize, Error> {
        // A whole block stays behind too: it may be the last.
        let blocks = (self.partial.len + input.len()).saturating_sub(1) / BLOCK_SIZE;
        let output = output.as_chunks_mut::<BLOCK_SIZE>().0;
        let output = output.get_mut(..blocks).ok_or(Error::OutputTooSmall)?;
        let mut batch = [[0; BLOCK_SIZE]; PARALLEL_BLOCKS];
        for out in output.chunks_mut(PARALLEL_BLOCKS) {
            let batch = &mut batch[..out.len()];
            for block in &mut *batch {
                self.partial.fill(&mut input);
                *block = self.partial.take();
            }
            self.decrypt(batch, out);
        }
        self.partial.fill(&mut input);
        Ok(blocks * BLOCK_SIZE)
    }

    /// Decrypts the last block, checks and removes the padding, and returns how many bytes of it
    /// are plaintext.
    ///
    /// # Errors
    /// [`Error::Rejected`] when the input was not a whole number of blocks, was empty, or its
    /// padding is wrong; the time taken does not depend on which padding byte was wrong.
    /// [`Error::OutputTooSmall`] when `output` has fewer than 15 bytes.
    pub fn finish(mut self, output: &mut [u8]) -> Result<usize, Error> {
        if output.len() < BLOCK_SIZE - 1 {
            return Err(Error::OutputTooSmall);
        }
        if self.partial.len != BLOCK_SIZE {
            return Err(Error::Rejected);
        }
        let mut last = [[0; BLOCK_SIZE]];
        let cipher_block = self.partial.take();
        self.decrypt(&[cipher_block], &mut last);
        let [mut last] = last;
        let result =
            unpadded_len(&last).inspect(|&len| output[..len].copy_from_slice(&last[..len]));
        last.zeroize();
        result
    }

    fn decrypt(&mut self, blocks: &[Block], output: &mut [Block]) {
        output.copy_from_slice(blocks);
        self.cipher.decrypt(output);
        for (plain, cipher_block) in output.iter_mut().zip(blocks) {
            for (p, c) in plain.iter_mut().zip(&self.chain) {
                *p ^= c;
            }
            self.chain = *cipher_block;
        }
    }
}

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cbc::Decryptor { .. }")
    }
}

/// Length of the plaintext in a padded block. Looks at all sixteen bytes whatever they are.
fn unpadded_len(block: &Block) -> Result<usize, Error> {
    let pad = block[BLOCK_SIZE - 1];
    let mut good = !pad.ct_eq(&0) & !pad.ct_gt(&(BLOCK_SIZE as u8));
    for (i, byte) in (1..=BLOCK_SIZE as u8).rev().zip(block) {
        let is_padding = !i.ct_gt(&pad);
        good &= !is_padding | byte.ct_eq(&pad);
    }
    let len = u8::conditional_select(&0, &(BLOCK_SIZE as u8).wrapping_sub(pad), good);
    if bool::from(good) { Ok(usize::from(len)) } else { Err(Error::Rejected) }
}

/// Encrypts a whole message with PKCS#7 padding.
///
/// # Panics
/// Never: the buffer has room for the message and its padding.
#[cfg(feature = "alloc")]
#[must_use]
pub fn encrypt(key: &[u8; 16], iv: &[u8; 16], plaintext: &[u8]) -> Vec<u8> {
    let mut out = vec![0; plaintext.len() + 2 * BLOCK_SIZE];
    let mut enc = Encryptor::new(key, iv);
    let n = enc.update(plaintext, &mut out).expect("the buffer is 32 bytes longer");
    let m = enc.finish(&mut out[n..]).expect("a block fits behind the message");
    out.truncate(n + m);
    out
}

/// Decrypts a whole message and removes its PKCS#7 padding.
///
/// # Errors
/// [`Error::Rejected`] as [`Decryptor::finish`]; the plaintext is wiped then.
#[cfg(feature = "alloc")]
pub fn decrypt(key: &[u8; 16], iv: &[u8; 16], ciphertext: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = vec![0; ciphertext.len() + BLOCK_SIZE];
    let mut dec = Decryptor::new(key, iv);
    let n = dec.update(ciphertext, &mut out)?;
    match dec.finish(&mut out[n..]) {
        Ok(m) => {
            out.truncate(n + m);
            Ok(out)
        }
        Err(error) => {
            out.zeroize();
            Err(error)
        }
    }
}
