//! Signed digits of a secret scalar (Booth recoding), without branches.
//!
//! For width w, k = sum of digit(i) * 2^(w i) with digits in [-2^(w-1), 2^(w-1)]. Each digit
//! depends on w + 1 neighbouring bits only.

use subtle::{Choice, ConstantTimeEq};

/// Number of digits that a 256-bit number has: one bit more than the number, for the sign.
pub(super) const fn digits(width: usize) -> usize {
    257usize.div_ceil(width)
}

/// Digit `i` as sign and magnitude. The digit 0 may come with either sign.
pub(super) fn digit<const WIDTH: usize>(k: &[u64; 4], i: usize) -> (Choice, u64) {
    // Bits w i - 1 ..= w i + w - 1, where bit -1 is zero.
    let window = if i == 0 { k[0] << 1 } else { bits_from(k, i * WIDTH - 1) };
    let window = window & ((1 << (WIDTH + 1)) - 1);
    let negative = window >> WIDTH;
    let mirrored = (1 << (WIDTH + 1)) - 1 - window;
    let picked = window ^ ((window ^ mirrored) & negative.wrapping_neg());
    (Choice::from(negative as u8), (picked >> 1) + (picked & 1))
}

/// Bits of `k` from the public position `at` on.
fn bits_from(k: &[u64; 4], at: usize) -> u64 {
    let (word, shift) = (at / 64, at % 64);
    let next = if word < 3 { k[word + 1] } else { 0 };
    ((u128::from(next) << 64 | u128::from(k[word])) >> shift) as u64
}

/// Whether a secret magnitude is the public index `j`.
pub(super) fn is(magnitude: u64, j: usize) -> Choice {
    magnitude.ct_eq(&(j as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recomposes<const W: usize>(k: [u64; 4]) {
        // Horner in a 5-word two's complement accumulator.
        let mut acc = [0u64; 5];
        for i in (0..digits(W)).rev() {
            for _ in 0..W {
                for j in (0..5).rev() {
                    acc[j] = acc[j] << 1 | if j > 0 { acc[j - 1] >> 63 } else { 0 };
                }
            }
            let (negative, magnitude) = digit::<W>(&k, i);
            assert!(magnitude <= 1 << (W - 1));
            let mut carry =
                if bool::from(negative) { -i128::from(magnitude) } else { i128::from(magnitude) };
            for word in &mut acc {
                let sum = i128::from(*word) + carry;
                *word = sum as u64;
                carry = sum >> 64;
            }
        }
        assert_eq!(acc, [k[0], k[1], k[2], k[3], 0]);
    }

    #[test]
    fn digits_recompose() {
        let mut k = [u64::MAX, 0, 0x8000_0000_0000_0000, u64::MAX];
        for step in 0..200u64 {
            recomposes::<5>(k);
            recomposes::<6>(k);
            for word in &mut k {
                *word = word.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(step).rotate_left(29);
            }
        }
        recomposes::<6>([0; 4]);
        recomposes::<6>([u64::MAX; 4]);
    }
}
