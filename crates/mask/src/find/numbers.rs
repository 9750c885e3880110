//! Numbers: digits, with separators between groups of them.

use super::{
    context::Around,
    words::{Join, Word, goes_on_left, goes_on_right, join},
};
use crate::{
    Kind,
    check::{card, neighbours, resident},
    hit::{
        Candidate,
        Evidence::{self, Proven, Shaped, Strong, Weak},
    },
};

/// Most digits that are looked at together: 0086, and a mobile number; a card; a landline with its extension.
const MOST: usize = 22;

/// In how many groups, if it is not spelled out digit by digit.
const GROUPS: usize = 6;

/// Groups of digits that stand together.
struct Number<'t> {
    text: &'t [u8],
    words: &'t [Word],
    /// All of its digits, and a last X.
    digits: &'t [u8],
    /// How many of them each group has.
    groups: &'t [usize],
}

pub(super) fn find(text: &str, words: &[Word], around: &Around<'_>, found: &mut Vec<Candidate>) {
    let text = text.as_bytes();
    let announced = [Kind::Password, Kind::TravelPermit].map(|kind| around.ever_announces(kind));
    let uuids = uuids(text, words);
    let mut spelled_to = 0;
    for (i, word) in words.iter().enumerate() {
        if i >= spelled_to {
            spelled_to = i + spelled(text, &words[i..], found);
        }
        let uuid = uuids.partition_point(|range| range.end <= word.start);
        let within_uuid = uuids.get(uuid).is_some_and(|range| range.contains(&word.start));
        if !word.is_number(text) || within_uuid || goes_on_left(text, word.start) {
            continue;
        }
        if announced != [false; 2] {
            short(text, word, announced, found);
        }
        if spelled_to - i >= GROUPS {
            continue;
        }
        let (mut digits, mut groups, mut len) = ([0_u8; MOST], [0; GROUPS], 0);
        for (n, last) in words[i..].iter().take(GROUPS).enumerate() {
            let joined = n == 0 || join(text, &words[i + n - 1], last) != Join::None;
            let ended = len > 0 && !digits[len - 1].is_ascii_digit();
            if !joined || ended || len + last.len() > MOST || !last.is_number(text) {
                break;
            }
            digits[len..len + last.len()].copy_from_slice(&text[last.range()]);
            len += last.len();
            groups[n] = last.len();
            if len >= 7 && !goes_on_right(text, last.end) {
                let (digits, groups) = (&digits[..len], &groups[..=n]);
                Number { text, words: &words[i..=i + n], digits, groups }.look(found);
            }
        }
    }
}

/// Numbers that are spelled out, `1 3 8 0 0 …`, in the digits with which the words begin; how many digits these are.
fn spelled(text: &[u8], words: &[Word], found: &mut Vec<Candidate>) -> usize {
    let single = |word: &Word| word.len() == 1;
    let joined = |pair: &&[Word]| single(&pair[1]) && join(text, &pair[0], &pair[1]) != Join::None;
    if !words.first().is_some_and(single) {
        return 0;
    }
    let count = 1 + words.windows(2).take_while(joined).count();
    if count < 11 {
        return count;
    }
    let words = &words[..count];
    let all: Vec<u8> = words.iter().map(|word| text[word.start]).collect();
    for first in 0..count {
        if goes_on_left(text, words[first].start) {
            continue;
        }
        // Numbers of residents, and of mobiles behind the code of the country: nothing else is spelled out.
        for len in [11, 13, 15, 18] {
            let Some(words) = words.get(first..first + len) else { break };
            let mobile = matches!(all[first + len - 11..], [b'1', b'3'..=b'9', ..]);
            let resident = matches!(len, 15 | 18);
            if (mobile || resident) && !goes_on_right(text, words[len - 1].end) {
                let (digits, groups) = (&all[first..first + len], &[1; 18][..len]);
                Number { text, words, digits, groups }.look(found);
            }
        }
    }
    count
}

/// Numbers so short that they are something only where that is said.
fn short(text: &[u8], word: &Word, [password, permit]: [bool; 2], found: &mut Vec<Candidate>) {
    let bounded = word.digits == word.len() && !goes_on_right(text, word.end);
    let mut add = |kind| found.push(Candidate { kind, range: word.range(), evidence: Weak });
    if bounded && permit && word.len() == 8 {
        add(Kind::TravelPermit);
    }
    if bounded && password && (4..=8).contains(&word.len()) {
        add(Kind::Password);
    }
}

/// 8-4-4-4-12 hexadecimal digits: no number within is one.
fn uuids(text: &[u8], words: &[Word]) -> Vec<std::ops::Range<usize>> {
    let dashes = [8, 13, 18, 23];
    let is_uuid = |part: &[u8]| {
        let digits = |(i, c): (usize, &u8)| dashes.contains(&i) || c.is_ascii_hexdigit();
        dashes.iter().all(|dash| part[*dash] == b'-') && part.iter().enumerate().all(digits)
    };
    let mut found: Vec<std::ops::Range<usize>> = Vec::new();
    for word in words {
        // Groups without digits are no words here: it may have begun with up to all but one of its own.
        for before in [0, 9, 14, 19, 24] {
            let Some(start) = word.start.checked_sub(before) else { continue };
            if found.last().is_some_and(|last| start < last.end) {
                continue;
            }
            if text.get(start..start + 36).is_some_and(is_uuid) {
                found.push(start..start + 36);
            }
        }
    }
    found
}

impl Number<'_> {
    fn look(&self, found: &mut Vec<Candidate>) {
        let digits = self.digits;
        match digits.len() {
            7 | 9 => self.others(found),
            15 | 18 => self.resident(found),
            _ => {}
        }
        if (11..=15).contains(&digits.len()) && digits[digits.len() - 11] == b'1' {
            self.mobile(found);
        }
        if (12..=19).contains(&digits.len()) {
            self.card(found);
        }
        if digits[0] == b'0' {
            self.landline(found);
        }
    }

    fn add(&self, found: &mut Vec<Candidate>, kind: Kind, evidence: Evidence) {
        let range = self.words[0].start..self.words[self.words.len() - 1].end;
        found.push(Candidate { kind, range, evidence });
    }

    /// Whether all groups are joined in the same way.
    fn is_uniform(&self) -> bool {
        let mut joins = self.words.windows(2).map(|pair| join(self.text, &pair[0], &pair[1]));
        let first = joins.next();
        joins.all(|join| Some(join) == first)
    }

    fn resident(&self, found: &mut Vec<Candidate>) {
        if resident::is_valid_18(self.digits) {
            self.add(found, Kind::CnId, Proven);
        } else if resident::is_valid_15(self.digits) {
            self.add(found, Kind::CnId15, Weak);
        }
    }

    /// Eleven digits, behind the code of the country or not.
    fn mobile(&self, found: &mut Vec<Candidate>) {
        let digits = self.digits;
        let (prefix, number) = digits.split_at(digits.len() - 11);
        let [b'1', b'3'..=b'9', .., b'0'..=b'9'] = number else { return };
        let before = &self.text[..self.words[0].start];
        let abroad = match prefix {
            b"86" | b"0086" => true,
            b"" => {
                before.ends_with(b"+86") || before.ends_with(b"+86 ") || before.ends_with(b"(86)")
            }
            b"0" => false,
            _ => return,
        };
        let groups = self.groups;
        let own = match prefix {
            b"" => groups,
            // Whole groups of their own, or together with the first.
            _ if groups[0] == prefix.len() => &groups[1..],
            _ if groups.len() == 1 => &[11],
            _ => return,
        };
        let grouped = matches!(own, [3, 4, 4] | [3, 3, 5]) && self.is_uniform();
        let many = own.len() > 4 && !own.iter().all(|len| *len == 1);
        let evidence = match (is_assigned(number), grouped, abroad) {
            _ if many => return,
            (true, true, true) => Strong,
            (true, true, _) | (true, _, true) => Shaped,
            _ if own.len() > 4 => return,
            _ => Weak,
        };
        let mut start = self.words[0].start;
        if groups[0] == prefix.len() {
            start = self.words[1].start;
        } else if !prefix.is_empty() {
            start += prefix.len();
        }
        let end = self.words[self.words.len() - 1].end;
        found.push(Candidate { kind: Kind::Mobile, range: start..end, evidence });
    }

    fn card(&self, found: &mut Vec<Candidate>) {
        let (digits, groups) = (self.digits, self.groups);
        if groups.len() > GROUPS || !digits.iter().all(u8::is_ascii_digit) {
            return;
        }
        let Some(issuer) = card::issuer(digits) else { return };
        let grouped = match groups {
            [4, 6, 4 | 5] | [6, 10..=13] => true,
            [first @ .., last] => {
                first.len() > 1 && first.iter().all(|len| *len == 4) && *last <= 4
            }
            [] => false,
        };
        if groups.len() > 1 && !(grouped && self.is_uniform()) {
            return;
        }
        let right = card::luhn(digits);
        match issuer {
            card::Issuer::Network if right && (digits.len() >= 16 || grouped) => {
                self.add(found, Kind::Card, Strong);
            }
            card::Issuer::Network if right => self.add(found, Kind::Card, Weak),
            card::Issuer::Legacy => self.add(found, Kind::Card, Weak),
            card::Issuer::Network => {}
        }
    }

    /// An area and seven or eight digits, and an extension behind them.
    fn landline(&self, found: &mut Vec<Candidate>) {
        let digits = self.digits;
        let area = match digits[..] {
            [b'0', b'1', b'0', ..] | [b'0', b'2', ..] => 3,
            [b'0', b'3'..=b'9', ..] => 4,
            _ => return,
        };
        let groups = self.groups;
        let (own, extension) = match groups {
            [first, 3 | 4, 4, rest @ ..] if *first == area => (groups[1] + 4, rest),
            [first, own @ (7 | 8), rest @ ..] if *first == area => (*own, rest),
            [all] if (7..=8).contains(&all.saturating_sub(area)) => (all - area, &[][..]),
            _ => return,
        };
        let plausible = digits.get(area).is_some_and(|digit| !b"019".contains(digit));
        if !plausible
            || own < 7
            || !matches!(extension, [] | [1..=6])
            || !digits.iter().all(u8::is_ascii_digit)
        {
            return;
        }
        let evidence = if groups.len() > 1 { Shaped } else { Weak };
        self.add(found, Kind::Landline, evidence);
    }

    /// What has a length, and little else.
    fn others(&self, found: &mut Vec<Candidate>) {
        let groups = self.groups;
        if *groups == [3, 2, 4] && self.is_uniform() && neighbours::is_ssn(self.digits) {
            let dashes = join(self.text, &self.words[0], &self.words[1]) == Join::Tight(b'-');
            self.add(found, Kind::Ssn, if dashes { Shaped } else { Weak });
        }
        let [word] = self.words else { return };
        match (word.len(), word.digits) {
            (9, 9) if neighbours::is_ssn(self.digits) => self.add(found, Kind::Ssn, Weak),
            (7, 7) if b"157".contains(&self.digits[0]) => {
                let [b'(', check, b')', ..] = &self.text[word.end..] else { return };
                if check.is_ascii_digit() {
                    let range = word.start..word.end + 3;
                    found.push(Candidate { kind: Kind::MacauId, range, evidence: Weak });
                }
            }
            _ => {}
        }
    }
}

/// Whether numbers that begin so are given out to people, as the public numbering plans say.
fn is_assigned(number: &[u8]) -> bool {
    match number[1] {
        b'3' | b'8' => true,
        b'4' => b"57".contains(&number[2]),
        b'5' => number[2] != b'4',
        b'6' => b"2567".contains(&number[2]),
        b'7' => match number[2] {
            b'4' => number[3] == b'0' && number[4] <= b'5',
            third => b"01235678".contains(&third),
        },
        b'9' => number[2] != b'4',
        _ => false,
    }
}
