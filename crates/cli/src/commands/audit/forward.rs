//! `gmkit audit forward`.

use std::sync::atomic::AtomicBool;

use gmkit::audit::{Error, Forwarded, Forwarder};

use super::{copy, name_of};
use crate::{
    args::AuditForward,
    failure::{Context, Failure},
    keys::read_public,
    output::print,
};

pub(super) fn run(args: &AuditForward) -> Result<(), Failure> {
    let key = read_public(&args.public)?;
    let sink = copy::sink(&args.copy, &args.cursor, &name_of(&args.log)?)?;
    let mut forwarder = Forwarder::new(&args.log, &key, sink);
    if args.follow {
        // Nothing tells it to stop: what is killed goes on the next time.
        let tell = |error: &Error| match error {
            Error::Pruned { .. } => eprintln!("gmkit: {error} before they were copied"),
            error => eprintln!("gmkit: {error}; it is asked again"),
        };
        return forwarder.follow(&AtomicBool::new(false), tell).about(&args.log);
    }
    let Forwarded { next, skipped, .. } = forwarder.forward().about(&args.log)?;
    print(&match (args.json.json, skipped) {
        (true, _) => serde_json::json!({ "records": next, "skipped": skipped }).to_string(),
        (false, 0) => format!("the copy goes to where the log is signed, before record {next}"),
        (false, _) => format!(
            "the copy goes to where the log is signed, before record {next}; {skipped} records were \
             pruned before they were copied"
        ),
    })
}
