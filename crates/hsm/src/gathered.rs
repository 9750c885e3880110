//! A message on its way to a device that signs it.

use gmkit_keys::SigningContext;
use gmkit_sm2::{Id, PublicKey, Signature};
use gmkit_sm3::{Digest, Sm3};
use zeroize::Zeroizing;

use crate::{DeviceKey, Error};

/// Longest message that is held for a device that hashes, in bytes.
const MAX_HELD: usize = 64 << 20;

/// What has come in.
pub(crate) enum Gathered {
    /// SM3 of Z and the message so far.
    Hash(Sm3),
    /// For a device that hashes: the message, and the ID.
    Message { id: Vec<u8>, message: Zeroizing<Vec<u8>> },
}

/// All of it.
#[derive(Clone)]
pub(crate) enum End {
    Digest([u8; 32]),
    Message { id: Vec<u8>, message: Zeroizing<Vec<u8>> },
}

impl Gathered {
    pub(crate) fn new(public: &PublicKey, id: Id<'_>, hash: bool) -> Self {
        if !hash {
            return Self::Message { id: id.as_bytes().to_vec(), message: Zeroizing::default() };
        }
        let mut hash = Sm3::new();
        hash.update(public.z(id));
        Self::Hash(hash)
    }

    fn update(&mut self, piece: &[u8]) -> Result<(), gmkit_keys::Error> {
        match self {
            Self::Hash(hash) => hash.update(piece),
            Self::Message { message, .. } => {
                if message.len() + piece.len() > MAX_HELD {
                    return Err(gmkit_keys::Error::MessageTooLong);
                }
                message.extend_from_slice(piece);
            }
        }
        Ok(())
    }

    fn end(self) -> End {
        match self {
            Self::Hash(hash) => End::Digest(hash.finalize().into()),
            Self::Message { id, message } => End::Message { id, message },
        }
    }
}

impl End {
    pub(crate) fn sign_with(&self, key: &DeviceKey) -> Result<Signature, Error> {
        match self {
            Self::Digest(e) => key.sign_digest(e),
            Self::Message { id, message } => {
                let id = Id::new(id).map_err(gmkit_keys::Error::from)?;
                key.sign_message(id, message)
            }
        }
    }
}

/// A signature under way, and what makes it of the whole.
pub(crate) struct Signing<F> {
    pub(crate) gathered: Gathered,
    pub(crate) finish: F,
}

impl<F: FnOnce(End) -> Result<Signature, gmkit_keys::Error> + Send> SigningContext for Signing<F> {
    fn update(&mut self, piece: &[u8]) -> Result<(), gmkit_keys::Error> {
        self.gathered.update(piece)
    }

    fn finish(self: Box<Self>) -> Result<Signature, gmkit_keys::Error> {
        (self.finish)(self.gathered.end())
    }
}
