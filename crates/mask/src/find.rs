//! Finding personal data in a text.
//!
//! Every search is linear in the length of the text: those for numbers look at words once, the regular expressions
//! are of a kind that does not go back.

mod chinese;
mod context;
mod labels;
mod network;
mod numbers;
mod own;
mod secrets;
mod serials;
mod signs;
mod words;

use crate::{
    Confidence, Hit, Kind,
    fold::Folded,
    hit::{Candidate, Evidence, resolve},
};
use context::Around;
pub(crate) use context::{Label, end_of_name};
pub use own::Detector;
use signs::Mark;

/// Finds personal data, and secrets, in texts.
///
/// ```
/// use gmkit_mask::{Finder, Kind};
///
/// let text = "客户 张伟，手机 １３８-0013-8000，身份证 110101199003070003";
/// let hits = Finder::new().find(text);
/// assert_eq!(hits[0].kind, Kind::Mobile);
/// assert_eq!(&text[hits[0].range.clone()], "１３８-0013-8000");
/// assert_eq!(hits[1].kind, Kind::CnId);
/// ```
#[derive(Clone, Debug)]
pub struct Finder {
    kinds: Vec<Kind>,
    least: Confidence,
    own: Vec<Detector>,
}

impl Finder {
    /// One for all kinds, which reports what is at least likely: [`Confidence::Medium`].
    #[must_use]
    pub fn new() -> Self {
        Self { kinds: Kind::ALL.to_vec(), least: Confidence::Medium, own: Vec::new() }
    }

    /// Looks for these kinds only, and for what detectors of one's own find.
    #[must_use]
    pub fn with_kinds(mut self, kinds: &[Kind]) -> Self {
        self.kinds = kinds.to_vec();
        self
    }

    /// Also finds what this one does.
    #[must_use]
    pub fn with_detector(mut self, detector: Detector) -> Self {
        self.own.push(detector);
        self
    }

    /// Reports what is at least so sure.
    #[must_use]
    pub fn with_least(mut self, least: Confidence) -> Self {
        self.least = least;
        self
    }

    pub(crate) fn looks_for(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// What is in a text, from left to right, without overlaps.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<Hit> {
        self.find_under("", text)
    }

    /// The same in a value that has a name, as in JSON: the name says what to expect.
    #[must_use]
    pub fn find_under(&self, name: &str, text: &str) -> Vec<Hit> {
        self.find_labelled(&Label::new(name), text)
    }

    pub(crate) fn find_labelled(&self, label: &Label, text: &str) -> Vec<Hit> {
        let folded = Folded::new(text);
        let (text, marks) = (folded.text(), signs::marks(folded.text()));
        let around = Around::new(label, text, &marks);
        let hits = candidates(text, &marks, &around).into_iter();
        let hits = hits.filter(|found| self.kinds.contains(&found.kind));
        let hits = hits.map(|Candidate { kind, range, evidence }| {
            let confidence = evidence.with(around.announces(kind, &range));
            Hit { kind, range: folded.original(range), confidence }
        });
        let own = self.own.iter().flat_map(|detector| detector.find(label, text));
        let own = own.map(|hit| Hit { range: folded.original(hit.range), ..hit });
        let hits = hits.chain(own);
        resolve(hits.filter(|hit| hit.confidence >= self.least).collect())
    }
}

impl Default for Finder {
    fn default() -> Self {
        Self::new()
    }
}

/// What of that which something is recognised by a text has at all.
#[derive(Clone, Copy)]
struct Contents {
    digits: bool,
    ats: bool,
    colons: bool,
    dots_or_dashes: bool,
}

impl Contents {
    fn of(text: &str) -> Self {
        const CLASSES: [u8; 256] = {
            let mut classes = [0; 256];
            let mut digit = b'0';
            while digit <= b'9' {
                classes[digit as usize] = 1;
                digit += 1;
            }
            classes[b'@' as usize] = 2;
            classes[b':' as usize] = 4;
            classes[b'.' as usize] = 8;
            classes[b'-' as usize] = 8;
            classes
        };
        let all = text.bytes().fold(0, |all, c| all | CLASSES[usize::from(c)]);
        let has = |class| all & class != 0;
        Self { digits: has(1), ats: has(2), colons: has(4), dots_or_dashes: has(8) }
    }
}

fn candidates(text: &str, marks: &[Mark], around: &Around<'_>) -> Vec<Candidate> {
    let mut found = Vec::new();
    let contents = Contents::of(text);
    let words = if contents.digits { words::with_digits(text.as_bytes()) } else { Vec::new() };
    if !words.is_empty() {
        numbers::find(text, &words, around, &mut found);
        serials::find(text.as_bytes(), &words, &mut found);
    }
    network::find(text, contents, &words, &mut found);
    if !marks.is_empty() {
        secrets::find(text, marks, &mut found);
        labels::find(text, marks, &mut found);
        chinese::find(text, marks, &mut found);
    }
    labels::find_under(text, around, &mut found);
    if !text.is_ascii()
        && around.name_announces(Kind::Name)
        && let Some(range) = chinese::name(text)
    {
        found.push(Candidate { kind: Kind::Name, range, evidence: Evidence::Weak });
    }
    found
}
