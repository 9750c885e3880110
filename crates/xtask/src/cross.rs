//! `cargo xtask cross`: builds for the first-class targets and tests there, under qemu-user where
//! this machine cannot run them. No container is needed.

use std::process::Command;

use crate::{
    packages,
    run::{self, Result},
    test::Outcome,
};

struct Target {
    triple: &'static str,
    /// Linker, where the host's own does not do.
    linker: Option<&'static str>,
    /// What runs its binaries here.
    runner: &'static [&'static str],
    /// Whether its binaries need no library of the system.
    is_static: bool,
}

const ARM64_LINKER: Option<&str> = Some("aarch64-linux-gnu-gcc");

const TARGETS: &[Target] = &[
    Target {
        triple: "aarch64-unknown-linux-gnu",
        linker: ARM64_LINKER,
        runner: &["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"],
        is_static: false,
    },
    Target {
        triple: "aarch64-unknown-linux-musl",
        linker: ARM64_LINKER,
        runner: &["qemu-aarch64"],
        is_static: true,
    },
    Target { triple: "x86_64-unknown-linux-musl", linker: None, runner: &[], is_static: true },
];

/// Largest vectors binary that is acceptable, in bytes.
const MAX_VECTORS: u64 = 8 << 20;

/// Builds and tests every target.
pub(crate) fn run() -> Result {
    match test()? {
        Outcome::Passed => Ok(()),
        Outcome::NotRun(reason) => Err(reason),
    }
}

/// The same as a part of `cargo xtask test`, which goes on where rustup cannot get a target.
pub(crate) fn test() -> Result<Outcome> {
    packages::install_for_cross()?;
    for target in TARGETS {
        println!("\n--> {}", target.triple);
        if add(target).is_err() {
            return Ok(Outcome::NotRun(format!("rustup cannot get {} here", target.triple)));
        }
        target.cargo("build --release --package gmkit-cli --package gmkit-vectors")?;
        check_vectors(target)?;
        target.cargo("test --package gmkit-sm3 --package gmkit-sm4 --package gmkit-sm2 --tests")?;
        test_command(target)?;
    }
    Ok(Outcome::Passed)
}

fn add(target: &Target) -> Result {
    let add = format!("rustup target add {}", target.triple);
    if run::output("rustup target list --installed")?.lines().any(|line| line == target.triple) {
        return Ok(());
    }
    run::run(&add)
}

impl Target {
    fn cargo(&self, args: &str) -> Result {
        let line = format!("cargo {args} --target {}", self.triple);
        let mut command = run::command(&line);
        let variable = self.triple.replace('-', "_").to_uppercase();
        if let Some(linker) = self.linker {
            command.env(format!("CARGO_TARGET_{variable}_LINKER"), linker);
        }
        if !self.runner.is_empty() {
            command.env(format!("CARGO_TARGET_{variable}_RUNNER"), self.runner.join(" "));
        }
        run::run_command(&mut command, &line)
    }

    /// A command line that runs one of its binaries here.
    fn binary(&self, name: &str) -> Vec<String> {
        let path = run::root().join("target").join(self.triple).join("release").join(name);
        let runner = self.runner.iter().map(|word| (*word).to_owned());
        runner.chain([path.display().to_string()]).collect()
    }
}

/// The vectors pass on the target, the report is signed there and verified by the target's
/// command; size and linkage are as promised.
fn check_vectors(target: &Target) -> Result {
    let dir = run::root().join("target").join(target.triple).join("vectors");
    std::fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    let at = |name: &str| dir.join(name).display().to_string();
    let _ = std::fs::remove_file(at("key.pem"));
    let _ = std::fs::remove_file(at("pub.pem"));
    let (gmkit, vectors) = (target.binary("gmkit"), target.binary("gmkit-vectors"));
    let keygen = ["keygen", "-o", &at("key.pem"), "-p", &at("pub.pem"), "--no-passphrase"];
    start(&gmkit, &keygen)?;
    start(&vectors, &["-o", &at("report.json"), "--sign", &at("key.pem")])?;
    let verify = ["verify", "-p", &at("pub.pem"), "-s", &at("report.json.sig"), &at("report.json")];
    start(&gmkit, &verify)?;
    // The host's own command comes to the same verdict.
    let host = ["run", "--quiet", "--package", "gmkit-cli", "--"];
    start(&["cargo".to_owned()], &[&host[..], &verify[..]].concat())?;

    let path = vectors.last().expect("a binary");
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    println!("{path}: {size} bytes");
    if size > MAX_VECTORS {
        return Err(format!("{path} has {size} bytes, more than {MAX_VECTORS}"));
    }
    if target.is_static && !is_static(path)? {
        return Err(format!("{path} wants a dynamic linker"));
    }
    Ok(())
}

/// Whether an ELF file names no interpreter.
fn is_static(path: &str) -> Result<bool> {
    let headers = run::output(&format!("readelf --program-headers --wide {path}"))?;
    Ok(!headers.contains("INTERP"))
}

/// The flows of the command's tests, run by the host with the target's binary.
fn test_command(target: &Target) -> Result {
    let line = "cargo test --package gmkit-cli --test flows --test bad_input -- \
                --skip five_gib --skip progress_bar --skip sealed_binary --skip broken_pipe \
                --skip flipped_bit --skip tour";
    let mut command = run::command(line);
    command.env("GMKIT_UNDER_TEST", target.binary("gmkit").join(" "));
    run::run_command(&mut command, line)
}

fn start(program: &[String], args: &[&str]) -> Result {
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]).args(args).current_dir(run::root());
    run::run_command(&mut command, &format!("{} {}", program.join(" "), args.join(" ")))
}
