//! A log as the last process has left it.

use std::{fs, path::PathBuf};

use gmkit_sm2::PublicKey;
use time::OffsetDateTime;

use super::{
    counters::{Counters, Counts, Found},
    own_record::{self, Gap, OwnRecord, Totals},
    segment::{self, Segment},
    writer::write_tile,
};
use crate::{
    Checkpoint, Error, Event, Hash, MAX_RECORD, disk, empty_root,
    layout::{Layout, segment_first},
    merkle::{Edge, Hashes, Tile, WIDTH, leaf_hashes, perfect_root, range},
    note::MAX_NOTE,
    tiles::{Tiles, read_tile},
};

/// What is on the disk. Nothing is changed there before all of it was checked.
pub(super) struct Left {
    /// The last segment with a record: its first index, its whole lines, and their bytes.
    last: Option<(u64, Vec<Vec<u8>>, u64)>,
    /// Segments without a record: made, and not written to before the end.
    empty: Vec<u64>,
    edge: Edge,
    /// The full tiles that the last segment's records make: they may not have come to the disk.
    tiles: Vec<Tile>,
    totals: Totals,
    /// The size of the latest checkpoint; `None` for a log that is new.
    signed: Option<u64>,
    /// When the last segment was begun, as its first record says.
    begun: Option<OffsetDateTime>,
}

/// A log that is in order.
pub(super) struct Recovered {
    /// `None` for a log without records.
    pub(super) segment: Option<Segment>,
    /// Tiles of that segment, which may not be durable.
    pub(super) tiles: Vec<PathBuf>,
    pub(super) edge: Edge,
    pub(super) totals: Totals,
    pub(super) signed: u64,
    /// When its last segment was begun.
    pub(super) begun: Option<OffsetDateTime>,
}

/// Reads the last segment.
pub(super) fn read(layout: &Layout) -> Result<Left, Error> {
    let (mut firsts, mut empty) = (segments(layout)?, Vec::new());
    while let Some(first) = firsts.pop() {
        let lines = segment::read(layout, first)?;
        if lines.records.is_empty() {
            empty.push(first);
            continue;
        }
        let (mut edge, mut tiles) = (edge_before(layout, first)?, Vec::new());
        for hash in leaf_hashes(&lines.records) {
            edge.push(hash, |tile| tiles.push(tile));
        }
        let totals = totals(layout, first, &lines.records)?;
        let begun = Event::from_json(&lines.records[0]).ok().map(|event| event.time);
        let last = Some((first, lines.records, lines.len));
        return Ok(Left { last, empty, edge, tiles, totals, signed: None, begun });
    }
    let (edge, totals) = (Edge::default(), Totals::default());
    Ok(Left { last: None, empty, edge, tiles: Vec::new(), totals, signed: None, begun: None })
}

/// The first indices of the segments, in their order.
pub(super) fn segments(layout: &Layout) -> Result<Vec<u64>, Error> {
    let dir = layout.segments();
    let entries = fs::read_dir(&dir).map_err(Error::io(&dir))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut firsts: Vec<_> = names.filter_map(|name| segment_first(&name)).collect();
    firsts.sort_unstable();
    Ok(firsts)
}

/// The edge of the tree before a segment, which begins with a tile.
fn edge_before(layout: &Layout, first: u64) -> Result<Edge, Error> {
    let damaged = |reason| Error::Damaged { path: layout.segment(first), reason };
    if !first.is_multiple_of(WIDTH as u64) {
        return Err(damaged("a segment that does not begin with a tile"));
    }
    let mut levels = Vec::new();
    let mut nodes = first;
    while nodes > 0 {
        let inside = nodes % WIDTH as u64;
        let start = nodes - inside;
        let below = levels.len().checked_sub(1);
        let hashes = (start..nodes).map(|node| match below {
            None => Err(damaged("a segment that does not begin with a tile")),
            Some(level) => Ok(perfect_root(&read_tile(layout, level, node, WIDTH)?)),
        });
        levels.push(hashes.collect::<Result<Vec<_>, Error>>()?);
        nodes /= WIDTH as u64;
    }
    Ok(Edge::new(first, levels))
}

/// What became of all events up to now, by the log's own records in its last segment.
fn totals(layout: &Layout, first: u64, records: &[Vec<u8>]) -> Result<Totals, Error> {
    let own = |line: &[u8]| match own_record::is_marked(line) {
        true => Event::from_json(line).ok().as_ref().and_then(OwnRecord::of),
        false => None,
    };
    let mut totals = match own(&records[0]) {
        Some(OwnRecord::Segment(totals)) => totals,
        _ => {
            let reason = "a segment that does not begin with the log's own record";
            return Err(Error::Damaged { path: layout.segment(first), reason });
        }
    };
    for line in &records[1..] {
        match own(line) {
            None => totals.recorded = totals.recorded.saturating_add(1),
            Some(OwnRecord::Gap(gap)) => totals.add(&gap),
            Some(OwnRecord::Segment(_) | OwnRecord::Prune { .. } | OwnRecord::Erase { .. }) => {}
        }
    }
    Ok(totals)
}

impl Left {
    /// Compares with the checkpoint, which must be of this key, if there is one, and of this tree.
    pub(super) fn check(
        &mut self,
        layout: &Layout,
        origin: &str,
        key: Option<&PublicKey>,
    ) -> Result<(), Error> {
        let path = layout.checkpoint();
        let damaged = |reason| Err(Error::Damaged { path: path.clone(), reason });
        let note = match disk::read(&path, MAX_NOTE) {
            Ok(note) => note,
            // A log has a checkpoint before it has a record.
            Err(error) if disk::is_missing(&error) => match &self.last {
                None => return Ok(()),
                Some(_) => return damaged("there are records, and it is gone"),
            },
            Err(error) => return Err(error),
        };
        let checkpoint = match key {
            Some(key) => Checkpoint::open(&note, key),
            None => Checkpoint::unchecked(&note),
        };
        let Ok(checkpoint) = checkpoint else {
            return damaged("not a checkpoint of this key");
        };
        if checkpoint.origin != origin {
            return damaged("the checkpoint of a log with another name");
        }
        if checkpoint.size > self.edge.size() {
            return damaged("it covers more records than there are: some are gone");
        }
        if checkpoint.root != self.root_at(layout, checkpoint.size)? {
            return damaged("it does not agree with the records: some were changed");
        }
        self.signed = Some(checkpoint.size);
        self.check_unsigned(layout, checkpoint.size)
    }

    /// What will be signed next is at least what a writer writes.
    fn check_unsigned(&self, layout: &Layout, signed: u64) -> Result<(), Error> {
        let Some((first, records, _)) = &self.last else { return Ok(()) };
        let unsigned = (*first..).zip(records).filter(|(index, _)| *index >= signed);
        let is_record = |line: &[u8]| line.len() <= MAX_RECORD && Event::from_json(line).is_ok();
        match unsigned.into_iter().all(|(_, line)| is_record(line)) {
            true => Ok(()),
            false => {
                let reason = "a line behind the checkpoint is no record";
                Err(Error::Damaged { path: layout.segment(*first), reason })
            }
        }
    }

    /// Whether there was no log yet.
    pub(super) fn is_new(&self) -> bool {
        self.signed.is_none()
    }

    /// The root of the tree as it was.
    fn root_at(&self, layout: &Layout, size: u64) -> Result<Hash, Error> {
        if size == 0 {
            return Ok(empty_root());
        }
        let tiles = Tiles::new(layout, self.edge.size());
        range(&mut Overlaid { left: self, tiles }, 0, size)
    }

    /// What was lost, by the counters; they go on from here.
    pub(super) fn account(
        &self,
        layout: &Layout,
        counters: &mut Counters,
        found: Found,
    ) -> Result<Gap, Error> {
        let damaged = |reason| Err(Error::Damaged { path: layout.counters(), reason });
        let told = self.totals.offered();
        let (counts, offered, exact) = match found {
            // Nothing is taken before there is a checkpoint, whatever bound was written by then.
            Found::Exact(counts) | Found::AtMost { counts, .. } if self.is_new() => {
                (counts, counts.offered, true)
            }
            Found::Exact(counts) => (counts, counts.offered, true),
            // An end in good order leaves no room above what was offered.
            Found::AtMost { counts, bound } => (counts, bound, bound == counts.offered),
            Found::Nothing if self.last.is_none() => (Counts::default(), 0, true),
            Found::Nothing => {
                return damaged(
                    "how many events were offered is not known: it is gone, or cut off",
                );
            }
        };
        if self.is_new() && offered > 0 {
            return damaged("events were offered, and there is no log");
        }
        let refused = counts.refused.saturating_sub(self.totals.refused);
        let dropped = counts.dropped.saturating_sub(self.totals.dropped);
        let lost = offered.saturating_sub(told.saturating_add(refused).saturating_add(dropped));
        let gap = Gap { refused, dropped, lost, exact: exact || lost == 0 };
        let mut totals = self.totals;
        totals.add(&gap);
        let counts =
            Counts { offered: totals.offered(), refused: totals.refused, dropped: totals.dropped };
        // An upper bound stays one until it is recorded as one.
        match gap.exact {
            true => counters.settle(counts)?,
            false => counters.set(counts)?,
        }
        disk::sync_folder(layout.dir())?;
        Ok(gap)
    }

    /// Cuts off half a record, which was acknowledged to nobody, and writes the tiles.
    pub(super) fn put_in_order(self, layout: &Layout) -> Result<Recovered, Error> {
        for first in self.empty {
            let path = layout.segment(first);
            fs::remove_file(&path).map_err(Error::io(path))?;
        }
        let tiles = self.tiles.iter().map(|tile| write_tile(layout, tile));
        let tiles = tiles.collect::<Result<_, _>>()?;
        let segment = self.last.map(|(first, _, len)| Segment::open(layout, first, len));
        let (edge, totals, signed) = (self.edge, self.totals, self.signed.unwrap_or(0));
        let segment = segment.transpose()?;
        Ok(Recovered { segment, tiles, edge, totals, signed, begun: self.begun })
    }
}

/// Full tiles are on disk, or made of the last segment; the others are in memory.
struct Overlaid<'a> {
    left: &'a Left,
    tiles: Tiles,
}

impl Hashes for Overlaid<'_> {
    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Error> {
        let (tile_level, inside) = ((level / 8) as usize, level % 8);
        let first = index << inside;
        let tile_index = first / WIDTH as u64;
        let own = |tile: &&Tile| tile.level == tile_level && tile.index == tile_index;
        let full = self.left.edge.size() >> (8 * (tile_level + 1)).min(63);
        let hashes = match self.left.tiles.iter().find(own) {
            Some(tile) => &tile.hashes[..],
            None if tile_index < full => return self.tiles.node(level, index),
            None => self.left.edge.partial(tile_level),
        };
        let start = (first % WIDTH as u64) as usize;
        Ok(perfect_root(&hashes[start..start + (1 << inside)]))
    }
}
