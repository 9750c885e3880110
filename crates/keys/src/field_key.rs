//! Keys for single values, in this process's memory.

use std::fmt;

use gmkit_sm4::{
    Error as Sm4Error,
    ff1::{Alphabet, Ff1},
    gcm_siv::GcmSiv,
};
use zeroize::Zeroizing;

use crate::{
    Error, FieldKey,
    selftest::{self, Algorithm},
};

/// The nonce of all values: that equal ones look equal is what they are sealed for.
const NONCE: [u8; 12] = *b"gmkit field\0";

/// An SM4 key for single values, zeroized on drop. It has one purpose: what was made to seal does not keep a format, and
/// the other way round.
///
/// ```
/// use gmkit_keys::{FieldKey, SoftwareFieldKey};
///
/// let key = SoftwareFieldKey::sealing(&[7; 16])?;
/// let sealed = key.seal_field(b"column", b"alice")?;
/// assert_eq!(key.seal_field(b"column", b"alice")?, sealed);
/// assert_eq!(**key.open_field(b"column", &sealed)?, *b"alice");
/// assert!(key.open_field(b"another", &sealed).is_err());
///
/// let key = SoftwareFieldKey::digits(&[7; 16])?;
/// let digits = key.encrypt_digits(b"column", "13800138000")?;
/// assert_eq!(*key.decrypt_digits(b"column", &digits)?, "13800138000");
/// # Ok::<(), gmkit_keys::Error>(())
/// ```
pub struct SoftwareFieldKey(Purpose);

enum Purpose {
    Seal(Box<GcmSiv>),
    Digits(Box<Ff1>),
}

impl SoftwareFieldKey {
    /// A key of 16 bytes that seals and opens.
    ///
    /// # Errors
    /// [`Error::SecretLength`], [`Error::SelfTest`].
    pub fn sealing(key: &[u8]) -> Result<Self, Error> {
        Ok(Self(Purpose::Seal(Box::new(GcmSiv::new(tested(key)?)))))
    }

    /// A key of 16 bytes that turns digits into digits.
    ///
    /// # Errors
    /// [`Error::SecretLength`], [`Error::SelfTest`].
    pub fn digits(key: &[u8]) -> Result<Self, Error> {
        Ok(Self(Purpose::Digits(Box::new(Ff1::new(tested(key)?, 10)?))))
    }

    fn siv(&self) -> Result<&GcmSiv, Error> {
        selftest::require(Algorithm::Sm4)?;
        match &self.0 {
            Purpose::Seal(siv) => Ok(siv),
            Purpose::Digits(_) => Err(Error::Unsupported { operation: "seal: it is for digits" }),
        }
    }

    fn ff1(&self) -> Result<&Ff1, Error> {
        selftest::require(Algorithm::Sm4)?;
        match &self.0 {
            Purpose::Digits(ff1) => Ok(ff1),
            Purpose::Seal(_) => {
                Err(Error::Unsupported { operation: "keep a format: it is for sealing" })
            }
        }
    }
}

fn tested(key: &[u8]) -> Result<&[u8; 16], Error> {
    selftest::require(Algorithm::Sm4)?;
    key.try_into().map_err(|_| Error::SecretLength { found: key.len() })
}

/// What is wrong with the digits; their number is no secret.
fn digits(error: Sm4Error) -> Error {
    match error {
        Sm4Error::Domain | Sm4Error::Numeral => Error::Digits,
        error => error.into(),
    }
}

impl FieldKey for SoftwareFieldKey {
    fn seal_field(&self, aad: &[u8], value: &[u8]) -> Result<Vec<u8>, Error> {
        let mut sealed = Zeroizing::new(vec![0; 16 + value.len()]);
        sealed[16..].copy_from_slice(value);
        let tag = self.siv()?.seal(&NONCE, aad, &mut sealed[16..])?;
        sealed[..16].copy_from_slice(&tag);
        Ok(std::mem::take(&mut *sealed))
    }

    fn open_field(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (tag, ciphertext) = sealed.split_first_chunk().ok_or(Error::Rejected)?;
        let mut value = Zeroizing::new(ciphertext.to_vec());
        self.siv()?.open(&NONCE, aad, &mut value, tag)?;
        Ok(value)
    }

    fn encrypt_digits(&self, tweak: &[u8], text: &str) -> Result<Zeroizing<String>, Error> {
        self.ff1()?.encrypt_text(&Alphabet::digits(), tweak, text).map_err(digits)
    }

    fn decrypt_digits(&self, tweak: &[u8], text: &str) -> Result<Zeroizing<String>, Error> {
        self.ff1()?.decrypt_text(&Alphabet::digits(), tweak, text).map_err(digits)
    }
}

impl fmt::Debug for SoftwareFieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Purpose::Seal(_) => "SoftwareFieldKey(sealing)",
            Purpose::Digits(_) => "SoftwareFieldKey(digits)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_keys_and_values() {
        let (seal, digits) = (
            SoftwareFieldKey::sealing(&[7; 16]).unwrap(),
            SoftwareFieldKey::digits(&[7; 16]).unwrap(),
        );
        assert!(matches!(
            SoftwareFieldKey::digits(&[7; 15]),
            Err(Error::SecretLength { found: 15 })
        ));
        assert!(matches!(digits.seal_field(b"", b"x"), Err(Error::Unsupported { .. })));
        assert!(matches!(seal.encrypt_digits(b"", "123456"), Err(Error::Unsupported { .. })));
        for text in ["", "12345", "12345x", "１２３４５６"] {
            assert!(matches!(digits.encrypt_digits(b"", text), Err(Error::Digits)), "{text}");
        }
        let sealed = seal.seal_field(b"a", b"value").unwrap();
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[at] ^= 1;
            assert!(matches!(seal.open_field(b"a", &forged), Err(Error::Rejected)), "{at}");
            assert!(matches!(seal.open_field(b"a", &sealed[..at]), Err(Error::Rejected)), "{at}");
        }
        let other = SoftwareFieldKey::sealing(&[8; 16]).unwrap();
        assert!(matches!(other.open_field(b"a", &sealed), Err(Error::Rejected)));
        assert_eq!(
            format!("{seal:?} {digits:?}"),
            "SoftwareFieldKey(sealing) SoftwareFieldKey(digits)"
        );
    }
}
