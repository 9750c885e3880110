//! `gmkit mask explain`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use gmkit::mask::{Decision, Kind, Observer, Strategy, Style, candidates};

use super::{policy, work::Work};
use crate::{
    args::MaskExplain,
    failure::{Context, Failure},
    input::Input,
    output::{print, print_bytes},
};

/// What was done with values of one name and kind, and how often.
#[derive(Debug, Default)]
struct Seen(Mutex<BTreeMap<Row, u64>>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    name: String,
    kind: Option<Kind>,
    by: &'static str,
    strategy: String,
    left: Option<u64>,
    becomes: String,
}

impl Observer for Seen {
    fn replaced(&self, decision: &Decision<'_>) {
        let (strategy, left) = match decision.strategy {
            Strategy::Mask(style) => {
                let name = if *style == Style::Strict { "mask, strict" } else { "mask, usual" };
                (name.to_owned(), decision.kind.and_then(|kind| candidates(kind, *style)))
            }
            Strategy::Nullify => ("nullify".to_owned(), None),
            Strategy::Drop => ("drop".to_owned(), None),
            Strategy::Truncate(most) => (format!("truncate to {most}"), None),
            Strategy::Token(_) => ("token".to_owned(), None),
            Strategy::Seal(_) => ("seal".to_owned(), None),
            Strategy::Digits(_) => ("ff1".to_owned(), None),
            Strategy::Generalise(step) => (format!("generalise {step}"), None),
            _ => ("other".to_owned(), None),
        };
        let row = Row {
            name: decision.name.to_owned(),
            kind: decision.kind,
            by: decision.confidence.map_or("rule", |confidence| confidence.name()),
            strategy,
            left,
            becomes: String::new(),
        };
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of those alike the first one is the example.
        match rows
            .iter_mut()
            .find(|(known, _)| Row { becomes: String::new(), ..(*known).clone() } == row)
        {
            Some((_, count)) => *count += 1,
            None => drop(rows.insert(Row { becomes: decision.becomes.to_owned(), ..row }, 1)),
        }
    }
}

pub(super) fn run(args: &MaskExplain) -> Result<(), Failure> {
    let seen = Arc::new(Seen::default());
    let policy = policy(&args.policy)?.with_observer(Arc::clone(&seen) as Arc<dyn Observer>);
    let mut work = Work::new(&args.policy, &args.file, policy)?;
    let mut masked = Vec::new();
    Input::open(&args.file)?.for_each(|piece| {
        masked.clear();
        work.push(piece, &mut masked).about(&args.file)
    })?;
    work.finish(&mut masked).about(&args.file)?;
    drop(work);
    let rows = std::mem::take(&mut *seen.0.lock().unwrap_or_else(PoisonError::into_inner));
    if args.json.json {
        let rows: Vec<_> = rows.iter().map(|(row, count)| json(row, *count)).collect();
        return print_bytes(serde_json::Value::from(rows).to_string().as_bytes());
    }
    if rows.is_empty() {
        return print("nothing is replaced");
    }
    let mut text = format!(
        "{:<20} {:<14} {:<7} {:<14} {:>7} {:>16}  {}\n",
        "NAME", "KIND", "BY", "STRATEGY", "VALUES", "CANDIDATES LEFT", "AS"
    );
    for (row, count) in &rows {
        let kind = row.kind.map_or("any", Kind::name);
        let left = row.left.map_or_else(|| "-".to_owned(), |left| left.to_string());
        let (name, becomes) = (printable(&row.name), printable(&row.becomes));
        text += &format!(
            "{name:<20} {kind:<14} {:<7} {:<14} {count:>7} {left:>16}  {becomes}\n",
            row.by, row.strategy
        );
    }
    print(text.trim_end())
}

fn json(row: &Row, count: u64) -> serde_json::Value {
    serde_json::json!({
        "name": row.name, "kind": row.kind.map(Kind::name), "by": row.by, "strategy": row.strategy,
        "values": count, "candidates": row.left, "becomes": row.becomes,
    })
}

/// Without what would command a terminal.
fn printable(text: &str) -> String {
    text.replace(char::is_control, "?")
}
