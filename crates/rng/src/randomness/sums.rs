//! Tests on sums of bits: 1, 2, 8, 9 and 11.

use statrs::function::erf::erfc;

use super::Outcome;

/// (Ones - zeros) / sqrt(n).
pub(super) fn frequency(bits: &[u8]) -> Option<Outcome> {
    of_ones(ones(bits), bits.len())
}

fn ones(bits: &[u8]) -> usize {
    bits.iter().map(|bit| usize::from(*bit)).sum()
}

fn of_ones(ones: usize, n: usize) -> Option<Outcome> {
    (n > 0).then(|| Outcome::normal((2.0 * ones as f64 - n as f64) / (n as f64).sqrt()))
}

pub(super) fn block_frequency(bits: &[u8], m: usize) -> Option<Outcome> {
    let blocks = bits.chunks_exact(m);
    let count = blocks.len();
    let share = |block: &[u8]| ones(block) as f64 / m as f64 - 0.5;
    let v = 4.0 * m as f64 * blocks.map(|block| share(block).powi(2)).sum::<f64>();
    (count > 0).then(|| Outcome::chi_squared(count as f64, v))
}

pub(super) fn binary_derivative(bits: &[u8], k: usize) -> Option<Outcome> {
    if k >= bits.len() {
        return None;
    }
    let mut derived = bits.to_vec();
    for _ in 0..k {
        derived = derived.windows(2).map(|pair| pair[0] ^ pair[1]).collect();
    }
    of_ones(ones(&derived), derived.len())
}

pub(super) fn autocorrelation(bits: &[u8], d: usize) -> Option<Outcome> {
    let differ = bits.iter().zip(bits.get(d..)?).filter(|(a, b)| a != b).count();
    of_ones(differ, bits.len() - d)
}

/// The largest distance of the walk from its start.
pub(super) fn cumulative<'b>(bits: impl ExactSizeIterator<Item = &'b u8>) -> Option<Outcome> {
    let n = bits.len() as f64;
    let (mut sum, mut z) = (0_i64, 0_i64);
    for bit in bits {
        sum += 2 * i64::from(*bit) - 1;
        z = z.max(sum.abs());
    }
    if z == 0 {
        return None; // nothing there
    }
    let z = z as f64;
    let phi = |i: f64| 0.5 * erfc(-i * z / n.sqrt() / std::f64::consts::SQRT_2);
    // The standard's bounds, rounded towards zero.
    let between = |from: f64, to: f64| {
        let bounds = (from / 4.0).trunc() as i64..=(to / 4.0).trunc() as i64;
        bounds.map(|i| 4.0 * i as f64)
    };
    let (low, high) = (-n / z, n / z);
    let first: f64 = between(low + 1.0, high - 1.0).map(|i| phi(i + 1.0) - phi(i - 1.0)).sum();
    let second: f64 = between(low - 3.0, high - 1.0).map(|i| phi(i + 3.0) - phi(i + 1.0)).sum();
    let p = (1.0 - first + second).clamp(0.0, 1.0);
    Some(Outcome { p, q: p })
}
