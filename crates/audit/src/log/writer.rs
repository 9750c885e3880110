//! The one thread that writes: batches of records, tiles, segments.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::PathBuf,
    time::{Duration, Instant},
};

use time::OffsetDateTime;

use super::{
    own_record::{Gap, OwnRecord, Totals},
    recovery::Recovered,
    segment::{Failed, Segment},
};
use crate::{
    Error, disk,
    layout::Layout,
    merkle::{Edge, Tile, WIDTH, leaf_hashes},
};

/// A segment is closed at the end of a tile when it is so old.
const MAX_AGE: Duration = Duration::from_secs(24 * 3600);

/// What the disk holds free for the record of a gap and its checkpoint, in bytes.
const RESERVE: u64 = 131_072;

/// In what steps.
const BLOCK: usize = 4096;

#[derive(Debug)]
pub(super) struct Writer {
    layout: Layout,
    segment: Option<(Segment, Instant)>,
    segment_bytes: u64,
    edge: Edge,
    totals: Totals,
    /// Full tiles that could not be written yet: what is in the segments can be made into them again.
    tiles: Vec<Tile>,
    /// Tiles written since the last segment began, to be durable before it is the last no more.
    unsynced: Vec<PathBuf>,
}

impl Writer {
    pub(super) fn new(layout: Layout, segment_bytes: u64, recovered: Recovered) -> Self {
        let Recovered { segment, tiles: unsynced, edge, totals, signed: _, begun } = recovered;
        let age = begun.and_then(|begun| (OffsetDateTime::now_utc() - begun).try_into().ok());
        // As long ago as this clock goes, which is one day too far at any rate.
        let now = Instant::now();
        let since = now.checked_sub(age.unwrap_or_default()).unwrap_or(now);
        let segment = segment.map(|segment| (segment, since));
        let tiles = Vec::new();
        Self { layout, segment, segment_bytes, edge, totals, tiles, unsynced }
    }

    pub(super) fn edge(&self) -> &Edge {
        &self.edge
    }

    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// Writes records of events, and makes them durable; says how many were. They follow each other, but where
    /// a new segment begins there is a record of the log's own between them: the indices are handed out.
    pub(super) fn append(
        &mut self,
        lines: &[Vec<u8>],
        mut indices: impl FnMut(u64),
    ) -> Result<(), (usize, Failed)> {
        let mut done = 0;
        while done < lines.len() {
            let fail = |failed| (done, failed);
            self.begin_segment().map_err(fail)?;
            let room = self.room().min(lines.len() - done);
            let part = &lines[done..done + room];
            let first = self.edge.size();
            // Who waits for the disk does not wait for the tree.
            self.write(part, || (first..first + room as u64).for_each(&mut indices))
                .map_err(fail)?;
            self.totals.recorded += room as u64;
            done += room;
        }
        Ok(())
    }

    /// Records a gap.
    pub(super) fn append_gap(&mut self, gap: &Gap) -> Result<(), Failed> {
        self.append_own(&OwnRecord::Gap(gap.clone()))?;
        self.totals.add(gap);
        Ok(())
    }

    /// Writes a record of the log's own; its index.
    pub(super) fn append_own(&mut self, record: &OwnRecord) -> Result<u64, Failed> {
        self.begin_segment()?;
        let index = self.edge.size();
        self.write(&[record.to_line()], || ())?;
        Ok(index)
    }

    /// How many records may go into the segment: as many as there are while it is not to be closed, and
    /// else those that fill its last tile.
    fn room(&self) -> usize {
        match self.is_over() {
            true => WIDTH - (self.edge.size() % WIDTH as u64) as usize,
            false => usize::MAX,
        }
    }

    fn is_over(&self) -> bool {
        let over = |(segment, since): &(Segment, Instant)| {
            segment.len() >= self.segment_bytes || since.elapsed() >= MAX_AGE
        };
        self.segment.as_ref().is_some_and(over)
    }

    fn begin_segment(&mut self) -> Result<(), Failed> {
        let at_end = self.is_over() && self.edge.size().is_multiple_of(WIDTH as u64);
        if self.segment.is_some() && !at_end {
            return Ok(());
        }
        self.sync_tiles().map_err(Failed::Undone)?;
        let segment = Segment::create(&self.layout, self.edge.size()).map_err(Failed::Undone)?;
        let old = self.segment.replace((segment, Instant::now()));
        let line = OwnRecord::Segment(self.totals).to_line();
        if let Err(failed) = self.write(&[line], || ()) {
            // An empty segment is nobody's: the old one is the last again.
            self.segment = old;
            let path = self.layout.segment(self.edge.size());
            return match (failed, fs::remove_file(&path)) {
                (Failed::Undone(error), Ok(())) => Err(Failed::Undone(error)),
                (Failed::Undone(error) | Failed::Unknown(error), _) => Err(Failed::Unknown(error)),
            };
        }
        Ok(())
    }

    /// Writes records, and tells when they are on the disk.
    fn write(&mut self, lines: &[Vec<u8>], durable: impl FnOnce()) -> Result<(), Failed> {
        let Some((segment, _)) = &mut self.segment else {
            return Err(Failed::Unknown(Error::Closed));
        };
        let mut bytes = Vec::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
        for line in lines {
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
        }
        segment.append(&bytes)?;
        durable();
        for hash in leaf_hashes(lines) {
            self.edge.push(hash, |tile| self.tiles.push(tile));
        }
        if let Err(error) = self.write_tiles() {
            tracing::warn!(%error, "a tile of the audit log has to wait");
        }
        Ok(())
    }

    /// Writes the full tiles; what cannot be written waits, for no record depends on it.
    ///
    /// # Errors
    /// That of the first that has to wait.
    pub(super) fn write_tiles(&mut self) -> Result<(), Error> {
        while let Some(tile) = self.tiles.first() {
            self.unsynced.push(write_tile(&self.layout, tile)?);
            self.tiles.remove(0);
        }
        Ok(())
    }

    /// Whether all tiles are written that are full: a checkpoint may be made then.
    pub(super) fn has_all_tiles(&self) -> bool {
        self.tiles.is_empty()
    }

    fn sync_tiles(&mut self) -> Result<(), Error> {
        self.write_tiles()?;
        let mut folders = std::collections::BTreeSet::new();
        for path in &self.unsynced {
            let file = fs::File::open(path).and_then(|file| file.sync_all());
            file.map_err(Error::io(path))?;
            // Up to the log's own folder: new tiles make new folders.
            let above = path.ancestors().skip(1);
            folders.extend(above.take_while(|path| path.starts_with(self.layout.dir())));
        }
        folders.iter().try_for_each(|folder| disk::sync_folder(folder))?;
        self.unsynced.clear();
        Ok(())
    }

    /// Holds disk space free, for when there is no other: as much as there is, up to the whole. Whether it
    /// is the whole.
    pub(super) fn hold_reserve(&self) -> bool {
        let hold = || {
            let mut file =
                OpenOptions::new().append(true).create(true).open(self.layout.reserve())?;
            let mut len = file.metadata()?.len();
            while len < RESERVE {
                // Not of zeros: a file system might keep them as nothing.
                file.write_all(&[b'.'; BLOCK])?;
                len += BLOCK as u64;
            }
            file.sync_all()
        };
        match hold() {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!(%error, "less space is held for the record of a gap");
                false
            }
        }
    }

    /// Gives the held space away.
    pub(super) fn release_reserve(&self) {
        if let Err(error) = fs::remove_file(self.layout.reserve()) {
            tracing::debug!(%error, "no reserve to release");
        }
    }
}

pub(super) fn write_tile(layout: &Layout, tile: &Tile) -> Result<PathBuf, Error> {
    let path = layout.tile(tile.level, tile.index);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    disk::replace(&path, tile.hashes.as_flattened(), false)?;
    // Its partial forms are of no use any more.
    let partial = layout.partial_tiles(tile.level, tile.index);
    if partial.exists() {
        drop(fs::remove_dir_all(partial));
    }
    Ok(path)
}
