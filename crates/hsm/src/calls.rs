//! What the calls to a device have cost, and how they ended: no data.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::Error;

/// Upper bounds of the histogram's steps: 2^n microseconds; the last one is without a bound.
const STEPS: usize = 25;

/// What the calls of one kind have cost.
///
/// ```no_run
/// # fn f(token: &gmkit_hsm::Token) {
/// for call in token.calls() {
///     let (p99, errors) = (call.within(0.99), call.errors.values().sum::<u64>());
///     println!("{} {:#x}: {} calls, {errors} errors, p99 {p99:?}", call.operation, call.mechanism, call.calls);
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallStatistics {
    /// What was done: `sign`, `decrypt`.
    pub operation: &'static str,
    /// CKM, as a number; 0 where there is none.
    pub mechanism: u64,
    /// How often, failures included.
    pub calls: u64,
    /// How often it failed, by the standard's name of the return value, or what else went wrong.
    pub errors: BTreeMap<String, u64>,
    /// All of them together.
    pub total: Duration,
    /// The longest one.
    pub longest: Duration,
    /// How many took less than 1 µs, 2 µs, 4 µs ... and not less than the one before; the last
    /// entry has those of 2^23 µs (8.4 s) and more.
    pub histogram: [u64; STEPS],
}

impl CallStatistics {
    fn new(operation: &'static str, mechanism: u64) -> Self {
        Self {
            operation,
            mechanism,
            calls: 0,
            errors: BTreeMap::new(),
            total: Duration::ZERO,
            longest: Duration::ZERO,
            histogram: [0; STEPS],
        }
    }

    fn add(&mut self, took: Duration, error: Option<String>) {
        self.calls += 1;
        self.total += took;
        self.longest = self.longest.max(took);
        let bits = u128::BITS - took.as_micros().leading_zeros();
        self.histogram[(bits as usize).min(STEPS - 1)] += 1;
        if let Some(error) = error {
            *self.errors.entry(error).or_default() += 1;
        }
    }

    /// Within what time this part of the calls came back (0.99 is 99 %): the upper end of a step of
    /// the histogram, and never more than the longest one.
    #[must_use]
    pub fn within(&self, part: f64) -> Duration {
        let mut seen = 0;
        for (step, count) in self.histogram.iter().enumerate().take(STEPS - 1) {
            seen += count;
            if seen as f64 >= self.calls as f64 * part {
                return Duration::from_micros(1 << step).min(self.longest);
            }
        }
        self.longest
    }
}

/// The calls of one token.
#[derive(Default)]
pub(crate) struct Calls(Mutex<BTreeMap<(&'static str, u64), CallStatistics>>);

impl Calls {
    /// Makes a call in a span of its own, and counts it.
    pub(crate) fn count<T>(
        &self,
        operation: &'static str,
        mechanism: u64,
        call: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let span =
            tracing::debug_span!("device call", operation, mechanism = format!("{mechanism:#x}"));
        let _entered = span.enter();
        let started = Instant::now();
        let done = call();
        let took = started.elapsed();
        let error = done.as_ref().err().map(Error::label);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(micros, error, "done");
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry((operation, mechanism))
            .or_insert_with(|| CallStatistics::new(operation, mechanism))
            .add(took, error);
        done
    }

    pub(crate) fn all(&self) -> Vec<CallStatistics> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_with_their_errors() {
        let calls = Calls::default();
        for _ in 0..3 {
            calls.count("sign", 7, || Ok(())).unwrap();
        }
        let failed = calls.count("sign", 7, || Err::<(), _>(Error::code("C_Sign", 0x32)));
        assert!(failed.is_err());
        calls.count("decrypt", 8, || Ok(())).unwrap();
        let all = calls.all();
        assert_eq!(all.len(), 2);
        let sign = &all[1];
        assert_eq!((sign.operation, sign.mechanism, sign.calls), ("sign", 7, 4));
        assert_eq!(sign.errors, [("CKR_DEVICE_REMOVED".to_owned(), 1)].into());
        assert_eq!(sign.histogram.iter().sum::<u64>(), 4);
    }

    #[test]
    fn percentiles() {
        let mut statistics = CallStatistics::new("sign", 1);
        for _ in 0..99 {
            statistics.add(Duration::from_micros(100), None);
        }
        statistics.add(Duration::from_secs(60), None);
        assert_eq!(statistics.within(0.5), Duration::from_micros(128));
        assert_eq!(statistics.within(0.99), Duration::from_micros(128));
        assert_eq!(statistics.within(1.0), Duration::from_secs(60));
        assert_eq!(CallStatistics::new("sign", 1).within(0.5), Duration::ZERO);
    }
}
