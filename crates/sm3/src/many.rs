//! Many messages at once, one per lane of a backend's vectors.

use digest::zeroize::{Zeroize, optimization_barrier};

use crate::{
    BLOCK_SIZE, OUTPUT_SIZE,
    backend::{self, Backend, Block, Lanes, MAX_LANES},
    consts::IV,
};

/// Hashes many messages: `digests[i]` is SM3 of `messages[i]`. The messages may have different
/// lengths; it is fastest when there are many of about the same length.
///
/// ```
/// let mut digests = [[0; 32]; 2];
/// gmkit_sm3::hash_many(&[b"one", b"another"], &mut digests);
/// assert_eq!(digests[0], gmkit_sm3::digest(&[b"one"]));
/// ```
///
/// # Panics
/// When there are not as many digests as messages.
pub fn hash_many(messages: &[&[u8]], digests: &mut [[u8; OUTPUT_SIZE]]) {
    assert_eq!(messages.len(), digests.len(), "as many digests as messages");
    hash_many_from(&Start { state: IV, blocks: 0 }, messages.iter().copied().zip(digests));
}

/// What all messages begin with: whole blocks, hashed already.
pub(crate) struct Start {
    pub(crate) state: [u32; 8],
    pub(crate) blocks: u64,
}

/// [`hash_many`] of messages without their common beginning.
pub(crate) fn hash_many_from<'m, 'd>(
    start: &Start,
    mut messages: impl Iterator<Item = (&'m [u8], &'d mut [u8; OUTPUT_SIZE])>,
) {
    Run::new(backend::chosen().1, start).all(|| messages.next());
}

/// What a lane works on: the whole blocks of a message, then its padding.
struct Lane<'m, 'd> {
    blocks: &'m [Block],
    /// The rest of the message, padded to one or two blocks.
    padded: [Block; 2],
    /// The part of `padded` that is still to come.
    padding: core::ops::Range<usize>,
    digest: &'d mut [u8; OUTPUT_SIZE],
}

impl<'m, 'd> Lane<'m, 'd> {
    /// Without its padding: that is made where the lane stays, so that no move leaves it behind.
    const fn new(blocks: &'m [Block], digest: &'d mut [u8; OUTPUT_SIZE]) -> Self {
        Self { blocks, padded: [[0; BLOCK_SIZE]; 2], padding: 0..0, digest }
    }

    /// `rest` is what comes after the blocks; `before` blocks are hashed already.
    fn pad(&mut self, before: u64, rest: &[u8]) {
        let bytes = self.padded.as_flattened_mut();
        bytes[..rest.len()].copy_from_slice(rest);
        bytes[rest.len()] = 0x80;
        let count = if rest.len() < BLOCK_SIZE - 8 { 1 } else { 2 };
        let blocks = before.wrapping_add(self.blocks.len() as u64);
        let bits = blocks.wrapping_mul(BLOCK_SIZE as u64).wrapping_add(rest.len() as u64) << 3;
        bytes[count * BLOCK_SIZE - 8..][..8].copy_from_slice(&bits.to_be_bytes());
        self.padding = 0..count;
    }

    /// The blocks that come next, without a gap.
    fn next(&self) -> &[Block] {
        if self.blocks.is_empty() { &self.padded[self.padding.clone()] } else { self.blocks }
    }

    fn advance(&mut self, count: usize) {
        if self.blocks.is_empty() {
            self.padding.start += count;
        } else {
            self.blocks = &self.blocks[count..];
        }
    }

    fn is_done(&self) -> bool {
        self.blocks.is_empty() && self.padding.is_empty()
    }
}

/// The rest of a message is as secret as the message.
impl Drop for Lane<'_, '_> {
    fn drop(&mut self) {
        wipe(&mut self.padded);
    }
}

/// All lanes: where a message ends, the next one starts.
struct Run<'m, 'd, 's> {
    start: &'s Start,
    backend: &'static dyn Backend,
    states: Lanes,
    lanes: [Option<Lane<'m, 'd>>; MAX_LANES],
}

impl<'m, 'd, 's> Run<'m, 'd, 's> {
    fn new(backend: &'static dyn Backend, start: &'s Start) -> Self {
        Self { start, backend, states: [[0; MAX_LANES]; 8], lanes: [const { None }; MAX_LANES] }
    }

    fn all(&mut self, mut next: impl FnMut() -> Option<(&'m [u8], &'d mut [u8; OUTPUT_SIZE])>) {
        let lanes = self.backend.lanes();
        loop {
            for at in 0..lanes {
                if self.lanes[at].is_none()
                    && let Some((message, digest)) = next()
                {
                    let (blocks, rest) = message.as_chunks();
                    let lane = self.lanes[at].insert(Lane::new(blocks, digest));
                    lane.pad(self.start.blocks, rest);
                    let first = self.start.state.iter();
                    self.states.iter_mut().zip(first).for_each(|(words, word)| words[at] = *word);
                }
            }
            match self.lanes.iter().flatten().count() {
                0 => return,
                1 => self.alone(),
                _ => self.together(),
            }
            (0..lanes).for_each(|at| self.take_out(at));
        }
    }

    /// As many blocks as all lanes have. What idle lanes compute is never looked at.
    fn together(&mut self) {
        let active = self.lanes.iter().flatten();
        let shortest = active.map(Lane::next).min_by_key(|blocks| blocks.len());
        let Some(idle) = shortest else { return };
        let count = idle.len();
        let blocks = self
            .lanes
            .each_ref()
            .map(|lane| lane.as_ref().map_or(idle, |lane| &lane.next()[..count]));
        self.backend.compress_lanes(&mut self.states, &blocks);
        self.lanes.iter_mut().flatten().for_each(|lane| lane.advance(count));
    }

    /// The last message: a lane of its own would be wider than needed.
    fn alone(&mut self) {
        for (at, lane) in self.lanes.iter_mut().enumerate() {
            let Some(lane) = lane else { continue };
            let mut state = core::array::from_fn(|i| self.states[i][at]);
            while !lane.is_done() {
                let next = lane.next();
                let count = next.len();
                self.backend.compress(&mut state, next);
                lane.advance(count);
            }
            self.states.iter_mut().zip(state).for_each(|(words, word)| words[at] = word);
            state.zeroize();
        }
    }

    /// The digest of a lane that has come to its end. The lane is dropped, and wiped, where it is.
    fn take_out(&mut self, at: usize) {
        if let Some(lane) = &mut self.lanes[at]
            && lane.is_done()
        {
            for (bytes, words) in lane.digest.as_chunks_mut().0.iter_mut().zip(&self.states) {
                *bytes = words[at].to_be_bytes();
            }
            self.lanes[at] = None;
        }
    }
}

impl Drop for Run<'_, '_, '_> {
    fn drop(&mut self) {
        wipe(&mut self.states);
    }
}

/// Overwrites with zeros. As `zeroize` does it, but not byte by byte.
pub(crate) fn wipe<T: Copy + Default, const N: usize>(rows: &mut [[T; N]]) {
    rows.fill([T::default(); N]);
    optimization_barrier(rows);
}
