//! KDF of GB/T 32918.4-2016, 5.4.3 (also GB/T 32918.3-2016, 5.4.3).

use core::fmt;

use digest::Digest;
use digest::zeroize::Zeroize;

use crate::{OUTPUT_SIZE, Sm3};

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
    let mut prefix = Sm3::new();
    for part in z {
        prefix.update(part);
    }
    for (chunk, ct) in out.chunks_mut(OUTPUT_SIZE).zip(1u32..) {
        let mut block: [u8; OUTPUT_SIZE] =
            prefix.clone().chain_update(ct.to_be_bytes()).finalize().into();
        chunk.copy_from_slice(&block[..chunk.len()]);
        block.zeroize();
    }
    Ok(())
}
