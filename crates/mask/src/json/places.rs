//! Which rules are for the values at a place.

use crate::policy::{Rule, Step};

/// How far each rule's path has come, at each level that is open.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Level by level.
    reached: Vec<Reached>,
    /// Where each level begins in it.
    levels: Vec<usize>,
}

/// The next step of a rule's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reached {
    rule: u32,
    step: u16,
    /// Whether its path may end with the next step down: nothing but `**` stands before its last one.
    may_end: bool,
}

/// A step that a value is down from what it is in.
#[derive(Clone, Copy)]
pub(crate) enum Down<'t> {
    /// The name, folded.
    Member(&'t str),
    Element(u64),
    /// The name in JSON, and in the message, both folded.
    #[cfg(feature = "protobuf")]
    Either {
        json: &'t str,
        own: &'t str,
    },
    /// A step in the name of a form's field, which may be either; with no index, any element.
    Field {
        name: &'t str,
        index: Option<u64>,
    },
}

impl Step {
    /// What opens more than it hides is sure of its step.
    fn fits(&self, down: Down<'_>, opens: bool) -> bool {
        match (self, down) {
            (Self::Key(own), Down::Field { name, .. }) => own == name,
            (Self::AnyKey, Down::Field { name, .. }) => !name.is_empty(),
            (Self::AnyIndex, Down::Field { name, index }) => name.is_empty() || index.is_some(),
            (Self::Index(own), Down::Field { index: Some(index), .. }) => *own == index,
            (Self::Index(_), Down::Field { name, index: None }) => name.is_empty() && !opens,
            (Self::Key(name), Down::Member(member)) => *name == member,
            #[cfg(feature = "protobuf")]
            (Self::Key(name), Down::Either { json, own }) => {
                *name == json || *name == own && !opens
            }
            #[cfg(feature = "protobuf")]
            (Self::AnyKey, Down::Either { .. }) => true,
            (Self::AnyKey, Down::Member(_)) | (Self::AnyIndex, Down::Element(_)) => true,
            (Self::Index(index), Down::Element(element)) => *index == element,
            _ => false,
        }
    }
}

impl Places {
    fn level(&self) -> &[Reached] {
        &self.reached[self.levels.last().copied().unwrap_or(0)..]
    }

    /// The first rule whose path ends with the value that is this step down.
    pub(crate) fn found(&self, rules: &[Rule], down: Down<'_>) -> Option<usize> {
        let ends = |reached: &&Reached| {
            let rule = &rules[reached.rule as usize];
            let last = || rule.path.steps.last();
            reached.may_end && last().is_some_and(|step| step.fits(down, rule.opens()))
        };
        self.level().iter().filter(ends).map(|reached| reached.rule as usize).min()
    }

    /// The value that is this step down is an object or an array; `None` for the first one.
    pub(crate) fn down(&mut self, rules: &[Rule], down: Option<Down<'_>>) {
        let from = self.levels.last().copied().unwrap_or(0);
        let to = self.reached.len();
        self.levels.push(to);
        let Some(down) = down else {
            (0..rules.len()).for_each(|rule| self.reach(rules, rule as u32, 0, to));
            return;
        };
        for at in from..to {
            let Reached { rule, step, .. } = self.reached[at];
            self.advance(rules, rule, step, down, to);
        }
    }

    fn advance(&mut self, rules: &[Rule], rule: u32, step: u16, down: Down<'_>, to: usize) {
        let opens = rules[rule as usize].opens();
        match &rules[rule as usize].path.steps[usize::from(step)] {
            Step::Deep => {
                self.reach(rules, rule, step, to);
                self.advance(rules, rule, step + 1, down, to);
            }
            own if own.fits(down, opens) => self.reach(rules, rule, step + 1, to),
            _ => {}
        }
    }

    fn reach(&mut self, rules: &[Rule], rule: u32, step: u16, to: usize) {
        let steps = &rules[rule as usize].path.steps;
        let Some(before_last) = steps.get(usize::from(step)..).and_then(<[_]>::split_last) else {
            return;
        };
        let may_end = before_last.1.iter().all(|step| *step == Step::Deep);
        let reached = Reached { rule, step, may_end };
        if !self.reached[to..].contains(&reached) {
            self.reached.push(reached);
        }
    }

    pub(crate) fn up(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.reached.truncate(level);
        }
    }
}
