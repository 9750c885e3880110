//! The segment that is written.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::PathBuf,
};

use crate::{Error, disk, layout::Layout};

#[derive(Debug)]
pub(super) struct Segment {
    file: File,
    path: PathBuf,
    /// Bytes of it that are whole records, and durable.
    len: u64,
}

/// Whether what failed to be written is certainly not there.
#[derive(Debug)]
pub(super) enum Failed {
    /// It is not, and the segment can be written to again.
    Undone(Error),
    /// Nobody knows.
    Unknown(Error),
}

impl Segment {
    /// Makes a segment whose first record will have the index `first`.
    pub(super) fn create(layout: &Layout, first: u64) -> Result<Self, Error> {
        let path = layout.segment(first);
        let file = OpenOptions::new().append(true).create(true).open(&path);
        let file = file.map_err(Error::io(&path))?;
        // What a failed attempt has left behind was never anybody's record.
        file.set_len(0).map_err(Error::io(&path))?;
        disk::sync_folder(&layout.segments())?;
        Ok(Self { file, path, len: 0 })
    }

    /// Opens one that has so many bytes of whole records; what is behind them goes.
    pub(super) fn open(layout: &Layout, first: u64, len: u64) -> Result<Self, Error> {
        let path = layout.segment(first);
        let open = || {
            let file = OpenOptions::new().append(true).open(&path)?;
            if file.metadata()?.len() != len {
                file.set_len(len)?;
            }
            // What a killed process has written, and not made durable.
            file.sync_all()?;
            Ok(file)
        };
        let file = open().map_err(Error::io(&path))?;
        Ok(Self { file, path, len })
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Writes lines, and makes them durable.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), Failed> {
        if let Err(error) = self.file.write_all(lines) {
            return Err(self.undo(Error::io(&self.path)(error)));
        }
        // After a failure here the system may have dropped what was to be written: no second try tells.
        self.file.sync_data().map_err(|error| Failed::Unknown(Error::io(&self.path)(error)))?;
        self.len += lines.len() as u64;
        Ok(())
    }

    fn undo(&self, error: Error) -> Failed {
        match self.file.set_len(self.len) {
            Ok(()) => Failed::Undone(error),
            Err(_) => Failed::Unknown(error),
        }
    }
}

/// What is kept of a segment that was just opened.
pub(super) struct Lines {
    pub(super) records: Vec<Vec<u8>>,
    /// Bytes of whole lines.
    pub(super) len: u64,
}

/// Reads the whole lines of a segment.
pub(super) fn read(layout: &Layout, first: u64) -> Result<Lines, Error> {
    let path = layout.segment(first);
    let bytes = fs::read(&path).map_err(Error::io(&path))?;
    let len = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = bytes[..len].split(|byte| *byte == b'\n');
    let mut records: Vec<_> = lines.map(<[u8]>::to_vec).collect();
    // Behind the last line break there is nothing.
    records.pop();
    Ok(Lines { records, len: len as u64 })
}
