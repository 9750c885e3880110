//! The records as they stand in the segments.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    ops::Range,
    vec,
};

use gmkit_sm3::hash_many;

use super::{Finding, damaged};
use crate::{
    Error, Hash, MAX_RECORD,
    layout::{Layout, segment_first},
};

/// Lines and their hashes.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// For each line the byte 0, as leaves are hashed, and the line.
    bytes: Vec<u8>,
    ranges: Vec<Range<usize>>,
    hashes: Vec<Hash>,
}

impl Batch {
    pub(super) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.ranges.iter().map(|range| &self.bytes[range.start + 1..range.end])
    }

    pub(super) fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    fn hash(&mut self) {
        let leaves: Vec<_> = self.ranges.iter().map(|range| &self.bytes[range.clone()]).collect();
        self.hashes.clear();
        self.hashes.resize(leaves.len(), [0; 32]);
        hash_many(&leaves, &mut self.hashes);
    }
}

/// The first indices of the segments, in their order.
pub(crate) fn segments(layout: &Layout) -> Result<Vec<u64>, Error> {
    let dir = layout.segments();
    let mut firsts = Vec::new();
    for entry in fs::read_dir(&dir).map_err(Error::io(&dir))? {
        let name = entry.map_err(Error::io(&dir))?.file_name();
        let first = name.to_str().and_then(segment_first);
        firsts.push(first.ok_or_else(|| damaged(dir.join(name), "not a segment"))?);
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// All segments, one after the other.
pub(super) struct Lines {
    layout: Layout,
    rest: vec::IntoIter<u64>,
    file: Option<BufReader<File>>,
    next: u64,
    /// Bytes of half a line at the end of the segment that was read.
    unfinished: u64,
    /// Whether there was an end: what is written meanwhile is not read.
    done: bool,
    finding: Option<Finding>,
}

impl Lines {
    pub(super) fn open(layout: &Layout) -> Result<Self, Error> {
        let firsts = segments(layout)?;
        // Where records were pruned it begins with another one than 0.
        let next = firsts.first().copied().unwrap_or(0);
        let (layout, rest) = (layout.clone(), firsts.into_iter());
        Ok(Self { layout, rest, file: None, next, unfinished: 0, done: false, finding: None })
    }

    /// From the segment on that has the record `index`, by the segments' names.
    pub(super) fn from(layout: &Layout, index: u64) -> Result<Self, Error> {
        let mut lines = Self::open(layout)?;
        let later: Vec<_> = lines.rest.as_slice().iter().copied().filter(|f| *f > index).collect();
        let own = lines.rest.as_slice().iter().copied().filter(|first| *first <= index).max();
        lines.next = own.or(later.first().copied()).unwrap_or(0);
        lines.rest = own.into_iter().chain(later).collect::<Vec<_>>().into_iter();
        Ok(lines)
    }

    /// The first indices of the segments that are not read yet.
    pub(super) fn segments(&self) -> &[u64] {
        self.rest.as_slice()
    }

    /// The index of the next record.
    pub(super) fn index(&self) -> u64 {
        self.next
    }

    /// Bytes behind the last line.
    pub(super) fn unfinished(&self) -> u64 {
        self.unfinished
    }

    /// What is wrong with the files or lines as such; nothing was read from there on.
    pub(super) fn finding(self) -> Option<Finding> {
        self.finding
    }

    /// Reads as many lines as there are, up to `most`; whether there was one.
    pub(super) fn read(&mut self, most: usize, batch: &mut Batch) -> Result<bool, Error> {
        batch.bytes.clear();
        batch.ranges.clear();
        while batch.ranges.len() < most && self.finding.is_none() && !self.done {
            let start = batch.bytes.len();
            batch.bytes.push(0);
            if self.line(&mut batch.bytes)? {
                batch.ranges.push(start..batch.bytes.len());
                self.next += 1;
                continue;
            }
            batch.bytes.truncate(start);
            if !self.next_segment()? {
                self.done = true;
            }
        }
        batch.hash();
        Ok(!batch.ranges.is_empty())
    }

    /// Appends one line, without its end. What has no end yet is being written, and no line.
    fn line(&mut self, bytes: &mut Vec<u8>) -> Result<bool, Error> {
        let Some(file) = &mut self.file else { return Ok(false) };
        let before = bytes.len();
        let read = file.take(MAX_RECORD as u64 + 1).read_until(b'\n', bytes);
        let n = read.map_err(Error::io(self.layout.segments()))?;
        if bytes.len() > before && bytes.last() == Some(&b'\n') {
            bytes.pop();
            return Ok(true);
        }
        if n > MAX_RECORD {
            self.finding = Some(Finding::TooLong { index: self.next });
        }
        self.unfinished = n as u64;
        bytes.truncate(before);
        Ok(false)
    }

    fn next_segment(&mut self) -> Result<bool, Error> {
        if self.finding.is_some() {
            return Ok(false);
        }
        let Some(found) = self.rest.next() else { return Ok(false) };
        if self.unfinished > 0 {
            self.finding = Some(Finding::Unfinished { index: self.next });
            return Ok(false);
        }
        if found != self.next {
            self.finding = Some(Finding::Segments { index: self.next.min(found), found });
            return Ok(false);
        }
        let path = self.layout.segment(found);
        let file = match File::open(&path) {
            // Made and not written to, and gone again since the names were read.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.rest.len() == 0 => {
                return Ok(false);
            }
            file => file.map_err(Error::io(path))?,
        };
        self.file = Some(BufReader::with_capacity(1 << 18, file));
        Ok(true)
    }
}
