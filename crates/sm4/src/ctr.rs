//! CTR mode of GB/T 17964-2021: keystream from a 128-bit big-endian counter that starts at the IV.
//!
//! CTR does not authenticate. Unless a peer dictates it, use [`crate::gcm`].

use core::fmt;

use cipher::InOutBuf;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{BLOCK_SIZE, Error, Sm4, block::wipe};

/// Streaming CTR encryption and decryption, which are the same operation. The IV is public: where its
/// last 32 bits wrap may show in the time.
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

/// A counter, most significant byte first. Only how it goes on where its last 32 bits wrap differs.
pub(crate) trait Counter: Zeroize {
    /// The next block.
    fn block(&self) -> [u8; BLOCK_SIZE];
    /// Leaves out `count` blocks.
    fn advance(&mut self, count: u64);
    /// How many blocks come before more than the last 32 bits changes.
    fn run(&self) -> u64;
}

impl Counter for u128 {
    fn block(&self) -> [u8; BLOCK_SIZE] {
        self.to_be_bytes()
    }

    fn advance(&mut self, count: u64) {
        *self = self.wrapping_add(u128::from(count));
    }

    fn run(&self) -> u64 {
        (1 << 32) - (*self as u64 & 0xffff_ffff)
    }
}

/// Blocks that may be encrypted in advance: as many as a kernel does in the time of one.
pub(crate) const AHEAD: usize = 8;

/// A counter, and the keystream that is there already.
pub(crate) struct Keystream<C: Counter> {
    counter: C,
    ahead: [[u8; BLOCK_SIZE]; AHEAD],
    /// Bytes of `ahead` that were used, and that there are.
    used: usize,
    len: usize,
}

impl<C: Counter> Keystream<C> {
    pub(crate) const fn new(counter: C) -> Self {
        Self { counter, ahead: [[0; BLOCK_SIZE]; AHEAD], used: 0, len: 0 }
    }

    /// Goes on with another counter. Nothing may be left of the keystream before.
    pub(crate) fn restart(&mut self, counter: C) {
        assert_eq!(self.used, self.len, "keystream is used once, and all of it");
        self.counter = counter;
    }

    /// Writes input plus keystream, in place or apart. The input itself is never written anywhere.
    pub(crate) fn apply(&mut self, cipher: &Sm4, data: InOutBuf<'_, '_, u8>) {
        let rest = self.use_up(data);
        // Few blocks are encrypted without a look at the counter: that of a random generator is
        // secret.
        if rest.is_empty() {
            return;
        }
        if rest.len() <= BLOCK_SIZE * AHEAD {
            self.prefetch(cipher, rest.len());
            self.use_up(rest);
            return;
        }
        let (mut blocks, tail) = rest.into_chunks();
        while !blocks.is_empty() {
            // Kernels count with 32 bits.
            let count = self.counter.run().min(blocks.len() as u64);
            let (now, after) = blocks.split_at(count as usize);
            cipher.ctr(&self.counter.block(), now);
            self.counter.advance(count);
            blocks = after;
        }
        if !tail.is_empty() {
            self.prefetch(cipher, tail.len());
            self.use_up(tail);
        }
    }

    /// Encrypts the blocks for the next `len` bytes, or as many of them as can be kept. Nothing may
    /// be left of earlier ones.
    pub(crate) fn prefetch(&mut self, cipher: &Sm4, len: usize) {
        assert_eq!(self.used, self.len, "keystream is used once, and all of it");
        let count = len.div_ceil(BLOCK_SIZE).min(AHEAD);
        let blocks = &mut self.ahead[..count];
        for block in &mut *blocks {
            *block = self.counter.block();
            self.counter.advance(1);
        }
        cipher.encrypt(blocks);
        (self.used, self.len) = (0, count * BLOCK_SIZE);
    }

    /// Adds what is there already; returns the data for which nothing was left.
    fn use_up<'i, 'o>(&mut self, data: InOutBuf<'i, 'o, u8>) -> InOutBuf<'i, 'o, u8> {
        let count = data.len().min(self.len - self.used);
        let (mut now, rest) = data.split_at(count);
        now.xor_in2out(&self.ahead.as_flattened()[self.used..][..count]);
        self.used += count;
        rest
    }
}

impl<C: Counter> Drop for Keystream<C> {
    fn drop(&mut self) {
        self.counter.zeroize();
        wipe(&mut self.ahead);
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
