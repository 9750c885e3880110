//! What only its label tells: passwords, dates of birth, names at messengers.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::{
    context::Around,
    signs::{Mark, Sign},
};
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

/// What stands between a label and its value.
static SEPARATOR: LazyLock<Regex> = LazyLock::new(|| pattern(r#"^["']?\s{0,8}[:=：]\s{0,8}"#));

/// Up to the end of the line.
static HEADER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"^["']?\s{0,8}[:=]\s{0,8}(?:"((?:[^"\\\r\n]|\\.)+)"?|([^"\s][^\r\n]*))"#)
});

/// With or without its label.
const BIRTH_VALUE: &str = r"([0-9]{4}\s?[-/.年]?\s?[0-9]{1,2}\s?[-/.月]?\s?[0-9]{1,2}日?)";
const WECHAT_VALUE: &str = "([A-Za-z][A-Za-z0-9_-]{5,19})";
const QQ_VALUE: &str = "([1-9][0-9]{4,10})";

static BIRTH: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"^\D{{0,6}}{BIRTH_VALUE}")));

static WECHAT: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"^(?:号|\s?id)?\s{{0,8}}[:=：]?\s{{0,8}}{WECHAT_VALUE}")));

static QQ: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"^(?:号码?)?\s{{0,8}}[:=：]?\s{{0,8}}{QQ_VALUE}")));

static CREDENTIALS: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[^/\s:@]{0,128}:([^/\s]+)@"));

static ONLY_BIRTH: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("^{BIRTH_VALUE}")));
static ONLY_WECHAT: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("^{WECHAT_VALUE}")));
static ONLY_QQ: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("^{QQ_VALUE}")));

static MRZ: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"P[A-Z<][A-Z]{3}[A-Z<]{39}|[A-Z0-9<]{10}[A-Z<]{3}[0-9]{7}[MFX<][0-9]{7}[A-Z0-9<]{16}")
});

pub(super) fn find(text: &str, marks: &[Mark], found: &mut Vec<Candidate>) {
    let mut add = |kind, range, evidence| found.push(Candidate { kind, range, evidence });
    // Of labels within a value nothing is looked for: it is a value already.
    let mut done = 0;
    let mut zone = false;
    for mark in marks {
        let behind = |pattern: &Regex| -> Option<Range<usize>> {
            let hit = pattern.captures(&text[mark.end..])?;
            let value = hit.iter().skip(1).flatten().next()?;
            Some(mark.end + value.start()..mark.end + value.end())
        };
        let (kind, pattern) = match mark.sign {
            Sign::Password => {
                let range = (mark.start >= done).then(|| password(text, mark.end)).flatten();
                if let Some(range) = range.filter(|range| !is_masked(&text[range.clone()])) {
                    done = range.end;
                    add(Kind::Password, range, Proven);
                }
                continue;
            }
            Sign::Header => (Kind::Password, &HEADER),
            Sign::Url => (Kind::Password, &CREDENTIALS),
            Sign::Birth => (Kind::BirthDate, &BIRTH),
            Sign::WeChat => (Kind::WeChat, &WECHAT),
            Sign::Qq => (Kind::Qq, &QQ),
            Sign::Filler => {
                zone = true;
                continue;
            }
            _ => continue,
        };
        let Some(range) = (mark.start >= done).then(|| behind(pattern)).flatten() else { continue };
        let value = &text[range.clone()];
        match kind {
            Kind::Password if !is_masked(value) => {
                done = range.end;
                add(kind, range, Proven);
            }
            Kind::BirthDate if is_date(value) => add(kind, range, Strong),
            Kind::WeChat | Kind::Qq => {
                let next = text.as_bytes().get(range.end);
                if next.is_none_or(|c| !c.is_ascii_alphanumeric()) {
                    add(kind, range, Shaped);
                }
            }
            _ => {}
        }
    }
    if zone {
        for hit in MRZ.find_iter(text) {
            let line = hit.as_str().as_bytes();
            let names = line[0] == b'P' && line[2..5].iter().all(u8::is_ascii_uppercase);
            if names || neighbours::is_mrz_line(line) {
                add(Kind::Mrz, hit.range(), Strong);
            }
        }
    }
}

/// The value behind a label: to the end of the word, or of the quotes if it has some.
fn password(text: &str, label: usize) -> Option<Range<usize>> {
    let start = label + SEPARATOR.find(&text[label..])?.end();
    let rest = &text[start..];
    let (start, len) = match rest.as_bytes().first()? {
        quote @ (b'"' | b'\'') => {
            let mut escaped = false;
            let mut ends = |c: u8| {
                let own = !std::mem::take(&mut escaped);
                escaped = own && c == b'\\';
                own && c == *quote
            };
            (start + 1, rest.bytes().skip(1).position(&mut ends).unwrap_or(rest.len() - 1))
        }
        _ => {
            let ends = |c: char| c.is_whitespace() || "\"'&,;，；。".contains(c);
            (start, rest.find(ends).unwrap_or(rest.len()))
        }
    };
    (len > 0).then_some(start..start + len)
}

/// Year, month and day, of somebody who may live.
fn is_date(text: &str) -> bool {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let parts: [&str; 3] = match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(year), Some(month), Some(day)) => [year, month, day],
        (Some(all), None, _) if all.len() == 8 => [&all[..4], &all[4..6], &all[6..]],
        _ => return false,
    };
    let [year, month, day] = parts.map(|part| date::number(part.as_bytes()));
    date::exists(year, month, day, 1900..=date::this_year())
}

/// The whole of a value whose name is a label.
pub(super) fn find_under(text: &str, around: &Around<'_>, found: &mut Vec<Candidate>) {
    let mut add = |kind, range, evidence| found.push(Candidate { kind, range, evidence });
    let secret = around.name_is(Sign::Password) || around.name_is(Sign::Header);
    if secret && !text.is_empty() && !is_masked(text) {
        add(Kind::Password, 0..text.len(), Proven);
    }
    let own = text.trim();
    let start = text.len() - text.trim_start().len();
    let is = |pattern: &Regex| pattern.find(own).is_some_and(|hit| hit.len() == own.len());
    let range = start..start + own.len();
    if around.name_is(Sign::Birth) && is(&ONLY_BIRTH) && is_date(own) {
        add(Kind::BirthDate, range.clone(), Strong);
    }
    if around.name_is(Sign::WeChat) && is(&ONLY_WECHAT) {
        add(Kind::WeChat, range.clone(), Shaped);
    }
    if around.name_is(Sign::Qq) && is(&ONLY_QQ) {
        add(Kind::Qq, range, Shaped);
    }
}

/// Whether it is what a mask has left, and nothing else. Not for tokens: other services' keys begin so, too.
fn is_masked(value: &str) -> bool {
    let of_kind = |value: &str| {
        let name = value.strip_prefix("[REDACTED:")?.strip_suffix(']')?;
        Kind::from_name(name)
    };
    of_kind(value).is_some() || value.chars().all(|c| c == '*')
}
