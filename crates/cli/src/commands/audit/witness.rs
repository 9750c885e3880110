//! `gmkit audit witness`.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use gmkit::{
    audit::{Checkpoint, Error, growth, verify_consistency},
    pki::now,
};

use super::MAX_NOTE;
use crate::{
    args::AuditWitness,
    failure::{Context, Failure},
    input::Input,
    keys::{open_private, read_public},
    output::{Access, Content, Output, print, spare_private_key},
};

/// The lock of a state file, in a file beside it: the state itself is replaced.
fn lock(state: &Path) -> Result<File, Failure> {
    let mut path = state.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let file = File::create(&path).about(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::about(
            state.display(),
            Failure::device("another witness is at work on it"),
        )),
        Err(TryLockError::Error(error)) => Err(error).about(&path),
    }
}

pub(super) fn run(args: &AuditWitness) -> Result<(), Failure> {
    let log_key = read_public(&args.public)?;
    // Two at once would both sign what only one of them has seen grow.
    let lock = lock(&args.state)?;
    // Only a file that is not there is none: what cannot be read now was seen all the same.
    let before = match args.state.try_exists().about(&args.state)? {
        true => {
            let note = Input::open(&args.state)?.read_all(MAX_NOTE)?;
            Some(Checkpoint::open(&note, &log_key).about(&args.state)?)
        }
        false => None,
    };
    let from = before.as_ref().map_or(0, |before| before.size);
    let grown = growth(&args.log, from, &log_key).map_err(|error| match error {
        // Nobody can tell any more whether it is the same log: that is for a person to look into.
        Error::Pruned { .. } => Failure::check(error.to_string()),
        error => error.into(),
    });
    let (note, checkpoint, proof) = grown.about(&args.log)?;
    if let Some(before) = &before {
        let same_log = before.origin == checkpoint.origin;
        let grown = verify_consistency(
            before.size,
            &before.root,
            checkpoint.size,
            &checkpoint.root,
            &proof,
        );
        if !same_log || grown.is_err() {
            let reason = "the log is not the one that was seen before, grown since";
            return Err(Failure::about(args.log.display(), Failure::check(reason)));
        }
    }
    spare_private_key(
        Some(&args.state),
        &crate::args::PrivateKeyArgs {
            key: args.key.clone(),
            passphrase_file: args.passphrase_file.clone(),
        },
    )?;
    let key = open_private(&args.key, args.passphrase_file.as_deref())?;
    let time = u64::try_from(now()).unwrap_or(0);
    let line = checkpoint.cosign(time, &args.name, &*key)?;
    let mut output = Output::create(Some(&args.state), Content::Text, Access::Public)?;
    let note = Checkpoint::stripped(note.as_bytes(), &log_key)?;
    output.write(format!("{note}{line}").as_bytes())?;
    output.commit()?;
    drop(lock);
    let (origin, size) = (&checkpoint.origin, checkpoint.size);
    print(&match before {
        Some(before) => format!("{origin}: grown from {} to {size} records", before.size),
        None => format!("{origin}: {size} records, seen for the first time"),
    })
}
