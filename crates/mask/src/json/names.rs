//! Names of members, each read once.

use std::{collections::HashMap, sync::Arc};

use super::string::Raw;
use crate::{
    find::{Finder, Label, end_of_name},
    policy::fold_name,
};

/// How many names are remembered, and how long they are at most, in bytes.
const MOST: usize = 128;
const LONGEST: usize = 64;

/// What is known of a name.
#[derive(Debug, Default)]
pub(crate) struct Name {
    /// As rules compare it; `None` for a long one, which is not kept at every level that is open.
    folded: Option<Box<str>>,
    /// What it says: its end, if it is long.
    text: Box<str>,
    label: Label,
    /// Whether there is no personal data in it.
    is_clean: bool,
}

impl Name {
    pub(crate) fn new(raw: Raw<'_>, finder: Option<&Finder>) -> Self {
        let decoded = raw.decoded();
        let text = decoded.text();
        let folded = (raw.text().len() <= LONGEST).then(|| {
            let mut folded = String::new();
            fold_name(text, &mut folded);
            folded.into()
        });
        Self {
            folded,
            text: end_of_name(text).into(),
            label: if finder.is_some() { Label::new(text) } else { Label::default() },
            is_clean: finder.is_none_or(|finder| finder.find(text).is_empty()),
        }
    }

    pub(super) fn folded(&self) -> Option<&str> {
        self.folded.as_deref()
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn label(&self) -> &Label {
        &self.label
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.is_clean
    }
}

/// Those that came before: bodies have few names, and have them again and again, mostly in the same order.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: Vec<Known>,
    places: HashMap<Arc<[u8]>, usize>,
    /// The one that came last.
    last: usize,
}

#[derive(Debug)]
struct Known {
    raw: Arc<[u8]>,
    name: Arc<Name>,
    /// Which one came behind it the last time.
    next: usize,
}

impl Names {
    /// One that came before, by what stands between its quotes.
    pub(super) fn known(&mut self, raw: &[u8]) -> Option<Arc<Name>> {
        let next = self.known.get(self.last)?.next;
        let fits = self.known.get(next).is_some_and(|known| *known.raw == *raw);
        let place = if fits { next } else { *self.places.get(raw)? };
        self.known[self.last].next = place;
        self.last = place;
        Some(Arc::clone(&self.known[place].name))
    }

    /// One that is new.
    pub(super) fn learn(&mut self, raw: Raw<'_>, finder: Option<&Finder>) -> Arc<Name> {
        let name = Arc::new(Name::new(raw, finder));
        if raw.text().len() <= LONGEST {
            if self.known.len() == MOST {
                *self = Self::default();
            }
            let place = self.known.len();
            let raw: Arc<[u8]> = raw.text().as_bytes().into();
            self.places.insert(Arc::clone(&raw), place);
            self.known.push(Known { raw, name: Arc::clone(&name), next: 0 });
        }
        name
    }
}
