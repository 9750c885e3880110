//! Chooses the block function. Backends share one interface, so that each can be tested against
//! [`portable`], the oracle. A backend takes any number of blocks; how many it works on at once
//! is its own affair, [`PARALLEL_BLOCKS`] is only the batch that suits it best.

mod portable;

pub(crate) use portable::{Key, PARALLEL_BLOCKS};

/// Backends compiled in, preferred first.
pub(crate) const NAMES: &[&str] = &["portable"];
