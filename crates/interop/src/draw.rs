//! Random inputs that a seed repeats.

use std::hash::{DefaultHasher, Hash, Hasher};

use gmkit::sm2::SecretKey;
use rand::{RngExt, SeedableRng, rngs::StdRng};

pub(crate) struct Draw(pub(crate) StdRng);

impl Draw {
    pub(crate) fn new(seed: u64, names: &[&str]) -> Self {
        let mut hasher = DefaultHasher::new();
        (seed, names).hash(&mut hasher);
        Self(StdRng::seed_from_u64(hasher.finish()))
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        self.0.random()
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.0.random()).collect()
    }

    /// A length around the ends of blocks and batches, or any other, up to `most`.
    pub(crate) fn len(&mut self, least: usize, most: usize) -> usize {
        const EDGES: [usize; 12] = [0, 1, 15, 16, 17, 31, 32, 127, 128, 1023, 1024, 1025];
        let len = match self.0.random_range(0..3) {
            0 => self.0.random_range(0..=most),
            1 => self.0.random_range(0..=most.min(48)),
            _ => EDGES[self.0.random_range(0..EDGES.len())],
        };
        len.clamp(least, most)
    }

    /// Bytes of any length from `least` to `most`.
    pub(crate) fn some(&mut self, least: usize, most: usize) -> Vec<u8> {
        let len = self.len(least, most);
        self.bytes(len)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0.random_range(0..n)
    }

    pub(crate) fn key(&mut self) -> SecretKey {
        SecretKey::generate(&mut self.0).expect("this generator does not fail")
    }

    /// The default ID every other time, then any.
    pub(crate) fn id(&mut self) -> Vec<u8> {
        if self.0.random() { b"1234567812345678".to_vec() } else { self.some(0, 60) }
    }

    /// The same with one bit changed; at least one byte.
    pub(crate) fn tampered(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let at = self.below(bytes.len());
        bytes[at] ^= 1 << self.below(8);
        bytes
    }
}
