//! `gmkit audit append`.

use std::{
    collections::VecDeque,
    io::{self, BufRead},
    path::Path,
};

use gmkit::audit::{Error, Event, Fields, Log, MAX_RECORD, Options, Receipt, Subjects, WhenFull};

use super::{name_of, subjects};
use crate::{
    args::AuditAppend,
    failure::{Context, Failure},
    keys::open_private,
    output::print,
};

/// How many records may be on their way.
const UNDER_WAY: usize = 1024;

pub(super) fn run(args: &AuditAppend) -> Result<(), Failure> {
    let options = Options::new(&name(args)?)?;
    let options = options.with_segments(u64::from(args.segment_mib) << 20);
    let key = args.key.as_deref().map(|key| open_private(key, args.passphrase_file.as_deref()));
    let log = match key.transpose()? {
        Some(key) => Log::open(&args.log, options, key),
        None => Log::open_unsigned(&args.log, options),
    };
    let log = log.about(&args.log)?;
    let mut recorded = Recorded::default();
    let result = Seal::new(args).and_then(|seal| record(&log, &seal, &mut recorded));
    // What came before a line that is no event is recorded.
    let closed = log.close().about(&args.log);
    recorded.report(args.json.json)?;
    result.and(closed)
}

/// What is typed, what the checkpoint says, or what the folder is called.
fn name(args: &AuditAppend) -> Result<String, Failure> {
    if let Some(name) = &args.name {
        return Ok(name.clone());
    }
    if args.log.join("checkpoint").exists() {
        return name_of(&args.log);
    }
    let path = std::path::absolute(&args.log).about(&args.log)?;
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::input("the log needs a --name"))?;
    Ok(name.replace(|c: char| c.is_whitespace() || c.is_control() || c == '+', "-"))
}

/// What is sealed of each event, under the key of its user.
struct Seal {
    subjects: Option<Subjects>,
    resource: bool,
    attributes: Vec<String>,
}

impl Seal {
    fn new(args: &AuditAppend) -> Result<Self, Failure> {
        let subjects = subjects::open(&args.keys)?;
        let (resource, attributes) = (args.seal_resource, args.seal_attribute.clone());
        Ok(Self { subjects, resource, attributes })
    }

    fn seal(&self, mut event: Event) -> Result<Event, Error> {
        let fault = |reason: &str| Err(Error::Event { reason: reason.to_owned() });
        if !event.personal.is_empty() {
            return fault("what is sealed is sealed here: it has a member personal");
        }
        match (&self.subjects, event.actor.user.clone()) {
            (None, _) => {}
            (Some(subjects), Some(user)) => {
                let attributes: Vec<_> = self.attributes.iter().map(String::as_str).collect();
                let fields = Fields::none().with_actor().with_attributes(&attributes);
                let fields = if self.resource { fields.with_resource() } else { fields };
                subjects.seal(&mut event, &user, fields)?;
            }
            // It would stand there for ever, and in plain text.
            (Some(_), None) if self.is_personal(&event) => {
                return fault("it has something to be sealed, and no actor.user under whose key");
            }
            (Some(_), None) => {}
        }
        Ok(event)
    }

    fn is_personal(&self, event: &Event) -> bool {
        let principal = event.authorisation.as_ref().and_then(|own| own.principal.as_ref());
        event.actor.ip.is_some()
            || principal.is_some()
            || self.resource && event.resource.is_some()
            || self.attributes.iter().any(|name| event.attributes.contains_key(name))
    }
}

#[derive(Default)]
struct Recorded {
    records: u64,
    first: Option<u64>,
    last: Option<u64>,
}

impl Recorded {
    fn wait(&mut self, receipt: Receipt) -> Result<(), Failure> {
        let index = receipt.wait()?;
        self.records += 1;
        self.first.get_or_insert(index);
        self.last = Some(index);
        Ok(())
    }

    fn report(&self, json: bool) -> Result<(), Failure> {
        let Self { records, first, last } = self;
        if json {
            let report = serde_json::json!({ "records": records, "first": first, "last": last });
            return print(&report.to_string());
        }
        match (first, last) {
            (Some(first), Some(last)) => print(&format!("{records} records, {first} to {last}")),
            _ => print("0 records"),
        }
    }
}

fn record(log: &Log, seal: &Seal, recorded: &mut Recorded) -> Result<(), Failure> {
    let mut input = io::stdin().lock();
    let mut under_way = VecDeque::new();
    let mut line = Vec::new();
    let mut result = Ok(());
    for n in 1_u64.. {
        line.clear();
        // An event is shorter than its record may be.
        let read = io::Read::take(&mut input, MAX_RECORD as u64 + 2).read_until(b'\n', &mut line);
        if read.about(Path::new("standard input"))? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let receipt = Event::from_json(&line)
            .and_then(|event| seal.seal(event))
            .and_then(|event| log.submit(&event, WhenFull::Block));
        match receipt {
            Ok(receipt) => under_way.push_back(receipt),
            Err(error) => {
                result = Err(Failure::about(format!("standard input, line {n}"), error));
                break;
            }
        }
        if under_way.len() == UNDER_WAY
            && let Some(oldest) = under_way.pop_front()
        {
            recorded.wait(oldest)?;
        }
    }
    under_way.into_iter().try_for_each(|receipt| recorded.wait(receipt))?;
    result
}
