//! What an SM2 private key can do, wherever it lives.

use std::fmt;

use gmkit_sm2::{
    Ciphertext, Id, PublicKey, Signature,
    exchange::{Agreed, Role},
};
use zeroize::Zeroizing;

use crate::{Error, hazmat::SignE};

/// An SM2 private key. May be slow and may fail: it can be a device.
///
/// What a key cannot do is [`Error::Unsupported`], never a panic.
pub trait PrivateKey: Send + Sync + fmt::Debug {
    /// The public key.
    fn public_key(&self) -> &PublicKey;

    /// Starts signing a message that comes in pieces, under `id`.
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::SelfTest`].
    fn start_signing(&self, id: Id<'_>) -> Result<Box<dyn SigningContext + '_>, Error>;

    /// Signs `message` under `id` (GB/T 32918.2-2016).
    ///
    /// # Errors
    /// As [`PrivateKey::start_signing`], and [`Error::Rng`].
    fn sign(&self, id: Id<'_>, message: &[u8]) -> Result<Signature, Error> {
        let mut context = self.start_signing(id)?;
        context.update(message)?;
        context.finish()
    }

    /// Signs each message under `id`, with one answer for each, in their order. Where the key is in
    /// memory this is faster than one by one.
    ///
    /// # Errors
    /// Per message: as [`PrivateKey::sign`].
    fn sign_many(&self, id: Id<'_>, messages: &[&[u8]]) -> Vec<Result<Signature, Error>> {
        messages.iter().map(|message| self.sign(id, message)).collect()
    }

    /// Decrypts what was encrypted to the public key (GB/T 32918.4-2016).
    ///
    /// # Errors
    /// [`Error::Rejected`], [`Error::Unsupported`], [`Error::SelfTest`].
    fn decrypt(&self, ciphertext: &Ciphertext) -> Result<Zeroizing<Vec<u8>>, Error>;

    /// Starts a key exchange with the owner of `peer` (GB/T 32918.3-2016).
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::Rng`], [`Error::SelfTest`].
    fn start_exchange(
        &self,
        _role: Role,
        _id: Id<'_>,
        _peer: &PublicKey,
        _peer_id: Id<'_>,
    ) -> Result<Box<dyn ExchangeContext + '_>, Error> {
        Err(Error::Unsupported { operation: "agree on a key" })
    }

    /// The capability to sign a bare `e`, if the key has it.
    fn as_sign_e(&self) -> Option<&dyn SignE> {
        None
    }
}

/// A signature under way.
pub trait SigningContext: Send {
    /// Adds the next piece of the message.
    ///
    /// # Errors
    /// What the device says; software keys do not fail here.
    fn update(&mut self, piece: &[u8]) -> Result<(), Error>;

    /// Signs what has come in.
    ///
    /// # Errors
    /// [`Error::Rng`], and what the device says.
    fn finish(self: Box<Self>) -> Result<Signature, Error>;
}

/// A key exchange under way.
pub trait ExchangeContext: Send {
    /// R, to be sent to the peer.
    fn ephemeral(&self) -> &PublicKey;

    /// Computes the shared key of `klen` bytes from the peer's R.
    ///
    /// # Errors
    /// [`Error::Rejected`], and what the device says.
    fn agree(self: Box<Self>, peer_ephemeral: &PublicKey, klen: usize) -> Result<Agreed, Error>;
}
