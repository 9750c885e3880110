//! Key wrap with SM4: RFC 3394 for keys of whole 8-byte words, RFC 5649 for keys of any length.
//! Wrapping is deterministic: equal keys give equal results.

use aes_kw::{AesKw, AesKwp, Error as WrapError, InnerInit};
use zeroize::Zeroize;

use crate::{Error, Sm4};

/// How many bytes a wrapped key is longer than a key of whole words.
pub const OVERHEAD: usize = 8;

/// A key that wraps other keys.
///
/// ```
/// use gmkit_sm4::wrap::KeyWrap;
///
/// let kek = KeyWrap::new(&[7; 16]);
/// let mut out = [0; 32];
/// let wrapped = kek.wrap_padded(b"a key of 20 bytes...", &mut out)?;
/// assert_eq!(wrapped.len(), 32);
/// let mut key = [0; 32];
/// assert_eq!(kek.unwrap_padded(wrapped, &mut key)?, b"a key of 20 bytes...");
/// # Ok::<(), gmkit_sm4::Error>(())
/// ```
#[derive(Clone)]
pub struct KeyWrap {
    cipher: Sm4,
}

impl KeyWrap {
    /// Takes the 16-byte key encryption key.
    #[must_use]
    pub fn new(kek: &[u8; 16]) -> Self {
        Self { cipher: Sm4::new(kek) }
    }

    /// Wraps a key of 16, 24, 32, ... bytes (RFC 3394, 2.2.1). `out` needs 8 bytes more.
    ///
    /// # Errors
    /// [`Error::KeyDataLength`], [`Error::OutputTooSmall`].
    pub fn wrap<'o>(&self, key: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], Error> {
        check_words(key.len())?;
        AesKw::inner_init(self.cipher.clone()).wrap_key(key, out).map_err(map)
    }

    /// Unwraps what [`KeyWrap::wrap`] made. `out` needs 8 bytes less than `wrapped` has.
    ///
    /// # Errors
    /// [`Error::Rejected`] when it was not wrapped with this key, or has been changed: `out` is
    /// then wiped. [`Error::KeyDataLength`], [`Error::OutputTooSmall`].
    pub fn unwrap<'o>(&self, wrapped: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], Error> {
        check_words(wrapped.len().saturating_sub(OVERHEAD))?;
        let kw = AesKw::inner_init(self.cipher.clone());
        if let Err(error) = kw.unwrap_key(wrapped, out) {
            return Err(wiped(error, out));
        }
        Ok(&out[..wrapped.len() - OVERHEAD])
    }

    /// Wraps a key of any length from 1 byte (RFC 5649, 4.1). `out` needs the length rounded up to
    /// a multiple of 8, and 8 bytes more.
    ///
    /// # Errors
    /// [`Error::KeyDataLength`], [`Error::OutputTooSmall`].
    pub fn wrap_padded<'o>(&self, key: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], Error> {
        if key.is_empty() {
            return Err(Error::KeyDataLength);
        }
        AesKwp::inner_init(self.cipher.clone()).wrap_key(key, out).map_err(map)
    }

    /// Unwraps what [`KeyWrap::wrap_padded`] made. `out` needs 8 bytes less than `wrapped` has;
    /// what is returned is its beginning.
    ///
    /// # Errors
    /// As [`KeyWrap::unwrap`].
    pub fn unwrap_padded<'o>(&self, wrapped: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], Error> {
        if wrapped.len() < 2 * OVERHEAD || !wrapped.len().is_multiple_of(8) {
            return Err(Error::KeyDataLength);
        }
        let kwp = AesKwp::inner_init(self.cipher.clone());
        match kwp.unwrap_key(wrapped, out).map(<[u8]>::len) {
            Ok(len) => Ok(&out[..len]),
            Err(error) => Err(wiped(error, out)),
        }
    }
}

impl core::fmt::Debug for KeyWrap {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("KeyWrap { .. }")
    }
}

/// RFC 3394 wants at least two words.
fn check_words(len: usize) -> Result<(), Error> {
    if len < 16 || !len.is_multiple_of(8) { Err(Error::KeyDataLength) } else { Ok(()) }
}

fn wiped(error: WrapError, out: &mut [u8]) -> Error {
    let error = map(error);
    if error == Error::Rejected {
        out.zeroize();
    }
    error
}

fn map(error: WrapError) -> Error {
    match error {
        WrapError::InvalidDataSize => Error::KeyDataLength,
        WrapError::InvalidOutputSize { .. } => Error::OutputTooSmall,
        WrapError::IntegrityCheckFailed => Error::Rejected,
    }
}
