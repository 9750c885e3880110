//! The file of lines: read as far as it has grown, appended to under a lock.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::{event::Event, state::State};
use crate::Error;

/// A line is far shorter, in bytes; what has no end after so many is not an index.
const MAX_LINE: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    file: File,
    state: State,
    /// How far the file was read: whole lines only.
    read: u64,
    lines: usize,
}

/// The index while nobody else writes to it.
pub(super) struct Locked<'i>(&'i mut Index);

impl Index {
    pub(super) fn open(path: &Path, create: bool) -> Result<Self, Error> {
        let file = OpenOptions::new().read(true).append(true).create(create).open(path);
        let file = file.map_err(|source| Error::Io { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file, state: State::default(), read: 0, lines: 0 })
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Does something while holding the lock, after having read what others have written.
    pub(super) fn locked<T>(
        &mut self,
        work: impl FnOnce(&mut Locked<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.file.lock().map_err(|source| self.fault(source))?;
        let result = self.catch_up().and_then(|()| work(&mut Locked(self)));
        let unlocked = self.file.unlock().map_err(|source| self.fault(source));
        let value = result?;
        unlocked.map(|()| value)
    }

    fn catch_up(&mut self) -> Result<(), Error> {
        self.check_file()?;
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(self.read)).map_err(|source| self.fault(source))?;
        self.file.read_to_end(&mut bytes).map_err(|source| self.fault(source))?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let (whole, torn) = bytes.split_at(whole);
        if torn.len() > MAX_LINE {
            return Err(Error::Database { line: self.lines + 1, reason: "the line does not end" });
        }
        for line in whole.split_inclusive(|&byte| byte == b'\n') {
            self.lines += 1;
            let wrong = |reason| Error::Database { line: self.lines, reason };
            let event =
                serde_json::from_slice(line).map_err(|_| wrong("not an event of an index"))?;
            self.state.apply(event).map_err(wrong)?;
            self.read += line.len() as u64;
        }
        if !torn.is_empty() {
            // Whoever wrote it was stopped before it was done: nothing of it has left the process.
            self.file.set_len(self.read).map_err(|source| self.fault(source))?;
        }
        Ok(())
    }

    /// The file is the one that was opened, and has all that was read: somebody may have put a copy of an
    /// older one in its place, and what is appended to a file without a name is lost.
    fn check_file(&self) -> Result<(), Error> {
        let [opened, named] = [self.file.metadata(), std::fs::metadata(&self.path)]
            .map(|metadata| metadata.map_err(|source| self.fault(source)));
        let (opened, named) = (opened?, named?);
        #[cfg(unix)]
        let same = {
            use std::os::unix::fs::MetadataExt;
            (opened.dev(), opened.ino()) == (named.dev(), named.ino())
        };
        #[cfg(not(unix))]
        let same = opened.len() == named.len();
        match same && opened.len() >= self.read {
            true => Ok(()),
            false => Err(Error::Database {
                line: self.lines,
                reason: "another file was put in its place",
            }),
        }
    }

    fn fault(&self, source: io::Error) -> Error {
        Error::Io { path: self.path.clone(), source }
    }
}

impl Locked<'_> {
    pub(super) fn state(&self) -> &State {
        &self.0.state
    }

    /// Whether there is no line in it.
    pub(super) fn is_empty(&self) -> bool {
        self.0.lines == 0
    }

    /// Appends a line, and waits until it is on the disk.
    pub(super) fn append(&mut self, event: &Event) -> Result<(), Error> {
        let index = &mut *self.0;
        let mut line = serde_json::to_vec(event).expect("an event is JSON");
        line.push(b'\n');
        if let Err(source) = index.file.write_all(&line).and_then(|()| index.file.sync_data()) {
            // As if it had not been tried: a full disk must not leave half a line for the next one.
            let _ = index.file.set_len(index.read);
            return Err(index.fault(source));
        }
        index.read += line.len() as u64;
        index.lines += 1;
        index
            .state
            .apply(event.clone())
            .map_err(|reason| Error::Database { line: index.lines, reason })
    }
}
