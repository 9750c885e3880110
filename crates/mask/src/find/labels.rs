//! What only its label tells: passwords, dates of birth, names at messengers.

use std::sync::LazyLock;

use memchr::memmem;
use regex::Regex;

use crate::{
    Kind,
    check::{date, neighbours},
    hit::{
        Candidate,
        Evidence::{Proven, Shaped, Strong},
    },
};

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

/// The value is the first group.
static PASSWORD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)(?:\b(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)|密码|口令)["']?\s*[:=：]\s*["']?([^\s"'&,;，；。]{1,256})"#,
    )
});

/// Headers, up to the end of their line.
static HEADER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:proxy-)?(?:authorization|(?:set-)?cookie|x-api-key)\s*[:=]\s*([^\r\n]{1,4096})",
    )
});

static BIRTH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:出生(?:日期|年月)?|生日|\b(?:dob|birth(?:day|[ _-]?date)?|date of birth))\D{0,6}(\d{4})\s?[-/.年]?\s?(\d{1,2})\s?[-/.月]?\s?(\d{1,2})日?",
    )
});

static WECHAT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)(?:微信|\bwechat)(?:号|\s?id)?\s*[:=：]?\s*([A-Za-z][A-Za-z0-9_-]{5,19})")
});

static QQ: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\bqq(?:号|号码)?\s*[:=：]?\s*([1-9][0-9]{4,10})"));

static CREDENTIALS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"://[^/\s:@]{1,128}:([^/\s@]{1,256})@"));

static MRZ: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"P[A-Z<][A-Z]{3}[A-Z<]{39}|[A-Z0-9<]{10}[A-Z<]{3}[0-9]{7}[MFX<][0-9]{7}[A-Z0-9<]{16}")
});

pub(super) fn find(text: &str, found: &mut Vec<Candidate>) {
    let mut add = |kind, range, evidence| found.push(Candidate { kind, range, evidence });
    let bytes = text.as_bytes();
    // Without a separator there is no label.
    let labelled = memchr::memchr3(b':', b'=', 0xef, bytes).is_some();
    if labelled {
        for (pattern, kind) in
            [(&PASSWORD, Kind::Password), (&HEADER, Kind::Password), (&CREDENTIALS, Kind::Password)]
        {
            for value in pattern.captures_iter(text).filter_map(|hit| hit.get(1)) {
                if !is_masked(value.as_str()) {
                    add(kind, value.range(), Proven);
                }
            }
        }
    }
    for hit in BIRTH.captures_iter(text) {
        let number =
            |n: usize| hit.get(n).map_or(0, |group| date::number(group.as_str().as_bytes()));
        if date::exists(number(1), number(2), number(3), 1900..=date::this_year())
            && let (Some(first), Some(whole)) = (hit.get(1), hit.get(0))
        {
            add(Kind::BirthDate, first.start()..whole.end(), Strong);
        }
    }
    for (pattern, kind) in [(&WECHAT, Kind::WeChat), (&QQ, Kind::Qq)] {
        for value in pattern.captures_iter(text).filter_map(|hit| hit.get(1)) {
            let next = bytes.get(value.end());
            if next.is_none_or(|c| !c.is_ascii_alphanumeric()) {
                add(kind, value.range(), Shaped);
            }
        }
    }
    if memmem::find(bytes, b"<<").is_some() {
        for hit in MRZ.find_iter(text) {
            let line = hit.as_str().as_bytes();
            if line[0] == b'P' && line[2..5].iter().all(u8::is_ascii_uppercase)
                || neighbours::is_mrz_line(line)
            {
                add(Kind::Mrz, hit.range(), Strong);
            }
        }
    }
}

/// Whether it is what a mask has left.
fn is_masked(value: &str) -> bool {
    value.starts_with("[REDACTED") || value.chars().all(|c| c == '*')
}
