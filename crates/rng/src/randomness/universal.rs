//! Test 14: Maurer's universal test, with L = 7 and Q = 1280.

use super::Outcome;

const L: usize = 7;
const Q: usize = 1280;
const EXPECTED: f64 = 6.1962507;
const VARIANCE: f64 = 3.125;

pub(super) fn test(bits: &[u8]) -> Option<Outcome> {
    let blocks = bits.chunks_exact(L);
    let k = blocks.len().checked_sub(Q).filter(|k| *k > 0)? as f64;
    let mut last = [0; 1 << L];
    let mut sum = 0.0;
    for (block, i) in blocks.zip(1..) {
        let pattern = block.iter().fold(0, |pattern, bit| pattern << 1 | usize::from(*bit));
        if i > Q {
            sum += ((i - last[pattern]) as f64).log2();
        }
        last[pattern] = i;
    }
    let l = L as f64;
    let c = 0.7 - 0.8 / l + (4.0 + 32.0 / l) * k.powf(-3.0 / l) / 15.0;
    Some(Outcome::normal((sum / k - EXPECTED) / (c * (VARIANCE / k).sqrt())))
}
