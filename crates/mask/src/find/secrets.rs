//! Tokens and keys that say what they are.

use std::ops::Range;

use base64ct::{Base64UrlUnpadded, Encoding};
use memchr::memmem;

use super::signs::{Mark, PREFIXES, Sign};
use crate::{
    Kind,
    hit::{Candidate, Evidence::Proven},
};

pub(super) fn find(text: &str, marks: &[Mark], found: &mut Vec<Candidate>) {
    let mut done = 0;
    for mark in marks {
        if mark.start < done {
            continue;
        }
        let before = text[..mark.start].bytes().next_back();
        let bounded = before.is_none_or(|c| !is_url_safe(c));
        let secret = match mark.sign {
            Sign::Key => key(text, mark.start).map(|range| (Kind::PrivateKey, range)),
            Sign::Token if bounded => token(text, mark.start).map(|range| (Kind::Jwt, range)),
            Sign::Prefix(n) if bounded => {
                prefixed(text, mark.range(), PREFIXES[n].1).map(|range| (Kind::ApiKey, range))
            }
            _ => None,
        };
        if let Some((kind, range)) = secret {
            done = range.end;
            found.push(Candidate { kind, range, evidence: Proven });
        }
    }
}

fn is_url_safe(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_')
}

/// Shortest first part: `{"alg":1}`.
const SHORTEST: usize = 12;

/// Three parts, or five, of which the first is JSON that names an algorithm.
fn token(text: &str, start: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let part = |from: usize| from + bytes[from..].iter().take_while(|c| is_url_safe(**c)).count();
    // Where each part ends; no more than five are looked for.
    let mut ends = [part(start); 5];
    let mut count = 1;
    while count < 5 && bytes.get(ends[count - 1]) == Some(&b'.') {
        ends[count] = part(ends[count - 1] + 1);
        count += 1;
    }
    let end = match count {
        5 => ends[4],
        3 | 4 => ends[2],
        _ => return None,
    };
    let head = &text[start..ends[0]];
    if head.len() < SHORTEST {
        return None;
    }
    let mut decoded = vec![0; head.len()];
    let decoded = Base64UrlUnpadded::decode(head, &mut decoded).ok()?;
    memmem::find(decoded, b"\"alg\"")?;
    Some(start..end)
}

/// From its first line to its last, or to the end of the text.
fn key(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = &text[start..];
    let label = rest.strip_prefix("-----BEGIN ")?;
    let label = &label.get(..64).unwrap_or(label);
    let label = &label[..label.find("-----")?];
    if !label.ends_with("PRIVATE KEY") {
        return None;
    }
    let end = format!("-----END {label}-----");
    Some(start..rest.find(&end).map_or(text.len(), |at| start + at + end.len()))
}

fn prefixed(text: &str, prefix: Range<usize>, least: usize) -> Option<Range<usize>> {
    let len = text[prefix.end..].bytes().take_while(|c| is_url_safe(*c)).count();
    (len >= least).then_some(prefix.start..prefix.end + len)
}
