//! `gmkit audit`: the tamper-evident log.

mod append;
mod copy;
mod erase;
mod export;
mod forward;
mod prune;
mod subjects;
mod verify;
mod witness;

use std::{io::IsTerminal, path::Path, thread, time::Duration};

use gmkit::audit::{Auditor, Checkpoint, Error, Follow, Proof};

use crate::{
    args::{Audit, AuditProve, AuditShow, AuditTail},
    failure::{Context, Failure, chain},
    input::Input,
    output::{Access, Content, Output, print_bytes},
};

/// Longest note or proof that is read, in bytes.
const MAX_NOTE: usize = 1 << 18;

/// How often `tail --follow` looks for new records.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) fn run(args: &Audit) -> Result<(), Failure> {
    match args {
        Audit::Append(args) => append::run(args),
        Audit::Verify(args) => verify::run(args),
        Audit::Prove(args) => prove(args),
        Audit::Show(args) => show(args),
        Audit::Tail(args) => tail(args),
        Audit::Export(args) => export::run(args),
        Audit::Erase(args) => erase::run(args),
        Audit::Forward(args) => forward::run(args),
        Audit::Prune(args) => prune::run(args),
        Audit::Witness(args) => witness::run(args),
    }
}

fn prove(args: &AuditProve) -> Result<(), Failure> {
    let proof = Proof::make(&args.log, args.index).about(&args.log)?;
    let mut output = Output::create(args.output.as_deref(), Content::Text, Access::Public)?;
    output.write(proof.to_string().as_bytes())?;
    output.commit()
}

fn show(args: &AuditShow) -> Result<(), Failure> {
    match Auditor::record(&args.log, args.index).about(&args.log)? {
        Some(record) => print_record(&record),
        None => Err(Failure::input(format!("{}: no record {}", args.log.display(), args.index))),
    }
}

fn tail(args: &AuditTail) -> Result<(), Failure> {
    let records = Auditor::last(&args.log, args.n).about(&args.log)?;
    records.iter().try_for_each(|(_, record)| print_record(record))?;
    if !args.follow {
        return Ok(());
    }
    let next = match records.last() {
        Some((last, _)) => last + 1,
        // None are there, or none were asked for.
        None => {
            Auditor::last(&args.log, 1).about(&args.log)?.last().map_or(0, |(last, _)| last + 1)
        }
    };
    let mut follow = Follow::new(&args.log, next).about(&args.log)?;
    // Nothing tells it to stop.
    loop {
        while let Some(record) = follow.read().about(&args.log)? {
            print_record(&record)?;
        }
        thread::sleep(LOOK);
    }
}

/// The name that a log's checkpoint says.
fn name_of(log: &Path) -> Result<String, Failure> {
    let note = Input::open(&log.join("checkpoint"))?.read_all(MAX_NOTE)?;
    Ok(Checkpoint::unchecked(&note).about(log)?.origin)
}

/// As it is for a program; for a terminal, without what would command it.
fn print_record(record: &[u8]) -> Result<(), Failure> {
    match std::io::stdout().is_terminal() {
        true => {
            let text = String::from_utf8_lossy(record).replace(char::is_control, "?");
            print_bytes(text.as_bytes())
        }
        false => print_bytes(record),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Key(_) | Error::Locked { .. } | Error::Unsigned { .. } | Error::Sink { .. } => {
                Self::device(chain(&error))
            }
            Error::Damaged { .. }
            | Error::NotCopied { .. }
            | Error::OtherCopy { .. }
            | Error::Rejected => Self::check(chain(&error)),
            error => Self::input(chain(&error)),
        }
    }
}
