//! `gmkit audit prune`.

use gmkit::audit::{Log, Options, Pruned, Retention};

use super::{copy, name_of};
use crate::{
    args::AuditPrune,
    failure::{Context, Failure},
    keys::open_private,
    output::print,
};

pub(super) fn run(args: &AuditPrune) -> Result<(), Failure> {
    let retention = match args.less_than_required {
        true => Retention::shorter_than_the_law_wants(args.days),
        false => Retention::new(args.days).map_err(|error| {
            Failure::input(format!("--days {}: {error}; --less-than-required", args.days))
        })?,
    };
    // A log that is not there is not made.
    let origin = name_of(&args.log)?;
    let copy = copy::read_back(&args.copy, &origin)?;
    let key = open_private(&args.key, args.passphrase_file.as_deref())?;
    let log = Log::open(&args.log, Options::new(&origin)?, key).about(&args.log)?;
    let pruned = match copy {
        Some(mut copy) => log.prune_copied(retention, &mut *copy),
        None => log.prune(retention),
    };
    let pruned = pruned.about(&args.log)?;
    log.close().about(&args.log)?;
    report(&pruned, args.json.json)
}

fn report(pruned: &Pruned, json: bool) -> Result<(), Failure> {
    let Pruned { first, records, bytes, .. } = pruned;
    if json {
        let report = serde_json::json!({ "first": first, "records": records, "bytes": bytes });
        return print(&report.to_string());
    }
    print(&match records {
        0 => "no segment is old enough".to_owned(),
        _ => {
            format!("{records} records are gone, {bytes} bytes; the log begins with record {first}")
        }
    })
}
