//! OFBNLF mode of GB/T 17964-2021 (output feedback with a non-linear function), on whole blocks:
//! each block is encrypted under a key of its own, K_i = E(K, K_(i-1)) with K_0 = IV.
//!
//! OFBNLF does not authenticate, has no padding of its own, and expands a key for each block. It
//! is here for what was written with it; unless a peer dictates it, use [`crate::gcm`].

use core::fmt;

use zeroize::Zeroize;

use crate::{BLOCK_SIZE, Sm4};

type Block = [u8; BLOCK_SIZE];

/// The chain of keys.
struct Keys {
    cipher: Sm4,
    last: Block,
}

impl Keys {
    fn new(key: &Block, iv: &Block) -> Self {
        Self { cipher: Sm4::new(key), last: *iv }
    }

    fn next(&mut self) -> Sm4 {
        self.cipher.encrypt(core::slice::from_mut(&mut self.last));
        Sm4::new(&self.last)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.last.zeroize();
    }
}

/// Streaming OFBNLF encryption.
///
/// ```
/// use gmkit_sm4::ofbnlf::{Decryptor, Encryptor};
///
/// let (key, iv) = ([1; 16], [2; 16]);
/// let mut blocks = [[3; 16]; 5];
/// Encryptor::new(&key, &iv).encrypt(&mut blocks);
/// Decryptor::new(&key, &iv).decrypt(&mut blocks);
/// assert_eq!(blocks, [[3; 16]; 5]);
/// ```
pub struct Encryptor(Keys);

impl Encryptor {
    /// Starts a stream with a 16-byte key and a 16-byte IV, which must not repeat under one key.
    #[must_use]
    pub fn new(key: &[u8; 16], iv: &[u8; 16]) -> Self {
        Self(Keys::new(key, iv))
    }

    /// Encrypts the next blocks in place.
    pub fn encrypt(&mut self, blocks: &mut [[u8; 16]]) {
        for block in blocks {
            self.0.next().encrypt(core::slice::from_mut(block));
        }
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ofbnlf::Encryptor { .. }")
    }
}

/// Streaming OFBNLF decryption.
pub struct Decryptor(Keys);

impl Decryptor {
    /// Starts a stream with a 16-byte key and a 16-byte IV.
    #[must_use]
    pub fn new(key: &[u8; 16], iv: &[u8; 16]) -> Self {
        Self(Keys::new(key, iv))
    }

    /// Decrypts the next blocks in place. Nothing is authenticated.
    pub fn decrypt(&mut self, blocks: &mut [[u8; 16]]) {
        for block in blocks {
            self.0.next().decrypt(core::slice::from_mut(block));
        }
    }
}

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ofbnlf::Decryptor { .. }")
    }
}
