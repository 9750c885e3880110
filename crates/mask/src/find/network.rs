//! Addresses of machines and mailboxes.

use std::{net::Ipv6Addr, ops::Range, sync::LazyLock};

use memchr::memchr_iter;
use regex::Regex;

use super::{
    Contents,
    words::{Join, Word, goes_on_left, goes_on_right, join},
};
use crate::{
    Kind,
    hit::{
        Candidate,
        Evidence::{self, Shaped, Strong, Weak},
    },
};

/// Most characters of an address, and of the part before its `@` (RFC 5321, 4.5.3.1).
const MOST: usize = 254;
const MOST_LOCAL: usize = 64;

/// What stands behind `@` in the names of pictures: `logo@2x.png`.
const FILES: &[&str] = &["png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ico", "pdf"];

pub(super) fn find(text: &str, has: Contents, words: &[Word], found: &mut Vec<Candidate>) {
    let mut add = |kind, range, evidence: Evidence| found.push(Candidate { kind, range, evidence });
    if has.ats {
        for at in memchr_iter(b'@', text.as_bytes()) {
            if let Some(range) = mailbox(text, at) {
                add(Kind::Email, range, Strong);
            }
        }
    }
    for (n, word) in words.iter().enumerate() {
        if let Some((range, evidence)) = ipv4(text.as_bytes(), word, &words[n + 1..]) {
            add(Kind::Ipv4, range, evidence);
        }
    }
    if has.colons {
        ipv6(text, &mut add);
    }
    if words.is_empty() || !(has.colons || has.dots_or_dashes) {
        return;
    }
    let enough = |joiner: u8, least: usize| {
        memchr_iter(joiner, text.as_bytes()).take(least).count() == least
    };
    if !(enough(b':', 5) || enough(b'-', 5) || enough(b'.', 2)) {
        return;
    }
    for hit in MAC.find_iter(text) {
        let bytes = hit.as_str().as_bytes();
        let sure = bytes[2] == b':' || bytes.iter().any(u8::is_ascii_alphabetic);
        if stands_alone(text.as_bytes(), &hit.range(), b":-.") && sure {
            add(Kind::Mac, hit.range(), Shaped);
        }
    }
}

static MAC: LazyLock<Regex> = LazyLock::new(|| {
    let pairs = |joiner| format!("[0-9A-Fa-f]{{2}}(?:{joiner}[0-9A-Fa-f]{{2}}){{5}}");
    let pattern = format!(
        r"{}|{}|[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}",
        pairs(":"),
        pairs("-")
    );
    Regex::new(&pattern).expect("a constant pattern")
});

/// Whether neither a letter, a digit nor one of `joiners` and one of those touches it.
fn stands_alone(text: &[u8], range: &Range<usize>, joiners: &[u8]) -> bool {
    let touches = |next: Option<&u8>, second: Option<&u8>| match (next, second) {
        (Some(next), _) if next.is_ascii_alphanumeric() => true,
        (Some(next), Some(second)) => joiners.contains(next) && second.is_ascii_alphanumeric(),
        _ => false,
    };
    let before = &text[..range.start];
    let mut left = before.iter().rev();
    let behind = &text[range.end..];
    !touches(left.next(), left.next()) && !touches(behind.first(), behind.get(1))
}

/// The address around an `@`.
fn mailbox(text: &str, at: usize) -> Option<Range<usize>> {
    let is_local = |c: &char| c.is_ascii_alphanumeric() || "!#$%&'+/=?^_`{|}~.-".contains(*c);
    let before = &text[..at];
    let ascii: usize = before.chars().rev().take_while(is_local).map(char::len_utf8).sum();
    // Either all of it is ASCII, or nothing: characters of other scripts end sentences before it.
    let local = match ascii {
        0 => before.chars().rev().take_while(|c| c.is_alphanumeric()).map(char::len_utf8).sum(),
        n => n,
    };
    let start = at - local + before[at - local..].len()
        - before[at - local..].trim_start_matches('.').len();
    let start = start + in_url(&text[start..at]);
    let local = &text[start..at];
    if local.is_empty() || local.ends_with('.') {
        return None;
    }
    let end = at + 1 + domain(&text[at + 1..])?;
    (end - start <= MOST).then_some(start..end)
}

/// What may stand before `=` and an address. Not any word: in the address of a mailing list that is who gets its mail, as in
/// `bounce-alice=example.com@lists.example`.
const LABELS: &[&str] =
    &["mail", "user", "username", "login", "account", "to", "from", "cc", "bcc"];

/// How much of what stands before an `@` is not the name of a mailbox: in a URL, or behind a label.
fn in_url(local: &str) -> usize {
    let count = |text: &str| text.chars().count();
    let label = |word: &str| LABELS.iter().any(|label| word.to_ascii_lowercase().ends_with(label));
    let mut cut = 0;
    if local.starts_with('/') || local.contains(['?', '&']) || count(local) > MOST_LOCAL {
        cut = local.rfind(['/', '?', '&', '=']).map_or(0, |at| at + 1);
    } else if let Some((word, _)) = local.split_once('=').filter(|(word, _)| label(word)) {
        cut = word.len() + 1;
    }
    let more = count(&local[cut..]).saturating_sub(MOST_LOCAL);
    cut + local[cut..].chars().take(more).map(char::len_utf8).sum::<usize>()
}

/// How long the domain is with which a text begins.
fn domain(text: &str) -> Option<usize> {
    let ascii = text.as_bytes().first()?.is_ascii();
    let belongs = |c: &char| match c {
        '.' | '-' => true,
        c if c.is_ascii() => c.is_ascii_alphanumeric(),
        // Where it began in another script, it goes on in it.
        c => !ascii && c.is_alphanumeric(),
    };
    let len: usize = text.chars().take_while(belongs).map(char::len_utf8).sum();
    let name = text[..len].trim_end_matches(['.', '-']);
    let (labels, last) = name.rsplit_once('.')?;
    let right = labels.split('.').all(|label| !label.is_empty() && label.chars().count() <= 63);
    let top = last.chars().count() >= 2 && last.chars().all(char::is_alphabetic)
        || last.starts_with("xn--");
    let file = FILES.iter().any(|file| last.eq_ignore_ascii_case(file));
    (right && top && !file).then_some(name.len())
}

/// Four numbers below 256 between dots, which are no version.
fn ipv4(text: &[u8], first: &Word, rest: &[Word]) -> Option<(Range<usize>, Evidence)> {
    let three = rest.first_chunk::<3>()?;
    let octets = [first, &three[0], &three[1], &three[2]];
    let dotted = octets.windows(2).all(|pair| join(text, pair[0], pair[1]) == Join::Tight(b'.'));
    let number = |word: &&Word| {
        let digits = &text[word.range()];
        word.digits == digits.len()
            && digits.len() <= 3
            && (digits.len() == 1 || digits[0] != b'0')
            && digits.iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0')) < 256
    };
    let range = first.start..three[2].end;
    if !dotted
        || !octets.iter().all(number)
        || goes_on_left(text, range.start)
        || goes_on_right(text, range.end)
    {
        return None;
    }
    // 1.2.3.4-beta, product/1.2.3.4.
    let suffix =
        matches!(&text[range.end..], [b'-' | b'+' | b'_', c, ..] if c.is_ascii_alphabetic());
    let product = matches!(&text[..range.start], [.., c, b'/'] if c.is_ascii_alphanumeric());
    (!suffix).then_some((range, if product { Weak } else { Shaped }))
}

/// What is made of hexadecimal digits and colons, and is an address.
fn ipv6(text: &str, add: &mut impl FnMut(Kind, Range<usize>, Evidence)) {
    let bytes = text.as_bytes();
    let belongs = |c: &u8| c.is_ascii_hexdigit() || matches!(c, b':' | b'.');
    let mut done = 0;
    for colon in memchr_iter(b':', bytes) {
        if colon < done {
            continue;
        }
        let left = bytes[done..colon].iter().rev().take_while(|c| belongs(c)).count();
        let right = bytes[colon..].iter().take_while(|c| belongs(c)).count();
        let (start, end) = (colon - left, colon + right);
        done = end;
        // `ip:2001:db8::1` has a label before it.
        let label = usize::from(bytes[start] == b':' && bytes.get(start + 1) != Some(&b':'));
        let start = start + label;
        // A sentence may end behind it.
        let own = text[start..end].trim_end_matches('.');
        let own = if own.ends_with("::") { own } else { own.trim_end_matches(':') };
        let range = start..start + own.len();
        let colons = own.bytes().filter(|c| *c == b':').count();
        let digits = own.bytes().any(|c| c.is_ascii_digit());
        if colons < 2
            || !digits
            || !stands_alone(bytes, &range, b"")
            || own.parse::<Ipv6Addr>().is_err()
        {
            continue;
        }
        let zone = bytes[range.end..]
            .strip_prefix(b"%")
            .map_or(0, |zone| 1 + zone.iter().take_while(|c| c.is_ascii_alphanumeric()).count());
        add(Kind::Ipv6, range.start..range.end + zone, if own.len() > 4 { Shaped } else { Weak });
    }
}
