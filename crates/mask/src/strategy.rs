//! What is put in a value's place.

mod digits;
mod general;
mod sealed;
mod token;

use std::sync::Arc;

use gmkit_keys::SecretKey;

use crate::{Error, Kind, Style, mask};
pub use digits::Digits;
pub use sealed::Sealing;
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
    /// SM4-GCM-SIV of the value: whoever has the key can have it back. See [`Sealing`].
    Seal(Sealing),
    /// Other digits, as many: whoever has the key can have the number back. See [`Digits`].
    Digits(Digits),
    /// Said less exactly. A number, where no kind is given, and the year of a birth become the range of so many in which
    /// they lie, `30-39`; an address its city or province; an IP address its network (/24, /48). What has nothing more
    /// general is hidden, as is a number with a step of 1, which would show it.
    Generalise(u64),
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
        Ok(Self { key, domain: domain_without_zero(domain)? })
    }

    /// The token of a value.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn make(&self, kind: Option<Kind>, text: &str) -> Result<String, Error> {
        let value = normalised(kind, text);
        let make = || {
            let mut mac = self.key.start_mac()?;
            mac.update(&domain(&self.domain, kind))?;
            mac.update(value.as_bytes())?;
            mac.finish()
        };
        let mac = make().map_err(Error::Key)?;
        Ok(format!("tok_{}", hex::encode(&mac[..16])))
    }
}

/// domain ‖ 0 ‖ kind ‖ 0: neither has a zero byte.
fn domain(domain: &str, kind: Option<Kind>) -> Vec<u8> {
    let kind = kind.map_or("", Kind::name);
    [domain.as_bytes(), &[0], kind.as_bytes(), &[0]].concat()
}

fn domain_without_zero(domain: &str) -> Result<String, Error> {
    if domain.contains('\0') {
        let reason = "a domain has no zero byte".to_owned();
        return Err(Error::Policy { line: 0, column: 0, reason });
    }
    Ok(domain.to_owned())
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
            Self::Seal(sealing) => sealing.seal(kind, text)?,
            Self::Digits(digits) => digits.encrypt(kind, text)?,
            Self::Generalise(step) => general::generalised(kind, (*step).max(1), text)
                .unwrap_or_else(|| "****".to_owned()),
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
