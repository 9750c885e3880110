//! What a report tells of the records: how many, by whom, of what, and when.

use std::{collections::HashMap, path::Path};

use gmkit::audit::{Auditor, Error, Event};
use time::OffsetDateTime;

/// How many names are counted each for itself, so that the memory that it takes is bounded.
const NAMES: usize = 10_000;

/// How many records of the log's own are shown.
const OWN: usize = 1000;

/// How many characters of a name are shown.
const LONGEST: usize = 200;

/// How many bars the picture has.
pub(super) const BARS: usize = 60;

/// Stands for those beyond.
pub(super) const OTHERS: &str = "(others)";

#[derive(Default)]
pub(super) struct Summary {
    pub(super) records: u64,
    pub(super) from: Option<OffsetDateTime>,
    pub(super) to: Option<OffsetDateTime>,
    pub(super) actors: HashMap<String, u64>,
    pub(super) actions: HashMap<String, u64>,
    pub(super) results: HashMap<String, u64>,
    /// Records of the log's own that tell of gaps, of pruning and of persons erased.
    pub(super) own: Vec<(u64, Event)>,
    /// How many more of those there are.
    pub(super) more: u64,
    /// Records, gap records among them, by time.
    pub(super) bars: Vec<(u64, u64)>,
}

impl Summary {
    fn count(&mut self, index: u64, event: Event) {
        self.records += 1;
        self.from = Some(self.from.map_or(event.time, |from| from.min(event.time)));
        self.to = Some(self.to.map_or(event.time, |to| to.max(event.time)));
        match event.op_type.strip_prefix("gmkit.audit.") {
            Some("segment") => return,
            Some(_) if self.own.len() < OWN => return self.own.push((index, event)),
            Some(_) => {
                self.more += 1;
                return;
            }
            None => {}
        }
        let sealed = if event.personal.is_empty() { "(nobody)" } else { "(sealed)" };
        count(&mut self.actors, event.actor.user.as_deref().unwrap_or(sealed));
        count(&mut self.actions, &event.op_type);
        count(&mut self.results, event.result.outcome.as_str());
    }

    /// Which bar a time belongs to.
    fn bar(&self, time: OffsetDateTime) -> usize {
        let (Some(from), Some(to)) = (self.from, self.to) else { return 0 };
        let width = (to - from).as_seconds_f64();
        let share = if width > 0.0 { (time - from).as_seconds_f64() / width } else { 0.0 };
        ((share * BARS as f64) as usize).min(BARS - 1)
    }
}

fn count(counts: &mut HashMap<String, u64>, name: &str) {
    if let Some(count) = counts.get_mut(name) {
        *count += 1;
        return;
    }
    let name = if counts.len() < NAMES { name } else { OTHERS };
    *counts.entry(name.chars().take(LONGEST).collect()).or_default() += 1;
}

/// Where the records do not follow each other there is an end: the findings tell of it.
fn readable(read: Result<(), Error>) -> Result<(), Error> {
    match read {
        Err(Error::Damaged { .. }) => Ok(()),
        read => read,
    }
}

/// Reads the records before `size` twice: the picture needs to know first when they begin and end.
pub(super) fn read(log: &Path, size: u64) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    let each = |visit: &mut dyn FnMut(u64, Event)| {
        Auditor::for_each_record(log, |index, line| {
            // A log that is not sound may hold what is no record.
            if index < size
                && let Ok(event) = Event::from_json(line)
            {
                visit(index, event);
            }
            Ok(())
        })
    };
    readable(each(&mut |index, event| summary.count(index, event)))?;
    let mut bars = vec![(0, 0); BARS];
    readable(each(&mut |_, event| {
        let (records, gaps) = &mut bars[summary.bar(event.time)];
        *records += 1;
        *gaps += u64::from(event.op_type == "gmkit.audit.gap");
    }))?;
    summary.bars = bars;
    Ok(summary)
}
