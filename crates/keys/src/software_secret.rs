//! Symmetric keys in this process's memory.

use std::fmt;

use gmkit_sm2::rand_core::TryRng;
use gmkit_sm3::Sm3;
use gmkit_sm4::gcm::{Gcm, Opener, Sealer};
use hmac::{Hmac, KeyInit, Mac};
use zeroize::Zeroizing;

use crate::{
    Error, MacContext, OpeningContext, SealingContext, SecretKey, SysRng,
    selftest::{self, Algorithm},
};

/// A symmetric key in memory, zeroized on drop. A key has one purpose: what was made for SM4 does
/// not authenticate, and the other way round.
///
/// ```
/// use gmkit_keys::{SecretKey, SoftwareSecret};
///
/// let key = SoftwareSecret::sm4(&[7; 16])?;
/// let sealed = key.seal(b"header", b"payload")?;
/// assert_eq!(key.open(b"header", &sealed)?, b"payload");
/// assert!(key.open(b"another", &sealed).is_err());
/// assert!(key.start_mac().is_err());
/// # Ok::<(), gmkit_keys::Error>(())
/// ```
pub struct SoftwareSecret(Purpose);

enum Purpose {
    Sm4(Box<Gcm>),
    HmacSm3(Box<Hmac<Sm3>>),
}

impl SoftwareSecret {
    /// An SM4 key of 16 bytes, for sealing and opening.
    ///
    /// # Errors
    /// [`Error::SecretLength`], [`Error::SelfTest`].
    pub fn sm4(key: &[u8]) -> Result<Self, Error> {
        selftest::require(Algorithm::Sm4Gcm)?;
        let key = key.try_into().map_err(|_| Error::SecretLength { found: key.len() })?;
        Ok(Self(Purpose::Sm4(Box::new(Gcm::new(key)))))
    }

    /// An HMAC-SM3 key of any length from 1 byte.
    ///
    /// # Errors
    /// [`Error::SecretLength`] for an empty key, [`Error::SelfTest`].
    pub fn hmac_sm3(key: &[u8]) -> Result<Self, Error> {
        selftest::require(Algorithm::HmacSm3)?;
        if key.is_empty() {
            return Err(Error::SecretLength { found: 0 });
        }
        let mac =
            Hmac::new_from_slice(key).map_err(|_| Error::SecretLength { found: key.len() })?;
        Ok(Self(Purpose::HmacSm3(Box::new(mac))))
    }

    /// Reads a key file: raw bytes, or their hex digits with white space around them. A file that
    /// consists of hex digits only, an even number of them and at least 32, is taken as hex.
    #[must_use]
    pub fn decode_file_bytes(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        let text = bytes.trim_ascii();
        if text.len() < 32
            || !text.len().is_multiple_of(2)
            || !text.iter().all(u8::is_ascii_hexdigit)
        {
            return Zeroizing::new(bytes.to_vec());
        }
        // No branch or table by a secret digit: the digits' values come from arithmetic.
        let value = |c: u8| (c & 0x0f).wrapping_add((c >> 6) * 9);
        let pairs = text.as_chunks::<2>().0;
        Zeroizing::new(pairs.iter().map(|[high, low]| value(*high) << 4 | value(*low)).collect())
    }

    fn gcm(&self) -> Result<&Gcm, Error> {
        selftest::require(Algorithm::Sm4Gcm)?;
        match &self.0 {
            Purpose::Sm4(gcm) => Ok(gcm),
            Purpose::HmacSm3(_) => Err(Error::Unsupported { operation: "seal: it is a MAC key" }),
        }
    }
}

impl fmt::Debug for SoftwareSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Purpose::Sm4(_) => "SoftwareSecret(SM4)",
            Purpose::HmacSm3(_) => "SoftwareSecret(HMAC-SM3)",
        })
    }
}

impl SecretKey for SoftwareSecret {
    fn start_sealing(&self, aad: &[u8]) -> Result<Box<dyn SealingContext + '_>, Error> {
        let gcm = self.gcm()?;
        let mut nonce = [0; 12];
        SysRng.try_fill_bytes(&mut nonce).map_err(|_| Error::Rng)?;
        Ok(Box::new(Sealing { nonce, sealer: Sealer::new(gcm, &nonce, aad)? }))
    }

    fn start_opening(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
    ) -> Result<Box<dyn OpeningContext + '_>, Error> {
        Ok(Box::new(Opening(Opener::new(self.gcm()?, nonce, aad)?)))
    }

    fn start_mac(&self) -> Result<Box<dyn MacContext + '_>, Error> {
        selftest::require(Algorithm::HmacSm3)?;
        match &self.0 {
            Purpose::HmacSm3(mac) => Ok(Box::new(Macing(Hmac::clone(mac)))),
            Purpose::Sm4(_) => {
                Err(Error::Unsupported { operation: "authenticate: it is an SM4 key" })
            }
        }
    }
}

struct Sealing {
    nonce: [u8; 12],
    sealer: Sealer,
}

impl SealingContext for Sealing {
    fn nonce(&self) -> [u8; 12] {
        self.nonce
    }

    fn update(&mut self, piece: &mut [u8]) -> Result<(), Error> {
        Ok(self.sealer.update(piece)?)
    }

    fn finish(self: Box<Self>) -> Result<[u8; 16], Error> {
        Ok(self.sealer.finish())
    }
}

struct Opening(Opener);

impl OpeningContext for Opening {
    fn update_unverified(&mut self, piece: &mut [u8]) -> Result<(), Error> {
        Ok(self.0.update_unverified(piece)?)
    }

    fn finish(self: Box<Self>, tag: &[u8; 16]) -> Result<(), Error> {
        Ok(self.0.finish(tag)?)
    }
}

struct Macing(Hmac<Sm3>);

impl MacContext for Macing {
    fn update(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.0.update(piece);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<[u8; 32], Error> {
        Ok(self.0.finalize().into_bytes().into())
    }

    fn verify(self: Box<Self>, mac: &[u8; 32]) -> Result<(), Error> {
        self.0.verify(mac.into()).map_err(|_| Error::Rejected)
    }
}
