//! Which rules are for the values at a place.

use crate::policy::{Rule, Step};

/// How far each rule's path has come, at each level that is open.
#[derive(Debug)]
pub(super) struct Places {
    /// A rule, and its next step; level by level.
    reached: Vec<(u16, u16)>,
    /// Where each level begins in it.
    levels: Vec<usize>,
    /// Those of the value that begins.
    next: Vec<(u16, u16)>,
    found: Option<usize>,
    name: String,
}

/// A step that a value is down from what it is in.
enum Down<'t> {
    Member(&'t str),
    Element(u64),
}

impl Places {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let next = (0..rules.len()).map(|rule| (rule as u16, 0)).collect();
        Self { reached: Vec::new(), levels: Vec::new(), next, found: None, name: String::new() }
    }

    /// The rule for the member whose name came.
    pub(super) fn found(&self) -> Option<usize> {
        self.found
    }

    /// A name has come.
    pub(super) fn member(&mut self, rules: &[Rule], fold: impl FnOnce(&mut String)) {
        if self.reached.len() > self.levels.last().copied().unwrap_or(0) {
            let mut name = std::mem::take(&mut self.name);
            fold(&mut name);
            self.step(rules, &Down::Member(&name));
            self.name = name;
        }
    }

    /// An element begins: the rule for it.
    pub(super) fn element(&mut self, rules: &[Rule], index: u64) -> Option<usize> {
        self.step(rules, &Down::Element(index));
        self.found
    }

    fn step(&mut self, rules: &[Rule], down: &Down<'_>) {
        self.next.clear();
        self.found = None;
        let from = self.levels.last().copied().unwrap_or(0);
        for at in from..self.reached.len() {
            let (rule, step) = self.reached[at];
            self.advance(rules, rule, step, down);
        }
    }

    fn advance(&mut self, rules: &[Rule], rule: u16, step: u16, down: &Down<'_>) {
        let steps = &rules[usize::from(rule)].path.steps;
        let fits = match (&steps[usize::from(step)], down) {
            (Step::Deep, _) => {
                if !self.next.contains(&(rule, step)) {
                    self.next.push((rule, step));
                }
                return self.advance(rules, rule, step + 1, down);
            }
            (Step::Key(name), Down::Member(member)) => name == member,
            (Step::AnyKey, Down::Member(_)) | (Step::AnyIndex, Down::Element(_)) => true,
            (Step::Index(index), Down::Element(element)) => index == element,
            _ => false,
        };
        if !fits {
            return;
        }
        if usize::from(step) + 1 == steps.len() {
            let rule = usize::from(rule);
            self.found = Some(self.found.map_or(rule, |found| found.min(rule)));
        } else if !self.next.contains(&(rule, step + 1)) {
            self.next.push((rule, step + 1));
        }
    }

    /// The value that has begun is an object or an array.
    pub(super) fn down(&mut self) {
        self.levels.push(self.reached.len());
        self.reached.append(&mut self.next);
    }

    pub(super) fn up(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.next.clear();
            if self.levels.is_empty() {
                // The next line begins where this one did.
                self.next.extend_from_slice(&self.reached[level..]);
            }
            self.reached.truncate(level);
        }
    }
}
