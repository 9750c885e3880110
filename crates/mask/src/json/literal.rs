//! Tokens of JSON.

use std::borrow::Cow;

/// Where the search for the end of a string goes on, when there is more of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scan {
    at: usize,
    /// Whether there was an escape.
    pub(super) escaped: bool,
}

/// How many characters stand for themselves: no quote, no backslash, no control character.
fn plain(data: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = data.as_chunks();
    for (n, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The high bit of each byte below a bound, and maybe of some behind the first one.
        let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
        let is = |c: u8| below(word ^ (ONES * u64::from(c)), 1);
        let special = (is(b'"') | is(b'\\') | below(word, 0x20)) & HIGH;
        if special != 0 {
            return 8 * n + special.trailing_zeros() as usize / 8;
        }
    }
    let special = |c: &u8| matches!(c, b'"' | b'\\' | ..0x20);
    8 * words.len() + rest.iter().position(special).unwrap_or(rest.len())
}

impl Scan {
    /// How long the string is that begins with this quote, or `None` if its end has not come yet.
    ///
    /// # Errors
    /// Where a control character stands in it.
    pub(super) fn string(&mut self, data: &[u8]) -> Result<Option<usize>, usize> {
        let mut at = self.at.max(1);
        while at < data.len() {
            at += plain(&data[at..]);
            if at == data.len() {
                break;
            }
            match data[at] {
                b'"' => return Ok(Some(at + 1)),
                // What is escaped comes with the next piece.
                b'\\' if at + 1 == data.len() => break,
                b'\\' => {
                    self.escaped = true;
                    at += 2;
                }
                _ => return Err(at),
            }
        }
        self.at = at;
        Ok(None)
    }
}

/// What is neither a string nor made of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word<'t> {
    Number(&'t str),
    Bool,
    Null,
}

/// A number, or one of the three words.
pub(super) fn word(data: &[u8]) -> Option<Word<'_>> {
    match data {
        b"true" | b"false" => Some(Word::Bool),
        b"null" => Some(Word::Null),
        number if is_number(number) => std::str::from_utf8(number).ok().map(Word::Number),
        _ => None,
    }
}

/// RFC 8259, 6.
fn is_number(data: &[u8]) -> bool {
    let digits = |data: &[u8]| data.iter().take_while(|c| c.is_ascii_digit()).count();
    let data = data.strip_prefix(b"-").unwrap_or(data);
    let whole = digits(data);
    if whole == 0 || whole > 1 && data[0] == b'0' {
        return false;
    }
    let mut rest = &data[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let len = digits(fraction);
        if len == 0 {
            return false;
        }
        rest = &fraction[len..];
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or(rest.strip_prefix(b"E")) {
        let exponent =
            exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let len = digits(exponent);
        return len > 0 && len == exponent.len();
    }
    rest.is_empty()
}

/// The digits of a number that is a whole one, however it is written: `1.38e3` is 1380.
pub(super) fn whole(number: &str) -> Option<Cow<'_, str>> {
    const MOST: usize = 40;
    let Some(end) = number.bytes().position(|c| !c.is_ascii_digit()) else {
        return (number.len() <= MOST).then_some(Cow::Borrowed(number));
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let point = usize::try_from(point).ok().filter(|point| *point > 0 && *point <= MOST)?;
    if end == whole.len() && point == end && !fraction.bytes().all(|c| c == b'0') {
        return None;
    }
    let mut digits = [whole, fraction].concat();
    if digits.len() < point {
        digits.extend(std::iter::repeat_n('0', point - digits.len()));
    }
    let fraction = digits.split_off(point);
    fraction.bytes().all(|c| c == b'0').then_some(Cow::Owned(digits))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_characters(data: Vec<u8>, quiet in prop::collection::vec(0x1e_u8..0x24, 0..30)) {
            for data in [data, quiet] {
                let special = |c: &u8| matches!(c, b'"' | b'\\' | ..0x20);
                prop_assert_eq!(plain(&data), data.iter().position(special).unwrap_or(data.len()));
            }
        }
    }

    #[test]
    fn numbers() {
        for (number, digits) in [
            ("13800138000", Some("13800138000")),
            ("13800138000.0", Some("13800138000")),
            ("1.3800138e10", Some("13800138000")),
            ("138001380000e-1", Some("13800138000")),
            ("0.5", None),
            ("1e400", None),
            ("1e99999999999", None),
        ] {
            assert!(is_number(number.as_bytes()));
            assert_eq!(whole(number).as_deref(), digits, "{number}");
        }
        for none in ["", "-", "01", "1.", ".1", "1e", "1e+", "1x", "+1", "1-2"] {
            assert!(!is_number(none.as_bytes()), "{none}");
        }
    }
}
