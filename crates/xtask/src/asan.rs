//! `cargo xtask asan`: the tests of what has `unsafe` in it under AddressSanitizer, on a nightly. What
//! is called from C is under it in every run (`cargo xtask ffi`).

use crate::run::{self, Result};

/// The kernels; the module, called through its table in every wrong way; the layer that calls modules
/// by pointer. The lab is built by a test, for this machine and without the sanitizer.
const TESTED: &[&str] = &[
    // Examples in documents are linked without the sanitizer's runtime, and left out.
    "--package gmkit-sm2 --package gmkit-sm3 --package gmkit-sm4 --lib --tests",
    "--package gmkit-token --test operations --test states",
    "--package gmkit-hsm --features rustls --lib --test softhsm",
];

/// Runs all of them; the first failure ends it.
pub(crate) fn run() -> Result {
    let target = "x86_64-unknown-linux-gnu";
    for tested in TESTED {
        let line =
            format!("cargo +nightly test --target {target} --target-dir target/asan {tested}");
        let mut command = run::command(&line);
        // For the target alone: what runs within the compiler cannot be under it. A module that is
        // loaded finds the sanitizer's functions in the program.
        let flags = "-Zsanitizer=address -Clink-arg=-rdynamic";
        command.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", flags);
        // Modules stay loaded, with what they hold, until the process ends.
        command.env("ASAN_OPTIONS", "detect_leaks=0");
        run::run_command(&mut command, &line)?;
    }
    Ok(())
}
