//! Numbers that become other numbers of the same form.

use std::sync::Arc;

use gmkit_keys::FieldKey;
use zeroize::Zeroizing;

use super::domain;
use crate::{Error, Kind, fold::Folded};

/// Least number of digits that are enciphered: a million values (SP 800-38G revision 1, 5.1).
const LEAST: usize = 6;

/// Most digits: no number is longer, and the time grows with the square of theirs.
const MOST: usize = 64;

/// Turns the digits of numbers into others under a key (FF1 with SM4), and keeps what separates them: cards stay in
/// fours. Whoever has the key can turn them back.
///
/// The digits that stay, domain and kind are the tweak, so equal numbers have equal results within a domain. What has
/// less than six digits to encipher or more than 64, or other characters than digits and separators, is hidden whole; of a resident's
/// number an X at its end stays, as it cannot be told otherwise. Check digits are digits as others: they will not fit.
///
/// ```
/// use std::sync::Arc;
/// use gmkit_keys::SoftwareFieldKey;
/// use gmkit_mask::{Digits, Kind};
///
/// let digits = Digits::new(Arc::new(SoftwareFieldKey::digits(&[7; 16])?), "orders")?.keeping(6, 4);
/// let other = digits.encrypt(Some(Kind::Card), "4111 1111 1111 1111")?;
/// assert!(other.starts_with("4111 11") && other.ends_with("1111") && other.len() == 19);
/// assert_eq!(*digits.decrypt(Some(Kind::Card), &other)?, "4111 1111 1111 1111");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Digits {
    key: Arc<dyn FieldKey>,
    domain: String,
    first: usize,
    last: usize,
}

impl Digits {
    /// Under this key, for a domain: a field's or an application's name.
    ///
    /// # Errors
    /// [`Error::Policy`] for a domain with a zero byte; [`Error::Key`] if the key does not do that.
    pub fn new(key: Arc<dyn FieldKey>, domain: &str) -> Result<Self, Error> {
        key.encrypt_digits(b"", "000000").map_err(Error::Key)?;
        Ok(Self { key, domain: super::domain_without_zero(domain)?, first: 0, last: 0 })
    }

    /// So many digits stay as they are, in front and at the end.
    #[must_use]
    pub fn keeping(self, first: usize, last: usize) -> Self {
        Self { first, last, ..self }
    }

    /// The number that stands for this one, or `****`.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn encrypt(&self, kind: Option<Kind>, text: &str) -> Result<String, Error> {
        let turn = |tweak: &[u8], digits: &str| self.key.encrypt_digits(tweak, digits);
        let turned = self.turn(kind, Folded::new(text).text(), turn)?;
        Ok(turned.map_or_else(|| "****".to_owned(), |mut turned| std::mem::take(&mut *turned)))
    }

    /// The number for which this one stands.
    ///
    /// # Errors
    /// [`Error::Key`], with [`gmkit_keys::Error::Digits`] for what is none. A wrong key gives a wrong number.
    pub fn decrypt(&self, kind: Option<Kind>, text: &str) -> Result<Zeroizing<String>, Error> {
        let turn = |tweak: &[u8], digits: &str| self.key.decrypt_digits(tweak, digits);
        self.turn(kind, text, turn)?.ok_or(Error::Key(gmkit_keys::Error::Digits))
    }

    fn turn(
        &self,
        kind: Option<Kind>,
        text: &str,
        turn: impl FnOnce(&[u8], &str) -> Result<Zeroizing<String>, gmkit_keys::Error>,
    ) -> Result<Option<Zeroizing<String>>, Error> {
        let own = text.trim_end_matches(['X', 'x']);
        let check = if kind == Some(Kind::CnId) { text.len() - own.len() } else { 0 };
        let number = &text[..text.len() - check];
        let allowed = |c: char| c.is_ascii_digit() || " -./_()+:·".contains(c);
        if check > 1 || !number.chars().all(allowed) {
            return Ok(None);
        }
        let digits: Zeroizing<String> =
            Zeroizing::new(number.chars().filter(char::is_ascii_digit).collect());
        // Before a mobile's number stands the code of the country at most, which it is the same with.
        let code = if kind == Some(Kind::Mobile) { digits.len().saturating_sub(11) } else { 0 };
        let kept = code.checked_add(self.first).and_then(|kept| kept.checked_add(self.last));
        let Some(inner) = kept.and_then(|kept| digits.len().checked_sub(kept)) else {
            return Ok(None);
        };
        if !(LEAST..=MOST).contains(&inner) || code > 4 {
            return Ok(None);
        }
        let (start, end) = (code + self.first, code + self.first + inner);
        let mut tweak = domain(&self.domain, kind);
        for kept in [&digits[code..start], &digits[end..]] {
            tweak.extend_from_slice(kept.as_bytes());
            tweak.push(0);
        }
        let turned = turn(&tweak, &digits[start..end]).map_err(Error::Key)?;
        let new = [&digits[..start], turned.as_str(), &digits[end..]];
        let mut new = new.iter().flat_map(|part| part.chars());
        let put = |c: char| if c.is_ascii_digit() { new.next().unwrap_or(c) } else { c };
        Ok(Some(Zeroizing::new(text.chars().map(put).collect())))
    }
}

#[cfg(test)]
mod tests {
    use gmkit_keys::SoftwareFieldKey;
    use proptest::prelude::*;

    use super::*;

    fn digits(domain: &str) -> Digits {
        Digits::new(Arc::new(SoftwareFieldKey::digits(&[7; 16]).unwrap()), domain).unwrap()
    }

    proptest! {
        #[test]
        fn comes_back(text in "[0-9]{3,9}[- .]?[0-9]{3,9}", first in 0..4_usize, last in 0..4_usize) {
            let digits = digits("d").keeping(first, last);
            let other = digits.encrypt(None, &text).unwrap();
            let count = text.chars().filter(char::is_ascii_digit).count();
            if count < first + last + 6 {
                prop_assert_eq!(other, "****");
            } else {
                prop_assert_eq!(other.len(), text.len());
                prop_assert_eq!(&*digits.decrypt(None, &other).unwrap(), &text);
            }
        }
    }

    #[test]
    fn forms() {
        let digits = digits("d");
        let turned = |kind, text| digits.encrypt(Some(kind), text).unwrap();
        let same = turned(Kind::Mobile, "13800138000");
        assert_ne!(same, "13800138000");
        assert_eq!(turned(Kind::Mobile, "+86 13800138000"), format!("+86 {same}"));
        assert_eq!(turned(Kind::Mobile, "１３８００１３８０００"), same);
        assert_ne!(
            super::tests::digits("e").encrypt(Some(Kind::Mobile), "13800138000").unwrap(),
            same
        );
        let id = turned(Kind::CnId, "11010519491231002X");
        assert!(id.ends_with('X') && id.len() == 18);
        assert_eq!(*digits.decrypt(Some(Kind::CnId), &id).unwrap(), "11010519491231002X");
        for (kind, odd) in [
            (Kind::Card, "12345"),
            (Kind::Card, "4111x11111111111"),
            (Kind::CnId, "1101051949123100XX"),
            (Kind::Passport, "E12345678"),
            (Kind::Mobile, "1234513800138000"),
            (Kind::Name, "张伟"),
            (Kind::Card, ""),
            (Kind::Card, &"1".repeat(65)),
        ] {
            assert_eq!(turned(kind, odd), "****", "{odd}");
            assert!(digits.decrypt(Some(kind), odd).is_err());
        }
        let none = super::tests::digits("d").keeping(usize::MAX, 1);
        assert_eq!(none.encrypt(None, "13800138000").unwrap(), "****");
        let wrong = SoftwareFieldKey::sealing(&[1; 16]).unwrap();
        assert!(matches!(Digits::new(Arc::new(wrong), ""), Err(Error::Key(_))));
    }
}
