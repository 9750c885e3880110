//! KDF of GB/T 32918.4-2016, 5.4.3 (also GB/T 32918.3-2016, 5.4.3).

use core::fmt;

use digest::zeroize::Zeroize;

use crate::{
    BLOCK_SIZE, OUTPUT_SIZE,
    backend::{MAX_LANES, compress},
    consts::IV,
    many::{Start, hash_many_from, wipe},
};

/// The requested output is longer than the 32-bit block counter allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfError;

impl fmt::Display for KdfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KDF output is longer than (2^32 - 1) * 32 bytes")
    }
}

impl core::error::Error for KdfError {}

/// Fills `out` with KDF(Z, klen): SM3(Z ‖ ct) for ct = 1, 2, ... as four big-endian bytes, cut to
/// `out.len()` bytes (klen is `8 * out.len()` bits).
///
/// `z` is the concatenation of its parts. The prefix is hashed once, whatever the output length.
///
/// # Errors
/// [`KdfError`] when `out` is longer than (2^32 - 1) * 32 bytes; `out` is then untouched.
///
/// ```
/// let mut key = [0; 16];
/// gmkit_sm3::kdf(&[b"shared ", b"secret"], &mut key)?;
/// # assert_ne!(key, [0; 16]);
/// # Ok::<(), gmkit_sm3::KdfError>(())
/// ```
pub fn kdf(z: &[&[u8]], out: &mut [u8]) -> Result<(), KdfError> {
    if out.len().div_ceil(OUTPUT_SIZE) as u64 > u64::from(u32::MAX) {
        return Err(KdfError);
    }
    let mut prefix = Prefix::new();
    z.iter().for_each(|part| prefix.update(part));
    let mut count = 0_u32;
    for chunk in out.chunks_mut(OUTPUT_SIZE * MAX_LANES) {
        prefix.blocks(&mut count, chunk);
    }
    Ok(())
}

/// Z: its whole blocks hashed, and the rest of it.
struct Prefix {
    start: Start,
    rest: [u8; BLOCK_SIZE],
    len: usize,
}

impl Prefix {
    const fn new() -> Self {
        Self { start: Start { state: IV, blocks: 0 }, rest: [0; BLOCK_SIZE], len: 0 }
    }

    fn update(&mut self, mut part: &[u8]) {
        while !part.is_empty() {
            let (head, rest) = part.split_at(part.len().min(BLOCK_SIZE - self.len));
            self.rest[self.len..][..head.len()].copy_from_slice(head);
            self.len += head.len();
            part = rest;
            if self.len == BLOCK_SIZE {
                compress(&mut self.start.state, core::slice::from_ref(&self.rest));
                self.start.blocks += 1;
                self.len = 0;
            }
        }
    }

    /// Fills `out`, at most a block of output per lane, from the count on.
    fn blocks(&self, count: &mut u32, out: &mut [u8]) {
        let mut messages = [[0; BLOCK_SIZE + 4]; MAX_LANES];
        let mut digests = [[0; OUTPUT_SIZE]; MAX_LANES];
        let blocks = out.len().div_ceil(OUTPUT_SIZE);
        for message in &mut messages[..blocks] {
            *count += 1;
            message[..self.len].copy_from_slice(&self.rest[..self.len]);
            message[self.len..][..4].copy_from_slice(&count.to_be_bytes());
        }
        let inputs = messages[..blocks].iter().map(|message| &message[..self.len + 4]);
        hash_many_from(&self.start, inputs.zip(&mut digests));
        out.copy_from_slice(&digests.as_flattened()[..out.len()]);
        wipe(&mut messages);
        wipe(&mut digests);
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        self.start.state.zeroize();
        self.rest.zeroize();
    }
}
