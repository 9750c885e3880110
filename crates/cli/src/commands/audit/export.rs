//! `gmkit audit export`.

mod page;
mod summary;

use gmkit::audit::{Auditor, Event};
use serde_json::json;

use super::subjects;
use crate::{
    args::AuditExport,
    failure::{Context, Failure},
    keys::read_public,
    output::{Access, Content, Output},
};

pub(super) fn run(args: &AuditExport) -> Result<(), Failure> {
    let report = Auditor::new(&args.log, &read_public(&args.public)?).run().about(&args.log)?;
    if let Some(subject) = &args.subject {
        if !report.is_sound() {
            return Err(Failure::about(args.log.display(), Failure::check(UNSOUND)));
        }
        return person(args, subject, report.size);
    }
    let summary = summary::read(&args.log, report.size).about(&args.log)?;
    let mut output = Output::create(args.output.as_deref(), Content::Text, Access::Public)?;
    output.write(page::render(&report, &summary).into_string().as_bytes())?;
    output.commit()?;
    match report.is_sound() {
        true => Ok(()),
        false => Err(Failure::about(args.log.display(), Failure::check(UNSOUND))),
    }
}

const UNSOUND: &str = "the log is not sound: see `gmkit audit verify`";

/// The events that are about a person, with what was sealed; of others they say no more than the log does.
fn person(args: &AuditExport, name: &str, size: u64) -> Result<(), Failure> {
    let subject = subjects::open_existing(&args.keys)?.find(name)?;
    let subject =
        subject.ok_or_else(|| Failure::input("there is no key of a person of that name"))?;
    let mut output = Output::create(args.output.as_deref(), Content::Text, Access::Secret)?;
    let (mut written, mut unopened) = (Ok(()), Vec::new());
    Auditor::for_each_record(&args.log, |index, line| {
        // What is not signed proves nothing.
        if index >= size || written.is_err() {
            return Ok(());
        }
        let opened = Event::from_json(line)
            .and_then(|mut event| Ok(subject.open(&mut event)?.then_some(event)));
        match opened {
            Ok(None) => {}
            Ok(Some(event)) => {
                let line = json!({ "index": index, "event": event });
                written = output.write(format!("{line}\n").as_bytes());
            }
            // Whoever has put it there keeps nobody's answer from them.
            Err(_) => unopened.push(index),
        }
        Ok(())
    })
    .about(&args.log)?;
    written?;
    output.commit()?;
    match unopened.first() {
        None => Ok(()),
        Some(first) => Err(Failure::check(format!(
            "{} records cannot be opened, the first of them {first}; all others are told",
            unopened.len()
        ))),
    }
}
