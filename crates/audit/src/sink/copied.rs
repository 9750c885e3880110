//! Whether what a sink gives back is what was signed.

use std::ops::Range;

use super::ReadBack;
use crate::{
    Error, Hash,
    merkle::{WIDTH, leaf_hashes, perfect_root},
};

/// Reads back records, from where a segment begins to where another does, and makes their tree: its roots must be
/// those over each 256 records that make the signed root.
pub(crate) fn check_copy(
    roots: &[Hash],
    records: Range<u64>,
    sink: &mut dyn ReadBack,
) -> Result<(), Error> {
    let width = WIDTH as u64;
    for (first, root) in
        (0..).step_by(WIDTH).zip(roots).take_while(|(first, _)| *first < records.end)
    {
        if first >= records.start && !holds(&sink.read(first, WIDTH)?, root) {
            return Err(Error::NotCopied { first, end: first + width });
        }
    }
    match records.end <= roots.len() as u64 * width {
        true => Ok(()),
        // Not what a segment's name can be that was proven.
        false => Err(Error::Rejected),
    }
}

fn holds(records: &[Vec<u8>], root: &Hash) -> bool {
    records.len() == WIDTH && perfect_root(&leaf_hashes(records)) == *root
}
