//! The records that were pruned, by the tiles that are kept of them.

use super::Finding;
use crate::{Error, Hash, disk, layout::Layout, merkle::WIDTH, tiles::read_tile};

/// Why the roots over the records before the first are not known.
pub(super) enum Unknown {
    Finding(Finding),
    Error(Error),
}

/// The roots over each 256 records before `first`, tile by tile, as the tiles of a tree of `size` records have
/// them: whoever makes the signed root of them knows that they are right.
pub(super) fn roots(
    layout: &Layout,
    first: u64,
    size: u64,
) -> impl Iterator<Item = Result<Vec<Hash>, Unknown>> {
    let width = WIDTH as u64;
    let fits = first <= size && first.is_multiple_of(width);
    let misfit =
        (!fits).then_some(Err(Unknown::Finding(Finding::Segments { index: 0, found: first })));
    let trees = if fits { first / width } else { 0 };
    let tiles = (0..trees.div_ceil(width)).map(move |tile| {
        let at_level = (size / width - tile * width).min(width) as usize;
        let wanted = (trees - tile * width).min(width) as usize;
        match read_tile(layout, 1, tile, at_level) {
            Ok(mut hashes) => {
                hashes.truncate(wanted);
                Ok(hashes)
            }
            Err(error) if disk::is_missing(&error) || matches!(error, Error::Damaged { .. }) => {
                let (path, first) = (layout.tile(1, tile), tile * width * width);
                Err(Unknown::Finding(Finding::Tile { path, first }))
            }
            Err(error) => Err(Unknown::Error(error)),
        }
    });
    misfit.into_iter().chain(tiles)
}
