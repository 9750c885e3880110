//! What is found of which kind, and what for.

use std::collections::BTreeMap;

use gmkit_mask::{Finder, Hit};

/// Of one kind: how many there were, how many were found, and how often it was found where it is not.
#[derive(Default)]
pub(crate) struct Count {
    pub(crate) there: u32,
    pub(crate) found: u32,
    pub(crate) wrong: u32,
}

/// The lines of a corpus, which `corpus.py` writes.
#[derive(Default)]
pub(crate) struct Confusion {
    pub(crate) counts: BTreeMap<String, Count>,
    pub(crate) texts: u32,
    /// Texts with nothing in them.
    pub(crate) empty: u32,
    /// What was found in those.
    pub(crate) false_hits: Vec<String>,
}

impl Confusion {
    pub(crate) fn look(&mut self, finder: &Finder, line: &str) {
        let fields: Vec<_> = line.splitn(4, '\t').collect();
        let [kind, start, end, text] = fields[..] else { panic!("{line}") };
        let byte =
            |n: &str| text.char_indices().nth(n.parse().unwrap()).map_or(text.len(), |(at, _)| at);
        let (start, end) = (byte(start), byte(end));
        let is_it = |hit: &&Hit| {
            hit.kind.name() == kind && hit.range.start <= start + 6 && hit.range.end >= end
        };
        let hits = finder.find(text);
        self.texts += 1;
        if kind == "-" {
            self.empty += 1;
            self.false_hits.extend(hits.iter().map(|hit| format!("{} in {text}", hit.kind)));
            return;
        }
        let count = self.counts.entry(kind.to_owned()).or_default();
        count.there += 1;
        let found = hits.iter().any(|hit| is_it(&hit));
        count.found += u32::from(found);
        if !found && count.there - count.found <= 3 {
            println!("missed: {kind} in {text}");
        }
        for wrong in hits.iter().filter(|hit| !is_it(hit)) {
            self.counts.entry(wrong.kind.name().to_owned()).or_default().wrong += 1;
        }
    }

    pub(crate) fn print(&self) {
        println!("{:<12} {:>8} {:>8} {:>8}", "kind", "there", "found", "wrong");
        for (kind, Count { there, found, wrong }) in &self.counts {
            println!("{kind:<12} {there:>8} {found:>8} {wrong:>8}");
        }
        println!(
            "{} false hits in {} texts with nothing in them",
            self.false_hits.len(),
            self.empty
        );
    }
}
