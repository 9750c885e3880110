//! What CPUs have better instructions for than a compiler finds.

/// Arithmetic modulo p, in Montgomery form with R = 2^256 and fully reduced, and the reading of a table.
/// All of it is constant time.
///
/// An implementing type that needs more of a CPU than the target has is private to its backends, where only
/// the methods of a token compute with it.
pub(crate) trait Kernel: Copy + Default + Send + Sync + 'static {
    /// a + b for a and b below p.
    fn add(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4];

    /// a - b for a and b below p.
    fn sub(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4];

    /// a·b/R for a and b below p.
    fn multiply(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4];

    /// a·a/R for a below p.
    fn square(a: &[u64; 4]) -> [u64; 4];

    /// Entry `number` of a table, counted from 1, as little-endian words, by reading all of it; zeros if
    /// there is no such entry.
    #[inline(always)]
    fn select(entries: &[[u8; 64]], number: u64) -> [u64; 8] {
        select(entries, number)
    }
}

/// What any compiler can make, and any CPU run.
#[derive(Clone, Copy, Default)]
pub(crate) struct Plain;

/// [`Kernel::select`] with words.
#[inline(always)]
pub(super) fn select(entries: &[[u8; 64]], number: u64) -> [u64; 8] {
    let mut words = [0u64; 8];
    for (entry, j) in entries.iter().zip(1u64..) {
        // All ones for the wanted entry: only 0 - 1 is negative. The barrier hides from the
        // compiler that a mask is all or nothing; with the barrier on `number` alone it turned
        // the mask back into a comparison and a branch on the secret digit.
        let mask = core::hint::black_box((((number ^ j) as i64 - 1) >> 63) as u64);
        for (word, bytes) in words.iter_mut().zip(entry.as_chunks::<8>().0) {
            *word |= u64::from_le_bytes(*bytes) & mask;
        }
    }
    words
}
