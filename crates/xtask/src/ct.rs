//! `cargo xtask ct`: constant time, checked on the machine code of `libgmkit.so` by `gmkit-ct`, which
//! traces it and runs it under valgrind; and the check itself, checked with leaks that are planted
//! on purpose.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::{
    cross::Form,
    run::{self, Result},
    test::Outcome,
};

/// A leak to plant: in a copy of the source, never in the source itself.
struct Leak {
    file: &'static str,
    /// Stands exactly once in the file, and is replaced.
    found: &'static str,
    planted: &'static str,
    /// What must be found out, and in which ways: a kernel that valgrind hides from the program can
    /// be found by the trace only.
    operation: &'static str,
    ways: &'static [&'static str],
    /// The backends whose code it is in, one of which must run for it to be found; all where empty.
    within: &'static [&'static str],
}

/// Leaks that are planted together, because the operation of one does not meet another before it.
struct Plants {
    which: Which,
    leaks: &'static [Leak],
}

const BOTH: &[&str] = &[UNDEFINED, "4"];

/// A branch on a bit of the key, with a body that leaves instructions behind: a branch around nothing is
/// compiled to nothing.
macro_rules! leaking_schedule {
    ($first_line:literal) => {
        concat!(
            "    if core::hint::black_box(key)[3] & 1 == 1 {\n        \
             core::hint::black_box(core::hint::black_box(key)[7].wrapping_add(1));\n    }\n",
            $first_line
        )
    };
}

/// Branches, tables and comparisons that stop early: in the code of each algorithm that all backends
/// share, and in each backend.
const PLANTS: &[Plants] = &[
    Plants {
        which: Which::Portable,
        leaks: &[
            Leak {
                file: "crates/sm2/src/arith/kernel.rs",
                found: "    let mut words = [0u64; 8];\n",
                planted: "    let mut words = [0u64; 8];\n    \
                  if number == 0 {\n        return words;\n    }\n",
                operation: "sm2-key",
                ways: BOTH,
                within: &[],
            },
            Leak {
                file: "crates/rng/src/health.rs",
                found: "        self.last = sample;\n",
                planted: "        if core::hint::black_box(self.last == sample) {\n            \
                  core::hint::black_box(&self.failed);\n        }\n        \
                  self.last = sample;\n",
                operation: "drng",
                ways: &[UNDEFINED],
                within: &[],
            },
            Leak {
                file: "crates/sm4/src/ff1/numerals.rs",
                found: "        let more = 1 ^ self.below(remainder);\n",
                planted: "        let more = u32::from(core::hint::black_box(remainder) >= self.value);\n        \
                  if core::hint::black_box(more) == 1 {\n            \
                  core::hint::black_box(&more);\n        }\n",
                operation: "sm4-ff1",
                ways: BOTH,
                within: &[],
            },
            Leak {
                file: "crates/sm4/src/gcm.rs",
                found: "bool::from(want[..tag.len()].ct_eq(tag))",
                planted: "want.iter().zip(tag).all(|(a, b)| core::hint::black_box(a == b))",
                operation: "sm4-gcm-refuse",
                ways: BOTH,
                within: &[],
            },
        ],
    },
    Plants {
        which: Which::Portable,
        leaks: &[
            Leak {
                file: "crates/sm3/src/backend/portable.rs",
                found: "    for block in blocks {",
                planted: "    for block in blocks {\n        \
                  if core::hint::black_box(block)[9] & 1 == 1 {\n            \
                  core::hint::black_box(block);\n        }",
                operation: "hmac",
                ways: BOTH,
                within: &[],
            },
            Leak {
                file: "crates/sm4/src/backend/portable.rs",
                found: "    let mut mk = *key;\n",
                planted: "    static TABLE: [u8; 4096] = [7; 4096];\n    \
                  core::hint::black_box(core::hint::black_box(&TABLE)[16 * usize::from(key[5])]);\n    \
                  let mut mk = *key;\n",
                operation: "sm4-ctr",
                ways: BOTH,
                within: &[],
            },
        ],
    },
    Plants {
        which: Which::Fastest,
        leaks: &[
            Leak {
                file: "crates/sm2/src/arith/saturated.rs",
                found: "    let low = step(",
                planted: "    if core::hint::black_box(t0) & 1 == 1 {\n        \
                  core::hint::black_box(t1);\n    }\n    \
                  let low = step(",
                operation: "sm2-key",
                ways: &[UNDEFINED],
                within: &["saturated"],
            },
            Leak {
                file: "crates/sm2/src/backend/x86/adx.rs",
                found: "    fn multiply(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {\n",
                planted: "    fn multiply(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {\n        \
                  if core::hint::black_box(a)[0] & 1 == 1 {\n            \
                  core::hint::black_box(core::hint::black_box(b)[0].wrapping_add(1));\n        }\n",
                operation: "sm2-key",
                ways: &["4"],
                within: &["ifma", "adx"],
            },
            Leak {
                file: "crates/sm4/src/backend/x86/gfni_narrow.rs",
                found: "let block = into(bytes(key));\n",
                planted: leaking_schedule!("let block = into(bytes(key));\n"),
                operation: "sm4-ctr",
                ways: &["4"],
                within: &["gfni-avx512", "gfni-avx2"],
            },
            Leak {
                file: "crates/sm4/src/backend/x86/aesni.rs",
                found: "let block = mapped(bytes(key),",
                planted: leaking_schedule!("let block = mapped(bytes(key),"),
                operation: "sm4-ctr",
                ways: &[UNDEFINED],
                within: &["aesni-avx2", "aesni"],
            },
            Leak {
                file: "crates/sm3/src/backend/x86/one.rs",
                found: "    let [mut a, mut b, mut c,",
                planted: "    if core::hint::black_box(&*state)[0] & 1 == 1 {\n        \
                  core::hint::black_box(core::hint::black_box(&*state)[1].wrapping_add(1));\n    }\n    \
                  let [mut a, mut b, mut c,",
                operation: "hmac",
                ways: BOTH,
                within: &["avx512", "avx2"],
            },
        ],
    },
];

/// How an operation is run: with so many secrets that are compared, or under valgrind.
const SHORT: &str = "2";
const LONG: &str = "8";
const UNDEFINED: &str = "undefined";

/// Half a million instructions and more, most of which other operations run too: minutes, left to the
/// long form. Valgrind looks at them in both.
const LONG_TO_TRACE: &[&str] = &["drng", "sm2-encrypt", "sm2-exchange", "envelope"];

/// Which backends are compiled in.
#[derive(Clone, Copy, PartialEq)]
enum Which {
    /// All: the fastest that the CPU has computes, or the fastest that valgrind has.
    Fastest,
    /// All but the ones that `Fastest` uses, natively and under valgrind.
    Second,
    /// All but those on wide vectors.
    Narrow,
    /// The portable ones.
    Portable,
}

impl Which {
    const fn without(self) -> &'static [&'static str] {
        match self {
            Self::Fastest => &[],
            Self::Second => &["gfni-avx512", "avx512", "ifma", "saturated"],
            Self::Narrow => &["gfni-avx512", "gfni-avx2", "aesni-avx2", "avx512", "ifma", "adx"],
            Self::Portable => &[
                "gfni-avx512",
                "gfni-avx2",
                "aesni-avx2",
                "aesni",
                "avx512",
                "avx2",
                "ifma",
                "adx",
                "saturated",
            ],
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Fastest => "fastest",
            Self::Second => "second",
            Self::Narrow => "narrow",
            Self::Portable => "portable",
        }
    }
}

/// A way to build.
#[derive(Clone, Copy)]
struct BuildOf {
    profile: &'static str,
    folder: &'static str,
    which: Which,
    /// As users get it, with optimisation across crates.
    whole: bool,
    /// Without what no operation of the harness calls: TLS, the audit log, masking.
    slim: bool,
}

impl BuildOf {
    const fn release(which: Which) -> Self {
        Self { profile: "--release", folder: "release", which, whole: true, slim: false }
    }

    /// A third of the time to build.
    const fn slim(which: Which) -> Self {
        Self { slim: true, ..Self::release(which) }
    }

    /// Optimised crate by crate, too: half of that.
    const fn by_crate(which: Which) -> Self {
        Self { whole: false, ..Self::slim(which) }
    }

    /// Not optimised at all. Without overflow checks and debug assertions: each is a branch, which
    /// ends the program.
    const fn debug(which: Which) -> Self {
        Self { profile: "--profile=dev", folder: "debug", which, whole: true, slim: false }
    }
}

/// The long form: every backend, in the release build and in one that is not optimised.
pub(crate) fn run() -> Result {
    let dir = work_dir("ct/real")?;
    for which in [Which::Fastest, Which::Second, Which::Narrow, Which::Portable] {
        for build_of in [BuildOf::release(which), BuildOf::debug(which)] {
            let harness = build(&run::root(), &dir, build_of)?;
            for how in [UNDEFINED, LONG] {
                check(&harness, how, build_of, &[])?;
            }
            other_backend_is_refused(&harness)?;
        }
    }
    for file in planted()? {
        println!("NOT RUN: this CPU has no backend for the leak in {file}");
    }
    Ok(())
}

/// The short form, a part of `cargo xtask test`, on libraries without TLS, audit log and masking: with
/// the fastest backends, both ways; with the portable ones, optimised crate by crate, under valgrind only; and the planted leaks.
pub(crate) fn test() -> Result<Outcome> {
    if cfg!(not(all(target_os = "linux", target_arch = "x86_64"))) {
        return Ok(Outcome::NotRun("constant time is traced on Linux for x86-64 only".into()));
    }
    let dir = work_dir("ct/real")?;
    let fastest = BuildOf::slim(Which::Fastest);
    let harness = build(&run::root(), &dir, fastest)?;
    check(&harness, UNDEFINED, fastest, &[])?;
    let operations = run::output(&format!("{} list", harness.display()))?;
    let traced: Vec<_> = operations.lines().filter(|name| !LONG_TO_TRACE.contains(name)).collect();
    check(&harness, SHORT, fastest, &traced)?;
    other_backend_is_refused(&harness)?;
    let portable = BuildOf::by_crate(Which::Portable);
    let harness = build(&run::root(), &dir, portable)?;
    check(&harness, UNDEFINED, portable, &[])?;
    let not_found = planted()?;
    println!(
        "NOT RUN in the short form: backends that are neither, and traces of {}; `cargo xtask ct` \
         has them all",
        LONG_TO_TRACE.join(" ")
    );
    if !not_found.is_empty() {
        return Ok(Outcome::NotRun(format!(
            "no such CPU for the leaks in {}",
            not_found.join(" ")
        )));
    }
    Ok(Outcome::Passed)
}

fn work_dir(name: &str) -> Result<PathBuf> {
    let dir = run::root().join("target").join(name);
    fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    Ok(dir)
}

/// Builds the library of a source tree, with symbols, and the harness on it.
fn build(source: &Path, dir: &Path, build_of: BuildOf) -> Result<PathBuf> {
    let BuildOf { profile, folder, which, whole, slim } = build_of;
    let target = dir.join("target");
    let line = format!(
        "cargo rustc {profile}{} --package gmkit-ffi --lib --crate-type cdylib --manifest-path {} --target-dir {}",
        if slim { " --no-default-features" } else { "" },
        source.join("Cargo.toml").display(),
        target.display()
    );
    let mut command = run::command(&line);
    command.env("RUSTC_WORKSPACE_WRAPPER", wrapper(which)?);
    if !whole {
        command.envs(Form::Short.profile().iter().copied());
    }
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

/// A compiler for the workspace's own crates that leaves backends out. What they depend on is the
/// same for all, and is built once.
fn wrapper(which: Which) -> Result<PathBuf> {
    let path = work_dir("ct/rustc")?.join(which.name());
    let flags: Vec<_> =
        which.without().iter().map(|name| format!("--cfg 'gmkit_without=\"{name}\"'")).collect();
    write(&path, &format!("#!/bin/sh\nexec \"$@\" --cap-lints allow {}\n", flags.join(" ")))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
        .map_err(|error| error.to_string())?;
    Ok(path)
}

/// The backends that compute on this CPU, or on the one that valgrind emulates.
fn backends(harness: &Path, how: &str, which: Which) -> Result<String> {
    let harness = harness.display();
    let line = match how {
        UNDEFINED => format!("valgrind --quiet {harness} backends"),
        _ => format!("{harness} backends"),
    };
    let names = run::output(&line)?.split_whitespace().collect::<Vec<_>>().join(",");
    match which.without().iter().find(|name| names.split(',').any(|ran| ran == **name)) {
        Some(name) => Err(format!("{name} was to be compiled out, and runs")),
        None => Ok(names),
    }
}

/// The operations, by default all, are constant time.
fn check(harness: &Path, how: &str, build_of: BuildOf, operations: &[&str]) -> Result {
    let backends = backends(harness, how, build_of.which)?;
    println!("\n--> {} build, backends {backends}", build_of.folder);
    match report(harness, how, &backends, operations)? {
        None => {
            println!("--> backends that ran: {backends}, {} build", build_of.folder);
            Ok(())
        }
        Some(_) => Err(format!("the {} build is not constant time", build_of.folder)),
    }
}

/// A check of another backend than the one that computes must not pass for one of it.
fn other_backend_is_refused(harness: &Path) -> Result {
    println!("\n--> asking for a backend that is not there must fail");
    for how in [UNDEFINED, SHORT] {
        let mut command = command(harness, how, "none,none,none", &["sm3"]).0;
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
    backends: &str,
    operations: &[&str],
) -> (std::process::Command, String) {
    let line = format!(
        "target/release/gmkit-ct {} {how} {backends} {}",
        harness.display(),
        operations.join(" ")
    );
    (run::command(&line), line)
}

/// What `gmkit-ct` says about operations that are not constant time.
fn report(
    harness: &Path,
    how: &str,
    backends: &str,
    operations: &[&str],
) -> Result<Option<String>> {
    run::run("cargo build --release --package gmkit-ct")?;
    let (mut command, line) = command(harness, how, backends, operations);
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
///
/// Returns the leaks that could not be looked for, because this CPU runs no backend with them.
fn planted() -> Result<Vec<&'static str>> {
    let mut not_run = Vec::new();
    let dir = &work_dir("ct/planted")?;
    // What others wrote is not built again; cargo finds the sources of ours newer than the copy.
    run::run(&format!("rm -rf {}/target", dir.display()))?;
    run::run(&format!("cp -a target/ct/real/target {}", dir.display()))?;
    for plants in PLANTS {
        let tree = dir.join("source");
        copy_sources(&tree)?;
        for leak in plants.leaks {
            plant(&tree, leak)?;
        }
        let harness = build(&tree, dir, BuildOf::by_crate(plants.which))?;
        for leak in plants.leaks {
            let mut found_all = true;
            for how in leak.ways {
                found_all &= find(&harness, how, plants.which, leak)?;
            }
            if !found_all {
                not_run.push(leak.file);
            }
        }
    }
    let count: usize = PLANTS.iter().map(|plants| plants.leaks.len()).sum();
    println!(
        "\n{} of {count} planted leaks were found, all that this CPU has",
        count - not_run.len()
    );
    Ok(not_run)
}

fn plant(tree: &Path, leak: &Leak) -> Result {
    println!("\n--> a leak planted in {}, to be found by {}", leak.file, leak.operation);
    let path = tree.join(leak.file);
    let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    if text.matches(leak.found).count() != 1 {
        return Err(format!("{}: \"{}\" is not there exactly once", leak.file, leak.found));
    }
    write(&path, &text.replace(leak.found, leak.planted))
}

/// Whether it could be looked for; it is an error when it is not found then.
fn find(harness: &Path, how: &str, which: Which, leak: &Leak) -> Result<bool> {
    println!("\n--> looking for the leak in {}", leak.file);
    let backends = backends(harness, how, which)?;
    let runs = |name: &&str| backends.split(',').any(|ran| ran == *name);
    if !leak.within.is_empty() && !leak.within.iter().any(runs) {
        println!("NOT RUN: {backends} compute here");
        return Ok(false);
    }
    let found = report(harness, how, &backends, &[leak.operation])?
        .ok_or_else(|| format!("the leak in {} was not found", leak.file))?;
    if found.contains(leak.file) {
        return Ok(true);
    }
    Err(format!("something was found, but not the leak in {}", leak.file))
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
