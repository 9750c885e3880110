//! GHASH (NIST SP 800-38D, 6.4), of GCM and of HCTR, over bytes that come in pieces.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    BLOCK_SIZE,
    backend::{self, Backend, HashKey},
};

type Block = [u8; BLOCK_SIZE];

/// H, prepared.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct GhashKey {
    h: HashKey,
    #[zeroize(skip)]
    backend: &'static dyn Backend,
}

impl GhashKey {
    pub(crate) fn new(h: &Block) -> Self {
        let backend = backend::chosen().1;
        Self { h: backend.hash_key(h), backend }
    }
}

/// The running value, and a block that has not come in whole yet. All calls take the same key.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Ghash {
    y: Block,
    partial: Block,
    partial_len: usize,
}

impl Ghash {
    pub(crate) const fn new() -> Self {
        Self { y: [0; BLOCK_SIZE], partial: [0; BLOCK_SIZE], partial_len: 0 }
    }

    /// Hashes the next bytes; blocks run on across calls until [`Ghash::pad`].
    pub(crate) fn update(&mut self, key: &GhashKey, mut data: &[u8]) {
        if self.partial_len > 0 {
            let (head, rest) = data.split_at(data.len().min(BLOCK_SIZE - self.partial_len));
            self.partial[self.partial_len..][..head.len()].copy_from_slice(head);
            self.partial_len += head.len();
            data = rest;
            if self.partial_len < BLOCK_SIZE {
                return;
            }
            self.pad(key);
        }
        let (blocks, tail) = data.as_chunks::<BLOCK_SIZE>();
        self.blocks(key, blocks);
        self.partial[..tail.len()].copy_from_slice(tail);
        self.partial_len = tail.len();
    }

    /// Fills a block that was begun with zeros.
    pub(crate) fn pad(&mut self, key: &GhashKey) {
        if self.partial_len > 0 {
            self.partial[self.partial_len..].fill(0);
            self.partial_len = 0;
            let block = core::slice::from_ref(&self.partial);
            key.backend.hash(&key.h, &mut self.y, block);
        }
    }

    /// Adds the block of the two lengths, given in bytes, and returns the hash.
    pub(crate) fn finish(&mut self, key: &GhashKey, aad_len: u64, message_len: u64) -> Block {
        self.pad(key);
        let lengths = u128::from(aad_len) << 67 | u128::from(message_len) << 3;
        self.blocks(key, &[lengths.to_be_bytes()]);
        self.y
    }

    fn blocks(&mut self, key: &GhashKey, blocks: &[Block]) {
        if !blocks.is_empty() {
            key.backend.hash(&key.h, &mut self.y, blocks);
        }
    }
}
