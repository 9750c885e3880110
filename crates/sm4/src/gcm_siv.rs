//! GCM-SIV with SM4: the construction of RFC 8452 over another cipher. A repeated nonce tells
//! whether two messages are equal, and no more. It has no peer to talk to: use it where both ends
//! are gmkit and nonces cannot be guaranteed.

use aead::{AeadInOut, KeyInit};

use crate::{Error, Sm4};

/// Longest message: 2^36 - 16 bytes, a block less than RFC 8452, 6 allows. Associated data may have
/// 2^36 bytes.
pub const MAX_MESSAGE: u64 = (1 << 36) - 16;

const MAX_AAD: u64 = 1 << 36;

/// A GCM-SIV key.
///
/// ```
/// use gmkit_sm4::gcm_siv::GcmSiv;
///
/// let key = GcmSiv::new(&[7; 16]);
/// let mut buffer = *b"attack at dawn";
/// let tag = key.seal(&[0; 12], b"header", &mut buffer)?;
/// key.open(&[0; 12], b"header", &mut buffer, &tag)?;
/// assert_eq!(&buffer, b"attack at dawn");
/// # Ok::<(), gmkit_sm4::Error>(())
/// ```
#[derive(Clone)]
pub struct GcmSiv(aes_gcm_siv::AesGcmSiv<Sm4>);

impl GcmSiv {
    /// Takes the 16-byte key-generating key.
    #[must_use]
    pub fn new(key: &[u8; 16]) -> Self {
        Self(aes_gcm_siv::AesGcmSiv::new(key.into()))
    }

    /// Encrypts `buffer` in place and returns the tag.
    ///
    /// # Errors
    /// [`Error::MessageTooLong`]; `buffer` is then unchanged.
    pub fn seal(&self, nonce: &[u8; 12], aad: &[u8], buffer: &mut [u8]) -> Result<[u8; 16], Error> {
        check_len(aad, buffer)?;
        let sealed = self.0.encrypt_inout_detached(nonce.into(), aad, buffer.into());
        sealed.map(Into::into).map_err(|_| Error::MessageTooLong)
    }

    /// Decrypts `buffer` in place, if the tag fits.
    ///
    /// # Errors
    /// [`Error::Rejected`] when it does not, [`Error::MessageTooLong`]; `buffer` then holds the
    /// ciphertext, as before.
    pub fn open(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        check_len(aad, buffer)?;
        let opened = self.0.decrypt_inout_detached(nonce.into(), aad, buffer.into(), tag.into());
        opened.map_err(|_| Error::Rejected)
    }
}

impl core::fmt::Debug for GcmSiv {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("GcmSiv { .. }")
    }
}

fn check_len(aad: &[u8], buffer: &[u8]) -> Result<(), Error> {
    if aad.len() as u64 > MAX_AAD || buffer.len() as u64 > MAX_MESSAGE {
        return Err(Error::MessageTooLong);
    }
    Ok(())
}
