//! What was found in a text, and how sure that is.

use std::ops::Range;

use crate::Kind;

/// How sure it is that something is what it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Confidence {
    /// It has the shape, as many other things have. Found only when asked to be strict.
    Low,
    /// It has the shape, and stands where such things stand; or a shape that little else has.
    Medium,
    /// Its check digits and its parts are right.
    High,
}

impl Confidence {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Personal data, or a secret, in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hit {
    /// What it is.
    pub kind: Kind,
    /// Where it stands, in bytes of the text; at the edges of characters.
    pub range: Range<usize>,
    /// How sure that is.
    pub confidence: Confidence,
}

/// What speaks for a candidate, beside what stands around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// Many check digits and plausible parts: enough by itself, whatever stands around.
    Proven,
    /// Check digits, or a prefix that nothing else has: enough, unless something else is announced.
    Strong,
    /// The way in which it is written.
    Shaped,
    /// Any number of this length: only what stands around can tell.
    Weak,
}

impl Evidence {
    /// With the words around it: `Some(true)` if they announce it, `Some(false)` if something else.
    pub(crate) fn with(self, announced: Option<bool>) -> Confidence {
        match (self, announced) {
            (Self::Proven, _) | (Self::Strong, Some(true)) => Confidence::High,
            (Self::Strong, None) | (Self::Shaped, Some(true)) => Confidence::High,
            (Self::Shaped, None) | (Self::Weak, Some(true)) => Confidence::Medium,
            (Self::Weak, None) | (_, Some(false)) => Confidence::Low,
        }
    }
}

/// A candidate in the folded text.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
    pub(crate) evidence: Evidence,
}

/// Of those that overlap the surer one stays, then a secret, then the longer one, then the first.
pub(crate) fn resolve(mut hits: Vec<Hit>) -> Vec<Hit> {
    if hits.len() < 2 {
        return hits;
    }
    let rank = |hit: &Hit| {
        let first = (hit.confidence, hit.kind.is_secret(), hit.range.len());
        (std::cmp::Reverse(first), hit.range.start)
    };
    hits.sort_by_key(rank);
    let mut kept: std::collections::BTreeMap<usize, Hit> = std::collections::BTreeMap::new();
    for hit in hits {
        let before = kept.range(..hit.range.end).next_back();
        if before.is_none_or(|(_, before)| before.range.end <= hit.range.start) {
            kept.insert(hit.range.start, hit);
        }
    }
    kept.into_values().collect()
}
