//! Test 10: the rank of square matrices.

use super::{Outcome, deviation};

/// Rows and columns.
const SIZE: usize = 32;

/// Shares of full rank, one less, and lower.
const SHARES: [f64; 3] = [0.2888, 0.5776, 0.1336];

pub(super) fn matrix_rank(bits: &[u8]) -> Option<Outcome> {
    let matrices = bits.chunks_exact(SIZE * SIZE);
    let total = matrices.len() as f64;
    let mut counts = [0.0; 3];
    for matrix in matrices {
        counts[(SIZE - rank(matrix)).min(2)] += 1.0;
    }
    (total > 0.0).then(|| Outcome::chi_squared(2.0, deviation(&counts, &SHARES, total)))
}

/// Rank over GF(2), by elimination.
fn rank(matrix: &[u8]) -> usize {
    let row = |bits: &[u8]| bits.iter().fold(0, |row, bit| row << 1 | u32::from(*bit));
    let mut rows: Vec<u32> = matrix.chunks(SIZE).map(row).collect();
    let mut rank = 0;
    while let Some(pivot) = rows.pop() {
        if pivot == 0 {
            continue;
        }
        rank += 1;
        let lowest = pivot & pivot.wrapping_neg();
        rows.iter_mut().filter(|row| **row & lowest != 0).for_each(|row| *row ^= pivot);
    }
    rank
}
