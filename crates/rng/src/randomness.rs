//! The randomness tests of GM/T 0005-2021 (GB/T 32915), and the collections that GM/T 0062-2018
//! makes of them.
//!
//! A test gives a P-value: how often a truly random sequence would look at least as irregular. A
//! sample fails a test below [`ALPHA`]. So one random sample in a hundred fails each test, and only
//! many samples together say something: see [`Stage`].
//!
//! Variable time: for tests of a generator, not for its output in use.

mod fourier;
mod linear_complexity;
mod patterns;
mod rank;
mod runs;
mod stage;
mod sums;
mod universal;

use std::fmt;

pub use stage::{ItemReport, Report, Stage};
use statrs::function::{erf::erfc, gamma::gamma_ur};

/// Significance level.
pub const ALPHA: f64 = 0.01;

/// Longest pattern whose occurrences are counted, in bits.
pub const MAX_PATTERN: usize = 16;

/// One of the fifteen tests, with its parameter in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Test {
    /// 1: as many ones as zeros.
    Frequency,
    /// 2: the same in each block of m.
    BlockFrequency(usize),
    /// 3: all patterns of m equally often, side by side.
    Poker(usize),
    /// 4: all patterns of m equally often, overlapping; first P-value.
    Overlapping1(usize),
    /// 4: second P-value.
    Overlapping2(usize),
    /// 5: the number of runs.
    Runs,
    /// 6: their lengths.
    RunDistribution,
    /// 7: the longest run of ones in each block of m.
    LongestRunOfOnes(usize),
    /// 7: the longest run of zeros.
    LongestRunOfZeros(usize),
    /// 8: as many ones as zeros after k times adding each bit to its neighbour.
    BinaryDerivative(usize),
    /// 9: bits do not depend on those d before.
    Autocorrelation(usize),
    /// 10: the rank of 32 x 32 matrices.
    MatrixRank,
    /// 11: the sums of the bits from the start stay small.
    CumulativeSumsForward,
    /// 11: and those from the end.
    CumulativeSumsBackward,
    /// 12: patterns of m + 1 are no more regular than those of m.
    ApproximateEntropy(usize),
    /// 13: the shortest linear register for each block of m.
    LinearComplexity(usize),
    /// 14: Maurer's: how far patterns are from their last occurrence.
    Universal,
    /// 15: no periods.
    DiscreteFourier,
}

impl Test {
    /// Tables of patterns stay small, and blocks are not empty.
    const fn has_sound_parameter(self) -> bool {
        match self {
            Self::Poker(m)
            | Self::Overlapping1(m)
            | Self::Overlapping2(m)
            | Self::ApproximateEntropy(m) => 0 < m && m <= MAX_PATTERN,
            Self::BlockFrequency(m)
            | Self::LinearComplexity(m)
            | Self::BinaryDerivative(m)
            | Self::Autocorrelation(m) => m > 0,
            _ => true,
        }
    }

    /// Number in the standard, from 1.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Frequency => 1,
            Self::BlockFrequency(_) => 2,
            Self::Poker(_) => 3,
            Self::Overlapping1(_) | Self::Overlapping2(_) => 4,
            Self::Runs => 5,
            Self::RunDistribution => 6,
            Self::LongestRunOfOnes(_) | Self::LongestRunOfZeros(_) => 7,
            Self::BinaryDerivative(_) => 8,
            Self::Autocorrelation(_) => 9,
            Self::MatrixRank => 10,
            Self::CumulativeSumsForward | Self::CumulativeSumsBackward => 11,
            Self::ApproximateEntropy(_) => 12,
            Self::LinearComplexity(_) => 13,
            Self::Universal => 14,
            Self::DiscreteFourier => 15,
        }
    }

    /// Runs the test on one sample. `None` when the sample is too short for it, or the parameter
    /// is none: zero, or a pattern of more than [`MAX_PATTERN`] bits.
    ///
    /// ```
    /// use gmkit_rng::randomness::{Bits, Test};
    ///
    /// let bits = Bits::from_bytes(&[0b0101_0101; 100]);
    /// assert!(Test::Frequency.run(&bits).unwrap().passed());
    /// assert!(!Test::Runs.run(&bits).unwrap().passed());
    /// ```
    #[must_use]
    pub fn run(self, bits: &Bits) -> Option<Outcome> {
        let bits = &bits.0[..];
        if !self.has_sound_parameter() {
            return None;
        }
        match self {
            Self::Frequency => sums::frequency(bits),
            Self::BlockFrequency(m) => sums::block_frequency(bits, m),
            Self::Poker(m) => patterns::poker(bits, m),
            Self::Overlapping1(m) => patterns::overlapping(bits, m).map(|[first, _]| first),
            Self::Overlapping2(m) => patterns::overlapping(bits, m).map(|[_, second]| second),
            Self::Runs => runs::total(bits),
            Self::RunDistribution => runs::distribution(bits),
            Self::LongestRunOfOnes(m) => runs::longest(bits, m, 1),
            Self::LongestRunOfZeros(m) => runs::longest(bits, m, 0),
            Self::BinaryDerivative(k) => sums::binary_derivative(bits, k),
            Self::Autocorrelation(d) => sums::autocorrelation(bits, d),
            Self::MatrixRank => rank::matrix_rank(bits),
            Self::CumulativeSumsForward => sums::cumulative(bits.iter()),
            Self::CumulativeSumsBackward => sums::cumulative(bits.iter().rev()),
            Self::ApproximateEntropy(m) => patterns::approximate_entropy(bits, m),
            Self::LinearComplexity(m) => linear_complexity::test(bits, m),
            Self::Universal => universal::test(bits),
            Self::DiscreteFourier => fourier::test(bits),
        }
    }
}

/// The name, as "3 poker (m = 4)".
impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.number())?;
        match self {
            Self::Frequency => f.write_str("single bit frequency"),
            Self::BlockFrequency(m) => write!(f, "block frequency (m = {m})"),
            Self::Poker(m) => write!(f, "poker (m = {m})"),
            Self::Overlapping1(m) => write!(f, "overlapping subsequence (m = {m}, P1)"),
            Self::Overlapping2(m) => write!(f, "overlapping subsequence (m = {m}, P2)"),
            Self::Runs => f.write_str("number of runs"),
            Self::RunDistribution => f.write_str("run distribution"),
            Self::LongestRunOfOnes(m) => write!(f, "longest run of ones (m = {m})"),
            Self::LongestRunOfZeros(m) => write!(f, "longest run of zeros (m = {m})"),
            Self::BinaryDerivative(k) => write!(f, "binary derivative (k = {k})"),
            Self::Autocorrelation(d) => write!(f, "autocorrelation (d = {d})"),
            Self::MatrixRank => f.write_str("matrix rank"),
            Self::CumulativeSumsForward => f.write_str("cumulative sums, forward"),
            Self::CumulativeSumsBackward => f.write_str("cumulative sums, backward"),
            Self::ApproximateEntropy(m) => write!(f, "approximate entropy (m = {m})"),
            Self::LinearComplexity(m) => write!(f, "linear complexity (m = {m})"),
            Self::Universal => f.write_str("Maurer's universal"),
            Self::DiscreteFourier => f.write_str("discrete Fourier"),
        }
    }
}

/// A sample: one bit per byte, 0 or 1.
#[derive(Clone)]
pub struct Bits(Vec<u8>);

impl Bits {
    /// The bits of bytes, the most significant one of each first.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let of = |byte: &u8| std::array::from_fn::<_, 8, _>(|i| byte >> (7 - i) & 1);
        Self(bytes.iter().flat_map(of).collect())
    }

    /// The first `len` bits.
    #[must_use]
    pub fn truncated(mut self, len: usize) -> Self {
        self.0.truncate(len);
        self
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bits({} of them)", self.0.len())
    }
}

/// What a test says of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The P-value, 0 to 1.
    pub p: f64,
    /// The Q-value, whose distribution over many samples must be even.
    pub q: f64,
}

impl Outcome {
    /// Whether P is at least [`ALPHA`].
    #[must_use]
    pub fn passed(&self) -> bool {
        self.p >= ALPHA
    }

    /// For a statistic with the standard normal distribution.
    fn normal(v: f64) -> Self {
        let scaled = v / std::f64::consts::SQRT_2;
        Self { p: erfc(scaled.abs()), q: erfc(scaled) / 2.0 }
    }

    /// For a statistic with a chi-squared distribution of `freedom` degrees.
    fn chi_squared(freedom: f64, v: f64) -> Self {
        // The upper incomplete gamma function; at 0 all of it.
        let p = if v <= 0.0 { 1.0 } else { gamma_ur(freedom / 2.0, v / 2.0) };
        Self { p, q: p }
    }
}

/// The chi-squared statistic of counts whose expected shares of `total` are given.
fn deviation(counts: &[f64], shares: &[f64], total: f64) -> f64 {
    let expected = shares.iter().map(|share| share * total);
    counts.iter().zip(expected).map(|(count, e)| (count - e).powi(2) / e).sum()
}
