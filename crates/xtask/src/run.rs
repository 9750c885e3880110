//! Running other programs.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

pub(crate) type Result<T = ()> = std::result::Result<T, String>;

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("crates/xtask is two levels down").to_owned()
}

/// A command in the workspace's root, its words split at blanks.
pub(crate) fn command(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words).current_dir(root());
    command
}

/// Runs a command line; anything but success is an error.
pub(crate) fn run(line: &str) -> Result {
    run_command(&mut command(line), line)
}

/// The same for a command that was prepared.
pub(crate) fn run_command(command: &mut Command, name: &str) -> Result {
    println!("$ {name}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{name}` ended with {status}")),
        Err(error) => Err(format!("`{name}` cannot be run: {error}")),
    }
}

/// Standard output of a command that must succeed.
pub(crate) fn output(line: &str) -> Result<String> {
    let output = command(line).output().map_err(|error| format!("`{line}`: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{line}`: {}", String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{line}` printed no text"))
}

/// Whether a command line runs and succeeds, silently.
pub(crate) fn succeeds(line: &str) -> bool {
    command(line).output().is_ok_and(|output| output.status.success())
}
