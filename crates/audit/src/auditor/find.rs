//! One record among many, without reading those before it.
//!
//! Lines have no fixed length, so where a record begins is guessed from how far in its segment it is. Which
//! record stands there is told by its hash, which is in the tiles; that makes the next guess better. Where the
//! tiles do not know it, the lines are counted from the nearest record below that they do know.

use std::{fs::File, os::unix::fs::FileExt};

use super::lines::segments;
use crate::{
    Error, Hash, MAX_RECORD, disk, layout::Layout, leaf_hash, merkle::WIDTH, tiles::read_tile,
};

/// How much is read at a place, in bytes.
const WINDOW: usize = 16_384;

/// How much is read where that has not got a whole line: this has, wherever it begins.
const WIDEST: usize = 2 * (MAX_RECORD + 1);

/// So near the lines are counted.
const NEAR: u64 = 64;

/// How often it is guessed.
const GUESSES: usize = 16;

/// A record, and where its line begins.
#[derive(Clone, Copy)]
struct Place {
    index: u64,
    offset: u64,
}

/// A record, if it is there. How many there are, at least, is for the first guess.
pub(super) fn record(
    layout: &Layout,
    index: u64,
    at_least: Option<u64>,
) -> Result<Option<Vec<u8>>, Error> {
    let firsts = segments(layout)?;
    let at = firsts.partition_point(|first| *first <= index);
    let Some(first) = at.checked_sub(1).map(|at| firsts[at]) else { return Ok(None) };
    let path = layout.segment(first);
    let file = File::open(&path).map_err(Error::io(&path))?;
    let len = file.metadata().map_err(Error::io(&path))?.len();
    let segment = Segment { layout, file, len };
    let begin = Place { index: first, offset: 0 };
    let covered = || at_least.unwrap_or_else(|| segment.covered(first));
    let end = Place { index: firsts.get(at).copied().unwrap_or_else(covered), offset: len };
    let below = segment.guess(begin, end, index)?;
    segment.count(below, index)
}

struct Segment<'a> {
    layout: &'a Layout,
    file: File,
    len: u64,
}

impl Segment<'_> {
    /// How many records the log has, as far as there are full tiles of leaves from `first` on.
    fn covered(&self, first: u64) -> u64 {
        let tile = |index| self.layout.tile(0, index).exists();
        let mut known = first / WIDTH as u64;
        let mut step = 1;
        // As a search for the end of a list that nobody has counted.
        while tile(known + step) {
            known += step;
            step *= 2;
        }
        while step > 1 {
            step /= 2;
            if tile(known + step) {
                known += step;
            }
        }
        (known + 1) * WIDTH as u64
    }

    /// A record at or below `index`, as near as the tiles tell.
    fn guess(&self, begin: Place, end: Place, index: u64) -> Result<Place, Error> {
        let (mut below, mut above) = (begin, end);
        for _ in 0..GUESSES {
            if index - below.index <= NEAR || above.index <= below.index {
                break;
            }
            let share = (index - below.index) as f64 / (above.index - below.index) as f64;
            let share = share.min(1.0);
            let bytes = (above.offset - below.offset) as f64;
            // A little before it, rather than behind it.
            let guess = below.offset + (bytes * share) as u64;
            let Some((offset, hash)) = self.line_behind(guess.saturating_sub(WINDOW as u64 / 2))?
            else {
                break;
            };
            let near = below.index + ((above.index - below.index) as f64 * share) as u64;
            match self.index_of(&hash, near, below.index, above.index)? {
                Some(found) if found <= index && found > below.index => {
                    below = Place { index: found, offset }
                }
                Some(found) if found > index && found < above.index => {
                    above = Place { index: found, offset }
                }
                _ => break,
            }
        }
        Ok(below)
    }

    /// The first whole line that begins behind an offset, and its hash.
    fn line_behind(&self, offset: u64) -> Result<Option<(u64, Hash)>, Error> {
        for window in [WINDOW, WIDEST] {
            let bytes = self.read(offset, window)?;
            let mut ends = line_ends(&bytes);
            if let (Some(start), Some(end)) = (ends.next(), ends.next()) {
                let line = &bytes[start + 1..end];
                return Ok(Some((offset + start as u64 + 1, leaf_hash(line))));
            }
        }
        Ok(None)
    }

    fn read(&self, offset: u64, window: usize) -> Result<Vec<u8>, Error> {
        let left = self.len.saturating_sub(offset);
        let mut bytes = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(window)];
        self.file.read_exact_at(&mut bytes, offset).map_err(Error::io(self.layout.segments()))?;
        Ok(bytes)
    }

    /// Which leaf between two has this hash, sought from `near` on in both directions.
    fn index_of(&self, hash: &Hash, near: u64, from: u64, to: u64) -> Result<Option<u64>, Error> {
        let width = WIDTH as u64;
        let (near, from, to) = (near / width, from / width, to.div_ceil(width));
        let behind = (near..to).map(Some).chain(std::iter::repeat(None));
        let before = (from..near).rev().map(Some).chain(std::iter::repeat(None));
        let both = behind.zip(before).take_while(|pair| *pair != (None, None));
        for tile in both.flat_map(|(behind, before)| [behind, before]).flatten() {
            match read_tile(self.layout, 0, tile, WIDTH) {
                Ok(hashes) => {
                    if let Some(inside) = hashes.iter().position(|other| other == hash) {
                        return Ok(Some(tile * width + inside as u64));
                    }
                }
                // Not full yet, or not right: then it does not help.
                Err(error)
                    if disk::is_missing(&error) || matches!(error, Error::Damaged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Counts lines from a record on.
    fn count(&self, from: Place, index: u64) -> Result<Option<Vec<u8>>, Error> {
        let (mut offset, mut left, mut window) = (from.offset, index - from.index, WINDOW);
        loop {
            let bytes = self.read(offset, window)?;
            let mut start = 0;
            for end in line_ends(&bytes) {
                if left == 0 {
                    return Ok(Some(bytes[start..end].to_vec()));
                }
                left -= 1;
                start = end + 1;
            }
            window = match (start, window) {
                // The end, or a line that is no record.
                (0, WIDEST) => return Ok(None),
                (0, _) => WIDEST,
                _ => WINDOW,
            };
            offset += start as u64;
        }
    }
}

fn line_ends(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at)
}
