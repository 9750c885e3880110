//! Strings of JSON: what they say, and where each character of that stands.

use std::{borrow::Cow, ops::Range};

/// What stands between the quotes of a string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'t> {
    text: &'t str,
    escaped: bool,
}

impl<'t> Raw<'t> {
    /// `None` if there is an escape that JSON does not have; without escapes that is not looked for.
    pub(super) fn new(text: &'t str, escaped: bool) -> Option<Self> {
        (!escaped || !has_bad_escape(text)).then_some(Self { text, escaped })
    }

    /// A text without escapes.
    pub(crate) fn plain(text: &'t str) -> Self {
        Self { text, escaped: false }
    }

    pub(super) fn text(self) -> &'t str {
        self.text
    }

    pub(super) fn decoded(self) -> Decoded<'t> {
        if self.escaped { Decoded::new(self.text) } else { Decoded::same(self.text) }
    }
}

/// The same, decoded.
#[derive(Debug)]
pub(super) struct Decoded<'t> {
    raw: &'t str,
    text: Cow<'t, str>,
    /// For each byte of the text, and for its end, where it stands in `raw`; empty if that is the same place.
    places: Vec<usize>,
}

impl<'t> Decoded<'t> {
    fn same(raw: &'t str) -> Self {
        Self { raw, text: Cow::Borrowed(raw), places: Vec::new() }
    }

    fn new(raw: &'t str) -> Self {
        let mut text = String::with_capacity(raw.len());
        let mut places = Vec::with_capacity(raw.len() + 1);
        let mut rest = raw;
        while let Some(first) = rest.chars().next() {
            let at = raw.len() - rest.len();
            let (c, len) = if first == '\\' { escaped(rest) } else { (first, first.len_utf8()) };
            text.push(c);
            places.resize(text.len(), at);
            rest = rest.get(len..).unwrap_or_default();
        }
        places.push(raw.len());
        Self { raw, text: Cow::Owned(text), places }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn place(&self, at: usize) -> usize {
        self.places.get(at).copied().unwrap_or(at)
    }

    /// What stands between the quotes when parts of the text are replaced, from left to right.
    pub(super) fn replace(&self, edits: &[(Range<usize>, String)]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.raw.len());
        let mut done = 0;
        for (range, with) in edits {
            out.extend_from_slice(&self.raw.as_bytes()[done..self.place(range.start)]);
            inside(with, &mut out);
            done = self.place(range.end);
        }
        out.extend_from_slice(&self.raw.as_bytes()[done..]);
        out
    }
}

/// A text between quotes, as JSON writes it.
pub(super) fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(b'"');
    inside(text, &mut out);
    out.push(b'"');
    out
}

fn inside(text: &str, out: &mut Vec<u8>) {
    if !text.bytes().any(|c| c == b'"' || c == b'\\' || c < 0x20) {
        return out.extend_from_slice(text.as_bytes());
    }
    let quoted = serde_json::Value::from(text).to_string();
    out.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
}

/// The character for which an escape stands, and how long that is. Half a surrogate pair, or an escape that is none, is
/// U+FFFD: it is looked at as something that cannot be read.
fn escaped(text: &str) -> (char, usize) {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        digits
            .bytes()
            .all(|c| c.is_ascii_hexdigit())
            .then(|| u32::from_str_radix(digits, 16).ok())
            .flatten()
    };
    let simple = |c| (c, 2);
    match text.as_bytes().get(1) {
        Some(b'n') => simple('\n'),
        Some(b't') => simple('\t'),
        Some(b'r') => simple('\r'),
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(c @ (b'"' | b'\\' | b'/')) => simple(char::from(*c)),
        Some(b'u') => match (unit(0), unit(6)) {
            (Some(high @ 0xd800..0xdc00), Some(low @ 0xdc00..0xe000)) => {
                let c = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                (char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
            }
            (Some(unit), _) => (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
            (None, _) => (char::REPLACEMENT_CHARACTER, 2),
        },
        _ => (char::REPLACEMENT_CHARACTER, 2),
    }
}

/// Whether there is an escape that JSON does not have.
fn has_bad_escape(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let mut at = 0;
    while let Some(next) = memchr::memchr(b'\\', &bytes[at..]) {
        let escape = at + next;
        let four = || {
            bytes
                .get(escape + 2..escape + 6)
                .is_some_and(|four| four.iter().all(u8::is_ascii_hexdigit))
        };
        at = match bytes.get(escape + 1) {
            Some(b'u') if four() => escape + 6,
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => escape + 2,
            _ => return true,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        let raw = r#"a\u0031\/\ud83d\ude00é\n"#;
        let decoded = Raw::new(raw, true).unwrap().decoded();
        assert_eq!(decoded.text(), "a1/😀é\n");
        let one = decoded.text().find('1').unwrap();
        assert_eq!(
            decoded.replace(&[(one..one + 1, "\"".into())]),
            br#"a\"\/\ud83d\ude00"#.iter().chain("é\\n".as_bytes()).copied().collect::<Vec<_>>()
        );
        assert_eq!(Decoded::new(r"\ud800x\udc00").text(), "\u{fffd}x\u{fffd}");
        assert!(
            has_bad_escape(r"\x")
                && has_bad_escape(r"\u12")
                && has_bad_escape("a\\")
                && !has_bad_escape(raw)
        );
    }
}
