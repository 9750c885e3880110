//! Time, on a machine that does other things too.

use std::time::{Duration, Instant};

/// Seconds per call: the best of many short runs, since whatever else runs only makes it slower.
pub(super) fn best(work: &mut dyn FnMut(), quick: bool) -> f64 {
    let (total, run) = if quick {
        (Duration::from_millis(30), Duration::from_micros(50))
    } else {
        (Duration::from_millis(400), Duration::from_micros(100))
    };
    let calls = calls_in(run, work);
    let mut best = Duration::MAX;
    let started = Instant::now();
    while started.elapsed() < total || best == Duration::MAX {
        best = best.min(timed(calls, work));
    }
    best.as_secs_f64() / f64::from(calls)
}

/// How many calls take about so long.
fn calls_in(run: Duration, work: &mut dyn FnMut()) -> u32 {
    let mut calls = 1;
    while timed(calls, work) < run && calls < 1 << 20 {
        calls *= 2;
    }
    calls
}

fn timed(calls: u32, work: &mut dyn FnMut()) -> Duration {
    let started = Instant::now();
    (0..calls).for_each(|_| work());
    started.elapsed()
}

#[cfg(test)]
mod tests {
    #[test]
    fn work_is_done_and_takes_time() {
        let mut calls = 0_u64;
        let seconds = super::best(&mut || calls = std::hint::black_box(calls + 1), true);
        assert!(calls > 0 && seconds > 0.0 && seconds.is_finite());
    }
}
