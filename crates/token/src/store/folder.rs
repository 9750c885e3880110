//! Files that only their owner may see, replaced as a whole or not at all.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
    process,
};

use cryptoki_sys::{CKR_DEVICE_ERROR, CKR_TOKEN_NOT_RECOGNIZED};
use rustix::{fs::OFlags, process::geteuid};

use crate::rv::{Result, Rv, ensure};

/// A lock; dropped, it is released, as it is when the process dies.
#[derive(Debug)]
pub(crate) struct Guard {
    file: File,
    process: u32,
}

/// By a call, and not by closing alone: a child that was forked meanwhile has the file open too, and
/// the lock would be held as long as the child lives.
impl Drop for Guard {
    fn drop(&mut self) {
        if self.process == process::id() {
            // Closing the file is the way out if this fails.
            let _ = self.file.unlock();
        }
    }
}

/// What tells one version of a file from another: every version is a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    modified: (i64, i64),
    length: u64,
}

pub(crate) fn stamp(metadata: &Metadata) -> Stamp {
    Stamp {
        inode: metadata.ino(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        length: metadata.len(),
    }
}

/// Whether the path is there, which then must be a folder of ours that others cannot enter, and no
/// link to one.
pub(crate) fn is_private_folder(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
        Ok(metadata) => {
            ensure(metadata.is_dir() && is_private(&metadata), CKR_TOKEN_NOT_RECOGNIZED)?;
            Ok(true)
        }
    }
}

fn is_private(metadata: &Metadata) -> bool {
    metadata.mode() & 0o077 == 0 && metadata.uid() == geteuid().as_raw()
}

/// Makes a folder for us alone, and those above it; one that is there must be such a one.
pub(crate) fn create(path: &Path) -> Result {
    if !is_private_folder(path)? {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    }
    ensure(is_private_folder(path)?, CKR_TOKEN_NOT_RECOGNIZED)
}

/// Waits for the lock.
pub(crate) fn lock(path: &Path) -> Result<Guard> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)?;
    ensure(is_private(&file.metadata()?), CKR_TOKEN_NOT_RECOGNIZED)?;
    loop {
        match file.lock() {
            // A signal of the caller's is not a failure of the token's.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done.map(|()| Guard { file, process: process::id() }).map_err(Rv::from),
        }
    }
}

/// The content of a file that only we can read; `None` where there is none. Links are not followed.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let metadata = file.metadata()?;
    ensure(metadata.is_file() && is_private(&metadata), CKR_TOKEN_NOT_RECOGNIZED)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    ensure(bytes.len() as u64 <= limit, CKR_DEVICE_ERROR)?;
    Ok(Some(bytes))
}

/// Begins the names of files that are being written.
const UNFINISHED: &str = ".new-";

/// Writes a file beside its place and renames it; what was there stays if anything fails. Under the
/// lock, so that an unfinished file of anybody else's is one whose writer was killed: it is removed.
pub(crate) fn replace(_: &Guard, folder: &Path, name: &str, content: &[u8]) -> Result<Stamp> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes()) {
            fs::remove_file(entry.path())?;
        }
    }
    // `tempfile` opens with mode 0600.
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    let file = file.persist(folder.join(name)).map_err(|failure| Rv::from(failure.error))?;
    sync(folder)?;
    Ok(stamp(&file.metadata()?))
}

/// Makes renames and removals in a folder last.
pub(crate) fn sync(folder: &Path) -> Result {
    Ok(File::open(folder)?.sync_all()?)
}
