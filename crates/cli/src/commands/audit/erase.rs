//! `gmkit audit erase`.

use gmkit::audit::{Log, Options};

use super::{name_of, subjects};
use crate::{
    args::AuditErase,
    failure::{Context, Failure},
    keys::open_private,
    output::print,
};

pub(super) fn run(args: &AuditErase) -> Result<(), Failure> {
    let subjects = subjects::open_existing(&args.keys)?;
    let origin = name_of(&args.log)?;
    let key = open_private(&args.key, args.passphrase_file.as_deref())?;
    let log = Log::open(&args.log, Options::new(&origin)?, key).about(&args.log)?;
    let found = subjects.erase(&log, &args.subject).about(&args.log)?;
    log.close().about(&args.log)?;
    match found {
        true => print("erased: what was sealed under that key can be read no more"),
        false => Err(Failure::input("there is no key of a person of that name")),
    }
}
