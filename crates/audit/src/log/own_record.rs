//! What the log records about itself.

use uuid::Uuid;

use crate::{Attribute, Event, Outcome, event::RESERVED};

/// How many events there were, by what became of them; records of the log itself do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Records of the log.
    pub(crate) recorded: u64,
    /// Refused to who offered them, and told in a gap record.
    pub(crate) refused: u64,
    /// Dropped while the queue was full, and told in a gap record.
    pub(crate) dropped: u64,
    /// Lost with a process, and told in a gap record.
    pub(crate) lost: u64,
}

impl Totals {
    /// All that were ever offered, once every gap is told.
    pub(crate) fn offered(&self) -> u64 {
        let told = self.refused.saturating_add(self.dropped).saturating_add(self.lost);
        self.recorded.saturating_add(told)
    }

    pub(crate) fn add(&mut self, gap: &Gap) {
        self.refused = self.refused.saturating_add(gap.refused);
        self.dropped = self.dropped.saturating_add(gap.dropped);
        self.lost = self.lost.saturating_add(gap.lost);
    }
}

/// Events that did not become records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) refused: u64,
    pub(crate) dropped: u64,
    pub(crate) lost: u64,
    /// Whether `lost` is the number, and not its upper bound.
    pub(crate) exact: bool,
}

impl Gap {
    pub(crate) fn is_empty(&self) -> bool {
        (self.refused, self.dropped, self.lost) == (0, 0, 0)
    }
}

/// A record of the log's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OwnRecord {
    /// The first record of each segment.
    Segment(Totals),
    Gap(Gap),
    /// The records before `first` were kept for so many days, and may be gone: as the note says, which the key
    /// has signed.
    Prune {
        first: u64,
        days: u64,
        note: String,
    },
    /// The key of this number is destroyed.
    Erase {
        subject: Uuid,
    },
}

/// Whether a line may be a record of the log's own. Those have nothing before their name but version,
/// number and time; and in the text of an event, quotes have backslashes before them.
pub(crate) fn is_marked(line: &[u8]) -> bool {
    const MARK: &[u8] = b"\"op_type\":\"gmkit.audit.";
    let head = &line[..line.len().min(160)];
    head.windows(MARK.len()).any(|window| window == MARK)
}

fn count(n: u64) -> Attribute {
    Attribute::Integer(i64::try_from(n).unwrap_or(i64::MAX))
}

impl OwnRecord {
    pub(crate) fn to_line(&self) -> Vec<u8> {
        let event = |name: &str, result| Event::new(format!("{RESERVED}{name}"), result);
        let event = match self {
            Self::Segment(totals) => event("segment", Outcome::allowed())
                .with("recorded", count(totals.recorded))
                .with("refused", count(totals.refused))
                .with("dropped", count(totals.dropped))
                .with("lost", count(totals.lost)),
            Self::Gap(gap) => event("gap", Outcome::failed())
                .with("refused", count(gap.refused))
                .with("dropped", count(gap.dropped))
                .with("lost", count(gap.lost))
                .with("exact", gap.exact),
            Self::Prune { first, days, note } => event("prune", Outcome::allowed())
                .with("first", count(*first))
                .with("days", count(*days))
                .with("note", note.as_str()),
            Self::Erase { subject } => {
                event("erase", Outcome::allowed()).with("subject", subject.to_string())
            }
        };
        event.encode().expect("counts and names are JSON")
    }

    /// `None` for a record of somebody's event, or one that this version does not know.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let number = |name: &str| match event.attributes.get(name) {
            Some(Attribute::Integer(n)) => u64::try_from(*n).ok(),
            _ => None,
        };
        match event.op_type.strip_prefix(RESERVED)? {
            "segment" => Some(Self::Segment(Totals {
                recorded: number("recorded")?,
                refused: number("refused")?,
                dropped: number("dropped")?,
                lost: number("lost")?,
            })),
            "gap" => Some(Self::Gap(Gap {
                refused: number("refused")?,
                dropped: number("dropped")?,
                lost: number("lost")?,
                exact: event.attributes.get("exact") == Some(&Attribute::Flag(true)),
            })),
            "erase" => match event.attributes.get("subject") {
                Some(Attribute::Text(id)) => Some(Self::Erase { subject: id.parse().ok()? }),
                _ => None,
            },
            "prune" => match event.attributes.get("note") {
                Some(Attribute::Text(note)) => {
                    let (first, days) = (number("first")?, number("days")?);
                    Some(Self::Prune { first, days, note: note.clone() })
                }
                _ => None,
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_read_back() {
        let totals = Totals { recorded: 1, refused: 2, dropped: 3, lost: 4 };
        let gap = Gap { refused: 5, dropped: 6, lost: 7, exact: false };
        let prune = OwnRecord::Prune { first: 512, days: 190, note: "a\nb".into() };
        let erase = OwnRecord::Erase { subject: Uuid::from_bytes([7; 16]) };
        for record in [OwnRecord::Segment(totals), OwnRecord::Gap(gap), prune, erase] {
            let event = Event::from_json(&record.to_line()).unwrap();
            assert_eq!(OwnRecord::of(&event), Some(record.clone()));
            assert!(is_marked(&record.to_line()));
            // What a service tells can never look so.
            assert!(event.to_line().is_err());
        }
        let other = Event::new("a", Outcome::allowed()).with("lost", 1);
        assert_eq!(OwnRecord::of(&other), None);
        let disguised = Event::new("\",\"op_type\":\"gmkit.audit.gap", Outcome::allowed());
        assert!(!is_marked(&disguised.to_line().unwrap()));
    }
}
