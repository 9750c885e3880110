//! CFB mode of GB/T 17964-2021 with feedback of whole blocks (CFB128), streaming.
//!
//! CFB does not authenticate. Unless a peer dictates it, use [`crate::gcm`].

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{BLOCK_SIZE, Sm4, backend::PARALLEL_BLOCKS};

type Block = [u8; BLOCK_SIZE];

/// The feedback block: keystream from `used` on, ciphertext before.
struct Feedback {
    block: Block,
    used: usize,
}

impl Feedback {
    const fn new(iv: &Block) -> Self {
        Self { block: *iv, used: BLOCK_SIZE }
    }

    /// Works byte by byte until the block is full or `data` ends; returns the rest of `data`.
    /// `feed` takes a byte of input and of keystream, and gives output and ciphertext.
    fn bytes<'d>(&mut self, data: &'d mut [u8], feed: impl Fn(u8, u8) -> (u8, u8)) -> &'d mut [u8] {
        let count = data.len().min(BLOCK_SIZE - self.used);
        let (head, rest) = data.split_at_mut(count);
        for (byte, stream) in head.iter_mut().zip(&mut self.block[self.used..]) {
            (*byte, *stream) = feed(*byte, *stream);
        }
        self.used += count;
        rest
    }

    fn next(&mut self, cipher: &Sm4) {
        cipher.encrypt(core::slice::from_mut(&mut self.block));
        self.used = 0;
    }
}

impl Drop for Feedback {
    fn drop(&mut self) {
        self.block.zeroize();
    }
}

impl ZeroizeOnDrop for Feedback {}

/// Streaming CFB encryption, in place. Output is as long as input.
///
/// ```
/// use gmkit_sm4::cfb::{Decryptor, Encryptor};
///
/// let (key, iv) = ([1; 16], [2; 16]);
/// let mut data = *b"of any length";
/// Encryptor::new(&key, &iv).encrypt(&mut data);
/// Decryptor::new(&key, &iv).decrypt(&mut data);
/// assert_eq!(&data, b"of any length");
/// ```
pub struct Encryptor {
    cipher: Sm4,
    feedback: Feedback,
}

impl Encryptor {
    /// Starts a stream with a 16-byte key and a 16-byte IV, which must not repeat under one key.
    #[must_use]
    pub fn new(key: &[u8; 16], iv: &[u8; 16]) -> Self {
        Self { cipher: Sm4::new(key), feedback: Feedback::new(iv) }
    }

    /// Encrypts the next piece, of any length.
    pub fn encrypt(&mut self, data: &mut [u8]) {
        let mix = |plain: u8, stream: u8| (plain ^ stream, plain ^ stream);
        let mut rest = self.feedback.bytes(data, mix);
        while !rest.is_empty() {
            self.feedback.next(&self.cipher);
            rest = self.feedback.bytes(rest, mix);
        }
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cfb::Encryptor { .. }")
    }
}

/// Streaming CFB decryption, in place. Whole blocks are worked on in parallel.
///
/// Nothing here is authenticated.
pub struct Decryptor {
    cipher: Sm4,
    feedback: Feedback,
}

impl Decryptor {
    /// Starts a stream with a 16-byte key and a 16-byte IV.
    #[must_use]
    pub fn new(key: &[u8; 16], iv: &[u8; 16]) -> Self {
        Self { cipher: Sm4::new(key), feedback: Feedback::new(iv) }
    }

    /// Decrypts the next piece, of any length.
    pub fn decrypt(&mut self, data: &mut [u8]) {
        let mix = |cipher: u8, stream: u8| (cipher ^ stream, cipher);
        let rest = self.feedback.bytes(data, mix);
        let (blocks, tail) = rest.as_chunks_mut::<BLOCK_SIZE>();
        let mut stream = [[0; BLOCK_SIZE]; PARALLEL_BLOCKS];
        for blocks in blocks.chunks_mut(PARALLEL_BLOCKS) {
            // Each block's keystream is its predecessor, encrypted.
            let stream = &mut stream[..blocks.len()];
            stream[0] = self.feedback.block;
            stream[1..].copy_from_slice(&blocks[..blocks.len() - 1]);
            self.feedback.block = blocks[blocks.len() - 1];
            self.cipher.encrypt(stream);
            for (byte, s) in blocks.as_flattened_mut().iter_mut().zip(stream.as_flattened()) {
                *byte ^= s;
            }
        }
        stream.as_flattened_mut().zeroize();
        if !tail.is_empty() {
            self.feedback.next(&self.cipher);
            self.feedback.bytes(tail, mix);
        }
    }
}

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cfb::Decryptor { .. }")
    }
}
