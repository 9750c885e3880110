//! `cargo xtask interop`: gmkit against its peers, as a matrix.

use crate::run::{self, Result};

pub(crate) fn run() -> Result {
    let peers = run::root().join("target/peers");
    run::run(&format!("cargo run --release --package gmkit-interop -- {}", peers.display()))
}
