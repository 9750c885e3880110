//! CTR mode of GB/T 17964-2021: keystream from a 128-bit big-endian counter that starts at the IV.
//!
//! CTR does not authenticate. Unless a peer dictates it, use [`crate::gcm`].

use core::fmt;

use cipher::InOutBuf;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{BLOCK_SIZE, Error, Sm4, backend::PARALLEL_BLOCKS};

/// Streaming CTR encryption and decryption, which are the same operation.
///
/// The counter wraps at 2^128, as OpenSSL's does. Never use one IV twice under one key.
///
/// ```
/// use gmkit_sm4::ctr::Ctr;
///
/// let (key, iv) = ([1; 16], [2; 16]);
/// let mut data = *b"streamed in any pieces";
/// Ctr::new(&key, &iv).apply_keystream(&mut data);
///
/// let mut back = Ctr::new(&key, &iv);
/// let (head, tail) = data.split_at_mut(5);
/// back.apply_keystream(head);
/// back.apply_keystream(tail);
/// assert_eq!(&data, b"streamed in any pieces");
/// ```
pub struct Ctr {
    cipher: Sm4,
    keystream: Keystream<u128>,
}

impl Ctr {
    /// Starts a stream with a 16-byte key and a 16-byte IV, the first counter block.
    #[must_use]
    pub fn new(key: &[u8; 16], iv: &[u8; 16]) -> Self {
        Self::with_cipher(Sm4::new(key), iv)
    }

    /// The same with a key that is expanded already.
    #[must_use]
    pub fn with_cipher(cipher: Sm4, iv: &[u8; 16]) -> Self {
        Self { cipher, keystream: Keystream::new(u128::from_be_bytes(*iv)) }
    }

    /// Adds the next `data.len()` bytes of keystream to `data`.
    pub fn apply_keystream(&mut self, data: &mut [u8]) {
        self.keystream.apply(&self.cipher, data.into());
    }

    /// [`Ctr::apply_keystream`] from one buffer into another of the same length.
    ///
    /// # Errors
    /// [`Error::OutputTooSmall`] when the lengths differ; nothing was done then.
    pub fn apply_keystream_to(&mut self, input: &[u8], output: &mut [u8]) -> Result<(), Error> {
        self.keystream.apply(&self.cipher, in_out(input, output)?);
        Ok(())
    }
}

impl fmt::Debug for Ctr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ctr { .. }")
    }
}

/// A counter that yields its blocks one after the other.
pub(crate) trait Counter: Zeroize {
    fn next_block(&mut self) -> [u8; BLOCK_SIZE];
}

impl Counter for u128 {
    fn next_block(&mut self) -> [u8; BLOCK_SIZE] {
        let block = self.to_be_bytes();
        *self = self.wrapping_add(1);
        block
    }
}

/// A counter and the rest of the keystream block that the last call has begun.
pub(crate) struct Keystream<C: Counter> {
    counter: C,
    block: [u8; BLOCK_SIZE],
    /// Bytes of `block` already used; all of them at the start.
    used: usize,
}

impl<C: Counter> Keystream<C> {
    pub(crate) fn new(counter: C) -> Self {
        Self { counter, block: [0; BLOCK_SIZE], used: BLOCK_SIZE }
    }

    /// Writes input plus keystream, in place or apart. The input itself is never written anywhere.
    pub(crate) fn apply(&mut self, cipher: &Sm4, data: InOutBuf<'_, '_, u8>) {
        let begun = data.len().min(BLOCK_SIZE - self.used);
        let (mut head, mut rest) = data.split_at(begun);
        head.xor_in2out(&self.block[self.used..][..begun]);
        self.used += begun;

        let mut blocks = [[0; BLOCK_SIZE]; PARALLEL_BLOCKS];
        while rest.len() >= BLOCK_SIZE {
            let count = (rest.len() / BLOCK_SIZE).min(PARALLEL_BLOCKS);
            let (mut chunk, after) = rest.split_at(count * BLOCK_SIZE);
            let blocks = &mut blocks[..count];
            blocks.fill_with(|| self.counter.next_block());
            cipher.encrypt(blocks);
            chunk.xor_in2out(blocks.as_flattened());
            rest = after;
        }
        blocks.zeroize();

        if !rest.is_empty() {
            self.block = self.counter.next_block();
            cipher.encrypt(core::slice::from_mut(&mut self.block));
            self.used = rest.len();
            rest.xor_in2out(&self.block[..self.used]);
        }
    }
}

impl<C: Counter> Drop for Keystream<C> {
    fn drop(&mut self) {
        self.counter.zeroize();
        self.block.zeroize();
    }
}

impl<C: Counter> ZeroizeOnDrop for Keystream<C> {}

/// Two buffers of the same length.
pub(crate) fn in_out<'i, 'o>(
    input: &'i [u8],
    output: &'o mut [u8],
) -> Result<InOutBuf<'i, 'o, u8>, Error> {
    InOutBuf::new(input, output).map_err(|_| Error::OutputTooSmall)
}
