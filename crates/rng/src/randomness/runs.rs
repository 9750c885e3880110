//! Tests on runs, sequences of equal bits: 5, 6 and 7.

use super::{Outcome, deviation};

pub(super) fn total(bits: &[u8]) -> Option<Outcome> {
    if bits.is_empty() {
        return None;
    }
    let n = bits.len() as f64;
    let share = bits.iter().map(|bit| f64::from(*bit)).sum::<f64>() / n;
    let expected = 2.0 * n * share * (1.0 - share);
    if expected <= 0.0 {
        // All bits are equal: as irregular as can be.
        return Some(Outcome { p: 0.0, q: 0.0 });
    }
    let runs = bits.chunk_by(|a, b| a == b).count() as f64;
    Some(Outcome::normal((runs - expected) / (2.0 * n.sqrt() * share * (1.0 - share))))
}

/// Runs of each length up to k are counted, longer ones as of length k, where k is the longest of
/// which at least five are expected.
pub(super) fn distribution(bits: &[u8]) -> Option<Outcome> {
    let n = bits.len();
    let expected = |i: usize| (n as f64 - i as f64 + 3.0) / (i as f64 + 2.0).exp2();
    let k = (1..64).take_while(|i| expected(*i) >= 5.0).last()?;
    if k < 2 {
        return None;
    }
    let mut counts = [vec![0.0; k], vec![0.0; k]];
    let mut runs = 0.0;
    for run in bits.chunk_by(|a, b| a == b) {
        counts[usize::from(run[0])][run.len().min(k) - 1] += 1.0;
        runs += 1.0;
    }
    let shares: Vec<f64> = (1..=k).map(|i| (-(i.min(k - 1) as f64) - 1.0).exp2()).collect();
    let v = counts.iter().map(|counts| deviation(counts, &shares, runs)).sum();
    Some(Outcome::chi_squared(2.0 * (k as f64 - 1.0), v))
}

/// How the longest run of a block of m random bits is distributed: the shares of "at most `least`",
/// each length above, and "at least the last".
struct Longest {
    m: usize,
    least: usize,
    shares: &'static [f64],
}

const LONGEST: [Longest; 3] = [
    Longest { m: 8, least: 1, shares: &[0.2148, 0.3672, 0.2305, 0.1875] },
    Longest { m: 128, least: 4, shares: &[0.1174, 0.2430, 0.2494, 0.1752, 0.1027, 0.1124] },
    Longest {
        m: 10_000,
        least: 10,
        shares: &[0.086632, 0.208201, 0.248419, 0.193913, 0.121458, 0.068011, 0.073366],
    },
];

pub(super) fn longest(bits: &[u8], m: usize, of: u8) -> Option<Outcome> {
    let known = LONGEST.iter().find(|known| known.m == m)?;
    let blocks = bits.chunks_exact(m);
    let total = blocks.len() as f64;
    let mut counts = vec![0.0; known.shares.len()];
    for block in blocks {
        let runs = block.chunk_by(|a, b| a == b).filter(|run| run[0] == of);
        let longest = runs.map(<[u8]>::len).max().unwrap_or(0);
        counts[longest.saturating_sub(known.least).min(known.shares.len() - 1)] += 1.0;
    }
    let v = deviation(&counts, known.shares, total);
    (total > 0.0).then(|| Outcome::chi_squared(known.shares.len() as f64 - 1.0, v))
}
