//! zig as a C compiler and linker for other systems and older glibcs. It comes as a Python package
//! with everything in it, so no sysroot has to be found.

use std::process::Command;

use crate::{
    python,
    run::{self, Result},
};

/// `cargo zigbuild`, whose targets may end with a glibc version.
pub(crate) fn cargo(args: &str, environment: &[(&str, &str)]) -> Result {
    let line = format!("cargo-zigbuild zigbuild {args}");
    let mut command = command("cargo-zigbuild", &format!("zigbuild {args}"))?;
    run::run_command(command.envs(environment.iter().copied()), &line)
}

/// `zig cc`.
pub(crate) fn cc(args: &str) -> Result {
    run::run_command(
        &mut command("python", &format!("-m ziglang cc {args}"))?,
        &format!("zig cc {args}"),
    )
}

/// A program of the peers' environment, with the environment in front of the path.
fn command(program: &str, args: &str) -> Result<Command> {
    let bin = python::environment()?.join("bin");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = run::command(&format!("{} {args}", bin.join(program).display()));
    command.env("PATH", format!("{}:{path}", bin.display()));
    Ok(command)
}
