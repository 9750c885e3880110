//! GCM in pieces.

use core::fmt;

use zeroize::Zeroize;

use super::{Gcm, Start, check_message_len, check_tag_len, tags_equal};
use crate::{Error, ctr::in_out};

/// Encrypts a message that comes in pieces of any size.
///
/// ```
/// use gmkit_sm4::gcm::{Gcm, Opener, Sealer};
///
/// let gcm = Gcm::new(&[7; 16]);
/// let (mut one, mut two) = (*b"first piece, ", *b"second piece");
/// let mut sealer = Sealer::new(&gcm, &[0; 12], b"")?;
/// sealer.update(&mut one)?;
/// sealer.update(&mut two)?;
/// let tag = sealer.finish();
///
/// let mut opener = Opener::new(&gcm, &[0; 12], b"")?;
/// opener.update_unverified(&mut one)?;
/// opener.update_unverified(&mut two)?;
/// opener.finish(&tag)?; // only now may the plaintext be used
/// assert_eq!(&two, b"second piece");
/// # Ok::<(), gmkit_sm4::Error>(())
/// ```
pub struct Sealer(State);

impl Sealer {
    /// Starts a message. The nonce has any length but zero and must be fresh; `aad` is
    /// authenticated but not encrypted.
    ///
    /// # Errors
    /// [`Error::NonceLength`] for an empty nonce.
    pub fn new(gcm: &Gcm, nonce: &[u8], aad: &[u8]) -> Result<Self, Error> {
        State::new(gcm, nonce, aad).map(Self)
    }

    /// Encrypts the next piece in place.
    ///
    /// # Errors
    /// [`Error::MessageTooLong`] when the message would exceed [`super::MAX_MESSAGE`]; `piece` is
    /// then unchanged, and the pieces before it stay valid.
    pub fn update(&mut self, piece: &mut [u8]) -> Result<(), Error> {
        self.0.grow(piece.len())?;
        self.0.start.encrypt(&self.0.gcm, piece.into());
        Ok(())
    }

    /// [`Sealer::update`] from one buffer into another of the same length.
    ///
    /// # Errors
    /// As [`Sealer::update`], and [`Error::OutputTooSmall`] when the lengths differ; `ciphertext`
    /// is then unchanged.
    pub fn update_to(&mut self, plaintext: &[u8], ciphertext: &mut [u8]) -> Result<(), Error> {
        let data = in_out(plaintext, ciphertext)?;
        self.0.grow(plaintext.len())?;
        self.0.start.encrypt(&self.0.gcm, data);
        Ok(())
    }

    /// Returns the 16-byte tag. To use a shorter one (12 to 15 bytes), keep its first bytes.
    #[must_use]
    pub fn finish(mut self) -> [u8; 16] {
        self.0.tag()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer { .. }")
    }
}

/// Decrypts a message that comes in pieces of any size.
///
/// The plaintext is not authenticated until [`Opener::finish`] has returned `Ok`: keep it where
/// nobody reads it until then, and throw it away otherwise. [`Gcm::open`] needs no such care.
pub struct Opener(State);

impl Opener {
    /// Starts a message, as [`Sealer::new`].
    ///
    /// # Errors
    /// [`Error::NonceLength`] for an empty nonce.
    pub fn new(gcm: &Gcm, nonce: &[u8], aad: &[u8]) -> Result<Self, Error> {
        State::new(gcm, nonce, aad).map(Self)
    }

    /// Decrypts the next piece in place. The result is **not authenticated yet**.
    ///
    /// # Errors
    /// [`Error::MessageTooLong`] as [`Sealer::update`].
    pub fn update_unverified(&mut self, piece: &mut [u8]) -> Result<(), Error> {
        self.0.grow(piece.len())?;
        self.0.start.decrypt(&self.0.gcm, piece.into());
        Ok(())
    }

    /// [`Opener::update_unverified`] from one buffer into another of the same length.
    ///
    /// # Errors
    /// As [`Sealer::update_to`].
    pub fn update_unverified_to(
        &mut self,
        ciphertext: &[u8],
        plaintext: &mut [u8],
    ) -> Result<(), Error> {
        let data = in_out(ciphertext, plaintext)?;
        self.0.grow(ciphertext.len())?;
        self.0.start.decrypt(&self.0.gcm, data);
        Ok(())
    }

    /// Checks the tag (12 to 16 bytes).
    ///
    /// # Errors
    /// [`Error::Rejected`] when it does not fit: all plaintext given out is then worthless.
    /// [`Error::TagLength`].
    pub fn finish(mut self, tag: &[u8]) -> Result<(), Error> {
        check_tag_len(tag)?;
        let mut want = self.0.tag();
        let equal = tags_equal(&want, tag);
        want.zeroize();
        if equal { Ok(()) } else { Err(Error::Rejected) }
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener { .. }")
    }
}

struct State {
    gcm: Gcm,
    start: Start,
    aad_len: u64,
    len: u64,
    /// Stands where eight bytes of padding would: a move may leave what was on the stack in padding,
    /// where nothing wipes it.
    _no_padding: u64,
}

impl State {
    fn new(gcm: &Gcm, nonce: &[u8], aad: &[u8]) -> Result<Self, Error> {
        let (gcm, start, aad_len) = (gcm.clone(), Start::new(), aad.len() as u64);
        let mut state = Self { gcm, start, aad_len, len: 0, _no_padding: 0 };
        state.start.begin(&state.gcm, nonce, aad, 0)?;
        Ok(state)
    }

    fn grow(&mut self, by: usize) -> Result<(), Error> {
        let len = self.len.checked_add(by as u64).ok_or(Error::MessageTooLong)?;
        check_message_len(len)?;
        self.len = len;
        Ok(())
    }

    fn tag(&mut self) -> [u8; 16] {
        self.start.tag(&self.gcm, self.aad_len, self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gcm::MAX_MESSAGE;

    #[test]
    fn the_limit_per_nonce_is_enforced() {
        let gcm = Gcm::new(&[1; 16]);
        let mut sealer = Sealer::new(&gcm, &[0; 12], b"").unwrap();
        sealer.0.len = MAX_MESSAGE - 16; // as after 64 GiB, which no test can encrypt
        assert_eq!(sealer.update(&mut [0; 17]), Err(Error::MessageTooLong));
        let mut untouched = [7; 17];
        assert_eq!(sealer.update_to(&[0; 17], &mut untouched), Err(Error::MessageTooLong));
        assert_eq!(untouched, [7; 17]);
        assert_eq!(sealer.update(&mut [0; 16]), Ok(()));
        assert_eq!(sealer.update(&mut [0; 1]), Err(Error::MessageTooLong));

        let mut opener = Opener::new(&gcm, &[0; 12], b"").unwrap();
        opener.0.len = MAX_MESSAGE;
        assert_eq!(opener.update_unverified(&mut [0; 1]), Err(Error::MessageTooLong));
    }
}
