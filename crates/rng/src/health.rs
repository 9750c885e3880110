//! The health tests of an entropy source (GM/T 0105-2021, annex D; NIST SP 800-90B, 4.4), on
//! samples of one byte. False alarms come once in 2^20 samples of the claimed entropy, and far
//! more rarely when the source is better than claimed.

use std::fmt;

use zeroize::Zeroize;

/// The adaptive proportion test looks at so many samples at a time.
const WINDOW: u32 = 512;

/// Exponent of the false alarm rate.
const ALPHA: f64 = 20.0;

/// Both continuous tests. Once a sample has failed one, all later ones fail too.
///
/// ```
/// use gmkit_rng::health::HealthTests;
///
/// let mut tests = HealthTests::new(8.0);
/// assert!(tests.check(b"all different"));
/// assert!(!tests.check(&[7; 4]));
/// assert!(!tests.check(b"fine again, but too late"));
/// ```
#[derive(Clone)]
pub struct HealthTests {
    repetition_cutoff: u32,
    proportion_cutoff: u32,
    /// The last sample, and how often it has come in a row.
    last: u8,
    in_a_row: u32,
    /// The first sample of the window, how often it has come, and how many are still to come.
    first: u8,
    in_window: u32,
    left: u32,
    failed: bool,
}

impl HealthTests {
    /// For a source with a claimed min-entropy of `h` bits per byte, above 0 and at most 8.
    ///
    /// # Panics
    /// For another `h`.
    #[must_use]
    pub fn new(h: f64) -> Self {
        assert!(h > 0.0 && h <= 8.0, "a byte has more than 0 and at most 8 bits of entropy");
        Self {
            repetition_cutoff: repetition_cutoff(h),
            proportion_cutoff: proportion_cutoff(h),
            last: 0,
            in_a_row: 0,
            first: 0,
            in_window: 0,
            left: 0,
            failed: false,
        }
    }

    /// Tests the next samples; `false` when they, or earlier ones, have failed. The samples become
    /// secrets: nothing but the verdict shows in the time.
    pub fn check(&mut self, samples: &[u8]) -> bool {
        for &sample in samples {
            self.failed |= self.repeats(sample) | self.prevails(sample);
        }
        !self.failed
    }

    /// The repetition count test.
    fn repeats(&mut self, sample: u8) -> bool {
        self.in_a_row = (self.in_a_row & mask(sample, self.last)) + 1;
        self.last = sample;
        self.in_a_row >= self.repetition_cutoff
    }

    /// The adaptive proportion test.
    fn prevails(&mut self, sample: u8) -> bool {
        if self.left == 0 {
            (self.first, self.in_window, self.left) = (sample, 0, WINDOW);
        }
        self.in_window += mask(sample, self.first) & 1;
        self.left -= 1;
        self.in_window >= self.proportion_cutoff
    }
}

/// All ones if the two are equal, else 0.
fn mask(a: u8, b: u8) -> u32 {
    core::hint::black_box((u32::from(a ^ b).wrapping_sub(1) >> 31).wrapping_neg())
}

/// The samples that are kept are a part of what becomes a seed.
impl Drop for HealthTests {
    fn drop(&mut self) {
        self.last.zeroize();
        self.first.zeroize();
    }
}

impl fmt::Debug for HealthTests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthTests").field("failed", &self.failed).finish_non_exhaustive()
    }
}

fn repetition_cutoff(h: f64) -> u32 {
    ((ALPHA / h).ceil() as u32).saturating_add(1)
}

/// 1 + the smallest c with P(X <= c) >= 1 - 2^-20 for X binomial over the window with probability
/// 2^-h. Summed from the top, where the terms are small, and in logarithms: some are too small.
fn proportion_cutoff(h: f64) -> u32 {
    let p = (-h).exp2();
    let n = f64::from(WINDOW);
    let mut ln_choose = 0.0_f64; // of WINDOW over itself
    let mut tail = 0.0;
    for c in (0..WINDOW).rev() {
        // P(X = c + 1) goes into P(X > c).
        let x = f64::from(c + 1);
        tail += (ln_choose + x * p.ln() + (n - x) * (1.0 - p).ln()).exp();
        if tail > (-ALPHA).exp2() {
            return c + 2;
        }
        ln_choose += x.ln() - (n - x + 1.0).ln();
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutoffs_of_the_standards() {
        assert_eq!([repetition_cutoff(8.0), repetition_cutoff(0.5)], [4, 41]);
        // SP 800-90B, 4.4.2 and GM/T 0105-2021, annex D.
        assert_eq!([proportion_cutoff(8.0), proportion_cutoff(0.5)], [13, 410]);
    }

    #[test]
    fn a_stuck_source_fails_after_the_cutoff() {
        let mut tests = HealthTests::new(4.0);
        assert!(tests.check(&[9; 5]));
        assert!(!tests.check(&[9]));
    }

    #[test]
    fn a_biased_source_fails_within_two_windows() {
        // Every third sample is 1: never twice in a row.
        let samples: Vec<u8> =
            (0..1024).map(|i| if i % 3 == 0 { 1 } else { i as u8 | 2 }).collect();
        assert!(!HealthTests::new(4.0).check(&samples));
    }

    #[test]
    fn a_counting_source_passes_these_tests() {
        let samples: Vec<u8> = (0..4096).map(|i| (i % 256) as u8).collect();
        assert!(HealthTests::new(8.0).check(&samples));
    }
}
