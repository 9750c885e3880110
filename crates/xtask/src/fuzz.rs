//! `cargo xtask fuzz`: the long form. What it finds goes into the corpora, which
//! `cargo xtask test` replays on stable.

use crate::run::{self, Result};

/// Runs each target for `seconds`.
pub(crate) fn run(seconds: &str) -> Result {
    if seconds.parse::<u32>().is_err() {
        return Err(format!("{seconds} is no number of seconds"));
    }
    if !run::succeeds("cargo fuzz --version") {
        run::run("cargo install cargo-fuzz --locked")?;
    }
    for target in run::output("cargo fuzz list --fuzz-dir fuzz")?.lines() {
        run::run(&format!(
            "cargo +nightly fuzz run --fuzz-dir fuzz --features libfuzzer {target} -- \
             -max_total_time={seconds} -max_len=4096 -rss_limit_mb=2048"
        ))?;
    }
    Ok(())
}
