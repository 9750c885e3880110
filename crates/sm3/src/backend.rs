//! Chooses the compression function. Backends share one signature, so that each can be tested
//! against [`portable`], the oracle.

mod portable;

/// CF of GB/T 32905-2016, 5.3.3, applied to each block in turn.
pub(crate) fn compress(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    portable::compress(state, blocks);
}
