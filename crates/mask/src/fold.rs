//! Text as detectors read it: without disguises, and with a way back to where it came from.
//!
//! NFKC takes care of full-width, circled and mathematical forms; the digits of other scripts, dashes and dots are
//! folded here, and what cannot be seen is dropped.

use std::{borrow::Cow, ops::Range};

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// What begins a command to a terminal (ECMA-48, 5.4).
const ESCAPE: u8 = 0x1b;

/// The zeros of the scripts whose digits NFKC leaves alone; nine digits follow each.
const ZEROS: &[u32] = &[
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
    0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0,
    0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650,
    0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50, 0x11da0,
    0x11de0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1e140, 0x1e2f0, 0x1e4f0,
    0x1e5f1, 0x1e950,
];

/// Circled ones that NFKC leaves alone; eight digits follow each.
const ONES: &[u32] = &[0x24f5, 0x2776, 0x2780, 0x278a];

/// A text, folded.
#[derive(Debug)]
pub(crate) struct Folded<'t> {
    original: &'t str,
    text: Cow<'t, str>,
    /// For each byte of `text` where its character began; empty if that is where it stands.
    starts: Vec<usize>,
}

impl<'t> Folded<'t> {
    pub(crate) fn new(original: &'t str) -> Self {
        if original.is_ascii() && memchr::memchr(ESCAPE, original.as_bytes()).is_none() {
            return Self { original, text: Cow::Borrowed(original), starts: Vec::new() };
        }
        let mut text = String::with_capacity(original.len());
        let mut starts = Vec::with_capacity(original.len());
        let mut seen = 0;
        for (at, c) in original.char_indices() {
            if c == '\u{1b}' {
                seen = at + command(&original.as_bytes()[at..]);
            }
            if at >= seen {
                push(&mut text, c);
                starts.resize(text.len(), at);
            }
        }
        Self { original, text: Cow::Owned(text), starts }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where a part of the folded text came from, with all that was dropped within it.
    pub(crate) fn original(&self, range: Range<usize>) -> Range<usize> {
        if self.starts.is_empty() || range.is_empty() {
            return range;
        }
        let last = self.starts[range.end - 1];
        let len = self.original[last..].chars().next().map_or(0, char::len_utf8);
        self.starts[range.start]..last + len
    }
}

/// How long the command to a terminal is that begins here, as one for a colour: of it nothing is seen. Its numbers have
/// three digits at most, so that nobody's number hides in one.
fn command(text: &[u8]) -> usize {
    let Some(rest) = text.strip_prefix(b"\x1b[") else { return 0 };
    let mut digits = 0;
    for (at, c) in rest.iter().enumerate().take(32) {
        match c {
            b'0'..=b'9' if digits < 3 => digits += 1,
            b';' | b':' => digits = 0,
            b'?' if at == 0 => {}
            b'@'..=b'~' => return at + 3,
            _ => return 0,
        }
    }
    0
}

fn push(text: &mut String, c: char) {
    match c {
        '\0'..='\u{7f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => text.push(c),
        // Dashes; dots in the middle; what turns a digit into a picture.
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' => text.push('-'),
        '\u{b7}' | '\u{2022}' | '\u{2027}' | '\u{30fb}' | '\u{ff65}' => text.push('\u{b7}'),
        '\u{20e3}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {}
        _ => match digit(c) {
            Some(digit) => text.push(digit),
            None if c.general_category() == GeneralCategory::Format => {}
            None => text.extend(std::iter::once(c).nfkc()),
        },
    }
}

/// The ASCII digit of the same value.
fn digit(c: char) -> Option<char> {
    let value = |starts: &[u32], first: u32| {
        let start =
            starts[starts.partition_point(|start| *start <= u32::from(c)).checked_sub(1)?];
        char::from_digit(u32::from(c) - start + first, 10)
    };
    value(ZEROS, 0).or_else(|| value(ONES, 1))
}

/// One character, as it is compared: nothing for what is not seen, and more than one for some, as `⑴`.
pub(crate) fn folded(c: char) -> impl Iterator<Item = char> {
    let (first, rest) = match c {
        '\0'..='\u{7f}' | '\u{4e00}'..='\u{9fff}' => (Some(c), Vec::new()),
        _ => (None, disguised(c)),
    };
    first.into_iter().chain(rest)
}

#[cold]
fn disguised(c: char) -> Vec<char> {
    let mut text = String::new();
    push(&mut text, c);
    text.chars().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disguises_fall() {
        for (disguised, plain) in [
            ("１３８００１３８０００", "13800138000"),
            ("①③⑧𝟎𝟎𝟏", "138001"),
            ("٣३๓➌❸", "33333"),
            ("1\u{200b}3\u{ad}8\u{feff}0\u{fe0f}\u{20e3}", "1380"),
            ("138–0013−8000", "138-0013-8000"),
            ("a＠b．c\u{a0}\u{3000}d", "a@b.c  d"),
            ("Ⅹ㈱", "X(株)"),
            ("京A•00000", "京A·00000"),
            ("\u{1b}[1;31m138\u{1b}[0m0013\u{1b}[?25lx\u{1b}", "1380013x\u{1b}"),
            ("\u{1b}[13800138000m", "\u{1b}[13800138000m"),
            ("\u{1b}[3\u{e9}1\u{1b}[", "\u{1b}[3\u{e9}1\u{1b}["),
        ] {
            assert_eq!(Folded::new(disguised).text(), plain);
        }
    }

    #[test]
    fn the_way_back() {
        let folded = Folded::new("é1\u{200b}２㈱\u{200b}x");
        assert_eq!(folded.text(), "é12(株)x");
        let at = |text: &str| {
            let start = folded.text().find(text).unwrap();
            let range = folded.original(start..start + text.len());
            &"é1\u{200b}２㈱\u{200b}x"[range]
        };
        assert_eq!(
            [at("12"), at("2"), at("株"), at("x"), at("é")],
            ["1\u{200b}２", "２", "㈱", "x", "é"]
        );
    }

    /// Whatever Unicode calls a digit is one.
    #[test]
    fn every_digit_is_folded() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            if c.general_category() == GeneralCategory::DecimalNumber {
                let mut text = String::new();
                push(&mut text, c);
                let is_one = text.len() == 1 && text.as_bytes()[0].is_ascii_digit();
                assert!(is_one, "U+{:04X}", u32::from(c));
            }
        }
    }
}
