//! `cargo xtask soak`: the tests that can be longer, in their long forms, in the release build. Hours,
//! and some ten gigabytes of disk.

use crate::run::{self, Result};

/// What is tested, and how long.
const LONG: &[(&str, &[(&str, &str)])] = &[
    // Files of more than 32 bits of length, in little memory, both ways with OpenSSL.
    (
        "--package gmkit-cli --test flows --test openssl3 --test cms_faults",
        &[("GMKIT_BIG_MIB", "5120")],
    ),
    // Processes killed while they write.
    ("--package gmkit-cli --test cert_faults", &[("GMKIT_KILLS", "2000")]),
    ("--package gmkit-token --test storage", &[("GMKIT_TOKEN_KILLS", "500")]),
    ("--package gmkit-audit --test faults killed -- --nocapture", &[("GMKIT_AUDIT_KILLS", "500")]),
    // Every system call of theirs that fails, one at a time.
    ("--package gmkit-cli --test audit_faults -- --nocapture", &[("GMKIT_AUDIT_CALLS", "all")]),
    // A log that is checked while a million records are written.
    ("--package gmkit-audit --test log many_threads", &[("GMKIT_AUDIT_RECORDS", "1000000")]),
    // Devices that go and come back under load; what it took is printed.
    (
        "--package gmkit-hsm --test personas one_of_two_devices -- --nocapture",
        &[("GMKIT_HSM_SECONDS", "120")],
    ),
    (
        "--package gmkit-hsm --test tls -- --nocapture",
        &[("GMKIT_HSM_SECONDS", "600"), ("GMKIT_TLS_CLIENTS", "100")],
    ),
    // TLS: connections over a key that goes and comes back; much data with OpenSSL and Tongsuo.
    (
        "--package gmkit-tls --test soak -- --nocapture",
        &[("GMKIT_TLS_SECONDS", "1800"), ("GMKIT_TLS_CLIENTS", "200")],
    ),
    ("--package gmkit-tls --test peers much_data", &[("GMKIT_BIG_MIB", "100")]),
];

/// Runs all of them; the first failure ends it.
pub(crate) fn run() -> Result {
    for (args, environment) in LONG {
        let line = format!("cargo test --release {args}");
        let mut command = run::command(&line);
        run::run_command(command.envs(environment.iter().copied()), &line)?;
    }
    Ok(())
}
