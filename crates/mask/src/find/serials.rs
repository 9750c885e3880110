//! Serial numbers of letters and digits.

use super::words::{Join, Word, join};
use crate::{
    Kind,
    check::{iban, neighbours, uscc, vin},
    hit::{
        Candidate,
        Evidence::{self, Proven, Shaped, Strong, Weak},
    },
};

pub(super) fn find(text: &[u8], words: &[Word], found: &mut Vec<Candidate>) {
    for (i, word) in words.iter().enumerate() {
        let own = &text[word.range()];
        let mut add = |kind: Kind, end: usize, evidence: Evidence| {
            found.push(Candidate { kind, range: word.start..end, evidence });
        };
        let upper = own.to_ascii_uppercase();
        match own.len() {
            18 if uscc::is_valid(&upper) => add(Kind::Uscc, word.end, Proven),
            17 if vin::is_valid(&upper) && word.digits < 17 => add(Kind::Vin, word.end, Shaped),
            17 if vin::is_shaped(&upper) => add(Kind::Vin, word.end, Weak),
            10 if neighbours::is_twid(own) => add(Kind::TwId, word.end, Shaped),
            15 if is_old_permit(own) => add(Kind::TravelPermit, word.end, Weak),
            _ => {}
        }
        if let Some(kind) = document(own) {
            add(kind, word.end, Weak);
        }
        if let Some((end, evidence)) = hkid(text, word) {
            add(Kind::HkId, end, evidence);
        }
        if let Some(end) = account(text, &words[i..]) {
            add(Kind::Iban, end, Strong);
        }
    }
}

/// The foreigners' permit of before 2023: three letters and twelve digits.
fn is_old_permit(word: &[u8]) -> bool {
    word[..3].iter().all(u8::is_ascii_uppercase) && word[3..].iter().all(u8::is_ascii_digit)
}

/// Passports and permits: letters, and as many digits as they have.
fn document(word: &[u8]) -> Option<Kind> {
    let letters = word.iter().take_while(|c| c.is_ascii_uppercase()).count();
    if letters == 0 || !word[letters..].iter().all(u8::is_ascii_digit) {
        return None;
    }
    match (&word[..letters], word.len() - letters) {
        ([b'E' | b'G' | b'K' | b'S' | b'P' | b'D'], 8) | ([b'S' | b'P' | b'D'], 7) => {
            Some(Kind::Passport)
        }
        ([b'E', second], 7) if !b"IO".contains(second) => Some(Kind::Passport),
        (b"SE" | b"PE" | b"DE" | b"HJ" | b"KJ" | b"MA" | b"MB", 7) => Some(Kind::Passport),
        ([b'H' | b'M'], 8 | 10) | ([b'C' | b'W' | b'L' | b'T'], 8) => Some(Kind::TravelPermit),
        ([b'C', second], 7) if !b"IO".contains(second) => Some(Kind::TravelPermit),
        _ => None,
    }
}

/// With the check in brackets, or at the end.
fn hkid(text: &[u8], word: &Word) -> Option<(usize, Evidence)> {
    let own = &text[word.range()];
    match &text[word.end..] {
        [b'(', check, b')', ..] if (7..=8).contains(&own.len()) => {
            let whole = [own, &[*check]].concat();
            neighbours::is_hkid(&whole).then_some((word.end + 3, Strong))
        }
        _ => neighbours::is_hkid(own).then_some((word.end, Weak)),
    }
}

/// Where an account number ends that begins with the first of these words, in groups or in one.
fn account(text: &[u8], words: &[Word]) -> Option<usize> {
    let first = &text[words[0].range()];
    let length = iban::length(first)?;
    if first.len() < 4 {
        return None;
    }
    let mut whole = first.to_vec();
    let mut last = &words[0];
    // Groups of letters only are no words here; no country has them behind the first.
    let mut rest = words[1..].iter();
    while whole.len() < length {
        let next = rest.next()?;
        let space = matches!(join(text, last, next), Join::Loose(b' ') | Join::Tight(b'-'));
        let letters = &text[last.end..next.start];
        match letters {
            [b' ' | b'-', group @ .., b' ' | b'-'] if group.iter().all(u8::is_ascii_uppercase) => {
                whole.extend_from_slice(group);
            }
            _ if space => {}
            _ => return None,
        }
        whole.extend_from_slice(&text[next.range()]);
        last = next;
    }
    iban::is_valid(&whole).then_some(last.end)
}
