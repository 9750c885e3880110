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
        match own.len() {
            18 if uscc::is_valid(&own.to_ascii_uppercase()) => add(Kind::Uscc, word.end, Proven),
            17 => {
                let own = own.to_ascii_uppercase();
                if vin::is_valid(&own) && word.digits < 17 {
                    add(Kind::Vin, word.end, Shaped);
                } else if vin::is_shaped(&own) {
                    add(Kind::Vin, word.end, Weak);
                }
            }
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
    let [b'A'..=b'Z', b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9', ..] = first else { return None };
    let length = iban::length(first)?;
    let mut whole = [0; iban::LONGEST];
    let mut len = 0;
    let mut add = |group: &[u8]| {
        whole.get_mut(len..len + group.len())?.copy_from_slice(group);
        len += group.len();
        Some(len)
    };
    let mut so_far = add(first)?;
    let mut last = &words[0];
    // Groups of letters only are no words here; no country has them behind the first.
    let mut rest = words[1..].iter();
    while so_far < length {
        let next = rest.next()?;
        let space = matches!(join(text, last, next), Join::Loose(b' ') | Join::Tight(b'-'));
        let letters = &text[last.end..next.start];
        match letters {
            [b' ' | b'-', group @ .., b' ' | b'-'] if group.iter().all(u8::is_ascii_uppercase) => {
                add(group)?;
            }
            _ if space => {}
            _ => return None,
        }
        so_far = add(&text[next.range()])?;
        last = next;
    }
    iban::is_valid(&whole[..so_far]).then_some(last.end)
}
