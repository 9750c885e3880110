//! Detectors that a policy brings along.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::context::{Label, window};
use crate::{Confidence, Error, Hit, Kind, kind::OwnKind};

/// Longest pattern, and the most memory for what it is made into, in bytes.
const LONGEST: usize = 4096;
const LARGEST: usize = 1 << 20;

/// Longest text that a pattern may fit, in bytes.
const LONGEST_MATCH: usize = 1024;

/// Finds what a regular expression describes, in the text without its disguises. The expressions are of a kind that does
/// not go back, and what they fit has an end, so that the time grows with the text and no faster.
///
/// ```
/// use gmkit_mask::{Detector, Finder};
///
/// let staff = Detector::new("staff_number", r"\bEMP-[0-9]{6}\b")?;
/// let ward = Detector::new("bed", "[0-9]{1,3}床")?.with_words(&["病房", "ward"]);
/// let finder = Finder::new().with_detector(staff).with_detector(ward);
/// let hits = finder.find("signed by EMP-001234; 病房：12床; and the warehouse delivers 99床 tomorrow");
/// assert_eq!(hits.iter().map(|hit| hit.kind.name()).collect::<Vec<_>>(), ["staff_number", "bed"]);
/// # Ok::<(), gmkit_mask::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Detector {
    kind: Kind,
    pattern: Regex,
    /// In small letters.
    words: Vec<String>,
}

impl Detector {
    /// One for what a pattern in the syntax of the `regex` crate describes, under a name of small letters, digits and `_`.
    ///
    /// # Errors
    /// [`Error::Policy`] for a name that is none, or that a kind has already; for a pattern that is none, is longer than
    /// 4096 bytes, needs more than 1 MiB, or fits nothing at all, or more than 1024 bytes: instead of `+` it says
    /// `{1,20}`.
    pub fn new(name: &str, pattern: &str) -> Result<Self, Error> {
        let refuse = |reason: String| Error::Policy { line: 0, column: 0, reason };
        let kind = OwnKind::new(name).map_err(|reason| refuse(format!("{name:?}: {reason}")))?;
        if pattern.len() > LONGEST {
            return Err(refuse(format!("{name}: the pattern is longer than {LONGEST} bytes")));
        }
        let built = RegexBuilder::new(pattern).size_limit(LARGEST).build();
        let pattern = built.map_err(|error| refuse(format!("{name}: {error}")))?;
        // Else a search would look at all of the text behind each beginning.
        let longest = regex_syntax::parse(pattern.as_str()).ok();
        let longest = longest.and_then(|parsed| parsed.properties().maximum_len());
        if longest.is_none_or(|longest| longest > LONGEST_MATCH) {
            let reason = format!(
                "{name}: the pattern fits more than {LONGEST_MATCH} bytes: say {{1,20}} instead of +"
            );
            return Err(refuse(reason));
        }
        if pattern.is_match("") {
            return Err(refuse(format!("{name}: the pattern fits where nothing is")));
        }
        Ok(Self { kind: Kind::Own(kind), pattern, words: Vec::new() })
    }

    /// Only where one of these words stands near, twenty characters before it at most or ten behind it, or in the name
    /// of the value; their case makes no difference.
    #[must_use]
    pub fn with_words(mut self, words: &[&str]) -> Self {
        self.words = words.iter().map(|word| word.to_lowercase()).collect();
        self
    }

    /// What it finds.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// All of it in a text.
    pub(super) fn find<'t>(
        &'t self,
        label: &'t Label,
        text: &'t str,
    ) -> impl Iterator<Item = Hit> + 't {
        let named = self.is_in(label.text());
        let hits = self.pattern.find_iter(text).map(|hit| hit.range());
        hits.filter(|range| !range.is_empty()).map(move |range| {
            let announced = self.words.is_empty() || named || self.is_near(text, &range);
            let confidence = if announced { Confidence::High } else { Confidence::Low };
            Hit { kind: self.kind, range, confidence }
        })
    }

    fn is_near(&self, text: &str, range: &Range<usize>) -> bool {
        let (before, behind) = window(text, range);
        self.is_in(before) || self.is_in(behind)
    }

    fn is_in(&self, text: &str) -> bool {
        !self.words.is_empty() && {
            let text = text.to_lowercase();
            self.words.iter().any(|word| text.contains(word))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_detector() {
        let long = "x".repeat(LONGEST + 1);
        for (name, pattern) in [
            ("", "x"),
            ("Staff", "x"),
            ("mobile", "x"),
            ("a b", "x"),
            ("a", "("),
            ("a", ""),
            ("a", "x*"),
            ("a", "EMP-[0-9]+"),
            ("a", "x.{300}"),
            ("a", r"(?:\pL{1000}){1000}"),
            ("a", &long),
        ] {
            assert!(
                matches!(Detector::new(name, pattern), Err(Error::Policy { .. })),
                "{name} {pattern:.20}"
            );
        }
    }
}
