//! Collections of samples, and the verdict over them.

use super::{ALPHA, Bits, Outcome, Test};

/// How much is collected, and what it is for (GM/T 0062-2018; GM/T 0005-2021 for the assessment).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// 1000 samples of 10^6 bits: the assessment of a generator. Takes minutes.
    Assessment,
    /// 50 samples of 10^6 bits: before a product is delivered.
    Delivery,
    /// 20 samples of 10^6 bits: at power-on.
    PowerOn,
    /// 20 samples of 20,000 bits, without tests 13 to 15: in service, now and then.
    Periodic,
}

impl Stage {
    /// Number of samples.
    #[must_use]
    pub const fn samples(self) -> usize {
        match self {
            Self::Assessment => 1000,
            Self::Delivery => 50,
            Self::PowerOn | Self::Periodic => 20,
        }
    }

    /// Bytes of each sample.
    #[must_use]
    pub const fn sample_bytes(self) -> usize {
        match self {
            Self::Periodic => 20_000 / 8,
            _ => 1_000_000 / 8,
        }
    }

    /// The tests with their parameters.
    #[must_use]
    pub fn tests(self) -> Vec<Test> {
        use Test::*;
        let (block, longest) = if self == Self::Periodic { (1000, 128) } else { (10_000, 10_000) };
        let mut tests = vec![
            Frequency,
            BlockFrequency(block),
            Poker(4),
            Poker(8),
            Overlapping1(3),
            Overlapping2(3),
            Overlapping1(5),
            Overlapping2(5),
            Runs,
            RunDistribution,
            LongestRunOfOnes(longest),
            LongestRunOfZeros(longest),
            BinaryDerivative(3),
            BinaryDerivative(7),
            Autocorrelation(1),
            Autocorrelation(2),
            Autocorrelation(8),
            Autocorrelation(16),
            MatrixRank,
            CumulativeSumsForward,
            CumulativeSumsBackward,
            ApproximateEntropy(2),
            ApproximateEntropy(5),
        ];
        if self != Self::Periodic {
            tests.extend([
                LinearComplexity(500),
                LinearComplexity(1000),
                Universal,
                DiscreteFourier,
            ]);
        }
        tests
    }

    /// Collects the samples from `source`, which fills a buffer, and runs the tests on them.
    ///
    /// Of the smaller collections a random source fails about one item in sixty, and so the whole
    /// about one time in three or four: GM/T 0062 lets a failed collection be repeated once. Only
    /// the assessment says much.
    ///
    /// # Errors
    /// What `source` says.
    ///
    /// # Panics
    /// Never: the samples are long enough for all of the stage's tests.
    pub fn run<E>(self, mut source: impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Report, E> {
        let tests = self.tests();
        let mut outcomes = vec![Vec::with_capacity(self.samples()); tests.len()];
        let mut sample = vec![0; self.sample_bytes()];
        for _ in 0..self.samples() {
            source(&mut sample)?;
            let bits = Bits::from_bytes(&sample);
            for (test, outcomes) in tests.iter().zip(&mut outcomes) {
                outcomes.push(test.run(&bits).expect("a sample long enough"));
            }
        }
        let items = tests.iter().zip(&outcomes);
        Ok(Report { items: items.map(|(test, outcomes)| item(*test, outcomes)).collect() })
    }
}

/// What came of a collection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// One entry per test and parameter.
    pub items: Vec<ItemReport>,
}

impl Report {
    /// Whether all items passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.items.iter().all(ItemReport::passed)
    }
}

/// One test over all samples.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ItemReport {
    /// The test.
    pub test: Test,
    /// Samples that passed it.
    pub passes: usize,
    /// Samples that must pass it.
    pub needed: usize,
    /// P-value for an even distribution of the Q-values; from 1000 samples on.
    pub evenness: Option<f64>,
}

impl ItemReport {
    /// Whether enough samples passed, and their Q-values are evenly distributed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.passes >= self.needed && self.evenness.is_none_or(|p| p >= LEAST_EVENNESS)
    }
}

/// Threshold of the distribution of Q-values.
const LEAST_EVENNESS: f64 = 0.0001;

fn item(test: Test, outcomes: &[Outcome]) -> ItemReport {
    let passes = outcomes.iter().filter(|outcome| outcome.passed()).count();
    let evenness = (outcomes.len() >= Stage::Assessment.samples()).then(|| evenness(outcomes));
    ItemReport { test, passes, needed: needed(outcomes.len()), evenness }
}

/// s (1 - alpha - 3 sqrt(alpha (1 - alpha) / s)), rounded up.
fn needed(samples: usize) -> usize {
    let s = samples as f64;
    (s * (1.0 - ALPHA - 3.0 * (ALPHA * (1.0 - ALPHA) / s).sqrt())).ceil() as usize
}

/// Q-values in ten classes.
fn evenness(outcomes: &[Outcome]) -> f64 {
    let mut counts = [0.0; 10];
    for outcome in outcomes {
        counts[((outcome.q * 10.0) as usize).min(9)] += 1.0;
    }
    let v = super::deviation(&counts, &[0.1; 10], outcomes.len() as f64);
    Outcome::chi_squared(9.0, v).p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_of_the_standards() {
        // 19 of 20 and 48 of 50: an item fails at 2 and at 3 failing samples.
        assert_eq!([20, 50, 1000].map(needed), [19, 48, 981]);
    }

    #[test]
    fn evenness_tells_even_from_uneven() {
        let outcomes = |q: fn(usize) -> f64| {
            (0..1000).map(|i| Outcome { p: 0.5, q: q(i) }).collect::<Vec<_>>()
        };
        assert!(evenness(&outcomes(|i| i as f64 / 1000.0)) > 0.99);
        assert!(evenness(&outcomes(|i| i as f64 / 2000.0)) < LEAST_EVENNESS);
        let uneven = item(Test::Frequency, &outcomes(|_| 0.5));
        assert!(uneven.passes == 1000 && !uneven.passed());
    }
}
