//! What is put in a value's place.

mod token;

use std::sync::Arc;

use gmkit_keys::SecretKey;

use crate::{Error, Kind, Style, mask};
use token::normalised;

/// What is done with personal data.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Strategy {
    /// The conventional mask of its kind.
    Mask(Style),
    /// Nothing is left of it: `null` for a value of JSON, no character of a text.
    Nullify,
    /// The first characters are left, at most so many; of a secret none.
    Truncate(usize),
    /// The member or element goes, with its name. A part of a text goes as with [`Strategy::Nullify`].
    Drop,
    /// HMAC-SM3 of the value under a key: equal values have equal tokens, and without the key nobody finds the value by
    /// trying. See [`Tokens`].
    Token(Tokens),
}

/// Makes tokens: `tok_` and 32 hexadecimal digits, the first half of
/// HMAC-SM3(key, domain ‖ 0 ‖ kind ‖ 0 ‖ value). Neither a domain nor a kind's name has a zero byte, so no two inputs are
/// written in the same way; 128 bits are enough for 2^64 values before two are likely to meet.
///
/// The value is normalised before: separators, case and the code of the country make no difference. Equal values have
/// equal tokens within a domain, so they tell who occurs how often; give things that need not be joined domains of
/// their own.
#[derive(Clone, Debug)]
pub struct Tokens {
    key: Arc<dyn SecretKey>,
    domain: String,
}

impl Tokens {
    /// Under this key, for a domain: a field's or an application's name.
    ///
    /// # Errors
    /// [`Error::Policy`] for a domain with a zero byte.
    pub fn new(key: Arc<dyn SecretKey>, domain: &str) -> Result<Self, Error> {
        if domain.contains('\0') {
            let reason = "the domain of a token has no zero byte".to_owned();
            return Err(Error::Policy { line: 0, column: 0, reason });
        }
        Ok(Self { key, domain: domain.to_owned() })
    }

    /// The token of a value.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn make(&self, kind: Option<Kind>, text: &str) -> Result<String, Error> {
        let value = normalised(kind, text);
        let make = || {
            let mut mac = self.key.start_mac()?;
            mac.update(self.domain.as_bytes())?;
            mac.update(&[0])?;
            mac.update(kind.map_or("", Kind::name).as_bytes())?;
            mac.update(&[0])?;
            mac.update(value.as_bytes())?;
            mac.finish()
        };
        let mac = make().map_err(Error::Key)?;
        Ok(format!("tok_{}", hex::encode(&mac[..16])))
    }
}

impl Strategy {
    /// What stands in a text for a part of it. `None` for the kind if only the place is known.
    pub(crate) fn apply(&self, kind: Option<Kind>, text: &str) -> Result<String, Error> {
        Ok(match self {
            Self::Mask(style) => {
                kind.map_or_else(|| "****".to_owned(), |kind| mask(kind, *style, text))
            }
            Self::Nullify | Self::Drop => String::new(),
            Self::Truncate(_) if kind.is_some_and(Kind::is_secret) => "****".to_owned(),
            Self::Truncate(most) => text.chars().take(*most).collect(),
            Self::Token(tokens) => tokens.make(kind, text)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use gmkit_keys::SoftwareSecret;

    use super::*;

    #[test]
    fn what_is_never_shown_or_joined() {
        let secret = Strategy::Truncate(3).apply(Some(Kind::Password), "hunter2").unwrap();
        assert_eq!(secret, "****");
        let key: Arc<dyn SecretKey> = Arc::new(SoftwareSecret::hmac_sm3(&[7; 32]).unwrap());
        assert!(matches!(Tokens::new(Arc::clone(&key), "a\0cn_id"), Err(Error::Policy { .. })));
        let token = |domain| {
            let tokens = Tokens::new(Arc::clone(&key), domain).unwrap();
            tokens.make(Some(Kind::Mobile), "+86 138-0013-8000").unwrap()
        };
        assert_eq!(token("a"), token("a"));
        assert_ne!(token("a"), token("b"));
    }
}
