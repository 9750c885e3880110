//! OFB mode of GB/T 17964-2021 with feedback of whole blocks (OFB128), streaming.
//!
//! OFB does not authenticate. Unless a peer dictates it, use [`crate::gcm`].

use core::fmt;

use crate::{BLOCK_SIZE, Sm4};

/// Streaming OFB encryption and decryption, which are the same operation.
///
/// ```
/// use gmkit_sm4::ofb::Ofb;
///
/// let (key, iv) = ([1; 16], [2; 16]);
/// let mut data = *b"of any length";
/// Ofb::new(&key, &iv).apply_keystream(&mut data);
/// Ofb::new(&key, &iv).apply_keystream(&mut data);
/// assert_eq!(&data, b"of any length");
/// ```
pub struct Ofb {
    cipher: Sm4,
    block: zeroize::Zeroizing<[u8; BLOCK_SIZE]>,
    /// Bytes of `block` already used; all of them at the start.
    used: usize,
}

impl Ofb {
    /// Starts a stream with a 16-byte key and a 16-byte IV, which must not repeat under one key.
    #[must_use]
    pub fn new(key: &[u8; 16], iv: &[u8; 16]) -> Self {
        Self { cipher: Sm4::new(key), block: zeroize::Zeroizing::new(*iv), used: BLOCK_SIZE }
    }

    /// Adds the next `data.len()` bytes of keystream to `data`.
    pub fn apply_keystream(&mut self, mut data: &mut [u8]) {
        while !data.is_empty() {
            if self.used == BLOCK_SIZE {
                self.cipher.encrypt(core::slice::from_mut(&mut self.block));
                self.used = 0;
            }
            let count = data.len().min(BLOCK_SIZE - self.used);
            let (head, rest) = data.split_at_mut(count);
            for (byte, stream) in head.iter_mut().zip(&self.block[self.used..]) {
                *byte ^= stream;
            }
            self.used += count;
            data = rest;
        }
    }
}

impl fmt::Debug for Ofb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ofb { .. }")
    }
}
