//! Words with digits in them, and what joins them.

use std::ops::Range;

/// ASCII letters and digits in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
    /// How many of its characters are digits.
    pub(super) digits: usize,
}

impl Word {
    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// All digits; or all but a last X, which may be a check.
    pub(super) fn is_number(&self, text: &[u8]) -> bool {
        self.digits == self.len()
            || self.digits + 1 == self.len()
                && self.len() > 1
                && text[self.end - 1].eq_ignore_ascii_case(&b'X')
    }
}

/// What stands between two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    /// More than a separator, or something else.
    None,
    /// One that may be within a number, or between two.
    Loose(u8),
    /// `-`, `.` or `_`: what stands on its two sides is one thing.
    Tight(u8),
}

/// All words that have digits.
pub(super) fn with_digits(text: &[u8]) -> Vec<Word> {
    let mut words = Vec::new();
    let (mut start, mut digits) = (0, 0);
    let mut end = |end: usize, start: &mut usize, digits: &mut usize| {
        if *digits > 0 {
            words.push(Word { start: *start, end, digits: *digits });
        }
        (*start, *digits) = (end + 1, 0);
    };
    for (at, c) in text.iter().enumerate() {
        match c {
            b'0'..=b'9' => digits += 1,
            b'a'..=b'z' | b'A'..=b'Z' => {}
            _ => end(at, &mut start, &mut digits),
        }
    }
    end(text.len(), &mut start, &mut digits);
    words
}

/// How a word is joined to the one behind it.
pub(super) fn join(text: &[u8], left: &Word, right: &Word) -> Join {
    match &text[left.end..right.start] {
        [c @ (b'-' | b'.' | b'_')] => Join::Tight(*c),
        [c @ (b' ' | b'/')] => Join::Loose(*c),
        // (010)80000000.
        [b')'] | [b')', b' '] if text[..left.start].ends_with(b"(") => Join::Loose(b')'),
        // The dot in the middle.
        [0xc2, 0xb7] => Join::Loose(b'.'),
        _ => Join::None,
    }
}

/// Whether it is a part of something longer: a digit stands before it, behind one of the tight separators.
pub(super) fn goes_on_left(text: &[u8], start: usize) -> bool {
    matches!(&text[..start], [.., c, b'-' | b'.' | b'_'] if c.is_ascii_digit())
}

/// The same on its other side.
pub(super) fn goes_on_right(text: &[u8], end: usize) -> bool {
    matches!(&text[end..], [b'-' | b'.' | b'_', c, ..] if c.is_ascii_digit())
}
