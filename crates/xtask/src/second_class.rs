//! Targets that are built where the toolchain allows, and run where a system library for them
//! exists. What could not be done is said at the end of `cargo xtask test`.

use crate::{
    cross::Form,
    run::{self, Result},
    test::Outcome,
    zig,
};

/// Systems that are not the first-class ones: the vectors are built, and run under qemu.
struct System {
    triple: &'static str,
    glibc: &'static str,
    /// Emulator and the folder of its system libraries, where Debian has them.
    runner: Option<&'static str>,
}

const SYSTEMS: &[System] = &[
    System {
        triple: "riscv64gc-unknown-linux-gnu",
        glibc: "2.28",
        runner: Some("qemu-riscv64 -L /usr/riscv64-linux-gnu"),
    },
    // LoongArch came into glibc with 2.36.
    System { triple: "loongarch64-unknown-linux-gnu", glibc: "2.36", runner: None },
];

/// Targets without an operating system: the cores are built, with `alloc` and without.
const BARE: &[&str] = &["wasm32-unknown-unknown", "aarch64-unknown-none", "x86_64-unknown-none"];

/// Builds all of them.
pub(crate) fn test(form: Form) -> Result<Outcome> {
    let mut missing = Vec::new();
    for system in SYSTEMS {
        if !available(system.triple) {
            missing.push(system.triple);
            continue;
        }
        println!("\n--> {}", system.triple);
        let target = format!("{}.{}", system.triple, system.glibc);
        let line = format!("--release --package gmkit-vectors --target {target}");
        zig::cargo(&line, form.profile())?;
        if let Some(runner) = system.runner {
            run::run(&format!("{runner} target/{}/release/gmkit-vectors", system.triple))?;
        }
    }
    for &target in BARE {
        if !available(target) {
            missing.push(target);
            continue;
        }
        println!("\n--> {target}");
        for packages in [
            "--package gmkit-sm3 --package gmkit-sm4 --package gmkit-sm2",
            "--package gmkit --features kdfs,rare-modes",
        ] {
            let (command, options) = (form.build(), "--release --no-default-features");
            run::run(&format!("cargo {command} {options} --target {target} {packages}"))?;
        }
    }
    if missing.is_empty() {
        return Ok(Outcome::Passed);
    }
    Ok(Outcome::NotRun(format!("rustup cannot get {} here", missing.join(", "))))
}

/// Whether the target's standard library is there or can be had.
pub(crate) fn available(triple: &str) -> bool {
    run::output("rustup target list --installed")
        .is_ok_and(|list| list.lines().any(|line| line == triple))
        || run::succeeds(&format!("rustup target add {triple}"))
}
