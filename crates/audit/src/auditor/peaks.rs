//! The tree as a reader needs it: the roots of its perfect trees, left to right.

use crate::{Hash, empty_root, merkle::WIDTH, node_hash};

/// A tile that is full.
pub(super) struct Tile {
    pub(super) level: usize,
    pub(super) index: u64,
    pub(super) hashes: Vec<Hash>,
}

#[derive(Default)]
pub(super) struct Peaks {
    size: u64,
    /// Height and root.
    peaks: Vec<(u32, Hash)>,
    /// For each level the hashes of its last tile, from where trees of that height were added on.
    tiles: Vec<Vec<Hash>>,
    full: Vec<Tile>,
}

impl Peaks {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn push(&mut self, leaf: Hash) {
        self.push_tree(0, leaf);
    }

    /// Adds the root of a perfect tree, behind trees that are not lower.
    pub(super) fn push_tree(&mut self, height: u32, root: Hash) {
        self.size += 1 << height;
        let (mut height, mut root) = (height, root);
        self.note(height, root);
        while let Some((_, left)) = self.peaks.pop_if(|(other, _)| *other == height) {
            (height, root) = (height + 1, node_hash(&left, &root));
            self.note(height, root);
        }
        self.peaks.push((height, root));
    }

    fn note(&mut self, height: u32, root: Hash) {
        if !height.is_multiple_of(8) {
            return;
        }
        let level = (height / 8) as usize;
        if self.tiles.len() <= level {
            self.tiles.resize_with(level + 1, Default::default);
        }
        let hashes = &mut self.tiles[level];
        hashes.push(root);
        if hashes.len() == WIDTH {
            let hashes = std::mem::take(hashes);
            let index = (self.size >> height) / WIDTH as u64 - 1;
            self.full.push(Tile { level, index, hashes });
        }
    }

    /// The tiles that have become full since the last time.
    pub(super) fn full_tiles(&mut self) -> Vec<Tile> {
        std::mem::take(&mut self.full)
    }

    pub(super) fn root(&self) -> Hash {
        let right_to_left = self.peaks.iter().rev().map(|(_, root)| *root);
        right_to_left.reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::tests::{leaves, mth};

    #[test]
    fn roots_of_the_standard() {
        let leaves = leaves(700);
        let mut peaks = Peaks::new();
        assert_eq!(peaks.root(), mth(&[]));
        for (i, leaf) in leaves.iter().enumerate() {
            peaks.push(*leaf);
            assert_eq!(peaks.root(), mth(&leaves[..=i]));
        }
        let full = peaks.full_tiles();
        assert!(full.iter().map(|tile| (tile.level, tile.index)).eq([(0, 0), (0, 1)]));
        assert!(full[1].hashes == leaves[256..512] && peaks.full_tiles().is_empty());
        let mut trees = Peaks::new();
        trees.push_tree(8, mth(&leaves[..256]));
        trees.push_tree(8, mth(&leaves[256..512]));
        leaves[512..].iter().for_each(|leaf| trees.push(*leaf));
        assert_eq!((trees.root(), trees.size()), (mth(&leaves), 700));
        assert!(trees.full_tiles().is_empty());
        // Tiles of leaves have their numbers also where there are none before them.
        let mut trees = Peaks::new();
        trees.push_tree(8, mth(&leaves[..256]));
        leaves[256..].iter().for_each(|leaf| trees.push(*leaf));
        assert!(trees.full_tiles().iter().map(|tile| (tile.level, tile.index)).eq([(0, 1)]));
    }
}
