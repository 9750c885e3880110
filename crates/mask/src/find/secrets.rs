//! Tokens and keys that say what they are.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::AhoCorasick;
use base64ct::{Base64UrlUnpadded, Encoding};
use memchr::memmem;

use crate::{
    Kind,
    hit::{Candidate, Evidence::Proven},
};

/// How the keys of some services begin, and how many characters come behind that at least.
const PREFIXES: &[(&str, usize)] = &[
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("AIza", 35),
    ("sk_live_", 16),
    ("sk-", 20),
    ("LTAI", 12),
    ("AKID", 32),
];

static SEARCH: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let first = ["eyJ", "-----BEGIN "];
    let patterns = first.into_iter().chain(PREFIXES.iter().map(|(prefix, _)| *prefix));
    AhoCorasick::new(patterns).expect("constant words")
});

pub(super) fn find(text: &str, found: &mut Vec<Candidate>) {
    let mut done = 0;
    for hit in SEARCH.find_iter(text) {
        if hit.start() < done {
            continue;
        }
        let before = text[..hit.start()].bytes().next_back();
        let bounded = before.is_none_or(|c| !c.is_ascii_alphanumeric());
        let secret = match hit.pattern().as_usize() {
            0 if bounded => token(text, hit.start()).map(|range| (Kind::Jwt, range)),
            1 => key(text, hit.start()).map(|range| (Kind::PrivateKey, range)),
            n if n >= 2 && bounded => {
                prefixed(text, hit.range(), PREFIXES[n - 2].1).map(|range| (Kind::ApiKey, range))
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

/// Three parts, or five, of which the first is JSON that names an algorithm.
fn token(text: &str, start: usize) -> Option<Range<usize>> {
    let all = text[start..].bytes().take_while(|c| is_url_safe(*c) || *c == b'.').count();
    let mut parts = text[start..start + all].splitn(6, '.');
    let head = parts.next()?;
    let rest: Vec<_> = parts.collect();
    let count = match rest.len() {
        4.. => 4,
        2 | 3 => 2,
        _ => return None,
    };
    let mut decoded = vec![0; head.len()];
    let decoded = Base64UrlUnpadded::decode(head, &mut decoded).ok()?;
    memmem::find(decoded, b"\"alg\"")?;
    let len = head.len() + rest[..count].iter().map(|part| 1 + part.len()).sum::<usize>();
    Some(start..start + len)
}

/// From its first line to its last, or to the end of the text.
fn key(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = &text[start..];
    let label = rest.strip_prefix("-----BEGIN ")?;
    let label = &label[..label.find("-----")?];
    if label.len() > 64 || !label.ends_with("PRIVATE KEY") {
        return None;
    }
    let end = format!("-----END {label}-----");
    Some(start..rest.find(&end).map_or(text.len(), |at| start + at + end.len()))
}

fn prefixed(text: &str, prefix: Range<usize>, least: usize) -> Option<Range<usize>> {
    let len = text[prefix.end..].bytes().take_while(|c| is_url_safe(*c)).count();
    (len >= least).then_some(prefix.start..prefix.end + len)
}
