//! BC (block chaining) mode of GB/T 17964-2021, on whole blocks: each block is added to all
//! ciphertext before it.
//!
//! BC does not authenticate and has no padding of its own. It is here for what was written with
//! it; unless a peer dictates it, use [`crate::gcm`].

use core::fmt;

use zeroize::Zeroize;

use crate::{BLOCK_SIZE, Sm4, backend::PARALLEL_BLOCKS, block::xor};

type Block = [u8; BLOCK_SIZE];

/// F, the sum of the IV and all ciphertext so far.
struct Feedback(Block);

impl Feedback {
    fn add(&mut self, block: &Block) {
        xor(&mut self.0, block);
    }
}

impl Drop for Feedback {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Streaming BC encryption.
///
/// ```
/// use gmkit_sm4::bc::{Decryptor, Encryptor};
///
/// let (key, iv) = ([1; 16], [2; 16]);
/// let mut blocks = [[3; 16]; 5];
/// Encryptor::new(&key, &iv).encrypt(&mut blocks);
/// Decryptor::new(&key, &iv).decrypt(&mut blocks);
/// assert_eq!(blocks, [[3; 16]; 5]);
/// ```
pub struct Encryptor {
    cipher: Sm4,
    feedback: Feedback,
}

impl Encryptor {
    /// Starts a stream with a 16-byte key and a 16-byte IV. The IV must be unpredictable.
    #[must_use]
    pub fn new(key: &[u8; 16], iv: &[u8; 16]) -> Self {
        Self { cipher: Sm4::new(key), feedback: Feedback(*iv) }
    }

    /// Encrypts the next blocks in place: C = E(P ⊕ F).
    pub fn encrypt(&mut self, blocks: &mut [[u8; 16]]) {
        for block in blocks {
            xor(block, &self.feedback.0);
            self.cipher.encrypt(core::slice::from_mut(block));
            self.feedback.add(block);
        }
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bc::Encryptor { .. }")
    }
}

/// Streaming BC decryption. Blocks are worked on in parallel.
pub struct Decryptor {
    cipher: Sm4,
    feedback: Feedback,
}

impl Decryptor {
    /// Starts a stream with a 16-byte key and a 16-byte IV.
    #[must_use]
    pub fn new(key: &[u8; 16], iv: &[u8; 16]) -> Self {
        Self { cipher: Sm4::new(key), feedback: Feedback(*iv) }
    }

    /// Decrypts the next blocks in place. Nothing is authenticated.
    pub fn decrypt(&mut self, blocks: &mut [[u8; 16]]) {
        let mut sums = [[0; BLOCK_SIZE]; PARALLEL_BLOCKS];
        for blocks in blocks.chunks_mut(PARALLEL_BLOCKS) {
            for (sum, block) in sums.iter_mut().zip(&*blocks) {
                *sum = self.feedback.0;
                self.feedback.add(block);
            }
            self.cipher.decrypt(blocks);
            blocks.iter_mut().zip(&sums).for_each(|(block, sum)| xor(block, sum));
        }
    }
}

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bc::Decryptor { .. }")
    }
}
