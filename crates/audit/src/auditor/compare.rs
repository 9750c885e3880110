//! Where records are not what was signed: the tiles tell, as far as the signed root vouches for them.

use super::{
    Finding,
    lines::{Batch, Lines},
    peaks::Peaks,
    pruned,
};
use crate::{Checkpoint, Error, Hash, layout::Layout, merkle::WIDTH, tiles::read_tile};

pub(super) struct Comparison<'a> {
    layout: &'a Layout,
    checkpoint: &'a Checkpoint,
    /// The first record that is there.
    first: u64,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(layout: &'a Layout, checkpoint: &'a Checkpoint, first: u64) -> Self {
        Self { layout, checkpoint, first }
    }

    /// The first difference; records and checkpoint do not agree.
    pub(super) fn first_difference(&self) -> Result<Finding, Error> {
        let size = self.checkpoint.size;
        let mut level = 0;
        while level < 8 && size >> (8 * level) > 0 {
            if self.is_vouched_for(level) {
                return match level {
                    0 => self.among_leaves(),
                    _ => self.among_trees(level),
                };
            }
            level += 1;
        }
        Ok(Finding::Somewhere { first: 0, end: size })
    }

    /// The hashes at a level, from `start` on, at most to the end of their tile.
    fn hashes(&self, level: u32, start: u64) -> Result<Vec<Hash>, Error> {
        let (tile, inside) = (start / WIDTH as u64, (start % WIDTH as u64) as usize);
        let at_level = self.checkpoint.size >> (8 * level);
        let width = (at_level - tile * WIDTH as u64).min(WIDTH as u64) as usize;
        let hashes = read_tile(self.layout, level as usize, tile, width)?;
        Ok(hashes[inside..width].to_vec())
    }

    /// Whether the tiles of a level, and what is at the right edge below them, make the signed root. Of the
    /// leaves that were pruned, those above vouch for what is left.
    pub(super) fn is_vouched_for(&self, level: u32) -> bool {
        let mut peaks = Peaks::new();
        let size = self.checkpoint.size;
        let pruned = if level == 0 { self.first } else { 0 };
        for roots in pruned::roots(self.layout, pruned, size) {
            let Ok(roots) = roots else { return false };
            roots.into_iter().for_each(|root| peaks.push_tree(8, root));
            peaks.full_tiles();
        }
        for level in (0..=level).rev() {
            let mut at = peaks.size() >> (8 * level);
            let end = self.checkpoint.size >> (8 * level);
            while at < end {
                // A tile that cannot be read vouches for nothing.
                let Ok(hashes) = self.hashes(level, at) else { return false };
                at += hashes.len() as u64;
                hashes.into_iter().for_each(|hash| peaks.push_tree(8 * level, hash));
                peaks.full_tiles();
            }
        }
        peaks.root() == self.checkpoint.root
    }

    /// The tiles of leaves are right: the first record that is not.
    fn among_leaves(&self) -> Result<Finding, Error> {
        let (mut lines, mut batch) = (Lines::open(self.layout)?, Batch::default());
        let mut index = self.first;
        while index < self.checkpoint.size {
            let signed = self.hashes(0, index)?;
            lines.read(signed.len(), &mut batch)?;
            let found = batch.hashes();
            let same = signed.iter().zip(found).take_while(|(one, other)| one == other).count();
            if same < signed.len() {
                let mut found = found[same..].to_vec();
                // What comes behind tells what has happened.
                lines.read(WIDTH, &mut batch)?;
                found.extend_from_slice(batch.hashes());
                let mut signed = signed[same..].to_vec();
                let behind = index + (same + signed.len()) as u64;
                if behind < self.checkpoint.size {
                    signed.extend(self.hashes(0, behind)?);
                }
                return Ok(what_happened(index + same as u64, &signed, &found));
            }
            index += signed.len() as u64;
        }
        Ok(Finding::Somewhere { first: 0, end: self.checkpoint.size })
    }

    /// The tiles of a level above are right: the first perfect tree that is not, by its records. Of what was
    /// pruned there are the roots over each 256 records.
    fn among_trees(&self, level: u32) -> Result<Finding, Error> {
        let span = 1_u64 << (8 * level);
        let width = WIDTH as u64;
        let (mut lines, mut batch) = (Lines::open(self.layout)?, Batch::default());
        let whole = self.checkpoint.size >> (8 * level);
        for tree in self.first_tree(level)..whole {
            let (start, end) = (tree * span, (tree + 1) * span);
            let mut peaks = Peaks::new();
            for root in start / width..self.first.clamp(start, end) / width {
                peaks.push_tree(8, self.hashes(1, root)?[0]);
                peaks.full_tiles();
            }
            while peaks.size() < span && lines.read(WIDTH, &mut batch)? {
                batch.hashes().iter().for_each(|hash| peaks.push(*hash));
                peaks.full_tiles();
            }
            if peaks.root() != self.hashes(level, tree)?[0] {
                return Ok(Finding::Somewhere { first: start, end });
            }
        }
        Ok(Finding::Somewhere { first: whole * span, end: self.checkpoint.size })
    }

    /// The first tree of a level that can be compared: where all of its leaves' roots were pruned by level 0,
    /// that are tiles of level 1, and at level 1 the records themselves.
    fn first_tree(&self, level: u32) -> u64 {
        match level {
            1 => self.first / WIDTH as u64,
            _ => 0,
        }
    }
}

/// What has happened to the record `index`, the first of those that were signed and those that were found.
fn what_happened(index: u64, signed: &[Hash], found: &[Hash]) -> Finding {
    let Some(first) = found.first() else { return Finding::Truncated { index } };
    let signed_later = signed[1..].contains(first);
    let found_later = found[1..].contains(&signed[0]);
    match (signed_later, found_later) {
        (true, true) => Finding::Moved { index },
        (true, false) => Finding::TakenOut { index },
        (false, true) => Finding::PutIn { index },
        (false, false) => Finding::Changed { index },
    }
}
