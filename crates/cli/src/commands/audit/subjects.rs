//! The keys of the persons that a log is about.

use std::sync::Arc;

use gmkit::{
    audit::Subjects,
    keys::{SecretKey, SecretUse, SoftwareSecret},
};

use crate::{
    args::SubjectKeys,
    failure::{Context, Failure},
    keys::{open_device_secret, read_secret},
};

/// Opens the folder that is named, if one is.
pub(super) fn open(args: &SubjectKeys) -> Result<Option<Subjects>, Failure> {
    let (Some(dir), Some(key)) = (&args.subjects, &args.seal_key) else { return Ok(None) };
    let device = open_device_secret(key, SecretUse::Seal, args.seal_pin_file.as_deref())?;
    let master: Arc<dyn SecretKey> = match device {
        Some(device) => device,
        None => {
            let bytes = SoftwareSecret::decode_file_bytes(&read_secret(key)?);
            Arc::new(SoftwareSecret::sm4(&bytes).about(key)?)
        }
    };
    Subjects::open(dir, master).about(dir).map(Some)
}

/// The same, where it has to be there: a folder that is misspelt is not made.
pub(super) fn open_existing(args: &SubjectKeys) -> Result<Subjects, Failure> {
    let missing = || Failure::input("--subjects and --seal-key are needed");
    let dir = args.subjects.as_ref().ok_or_else(missing)?;
    if !dir.join("lookup").is_file() {
        return Err(Failure::about(dir.display(), Failure::input("not a folder of persons' keys")));
    }
    open(args)?.ok_or_else(missing)
}
