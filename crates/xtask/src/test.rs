//! `cargo xtask test`: everything CI runs, in the order in which it finds mistakes soonest.

use std::time::{Duration, Instant};

use crate::{
    arrows, book, cross, ct, ffi, interop, packages, python,
    run::{self, Result, run},
};

/// One part of the tests.
struct Step {
    name: &'static str,
    run: fn() -> Result<Outcome>,
}

/// How many of them end it where they fail: they are quick, or the others need what they make.
const FIRST: usize = 8;

/// What a part that did not fail has to say.
pub(crate) enum Outcome {
    Passed,
    /// Something could not be done here, through no fault of the code. Said loudly at the end.
    NotRun(String),
}

const STEPS: &[Step] = &[
    Step { name: "system packages", run: || packages::install().map(passed) },
    Step { name: "fmt", run: || run("cargo fmt --all --check").map(passed) },
    Step { name: "arrows", run: arrows },
    Step { name: "clippy", run: clippy },
    Step { name: "licences and bans", run: deny },
    Step { name: "API docs", run: api_docs },
    Step { name: "MSRV", run: msrv },
    Step { name: "peers", run: peers },
    Step {
        name: "unit, vectors, interop, CLI",
        run: || run("cargo test --workspace --no-fail-fast").map(passed),
    },
    Step { name: "interop matrix", run: || interop::run().map(passed) },
    Step { name: "C ABI", run: || ffi::test().map(passed) },
    Step { name: "constant time", run: ct::test },
    Step {
        name: "vectors are current",
        run: || run("python3 vectors/generate.py --check").map(passed),
    },
    Step { name: "features", run: features },
    Step {
        name: "fuzz corpora",
        run: || run("cargo test --manifest-path fuzz/Cargo.toml").map(passed),
    },
    Step { name: "cross targets", run: cross::test },
    Step { name: "book", run: || book::check().map(passed) },
];

fn passed(_: ()) -> Outcome {
    Outcome::Passed
}

/// Runs all parts. What fails among the long ones does not hide what the others would say.
pub(crate) fn all() -> Result {
    let mut times: Vec<(&str, Duration, Result<Outcome>)> = Vec::new();
    for (n, step) in STEPS.iter().enumerate() {
        println!("\n==> {}", step.name);
        let started = Instant::now();
        let outcome = (step.run)();
        let ends = n < FIRST && outcome.is_err();
        times.push((step.name, started.elapsed(), outcome));
        if ends {
            break;
        }
    }
    println!("\n==> what ran, and how long it took");
    let mut failed = Vec::new();
    for (name, time, outcome) in times {
        println!("{:>7.1} s  {name}", time.as_secs_f32());
        match outcome {
            Ok(Outcome::Passed) => {}
            Ok(Outcome::NotRun(reason)) => println!("           NOT RUN in full: {reason}"),
            Err(reason) => {
                println!("           FAILED: {reason}");
                failed.push(name);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join("; "))) }
}

/// Other implementations, built or installed once.
pub(crate) fn peers() -> Result<Outcome> {
    python::environment()?;
    crate::peers::build()?;
    Ok(Outcome::Passed)
}

fn arrows() -> Result<Outcome> {
    arrows::check()?;
    arrows::check_dependency_msrv().map(|_| Outcome::Passed)
}

fn clippy() -> Result<Outcome> {
    run("cargo clippy --workspace --all-targets --all-features -- -D warnings")?;
    // The libFuzzer binaries are checked here, and nowhere else.
    run(
        "cargo clippy --manifest-path fuzz/Cargo.toml --all-targets --all-features -- -D warnings",
    )?;
    Ok(Outcome::Passed)
}

/// cargo-deny takes minutes to build, so it is used where it is installed; the licences are
/// checked everywhere.
fn deny() -> Result<Outcome> {
    arrows::check_licences()?;
    if !run::succeeds("cargo deny --version") {
        return Ok(Outcome::NotRun("cargo-deny is not installed: advisories not checked".into()));
    }
    run("cargo deny check bans licenses sources")?;
    if run::succeeds("cargo deny fetch db") {
        run("cargo deny check advisories")?;
        return Ok(Outcome::Passed);
    }
    Ok(Outcome::NotRun("the advisory database cannot be reached from here".into()))
}

/// The cores without `std`, and with each feature alone.
fn features() -> Result<Outcome> {
    for args in [
        "gmkit-sm3",
        "gmkit-sm3 --features oid",
        "gmkit-sm4",
        "gmkit-sm3 --features kdfs",
        "gmkit-sm4 --features alloc",
        "gmkit-sm4 --features rare-modes",
        "gmkit-sm2",
        "gmkit-sm2 --features alloc",
        "gmkit-sm2 --features pkcs8",
        "gmkit-rng",
        "gmkit-rng --features randomness",
        "gmkit",
        "gmkit --features kdfs",
        "gmkit --features rng",
        "gmkit --features pki",
        "gmkit --features hsm",
        "gmkit --features hsm-rustls",
        "gmkit --features tls",
        "gmkit --features tls-tokio",
        "gmkit --features audit",
        "gmkit --features audit-tower",
        "gmkit --features audit-tracing",
        "gmkit --features audit-kafka",
        "gmkit --features audit-nats",
        "gmkit --features audit-otlp",
        "gmkit --features audit-syslog",
        "gmkit --features mask",
        "gmkit --features mask-derive",
        "gmkit --features mask-protobuf",
        "gmkit --features mask-tower",
        "gmkit --features mask-tracing",
        "gmkit --features mask-yaml",
        "gmkit --features seal",
        "gmkit-pki --features classic",
        "gmkit-ffi",
    ] {
        run(&format!("cargo clippy --no-default-features --package {args} -- -D warnings"))?;
    }
    run("cargo test --package gmkit-pki --features classic --lib hostile::chains")?;
    Ok(Outcome::Passed)
}

fn api_docs() -> Result<Outcome> {
    let line = "cargo doc --workspace --no-deps --document-private-items";
    run::run_command(run::command(line).env("RUSTDOCFLAGS", "-D warnings"), line)?;
    Ok(Outcome::Passed)
}

/// The workspace builds with the oldest compiler that `Cargo.toml` promises. Where rustup cannot
/// get it, clippy's `incompatible_msrv` (above) and the dependencies' own statements have to do.
fn msrv() -> Result<Outcome> {
    let msrv = arrows::check_dependency_msrv()?;
    let installed = run::succeeds(&format!("rustup run {msrv} rustc --version"))
        || run::succeeds(&format!("rustup toolchain install {msrv} --profile minimal"));
    if !installed {
        return Ok(Outcome::NotRun(format!("rustup cannot get Rust {msrv} here")));
    }
    run(&format!("rustup run {msrv} cargo check --workspace --target-dir target/msrv"))?;
    Ok(Outcome::Passed)
}
