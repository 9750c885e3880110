//! Tests on how often patterns come: 3, 4 and 12.

use super::Outcome;

/// How often each pattern of `m` bits comes in the sample, closed to a ring, at any place.
fn counts(bits: &[u8], m: usize) -> Vec<f64> {
    let mut counts = vec![0.0; 1 << m];
    let mask = (1 << m) - 1;
    let mut pattern = 0;
    for (i, bit) in bits.iter().chain(bits).take(bits.len() + m.saturating_sub(1)).enumerate() {
        pattern = (pattern << 1 | usize::from(*bit)) & mask;
        if i + 1 >= m {
            counts[pattern] += 1.0;
        }
    }
    counts
}

pub(super) fn poker(bits: &[u8], m: usize) -> Option<Outcome> {
    let blocks = bits.chunks_exact(m);
    let n = blocks.len() as f64;
    let mut counts = vec![0.0; 1 << m];
    for block in blocks {
        let pattern = block.iter().fold(0, |pattern, bit| pattern << 1 | usize::from(*bit));
        counts[pattern] += 1.0;
    }
    let patterns = counts.len() as f64;
    let v = patterns / n * counts.iter().map(|c| c * c).sum::<f64>() - n;
    (n > 0.0).then(|| Outcome::chi_squared(patterns - 1.0, v))
}

/// Both P-values.
pub(super) fn overlapping(bits: &[u8], m: usize) -> Option<[Outcome; 2]> {
    if m < 2 || bits.len() < m {
        return None;
    }
    let n = bits.len() as f64;
    let psi = |m: usize| match m {
        0 => 0.0,
        _ => counts(bits, m).iter().map(|c| c * c).sum::<f64>() * f64::from(1 << m) / n - n,
    };
    let [psi0, psi1, psi2] = [psi(m), psi(m - 1), psi(m - 2)];
    let freedom = f64::from(1 << (m - 1));
    Some([
        Outcome::chi_squared(freedom, psi0 - psi1),
        Outcome::chi_squared(freedom / 2.0, psi0 - 2.0 * psi1 + psi2),
    ])
}

pub(super) fn approximate_entropy(bits: &[u8], m: usize) -> Option<Outcome> {
    if bits.len() <= m {
        return None;
    }
    let n = bits.len() as f64;
    let phi = |m| -> f64 {
        let shares = counts(bits, m).into_iter().filter(|c| *c > 0.0).map(|c| c / n);
        shares.map(|share| share * share.ln()).sum()
    };
    let entropy = phi(m) - phi(m + 1);
    let v = 2.0 * n * (std::f64::consts::LN_2 - entropy);
    Some(Outcome::chi_squared(f64::from(1 << m), v))
}
