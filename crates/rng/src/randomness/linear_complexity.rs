//! Test 13: linear complexity.

use super::{Outcome, deviation};

const SHARES: [f64; 7] = [0.010417, 0.03125, 0.125, 0.5, 0.25, 0.0625, 0.020833];

pub(super) fn test(bits: &[u8], m: usize) -> Option<Outcome> {
    let blocks = bits.chunks_exact(m);
    let total = blocks.len() as f64;
    let size = m as f64;
    let sign = if m.is_multiple_of(2) { 1.0 } else { -1.0 };
    let mean = size / 2.0 + (9.0 - sign) / 36.0 - (size / 3.0 + 2.0 / 9.0) / size.exp2();
    let mut counts = [0.0; 7];
    for block in blocks {
        let t = sign * (complexity(block) as f64 - mean) + 2.0 / 9.0;
        // At most -2.5, -1.5, ..., 2.5, and above.
        counts[((t + 2.5).ceil().max(0.0) as usize).min(6)] += 1.0;
    }
    (total > 0.0).then(|| Outcome::chi_squared(6.0, deviation(&counts, &SHARES, total)))
}

/// Length of the shortest linear feedback register that gives `bits` (Berlekamp and Massey).
fn complexity(bits: &[u8]) -> usize {
    let words = bits.len() / 64 + 1;
    // Polynomials and the past of the sequence, the latest bit as coefficient 0.
    let (mut c, mut b, mut past) = (vec![0_u64; words], vec![0_u64; words], vec![0_u64; words]);
    (c[0], b[0]) = (1, 1);
    let (mut length, mut gap) = (0, 1);
    for (n, bit) in bits.iter().enumerate() {
        let mut carry = u64::from(*bit);
        for word in &mut past {
            (*word, carry) = (*word << 1 | carry, *word >> 63);
        }
        let discrepancy = c.iter().zip(&past).fold(0, |sum, (c, s)| sum ^ (c & s));
        if discrepancy.count_ones().is_multiple_of(2) {
            gap += 1;
        } else if 2 * length <= n {
            let before = c.clone();
            add_shifted(&mut c, &b, gap);
            (length, b, gap) = (n + 1 - length, before, 1);
        } else {
            add_shifted(&mut c, &b, gap);
            gap += 1;
        }
    }
    length
}

/// c += b · x^by.
fn add_shifted(c: &mut [u64], b: &[u64], by: usize) {
    let (words, bits) = (by / 64, by % 64);
    for i in words..c.len() {
        let low = if i > words && bits > 0 { b[i - words - 1] >> (64 - bits) } else { 0 };
        c[i] ^= b[i - words] << bits | low;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complexities_that_are_known() {
        // NIST SP 800-22, 2.10.8: 1101011110001 has complexity 4.
        assert_eq!(complexity(&[1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 1]), 4);
        assert_eq!(complexity(&[0; 100]), 0);
        let mut last = [0; 100];
        last[99] = 1;
        assert_eq!(complexity(&last), 100);
        // x^89 + x^38 + 1 generates its sequence.
        let mut bits = vec![0; 600];
        bits[0] = 1;
        for i in 89..600 {
            bits[i] = bits[i - 89] ^ bits[i - 38];
        }
        assert_eq!(complexity(&bits), 89);
    }
}
