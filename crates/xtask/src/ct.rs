//! `cargo xtask ct`: constant time, checked on the machine code of `libgmkit.so` by `gmkit-ct`, which
//! traces it and runs it under valgrind; and the check itself, checked with leaks that are planted
//! on purpose.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::{
    run::{self, Result},
    test::Outcome,
};

/// A leak to plant: in a copy of the source, never in the source itself.
struct Leak {
    file: &'static str,
    /// Stands exactly once in the file, and is replaced.
    found: &'static str,
    planted: &'static str,
    /// What must be found out.
    operation: &'static str,
}

/// One leak per backend and kind: branch and table in the portable code of each algorithm, and
/// comparisons that stop early.
const LEAKS: &[Leak] = &[
    Leak {
        file: "crates/sm2/src/curve/base.rs",
        found: "    let mut words = [0u64; 8];\n",
        planted: "    let mut words = [0u64; 8];\n    \
                  if magnitude == 0 {\n        return from_words(&words);\n    }\n",
        operation: "sm2-sign",
    },
    Leak {
        file: "crates/sm3/src/backend/portable.rs",
        found: "    for block in blocks {",
        planted: "    for block in blocks {\n        if core::hint::black_box(block)[9] & 1 == 1 {\n            \
                  core::hint::black_box(block);\n        }",
        operation: "hmac",
    },
    Leak {
        file: "crates/sm4/src/block.rs",
        found: "        Self { key: backend::Key::new(key) }",
        planted: "        static TABLE: [u8; 4096] = [7; 4096];\n        \
                  core::hint::black_box(core::hint::black_box(&TABLE)[16 * usize::from(key[5])]);\n        \
                  Self { key: backend::Key::new(key) }",
        operation: "sm4-ctr",
    },
    Leak {
        file: "crates/rng/src/health.rs",
        found: "        self.last = sample;\n",
        planted: "        if core::hint::black_box(self.last == sample) {\n            \
                  core::hint::black_box(&self.failed);\n        }\n        \
                  self.last = sample;\n",
        operation: "drng",
    },
    Leak {
        file: "crates/sm4/src/ff1/numerals.rs",
        found: "        let more = 1 ^ self.below(remainder);\n",
        planted: "        let more = u32::from(core::hint::black_box(remainder) >= self.value);\n        \
                  if core::hint::black_box(more) == 1 {\n            \
                  core::hint::black_box(&more);\n        }\n",
        operation: "sm4-ff1",
    },
    Leak {
        file: "crates/sm4/src/gcm.rs",
        found: "bool::from(want[..tag.len()].ct_eq(tag))",
        planted: "want.iter().zip(tag).all(|(a, b)| core::hint::black_box(a == b))",
        operation: "sm4-gcm-refuse",
    },
];

/// How an operation is run: with so many secrets that are compared, or under valgrind.
const SHORT: &str = "2";
const LONG: &str = "8";
const UNDEFINED: &str = "undefined";

/// The backend that must compute: the only one there is so far.
const BACKEND: &str = "portable";

/// A way to build.
#[derive(Clone, Copy)]
struct BuildOf {
    profile: &'static str,
    folder: &'static str,
}

const RELEASE: BuildOf = BuildOf { profile: "--release", folder: "release" };

/// Not optimised at all. Without overflow checks and debug assertions: each is a branch, which ends
/// the program.
const DEBUG: BuildOf = BuildOf { profile: "--profile=dev", folder: "debug" };

/// The long form: release and debug builds.
pub(crate) fn run() -> Result {
    let dir = work_dir("ct/real")?;
    for build_of in [RELEASE, DEBUG] {
        let harness = build(&run::root(), &dir, build_of)?;
        for how in [UNDEFINED, LONG] {
            check(&harness, how, build_of)?;
        }
        other_backend_is_refused(&harness)?;
    }
    planted()
}

/// The short form, a part of `cargo xtask test`: the release build both ways, the one that is not
/// optimised under valgrind only, and the planted leaks.
pub(crate) fn test() -> Result<Outcome> {
    if cfg!(not(all(target_os = "linux", target_arch = "x86_64"))) {
        return Ok(Outcome::NotRun("constant time is traced on Linux for x86-64 only".into()));
    }
    let dir = work_dir("ct/real")?;
    let harness = build(&run::root(), &dir, DEBUG)?;
    check(&harness, UNDEFINED, DEBUG)?;
    let harness = build(&run::root(), &dir, RELEASE)?;
    check(&harness, UNDEFINED, RELEASE)?;
    check(&harness, SHORT, RELEASE)?;
    other_backend_is_refused(&harness)?;
    planted()?;
    Ok(Outcome::Passed)
}

fn work_dir(name: &str) -> Result<PathBuf> {
    let dir = run::root().join("target").join(name);
    fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    Ok(dir)
}

/// Builds the library of a source tree, with symbols, and the harness on it.
fn build(source: &Path, dir: &Path, build_of: BuildOf) -> Result<PathBuf> {
    let BuildOf { profile, folder } = build_of;
    let target = dir.join("target");
    let line = format!(
        "cargo build {profile} --package gmkit-ffi --manifest-path {} --target-dir {}",
        source.join("Cargo.toml").display(),
        target.display()
    );
    let mut command = run::command(&line);
    command.env("CARGO_PROFILE_RELEASE_STRIP", "none");
    command.env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only");
    command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "0");
    command.env("CARGO_PROFILE_DEV_OVERFLOW_CHECKS", "false");
    command.env("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false");
    run::run_command(&mut command, &line)?;

    let lib = dir.join("lib");
    fs::create_dir_all(&lib).map_err(|error| error.to_string())?;
    let built = target.join(folder).join("libgmkit.so");
    for name in ["libgmkit.so", crate::abi::SONAME] {
        fs::copy(&built, lib.join(name)).map_err(|error| format!("{name}: {error}"))?;
    }
    let harness = dir.join("harness");
    run::run(&format!(
        "cc -std=gnu99 -g -O1 -rdynamic -Wall -Wextra -Werror -Iffi/include crates/ct/harness.c -o {} -L{lib} \
         -lgmkit -Wl,-rpath,{lib}",
        harness.display(),
        lib = lib.display()
    ))?;
    Ok(harness)
}

/// All operations are constant time.
fn check(harness: &Path, how: &str, build_of: BuildOf) -> Result {
    println!("\n--> {} build", build_of.folder);
    match report(harness, how, BACKEND, &[])? {
        None => {
            println!("--> backend that ran: {BACKEND}, {} build", build_of.folder);
            Ok(())
        }
        Some(_) => Err(format!("the {} build is not constant time", build_of.folder)),
    }
}

/// A check of another backend than the one that computes must not pass for one of it.
fn other_backend_is_refused(harness: &Path) -> Result {
    println!("\n--> asking for a backend that is not there must fail");
    for how in [UNDEFINED, SHORT] {
        let mut command = command(harness, how, "none", &["sm3"]).0;
        let output = command.output().map_err(|error| format!("gmkit-ct: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() || !said.contains("ran, not none") {
            return Err(format!("the check does not see which backend ran: {said}"));
        }
        print!("{said}");
    }
    Ok(())
}

/// `gmkit-ct`, which must have been built, and the line that is printed for it.
fn command(
    harness: &Path,
    how: &str,
    backend: &str,
    operations: &[&str],
) -> (std::process::Command, String) {
    let line = format!(
        "target/release/gmkit-ct {} {how} {backend} {}",
        harness.display(),
        operations.join(" ")
    );
    (run::command(&line), line)
}

/// What `gmkit-ct` says about operations that are not constant time.
fn report(harness: &Path, how: &str, backend: &str, operations: &[&str]) -> Result<Option<String>> {
    run::run("cargo build --release --package gmkit-ct")?;
    let (mut command, line) = command(harness, how, backend, operations);
    println!("$ {line}");
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("`{line}` cannot be run: {error}"))?;
    let mut text = String::new();
    for printed in BufReader::new(child.stdout.take().expect("a pipe")).lines() {
        let printed = printed.map_err(|error| error.to_string())?;
        println!("{printed}");
        text.push_str(&printed);
        text.push('\n');
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    match status.code() {
        Some(0) => Ok(None),
        Some(1) => Ok(Some(text)),
        _ => Err(format!("`{line}` ended with {status}")),
    }
}

/// Each planted leak is found, and found where it is. Everything about them is in a folder of its
/// own: nothing that was built with a leak in it may ever be taken for the real library.
fn planted() -> Result {
    let dir = &work_dir("ct/planted")?;
    let tree = dir.join("source");
    copy_sources(&tree)?;
    for leak in LEAKS {
        println!("\n--> a leak planted in {}, to be found by {}", leak.file, leak.operation);
        let path = tree.join(leak.file);
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        if text.matches(leak.found).count() != 1 {
            return Err(format!("{}: \"{}\" is not there exactly once", leak.file, leak.found));
        }
        write(&path, &text.replace(leak.found, leak.planted))?;
        let harness = build(&tree, dir, RELEASE)?;
        let found = [UNDEFINED, "4"].map(|how| report(&harness, how, BACKEND, &[leak.operation]));
        write(&path, &text)?;
        for found in found {
            let found = found?.ok_or_else(|| format!("the leak in {} was not found", leak.file))?;
            if !found.contains(leak.file) {
                return Err(format!("something was found, but not the leak in {}", leak.file));
            }
        }
    }
    println!("\nall {} planted leaks were found, in both ways", LEAKS.len());
    Ok(())
}

fn write(path: &Path, text: &str) -> Result {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// What the library is built from.
fn copy_sources(to: &Path) -> Result {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).map_err(|error| error.to_string())?;
    run::run(&format!("cp -r Cargo.toml Cargo.lock crates ffi vectors benches {}", to.display()))
}
