//! The right edge of a tree that grows: the tiles that are not full yet.

use super::{Hash, WIDTH, empty_root, node_hash, perfect_root};

/// A tile that is full now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) level: usize,
    pub(crate) index: u64,
    pub(crate) hashes: Vec<Hash>,
}

/// For each level the hashes of the tile that is not full. All that a writer has to remember of a tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edge {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// From the partial tiles of a tree, lowest level first.
    pub(crate) fn new(size: u64, levels: Vec<Vec<Hash>>) -> Self {
        Self { size, levels }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf; hands out the tiles that it fills.
    pub(crate) fn push(&mut self, leaf: Hash, mut full: impl FnMut(Tile)) {
        self.size += 1;
        let mut hash = leaf;
        let mut end = self.size;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::with_capacity(WIDTH));
            }
            let tile = &mut self.levels[level];
            tile.push(hash);
            if tile.len() < WIDTH {
                return;
            }
            end /= WIDTH as u64;
            hash = perfect_root(tile);
            full(Tile { level, index: end - 1, hashes: std::mem::take(tile) });
        }
    }

    /// The hashes of the tile that is not full, at a level.
    pub(crate) fn partial(&self, level: usize) -> &[Hash] {
        self.levels.get(level).map_or(&[], Vec::as_slice)
    }

    /// The tiles that are not full, and not empty.
    pub(crate) fn partial_tiles(&self) -> impl Iterator<Item = Tile> {
        let index = |level: usize| self.size >> (8 * (level + 1)).min(63);
        let tiles = self.levels.iter().enumerate().filter(|(_, hashes)| !hashes.is_empty());
        tiles.map(move |(level, hashes)| Tile {
            level,
            index: index(level),
            hashes: hashes.clone(),
        })
    }

    /// The root of the tree.
    pub(crate) fn root(&self) -> Hash {
        let mut root = None;
        for level in &self.levels {
            // From the right: the perfect trees grow to the left.
            let mut end = level.len();
            while end > 0 {
                let len = 1 << end.trailing_zeros();
                let left = perfect_root(&level[end - len..end]);
                root = Some(root.map_or(left, |right| node_hash(&left, &right)));
                end -= len;
            }
        }
        root.unwrap_or_else(empty_root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::tests::{leaves, mth};

    #[test]
    fn roots_and_tiles_are_those_of_the_standard() {
        let leaves = leaves(66_000);
        let mut edge = Edge::default();
        let mut full = Vec::new();
        assert_eq!(edge.root(), mth(&[]));
        for (i, leaf) in leaves.iter().enumerate() {
            edge.push(*leaf, |tile| full.push(tile));
            let size = i + 1;
            if size < 600 || size % 4001 == 0 || (65_530..65_800).contains(&size) && size % 13 == 0
            {
                assert_eq!(edge.root(), mth(&leaves[..size]), "{size}");
            }
        }
        let expected = leaves.len() / 256;
        assert_eq!(full.iter().filter(|tile| tile.level == 0).count(), expected);
        assert_eq!(full.iter().filter(|tile| tile.level == 1).count(), 1);
        for tile in &full {
            let span = 256_usize.pow(tile.level as u32);
            let start = tile.index as usize * 256 * span;
            for (i, hash) in tile.hashes.iter().enumerate() {
                assert_eq!(*hash, mth(&leaves[start + i * span..start + (i + 1) * span]));
            }
        }
        let partial: Vec<_> =
            edge.partial_tiles().map(|t| (t.level, t.index, t.hashes.len())).collect();
        assert_eq!(partial, [(0, 257, 208), (1, 1, 1), (2, 0, 1)]);
    }
}
