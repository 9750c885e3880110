//! The reader that trusts nobody: it shares the formats with the writer, and no code that writes.

mod compare;
mod find;
mod follow;
mod lines;
mod peaks;
mod pruned;
mod report;

use std::path::{Path, PathBuf};

use gmkit_sm2::PublicKey;

pub use self::follow::Follow;
pub use self::report::{Finding, Gaps, Report};
use self::{
    compare::Comparison,
    lines::{Batch, Lines},
    peaks::Peaks,
    pruned::Unknown,
};
use crate::{
    Checkpoint, Error, Event, Hash, disk,
    layout::Layout,
    log::own_record::{self, OwnRecord},
    merkle::WIDTH,
    note::MAX_NOTE,
    pruning::Pruning,
    tiles::read_tile,
};

/// How often a log is read again that was pruned meanwhile.
const TRIES: usize = 8;

/// Whether the tiles above the leaves make the root that a checkpoint says.
pub(crate) fn upper_tiles_hold(layout: &Layout, checkpoint: &Checkpoint) -> bool {
    Comparison::new(layout, checkpoint, 0).is_vouched_for(1)
}

/// The roots over each 256 records that a checkpoint covers, as the tiles have them; with the leaves behind them
/// they make the root that was signed.
pub(crate) fn signed_roots(layout: &Layout, checkpoint: &Checkpoint) -> Result<Vec<Hash>, Error> {
    let width = WIDTH as u64;
    let whole = checkpoint.size / width * width;
    let mut peaks = Peaks::new();
    let mut roots = Vec::new();
    for tile in pruned::roots(layout, whole, checkpoint.size) {
        let tile = tile.map_err(|unknown| match unknown {
            Unknown::Error(error) => error,
            Unknown::Finding(_) => damaged(layout.dir().join("tile"), "not all are there"),
        })?;
        roots.extend(tile);
    }
    roots.iter().for_each(|root| peaks.push_tree(8, *root));
    let behind = (checkpoint.size - whole) as usize;
    if behind > 0 {
        let leaves = read_tile(layout, 0, whole / width, behind)?;
        leaves.iter().take(behind).for_each(|leaf| peaks.push(*leaf));
    }
    match peaks.root() == checkpoint.root {
        true => Ok(roots),
        false => Err(damaged(layout.dir().join("tile"), "not the tiles of what was signed")),
    }
}

/// Checks a log, also while it is written.
///
/// Every record up to the latest checkpoint is read and hashed again, and every tile compared. What comes
/// behind the checkpoint is counted, and said to be unsigned. See [`crate::Log`] for an example.
#[derive(Debug)]
pub struct Auditor {
    layout: Layout,
    key: PublicKey,
    kept: Vec<Vec<u8>>,
    witness: Option<PublicKey>,
    origin: Option<String>,
}

/// What one reading of all records has found.
struct Reading {
    /// The first record that is there.
    first: u64,
    /// Whether those before it are known by their tiles: if not, nothing else was read.
    begun: bool,
    /// The first that must be, and for how many days those before it were kept, as the key has signed.
    kept_from: u64,
    kept_days: Option<u64>,
    root: Option<Hash>,
    records: u64,
    /// Bytes behind the last line.
    unfinished: u64,
    gaps: Gaps,
    /// Roots at the sizes that were asked for, where there are as many records.
    roots: Vec<Option<Hash>>,
    findings: Vec<Finding>,
}

impl Auditor {
    /// Will check the log in a folder, whose checkpoints this key signs.
    #[must_use]
    pub fn new(dir: &Path, key: &PublicKey) -> Self {
        let layout = Layout::new(dir);
        Self { layout, key: *key, kept: Vec::new(), witness: None, origin: None }
    }

    /// Checks also that the log is the one that a checkpoint of before is of, grown since: who has kept one
    /// sees what is behind it taken back.
    #[must_use]
    pub fn with_kept(mut self, note: &[u8]) -> Self {
        self.kept.push(note.to_vec());
        self
    }

    /// Checks also that the latest checkpoint, or one that was kept, was seen by the witness with this key.
    #[must_use]
    pub fn with_witness(mut self, key: &PublicKey) -> Self {
        self.witness = Some(*key);
        self
    }

    /// Checks also that the log has this name.
    #[must_use]
    pub fn with_origin(mut self, origin: &str) -> Self {
        self.origin = Some(origin.to_owned());
        self
    }

    /// Reads and checks everything.
    ///
    /// # Errors
    /// [`Error::Io`] when something cannot be read; [`Error::Malformed`] and [`Error::Rejected`] for a kept
    /// checkpoint that is none of this key: that says nothing about the log. What is wrong with the log is no
    /// error, but in the [`Report`].
    pub fn run(&self) -> Result<Report, Error> {
        let mut tries = 0;
        loop {
            let first = Lines::open(&self.layout)?.index();
            let report = self.run_once();
            tries += 1;
            // What was pruned meanwhile was read by half.
            let is_sound = report.as_ref().is_ok_and(Report::is_sound);
            if is_sound || tries == TRIES || Lines::open(&self.layout)?.index() == first {
                return report;
            }
        }
    }

    fn run_once(&self) -> Result<Report, Error> {
        let kept = self.kept.iter().map(|note| Checkpoint::open(note, &self.key));
        let kept: Vec<_> = kept.collect::<Result<_, _>>()?;
        // Read first: the records that it covers are there before it is.
        let note = self.read_checkpoint()?;
        let (checkpoint, mut findings) = match &note {
            None => (None, Vec::new()),
            Some(note) => match Checkpoint::open(note, &self.key) {
                Ok(checkpoint) => (Some(checkpoint), Vec::new()),
                Err(_) => (None, vec![Finding::CheckpointNotSigned]),
            },
        };
        let size = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size);
        let sizes: Vec<_> = kept.iter().map(|kept| kept.size).collect();
        let origin = checkpoint.as_ref().map(|checkpoint| &*checkpoint.origin);
        let mut reading = self.read_all(size, &sizes, origin)?;
        if note.is_none() {
            findings.push(Finding::NoCheckpoint);
        }
        findings.extend(self.check_names(checkpoint.as_ref(), &kept));
        if reading.begun {
            findings.extend(check_begin(&reading));
            findings.extend(self.check_records(checkpoint.as_ref(), &reading)?);
            findings.extend(check_kept(&kept, size, &reading));
        } else {
            findings.append(&mut reading.findings);
        }
        findings.extend(self.check_witness(note.as_deref()));
        let tail = reading.records.saturating_sub(size);
        let origin = checkpoint.map(|checkpoint| checkpoint.origin);
        let Reading { first, kept_days, root, gaps, unfinished, .. } = reading;
        Ok(Report { origin, first, kept_days, size, tail, unfinished, root, gaps, findings })
    }

    fn read_checkpoint(&self) -> Result<Option<Vec<u8>>, Error> {
        match disk::read(&self.layout.checkpoint(), MAX_NOTE) {
            Ok(note) => Ok(Some(note)),
            Err(error) if disk::is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Hashes every record; the root at `size`, and at other sizes.
    fn read_all(&self, size: u64, sizes: &[u64], origin: Option<&str>) -> Result<Reading, Error> {
        let mut lines = Lines::open(&self.layout)?;
        let mut reading = Reading {
            first: lines.index(),
            begun: false,
            kept_from: 0,
            kept_days: None,
            root: (size == 0).then(crate::empty_root),
            records: 0,
            unfinished: 0,
            gaps: Gaps::default(),
            roots: sizes.iter().map(|size| (*size == 0).then(crate::empty_root)).collect(),
            findings: Vec::new(),
        };
        let mut peaks = Peaks::new();
        let note = |peaks: &Peaks, reading: &mut Reading| {
            let records = peaks.size();
            if records == size {
                reading.root = Some(peaks.root());
            }
            for (at, root) in sizes.iter().zip(&mut reading.roots) {
                if *at == records {
                    *root = Some(peaks.root());
                }
            }
        };
        for roots in pruned::roots(&self.layout, reading.first, size) {
            match roots {
                Ok(roots) => roots.into_iter().for_each(|root| {
                    peaks.push_tree(8, root);
                    note(&peaks, &mut reading);
                }),
                Err(Unknown::Finding(finding)) => {
                    reading.findings.push(finding);
                    return Ok(reading);
                }
                Err(Unknown::Error(error)) => return Err(error),
            }
            self.check_tiles(&mut peaks, size, &mut reading.findings)?;
        }
        reading.begun = true;
        let mut batch = Batch::default();
        while lines.read(WIDTH, &mut batch)? {
            for (line, hash) in batch.lines().zip(batch.hashes()) {
                peaks.push(*hash);
                // What is not signed says nothing.
                let pruning = if peaks.size() <= size { reading.count(line) } else { None };
                let pruning = pruning.zip(origin);
                if let Some(pruning) =
                    pruning.and_then(|(note, origin)| Pruning::open(&note, origin, &self.key))
                {
                    reading.allow(&pruning);
                }
                note(&peaks, &mut reading);
            }
            self.check_tiles(&mut peaks, size, &mut reading.findings)?;
        }
        reading.records = peaks.size();
        reading.unfinished = lines.unfinished();
        reading.findings.extend(lines.finding());
        Ok(reading)
    }

    /// Compares the tiles that are full by now, and that the checkpoint covers.
    fn check_tiles(
        &self,
        peaks: &mut Peaks,
        size: u64,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Error> {
        for tile in peaks.full_tiles() {
            let span = (WIDTH as u64).pow(tile.level as u32 + 1);
            if (tile.index + 1).saturating_mul(span) > size {
                continue;
            }
            let path = self.layout.tile(tile.level, tile.index);
            let same = match read_tile(&self.layout, tile.level, tile.index, WIDTH) {
                Ok(hashes) => hashes == tile.hashes,
                Err(Error::Damaged { .. }) => false,
                Err(error) if disk::is_missing(&error) => false,
                Err(error) => return Err(error),
            };
            if !same {
                findings.push(Finding::Tile { path, first: tile.index * span });
            }
        }
        Ok(())
    }

    fn check_names<'a>(
        &'a self,
        checkpoint: Option<&'a Checkpoint>,
        kept: &'a [Checkpoint],
    ) -> impl Iterator<Item = Finding> + 'a {
        let expected = self.origin.as_deref().or(kept.first().map(|kept| &*kept.origin));
        let all = checkpoint.into_iter().chain(kept);
        let other = all.filter(move |one| expected.is_some_and(|name| name != one.origin));
        other.map(|one| Finding::OtherLog { origin: one.origin.clone() })
    }

    /// Where the records are not what was signed. While they are, only the tiles can be wrong.
    fn check_records(
        &self,
        checkpoint: Option<&Checkpoint>,
        reading: &Reading,
    ) -> Result<Vec<Finding>, Error> {
        let Reading { first, root, .. } = *reading;
        let found = reading.findings.clone();
        let Some(checkpoint) = checkpoint else { return Ok(found) };
        if root == Some(checkpoint.root) {
            return Ok(found);
        }
        // What differs from a tile differs because of the record: it is told by its index instead.
        let mut findings: Vec<_> =
            found.into_iter().filter(|one| !matches!(one, Finding::Tile { .. })).collect();
        let difference = Comparison::new(&self.layout, checkpoint, first).first_difference()?;
        // Where lines or segments do not follow each other, there was nothing more to compare.
        if findings.first().is_none_or(|end| difference.index() < end.index()) {
            findings.insert(0, difference);
        }
        Ok(findings)
    }

    fn check_witness(&self, note: Option<&[u8]>) -> Option<Finding> {
        let witness = self.witness.as_ref()?;
        let kept = self.kept.iter().map(Vec::as_slice);
        let seen = note.into_iter().chain(kept).any(|note| {
            // A witness says it of what this log has signed.
            Checkpoint::open(note, &self.key).is_ok()
                && Checkpoint::witnessed_by(note, witness).is_ok()
        });
        (!seen).then_some(Finding::NotWitnessed)
    }

    /// The records themselves, in their order, with their indices.
    ///
    /// Nothing is checked: see [`Auditor::run`].
    ///
    /// # Errors
    /// [`Error::Io`], and what the function says.
    pub fn for_each_record(
        dir: &Path,
        mut visit: impl FnMut(u64, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let layout = Layout::new(dir);
        let (mut lines, mut batch) = (Lines::open(&layout)?, Batch::default());
        let mut index = lines.index();
        while lines.read(WIDTH, &mut batch)? {
            for line in batch.lines() {
                visit(index, line)?;
                index += 1;
            }
        }
        match lines.finding() {
            None => Ok(()),
            Some(_) => Err(damaged(layout.segments(), "the records do not follow each other")),
        }
    }

    /// The last `n` records, with their indices.
    ///
    /// Nothing is checked: see [`Auditor::run`].
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn last(dir: &Path, n: usize) -> Result<Vec<(u64, Vec<u8>)>, Error> {
        let layout = Layout::new(dir);
        let firsts: Vec<_> = Lines::open(&layout)?.segments().to_vec();
        let mut records = std::collections::VecDeque::new();
        // Segments are read once more from an earlier one on while there are too few.
        for first in firsts.into_iter().rev() {
            records.clear();
            let (mut lines, mut batch) = (Lines::from(&layout, first)?, Batch::default());
            let mut index = lines.index();
            while lines.read(WIDTH, &mut batch)? {
                for line in batch.lines() {
                    records.push_back((index, line.to_vec()));
                    index += 1;
                }
                records.drain(..records.len().saturating_sub(n));
            }
            if records.len() >= n {
                break;
            }
        }
        Ok(records.into())
    }

    /// The first record that is there: 0, until records are pruned.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn first(dir: &Path) -> Result<u64, Error> {
        Lines::open(&Layout::new(dir)).map(|lines| lines.index())
    }

    /// One record, if it is there.
    ///
    /// Nothing is checked: see [`Auditor::run`].
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn record(dir: &Path, index: u64) -> Result<Option<Vec<u8>>, Error> {
        find::record(&Layout::new(dir), index, None)
    }

    /// The same, where a checkpoint has said how many records there are.
    pub(crate) fn covered_record(
        layout: &Layout,
        index: u64,
        checkpoint: &Checkpoint,
    ) -> Result<Option<Vec<u8>>, Error> {
        find::record(layout, index, Some(checkpoint.size))
    }
}

impl Reading {
    /// Counts a record; the note of one that says that records may be gone.
    fn count(&mut self, line: &[u8]) -> Option<String> {
        let gaps = &mut self.gaps;
        if !own_record::is_marked(line) {
            gaps.events += 1;
            return None;
        }
        match Event::from_json(line).ok().as_ref().and_then(OwnRecord::of) {
            Some(OwnRecord::Gap(gap)) => {
                gaps.refused = gaps.refused.saturating_add(gap.refused);
                gaps.dropped = gaps.dropped.saturating_add(gap.dropped);
                gaps.lost = gaps.lost.saturating_add(gap.lost);
                gaps.at_most |= !gap.exact;
                gaps.gaps += 1;
            }
            Some(OwnRecord::Segment(_) | OwnRecord::Erase { .. }) => {}
            Some(OwnRecord::Prune { note, .. }) => return Some(note),
            None => gaps.events += 1,
        }
        None
    }

    /// Records before another one may be gone, as the key has signed.
    fn allow(&mut self, pruning: &Pruning) {
        self.kept_from = self.kept_from.max(pruning.first);
        self.kept_days = Some(self.kept_days.map_or(pruning.days, |days| days.min(pruning.days)));
    }
}

/// No more may be gone than signed records of the log say.
fn check_begin(reading: &Reading) -> Option<Finding> {
    let Reading { first, kept_from, .. } = reading;
    (first > kept_from).then_some(Finding::Segments { index: *kept_from, found: *first })
}

fn check_kept<'a>(
    kept: &'a [Checkpoint],
    size: u64,
    reading: &'a Reading,
) -> impl Iterator<Item = Finding> + 'a {
    let first = reading.first;
    kept.iter().zip(&reading.roots).filter_map(move |(kept, root)| match root {
        _ if kept.size > size => Some(Finding::RolledBack { size, kept: kept.size }),
        Some(root) if *root == kept.root => None,
        None if kept.size < first => Some(Finding::TooOld { kept: kept.size, first }),
        _ => Some(Finding::OtherHistory { kept: kept.size }),
    })
}

fn damaged(path: PathBuf, reason: &'static str) -> Error {
    Error::Damaged { path, reason }
}
