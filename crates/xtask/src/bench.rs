//! `cargo xtask bench`: criterion, ours and rivals in one run.

use crate::run::Result;

pub(crate) fn run() -> Result {
    crate::run::run("cargo bench --package gmkit-benches")
}
