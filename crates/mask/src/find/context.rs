//! The words around a number, which say what it is.

use std::ops::Range;

use super::signs::{Mark, Sign, marks};
use crate::Kind;

/// How many characters before and behind a candidate are looked at.
const BEFORE: usize = 20;
const BEHIND: usize = 10;

/// How many bytes of a name are.
const MOST_OF_NAME: usize = 256;

/// What surrounds the candidates of a text.
pub(super) struct Around<'t> {
    text: &'t str,
    marks: &'t [Mark],
    name: &'t [Mark],
}

/// What the name of a value says about it.
#[derive(Debug, Default)]
pub(crate) struct Label {
    text: String,
    marks: Vec<Mark>,
}

impl Label {
    pub(crate) fn new(name: &str) -> Self {
        let text = split(end_of_name(name));
        Self { marks: marks(&text), text }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// What is looked at before and behind a part of a text.
pub(super) fn window<'t>(text: &'t str, range: &Range<usize>) -> (&'t str, &'t str) {
    let (before, behind) = (&text[..range.start], &text[range.end..]);
    let from = before.char_indices().rev().nth(BEFORE - 1).map_or(0, |(from, _)| from);
    let to = behind.char_indices().nth(BEHIND).map_or(behind.len(), |(to, _)| to);
    (&before[from..], &behind[..to])
}

impl<'t> Around<'t> {
    pub(super) fn new(label: &'t Label, text: &'t str, marks: &'t [Mark]) -> Self {
        Self { text, marks, name: &label.marks }
    }

    /// What kind of label the name is.
    pub(super) fn name_is(&self, sign: Sign) -> bool {
        self.name.iter().any(|mark| mark.sign == sign)
    }

    /// Whether anything announces this kind, wherever.
    pub(super) fn ever_announces(&self, kind: Kind) -> bool {
        self.marks.iter().chain(self.name).any(|mark| mark.announces(kind))
    }

    /// Whether the name does.
    pub(super) fn name_announces(&self, kind: Kind) -> bool {
        self.name.iter().any(|mark| mark.announces(kind))
    }

    /// Whether this kind is announced, `Some(false)` if something else is.
    pub(super) fn announces(&self, kind: Kind, range: &Range<usize>) -> Option<bool> {
        let first_behind = self.marks.partition_point(|mark| mark.start < range.end);
        let before = &self.marks[..first_behind];
        let near = (!before.is_empty()).then(|| self.judge(before, kind, range.start)).flatten();
        let announced = near
            .or_else(|| {
                self.is_behind(&self.marks[first_behind..], kind, range.end).then_some(true)
            })
            .or_else(|| self.judge_name(kind));
        // What is no number is none of something else's either.
        announced.filter(|announced| *announced || is_number(kind))
    }
    /// The nearest word that says something about the kind decides: another kind's does not. One that stands right
    /// before a word like "number" goes with it.
    fn judge(&self, before: &[Mark], kind: Kind, at: usize) -> Option<bool> {
        let from = self.text[..at].char_indices().rev().nth(BEFORE - 1).map_or(0, |(from, _)| from);
        let near = || {
            before.iter().rev().take_while(|mark| mark.start >= from).filter(|mark| mark.end <= at)
        };
        let own = near().find(|mark| mark.announces(kind));
        let other = near().find(|mark| mark.sign == Sign::Other);
        match (own, other) {
            (None, None) => None,
            (None, Some(_)) => Some(false),
            (Some(own), Some(other)) if own.end <= other.start => {
                Some(self.text[own.end..other.start].chars().all(char::is_alphanumeric))
            }
            (Some(_), _) => Some(true),
        }
    }

    fn is_behind(&self, behind: &[Mark], kind: Kind, at: usize) -> bool {
        let to =
            self.text[at..].char_indices().nth(BEHIND).map_or(self.text.len(), |(to, _)| at + to);
        behind.iter().take_while(|mark| mark.end <= to).any(|mark| mark.announces(kind))
    }
    /// A name is not a sentence: what it has of the kind counts.
    fn judge_name(&self, kind: Kind) -> Option<bool> {
        if self.name_announces(kind) {
            return Some(true);
        }
        self.name.iter().any(|mark| mark.sign == Sign::Other).then_some(false)
    }
}

/// Whether it is a number or a serial of which other things may have one that looks the same.
fn is_number(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::CnId15
            | Kind::Mobile
            | Kind::Landline
            | Kind::Card
            | Kind::Ssn
            | Kind::Passport
            | Kind::TravelPermit
            | Kind::Vin
            | Kind::MacauId
            | Kind::HkId
            | Kind::TwId
            | Kind::Password
    )
}

/// As much of a name as is looked at: what a long one says, it says at its end.
pub(crate) fn end_of_name(name: &str) -> &str {
    let cut = name.len().saturating_sub(MOST_OF_NAME);
    let cut = (cut..=name.len()).find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    &name[cut..]
}

/// `phoneNumber` as `phone number`.
fn split(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    let mut lower = false;
    for c in name.chars() {
        if lower && c.is_ascii_uppercase() {
            text.push(' ');
        }
        lower = c.is_ascii_lowercase();
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced() {
        let announced = |text: &str, kind| {
            let at = text.find('#').unwrap();
            Around::new(&Label::default(), text, &marks(text)).announces(kind, &(at..at + 1))
        };
        assert_eq!(announced("手机号：#", Kind::Mobile), Some(true));
        assert_eq!(announced("call me: #", Kind::Mobile), Some(true));
        assert_eq!(announced("recalled: #", Kind::Mobile), None);
        assert_eq!(announced("订单 #", Kind::Mobile), Some(false));
        assert_eq!(announced("手机，订单 #", Kind::Mobile), Some(false));
        assert_eq!(announced("护照编号 #", Kind::Passport), Some(true));
        assert_eq!(announced("ID_card #", Kind::CnId15), Some(true));
        assert_eq!(announced("#（手机）", Kind::Mobile), Some(true));
        assert_eq!(
            announced("手机号码在很久很久以前是这一个大家都不知道的数字 #", Kind::Mobile),
            None
        );
        let under = |name, kind| Around::new(&Label::new(name), "#", &[]).announces(kind, &(0..1));
        assert_eq!(under("contactPhone", Kind::Mobile), Some(true));
        assert_eq!(under("order_id", Kind::Mobile), Some(false));
        assert_eq!(under("x", Kind::Mobile), None);
    }
}
