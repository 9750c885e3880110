//! What a symmetric key can do, wherever it lives.

use std::fmt;

use zeroize::Zeroizing;

use crate::Error;

/// An SM4 or HMAC-SM3 key. May be slow and may fail: it can be a device.
///
/// What a key cannot do is [`Error::Unsupported`], never a panic.
pub trait SecretKey: Send + Sync + fmt::Debug {
    /// Starts sealing a message in pieces with SM4-GCM, under a fresh random nonce that the
    /// context tells. With random nonces of 12 bytes one key must not seal more than 2^32
    /// messages (NIST SP 800-38D, 8.3).
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::Rng`], [`Error::SelfTest`].
    fn start_sealing(&self, aad: &[u8]) -> Result<Box<dyn SealingContext + '_>, Error>;

    /// Starts opening a sealed message in pieces.
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::SelfTest`].
    fn start_opening(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
    ) -> Result<Box<dyn OpeningContext + '_>, Error>;

    /// Starts an HMAC-SM3 over a message in pieces.
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::SelfTest`].
    fn start_mac(&self) -> Result<Box<dyn MacContext + '_>, Error>;

    /// Seals a whole message: nonce(12) ‖ ciphertext ‖ tag(16).
    ///
    /// # Errors
    /// As [`SecretKey::start_sealing`], and [`Error::MessageTooLong`].
    fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let mut context = self.start_sealing(aad)?;
        let mut out = Vec::with_capacity(12 + plaintext.len() + 16);
        out.extend_from_slice(&context.nonce());
        out.extend_from_slice(plaintext);
        context.update(&mut out[12..])?;
        out.extend_from_slice(&context.finish()?);
        Ok(out)
    }

    /// Opens what [`SecretKey::seal`] made.
    ///
    /// # Errors
    /// [`Error::Rejected`]; nothing of the plaintext is given out then.
    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let (nonce, rest) = sealed.split_first_chunk::<12>().ok_or(Error::Rejected)?;
        let (ciphertext, tag) = rest.split_last_chunk::<16>().ok_or(Error::Rejected)?;
        let mut context = self.start_opening(nonce, aad)?;
        let mut out = zeroize::Zeroizing::new(ciphertext.to_vec());
        context.update_unverified(&mut out)?;
        context.finish(tag)?;
        Ok(std::mem::take(&mut *out))
    }
}

/// What a key does to single values, of which equal ones stay equal: for columns that are joined, and for masking.
///
/// Whoever sees two results knows whether the values were the same, and how often each occurs.
pub trait FieldKey: Send + Sync + fmt::Debug {
    /// Seals a value with SM4-GCM-SIV under one fixed nonce: tag(16) ‖ ciphertext. All values of a key are under one
    /// derived key then, so it should seal 2^32 values of 64 KiB at most: the chance that two of them share a part of their
    /// key stream, whose beginning is drawn from 127 bits, stays below 2^-50.
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::SelfTest`], [`Error::MessageTooLong`].
    fn seal_field(&self, aad: &[u8], value: &[u8]) -> Result<Vec<u8>, Error>;

    /// Opens what [`FieldKey::seal_field`] made.
    ///
    /// # Errors
    /// [`Error::Rejected`]; nothing of the value is given out then.
    fn open_field(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error>;

    /// Turns decimal digits into as many others (FF1, SP 800-38G).
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::SelfTest`]; [`Error::Digits`] for less than six of them, or other characters.
    fn encrypt_digits(&self, tweak: &[u8], digits: &str) -> Result<Zeroizing<String>, Error>;

    /// Turns them back.
    ///
    /// # Errors
    /// As [`FieldKey::encrypt_digits`].
    fn decrypt_digits(&self, tweak: &[u8], digits: &str) -> Result<Zeroizing<String>, Error>;
}

/// A message being sealed.
pub trait SealingContext: Send {
    /// The nonce that was drawn for this message.
    fn nonce(&self) -> [u8; 12];

    /// Encrypts the next piece in place.
    ///
    /// # Errors
    /// [`Error::MessageTooLong`], and what the device says.
    fn update(&mut self, piece: &mut [u8]) -> Result<(), Error>;

    /// The tag.
    ///
    /// # Errors
    /// What the device says.
    fn finish(self: Box<Self>) -> Result<[u8; 16], Error>;
}

/// A message being opened.
pub trait OpeningContext: Send {
    /// Decrypts the next piece in place. **Not authenticated** until
    /// [`OpeningContext::finish`] has returned `Ok`.
    ///
    /// # Errors
    /// [`Error::MessageTooLong`], and what the device says.
    fn update_unverified(&mut self, piece: &mut [u8]) -> Result<(), Error>;

    /// Checks the tag.
    ///
    /// # Errors
    /// [`Error::Rejected`]: all that was given out is worthless.
    fn finish(self: Box<Self>, tag: &[u8; 16]) -> Result<(), Error>;
}

/// A MAC under way.
pub trait MacContext: Send {
    /// Adds the next piece.
    ///
    /// # Errors
    /// What the device says.
    fn update(&mut self, piece: &[u8]) -> Result<(), Error>;

    /// The MAC.
    ///
    /// # Errors
    /// What the device says.
    fn finish(self: Box<Self>) -> Result<[u8; 32], Error>;

    /// Compares with a received MAC, without telling where they differ.
    ///
    /// # Errors
    /// [`Error::Rejected`].
    fn verify(self: Box<Self>, mac: &[u8; 32]) -> Result<(), Error>;
}
