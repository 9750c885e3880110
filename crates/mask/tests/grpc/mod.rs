//! Google's own protobuf, in Python.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    sync::OnceLock,
};

use gmkit_mask::Descriptors;

pub(crate) fn peer() -> Command {
    let here = env!("CARGO_MANIFEST_DIR");
    let mut command = Command::new(format!("{here}/../../target/peers/bin/python"));
    command.arg(format!("{here}/tests/grpc/peer.py"));
    command
}

/// What it prints for these lines.
pub(crate) fn ask(word: &str, lines: &[String]) -> Vec<String> {
    let mut command = peer();
    command.arg(word).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("cargo xtask peers");
    let mut input = child.stdin.take().unwrap();
    let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
    let writing = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(output.status.success(), "{word}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

pub(crate) fn descriptors() -> &'static Descriptors {
    static DESCRIPTORS: OnceLock<Descriptors> = OnceLock::new();
    DESCRIPTORS.get_or_init(|| {
        let set = hex::decode(&ask("descriptors", &[])[0]).unwrap();
        Descriptors::decode(&set).unwrap()
    })
}
