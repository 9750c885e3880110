//! The records of a log as they come.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use super::lines::segments;
use crate::{Auditor, Error, MAX_RECORD, layout::Layout};

/// Reads the records of a log in their order, while it is written.
///
/// Nothing is checked, and not all that it reads is signed: see [`Auditor::run`]. What was not acknowledged yet may be
/// cut off again when its writer dies, and then it goes on amid what comes in its place.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// # use std::sync::Arc;
/// # use gmkit_audit::{Event, Follow, Log, Options, Outcome};
/// # let key = Arc::new(gmkit_keys::SoftwareKey::generate()?);
/// let log = Log::open(dir, Options::new("bank.example/payments")?, key)?;
/// let mut follow = Follow::new(dir, 0)?;
/// while follow.read()?.is_some() {}
/// log.append(&Event::new("login", Outcome::allowed()))?;
/// let record = follow.read()?.ok_or("it is there as soon as it is acknowledged")?;
/// assert!(record.starts_with(br#"{"v":1,"#));
/// # log.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Follow {
    layout: Layout,
    next: u64,
    /// `None` where no segment is open yet: a log that was just made has none.
    file: Option<BufReader<File>>,
}

impl Follow {
    /// From a record on, or from the first that is there if that was pruned.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Damaged`] for files that are no segments.
    pub fn new(dir: &Path, index: u64) -> Result<Self, Error> {
        let layout = Layout::new(dir);
        let firsts = segments(&layout)?;
        let at = firsts.partition_point(|first| *first <= index).saturating_sub(1);
        let next = firsts.get(at).copied().unwrap_or(index);
        let mut follow = Self { layout, next, file: None };
        while follow.next < index && follow.read()?.is_some() {}
        Ok(follow)
    }

    /// The index of the next record.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.next
    }

    /// The next record, if it is there yet.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Pruned`] when it was pruned before it was read; [`Error::Damaged`] for a line that is
    /// too long for a record.
    pub fn read(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if let Some(line) = self.line()? {
            return Ok(Some(line));
        }
        // The end of this segment, if there was one: the next one is named after the record that is missing.
        let path = self.layout.segment(self.next);
        match File::open(&path) {
            Ok(file) => self.file = Some(BufReader::with_capacity(1 << 16, file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let first = Auditor::first(self.layout.dir())?;
                return if first > self.next { Err(Error::Pruned { first }) } else { Ok(None) };
            }
            Err(error) => return Err(Error::io(path)(error)),
        }
        self.line()
    }

    /// Forgets what was read ahead: a record that nobody has signed may be cut off again, and another one come in its
    /// place.
    pub(crate) fn look_again(&mut self) -> Result<(), Error> {
        let io = |error| Error::io(self.layout.segments())(error);
        let Some(file) = &mut self.file else { return Ok(()) };
        // Only a seek from the start empties the buffer for certain.
        let place = file.stream_position().map_err(io)?;
        file.seek(SeekFrom::Start(place)).map(drop).map_err(io)
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Some(file) = &mut self.file else { return Ok(None) };
        let io = |error| Error::io(self.layout.segments())(error);
        let mut line = Vec::new();
        let n = file.take(MAX_RECORD as u64 + 1).read_until(b'\n', &mut line).map_err(io)?;
        if line.pop_if(|last| *last == b'\n').is_some() {
            self.next += 1;
            return Ok(Some(line));
        }
        if n > MAX_RECORD {
            let reason = "a line is longer than a record can be";
            return Err(Error::Damaged { path: self.layout.segments(), reason });
        }
        // It is being written; or its writer has died, and the next one puts another in its place.
        file.seek(SeekFrom::Current(-(n as i64))).map_err(io)?;
        Ok(None)
    }
}
