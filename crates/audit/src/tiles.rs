//! Tiles on disk, read for proofs.

use std::{
    collections::{HashMap, hash_map::Entry},
    path::Path,
};

use crate::{
    Error, disk,
    layout::Layout,
    merkle::{Hash, Hashes, WIDTH, parents, perfect_root},
};

/// Most tiles that are kept, each with 16 KiB: a megabyte.
const KEPT: usize = 64;

/// The hashes of a tree of a size, from its tiles.
#[derive(Debug)]
pub(crate) struct Tiles {
    layout: Layout,
    size: u64,
    /// What was read already: few tiles are in a proof, and most of them more than once.
    read: HashMap<(usize, u64, usize), Rows>,
}

/// A tile's hashes, and above them those of their pairs, of the pairs' pairs, and so on: all at once, which vectors
/// do faster than one after the other.
#[derive(Debug)]
struct Rows(Vec<Vec<Hash>>);

impl Rows {
    fn over(hashes: Vec<Hash>) -> Self {
        let mut rows = vec![hashes];
        while let Some(row) = rows.last().filter(|row| row.len() > 1) {
            rows.push(parents(row));
        }
        Self(rows)
    }

    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        self.0.get(level as usize)?.get(usize::try_from(index).ok()?).copied()
    }
}

impl Tiles {
    pub(crate) fn new(layout: &Layout, size: u64) -> Self {
        Self { layout: layout.clone(), size, read: HashMap::new() }
    }

    /// For the same log with another size. What was read of it stays, and is right as long as nobody has exchanged
    /// its files: what is made of it is checked against the checkpoint.
    pub(crate) fn grown(&mut self, size: u64) {
        self.size = size;
        if self.read.len() > KEPT {
            self.read.clear();
        }
    }

    /// How many hashes a tile has in the tree of this size.
    fn width(&self, level: usize, index: u64) -> usize {
        let at_level = self.size >> (8 * level);
        at_level.saturating_sub(index * WIDTH as u64).min(WIDTH as u64) as usize
    }
}

/// Reads at least `width` hashes: from the full tile where there is one, as a partial one may be gone then.
pub(crate) fn read_tile(
    layout: &Layout,
    level: usize,
    index: u64,
    width: usize,
) -> Result<Vec<Hash>, Error> {
    let full = layout.tile(level, index);
    let partial = layout.partial_tile(level, index, width);
    match read_hashes(&full, WIDTH) {
        Err(error) if disk::is_missing(&error) && width < WIDTH => {
            match read_hashes(&partial, width) {
                // It has become full meanwhile, and its partial forms are gone; or they did not come to the disk.
                Err(error) => read_hashes(&full, WIDTH)
                    .or_else(|_| from_below(layout, level, index, width))
                    .or(Err(error)),
                read => read,
            }
        }
        read => read,
    }
}

/// The hashes of a tile from the full tiles below it. Those of the leaves are kept where the tile above is not
/// full, whatever was pruned.
fn from_below(layout: &Layout, level: usize, index: u64, width: usize) -> Result<Vec<Hash>, Error> {
    let below = level.checked_sub(1).ok_or(Error::Rejected)?;
    let tiles = index * WIDTH as u64..index * WIDTH as u64 + width as u64;
    let root = |tile| Ok(perfect_root(&read_hashes(&layout.tile(below, tile), WIDTH)?));
    tiles.map(root).collect()
}

fn read_hashes(path: &Path, width: usize) -> Result<Vec<Hash>, Error> {
    let bytes = disk::read(path, 32 * WIDTH)?;
    match bytes.as_chunks::<32>() {
        (hashes, []) if hashes.len() == width => Ok(hashes.to_vec()),
        _ => {
            let reason = "not as long as a tile of this width";
            Err(Error::Damaged { path: path.to_owned(), reason })
        }
    }
}

impl Hashes for Tiles {
    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Error> {
        let (tile_level, inside) = ((level / 8) as usize, level % 8);
        let first = index << inside;
        let tile = first / WIDTH as u64;
        let width = self.width(tile_level, tile);
        let rows = match self.read.entry((tile_level, tile, width)) {
            Entry::Occupied(rows) => rows.into_mut(),
            Entry::Vacant(none) => {
                let mut hashes = read_tile(&self.layout, tile_level, tile, width)?;
                hashes.truncate(width);
                none.insert(Rows::over(hashes))
            }
        };
        // A node that the tree of this size has not is asked for by nobody.
        rows.node(inside, (first % WIDTH as u64) >> inside).ok_or(Error::Rejected)
    }
}
