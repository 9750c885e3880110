//! Hashes.

use digest::Digest;
use gmkit_sm3::Sm3;
use sha2::{Sha256, Sha384, Sha512};

use crate::codes::Hash;

/// A hash under way.
#[derive(Clone)]
pub(crate) enum Hasher {
    Sm3(Sm3),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    pub(crate) fn new(hash: Hash) -> Self {
        match hash {
            Hash::Sm3 => Self::Sm3(Sm3::new()),
            Hash::Sha256 => Self::Sha256(Sha256::new()),
            Hash::Sha384 => Self::Sha384(Sha384::new()),
            Hash::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    /// Length of the digest, in bytes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Sm3(_) | Self::Sha256(_) => 32,
            Self::Sha384(_) => 48,
            Self::Sha512(_) => 64,
        }
    }

    pub(crate) fn update(&mut self, piece: &[u8]) {
        match self {
            Self::Sm3(hash) => hash.update(piece),
            Self::Sha256(hash) => hash.update(piece),
            Self::Sha384(hash) => hash.update(piece),
            Self::Sha512(hash) => hash.update(piece),
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        match self {
            Self::Sm3(hash) => hash.finalize().to_vec(),
            Self::Sha256(hash) => hash.finalize().to_vec(),
            Self::Sha384(hash) => hash.finalize().to_vec(),
            Self::Sha512(hash) => hash.finalize().to_vec(),
        }
    }
}
