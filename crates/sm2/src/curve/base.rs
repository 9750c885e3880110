//! Multiples of the generator from a table.
//!
//! `generator.bin` holds j·2^(6i)·G for i in 0..43 and j in 1..=32: x and y, four little-endian
//! words each, in Montgomery form. The test recomputes all of it from G.

use subtle::{Choice, ConditionallySelectable};
use zeroize::Zeroize;

use super::{Affine, Jacobian, booth};
use crate::arith::{Field, Scalar};

const WIDTH: usize = 6;
pub(crate) const WINDOWS: usize = booth::digits(WIDTH);
pub(super) const ENTRIES: usize = 1 << (WIDTH - 1);
const POINT: usize = 64;

/// The bytes of a window's points.
pub(crate) type Window = [[u8; POINT]; ENTRIES];

/// Aligned to the size of a window: no window is on two pages, and no entry on two cache lines. So
/// whatever a digit is, reading its window touches the same of both.
#[repr(C, align(2048))]
struct Table([u8; WINDOWS * ENTRIES * POINT]);

static TABLE: Table = Table(*include_bytes!("generator.bin"));

/// \[k\]G for a secret k below n: one addition per window, no doubling. In each window all entries
/// are read, whatever the digit is.
///
/// The incomplete addition never meets its exceptions:
///
/// - While all digits so far are 0, acc is at infinity; and a digit may be 0. Both are dealt with
///   by selection, not by the formula.
/// - Otherwise let A != 0 be the sum of the digits before window i with their weights, and
///   D = d·2^(6i), d != 0, the new term. |A| <= 32·(2^(6i) - 1)/63 < 0.51·2^(6i) and
///   |D| >= 2^(6i), so A != D and A != -D as integers.
/// - For i < 42 both |A + D| and |A - D| are below 33·2^246 < n, so A and D also differ modulo n.
/// - For i = 42, A + D = k with 0 < k < n, so A != -D modulo n. Here 0 < D <= 2^256, so
///   0 < D - A < 2n, and A = D modulo n could only mean D - A = n. Then k = n + 2A < n gives A < 0
///   and D < n < 2^256, that is D <= 15·2^252 and -A = n - D >= n - 15·2^252 > 0.9·2^252, which
///   contradicts the bound on |A|.
pub(crate) fn multiply_generator<F: Field>(k: &Scalar) -> Jacobian<F> {
    let mut words = k.to_words();
    let (negative, magnitude) = digit(&words, 0);
    let mut acc = Jacobian::from(&select::<F>(0, magnitude).negate_if(negative));
    let mut at_infinity = is_zero(magnitude);
    for i in 1..WINDOWS {
        let (negative, magnitude) = digit(&words, i);
        let is_zero = is_zero(magnitude);
        let mut term = select(i, magnitude).negate_if(negative);
        let mut next = acc.add_affine_incomplete(&term);
        next.conditional_assign(&Jacobian::from(&term), at_infinity);
        acc.conditional_assign(&next, !is_zero);
        at_infinity &= is_zero;
        term.zeroize();
        next.zeroize();
    }
    words.zeroize();
    acc.conditional_assign(&Jacobian::INFINITY, at_infinity);
    acc
}

/// Entry `magnitude` (1 to 32) of window `i` by reading all of them; for 0 something that is not
/// a point.
fn select<F: Field>(i: usize, magnitude: u64) -> Affine<F> {
    let mut words = F::select(window(i), magnitude);
    let point = from_words(&words);
    words.zeroize();
    point
}

/// j·2^(6i)·G for j in 1..=32, as bytes of x and y.
pub(crate) fn window(i: usize) -> &'static Window {
    &TABLE.0.as_chunks::<POINT>().0.as_chunks().0[i]
}

/// Digit `i` of a secret scalar's words: whether it is negative, and its magnitude, up to 32.
pub(crate) fn digit(words: &[u64; 4], i: usize) -> (Choice, u64) {
    booth::digit::<WIDTH>(words, i)
}

/// Whether a digit is 0.
pub(crate) fn is_zero(magnitude: u64) -> Choice {
    booth::is(magnitude, 0)
}

/// Entry `magnitude` of window `i`, both public.
pub(crate) fn entry_vartime(i: usize, magnitude: u64) -> [u64; 8] {
    let bytes = &window(i)[magnitude as usize - 1];
    core::array::from_fn(|w| u64::from_le_bytes(bytes.as_chunks::<8>().0[w]))
}

/// Sign and magnitude of each window's digit, for a public scalar.
pub(super) fn digits_vartime(k: &Scalar) -> impl Iterator<Item = (usize, bool, u64)> {
    let words = k.to_words();
    (0..WINDOWS).map(move |i| {
        let (negative, magnitude) = digit(&words, i);
        (i, negative.into(), magnitude)
    })
}

pub(super) fn from_words<F: Field>(words: &[u64; 8]) -> Affine<F> {
    let [x0, x1, x2, x3, y0, y1, y2, y3] = *words;
    Affine { x: F::from_montgomery([x0, x1, x2, x3]), y: F::from_montgomery([y0, y1, y2, y3]) }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::curve::{G, projective::Projective};

    fn table() -> std::vec::Vec<u8> {
        let mut out = std::vec::Vec::new();
        let mut base = G;
        for _ in 0..WINDOWS {
            let mut multiple = Projective::INFINITY;
            for _ in 0..ENTRIES {
                multiple = multiple.add_affine(&base);
                let point = multiple.to_affine().unwrap();
                for word in [point.x, point.y].into_iter().flat_map(Field::to_montgomery) {
                    out.extend(word.to_le_bytes());
                }
            }
            base = multiple.double().to_affine().unwrap();
        }
        out
    }

    /// `GMKIT_WRITE_TABLE=1 cargo test -p gmkit-sm2 generator_table` writes it anew.
    #[test]
    fn generator_table_is_what_it_says() {
        let want = table();
        if std::env::var_os("GMKIT_WRITE_TABLE").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/curve/generator.bin");
            std::fs::write(path, &want).unwrap();
            return;
        }
        assert!(want == TABLE.0[..], "generator.bin is not the table of G");
    }
}
