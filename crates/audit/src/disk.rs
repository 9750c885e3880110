//! Files that are there as a whole, or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use crate::Error;

/// Writes a file beside its place and renames it. With `durable` it is on the disk when this returns.
pub(crate) fn replace(path: &Path, bytes: &[u8], durable: bool) -> Result<(), Error> {
    replace_with(path, bytes, durable, 0o666)
}

/// The same, durable, for its owner alone.
pub(crate) fn replace_secret(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    replace_with(path, bytes, true, 0o600)
}

fn replace_with(path: &Path, bytes: &[u8], durable: bool, mode: u32) -> Result<(), Error> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".tmp");
    let write = || {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(mode).open(&beside)?;
        file.write_all(bytes)?;
        if durable {
            file.sync_all()?;
        }
        fs::rename(&beside, path)
    };
    let written = write().map_err(Error::io(path));
    if written.is_err() {
        // It is of no use to anybody; that it cannot go either is no other error.
        drop(fs::remove_file(&beside));
    }
    written?;
    match (durable, path.parent()) {
        // A name without a folder is in this one.
        (true, Some(parent)) if parent.as_os_str().is_empty() => sync_folder(Path::new(".")),
        (true, Some(parent)) => sync_folder(parent),
        _ => Ok(()),
    }
}

/// Reads a file, which is a regular one, and not longer than that, in bytes.
pub(crate) fn read(path: &Path, at_most: usize) -> Result<Vec<u8>, Error> {
    let read = || {
        // Opening a pipe would wait for its other end.
        let found = fs::metadata(path)?;
        if !found.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let len = usize::try_from(found.len()).unwrap_or(usize::MAX);
        let mut bytes = Vec::with_capacity(len.min(at_most) + 1);
        File::open(path)?.take(at_most as u64 + 1).read_to_end(&mut bytes)?;
        match bytes.len() <= at_most {
            true => Ok(bytes),
            false => Err(io::ErrorKind::FileTooLarge.into()),
        }
    };
    read().map_err(Error::io(path))
}

/// Whether an error is that a file is not there.
pub(crate) fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::io(path))
}
