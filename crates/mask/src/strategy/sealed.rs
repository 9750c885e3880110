//! Values that whoever has the key can have back.

use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use gmkit_keys::FieldKey;
use zeroize::Zeroizing;

use super::domain;
use crate::{Error, Kind};

/// How sealed values begin.
const PREFIX: &str = "sm4_";

/// Values are filled up to a multiple of so many bytes, so that lengths say less.
const BLOCK: usize = 16;

/// Seals values: `sm4_` and base64url of SM4-GCM-SIV under a key, with domain and kind as associated data.
///
/// The value is sealed as it was written, filled up to a multiple of 16 bytes with 0x80 and zeros. Equal values look
/// equal within a domain, so they tell who occurs how often; see [`FieldKey::seal_field`] for how many a key may seal.
///
/// ```
/// use std::sync::Arc;
/// use gmkit_keys::SoftwareFieldKey;
/// use gmkit_mask::{Kind, Sealing};
///
/// let sealing = Sealing::new(Arc::new(SoftwareFieldKey::sealing(&[7; 16])?), "orders")?;
/// let sealed = sealing.seal(Some(Kind::Mobile), "138-0013-8000")?;
/// assert!(sealed.starts_with("sm4_"));
/// assert_eq!(*sealing.open(Some(Kind::Mobile), &sealed)?, "138-0013-8000");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sealing {
    key: Arc<dyn FieldKey>,
    domain: String,
}

impl Sealing {
    /// Under this key, for a domain: a field's or an application's name.
    ///
    /// # Errors
    /// [`Error::Policy`] for a domain with a zero byte; [`Error::Key`] if the key cannot seal.
    pub fn new(key: Arc<dyn FieldKey>, domain: &str) -> Result<Self, Error> {
        key.seal_field(b"", b"").map_err(Error::Key)?;
        Ok(Self { key, domain: super::domain_without_zero(domain)? })
    }

    /// The sealed value.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn seal(&self, kind: Option<Kind>, value: &str) -> Result<String, Error> {
        let len = (value.len() + 1).next_multiple_of(BLOCK);
        let mut padded = Zeroizing::new(vec![0; len]);
        padded[..value.len()].copy_from_slice(value.as_bytes());
        padded[value.len()] = 0x80;
        let sealed = self.key.seal_field(&domain(&self.domain, kind), &padded);
        Ok(format!("{PREFIX}{}", Base64UrlUnpadded::encode_string(&sealed.map_err(Error::Key)?)))
    }

    /// The value again.
    ///
    /// # Errors
    /// [`Error::Key`] with [`gmkit_keys::Error::Rejected`] for what this key has not sealed in this domain for this kind.
    pub fn open(&self, kind: Option<Kind>, sealed: &str) -> Result<Zeroizing<String>, Error> {
        let rejected = || Error::Key(gmkit_keys::Error::Rejected);
        let sealed = sealed.strip_prefix(PREFIX).ok_or_else(rejected)?;
        let sealed = Base64UrlUnpadded::decode_vec(sealed).map_err(|_| rejected())?;
        let padded = self.key.open_field(&domain(&self.domain, kind), &sealed);
        let padded = padded.map_err(Error::Key)?;
        // It is authentic, so it is as it was made.
        let len = padded.iter().rposition(|byte| *byte != 0).ok_or_else(rejected)?;
        let value = std::str::from_utf8(&padded[..len]).map_err(|_| rejected())?;
        Ok(Zeroizing::new(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use gmkit_keys::SoftwareFieldKey;
    use proptest::prelude::*;

    use super::*;

    fn sealing(key: u8, domain: &str) -> Sealing {
        Sealing::new(Arc::new(SoftwareFieldKey::sealing(&[key; 16]).unwrap()), domain).unwrap()
    }

    proptest! {
        #[test]
        fn comes_back(value: String) {
            let sealed = sealing(1, "d").seal(None, &value).unwrap();
            prop_assert_eq!(&*sealing(1, "d").open(None, &sealed).unwrap(), &value);
            for other in [sealing(2, "d"), sealing(1, "e")] {
                prop_assert!(other.open(None, &sealed).is_err());
            }
            prop_assert!(sealing(1, "d").open(Some(Kind::Name), &sealed).is_err());
        }
    }

    #[test]
    fn lengths_say_little_and_odd_ones_are_refused() {
        let (a, b) = (sealing(1, "").seal(None, "张伟"), sealing(1, "").seal(None, "欧阳修"));
        assert_eq!(a.unwrap().len(), b.unwrap().len());
        for odd in ["", "sm4_", "sm4_AAAA", "sm4_!", "tok_00", "sm4_AAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(matches!(sealing(1, "").open(None, odd), Err(Error::Key(_))), "{odd}");
        }
        let wrong = SoftwareFieldKey::digits(&[1; 16]).unwrap();
        assert!(matches!(Sealing::new(Arc::new(wrong), ""), Err(Error::Key(_))));
    }
}
