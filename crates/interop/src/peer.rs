//! Asking a peer: a line of words to its process, a line back.

use std::{
    ffi::OsStr,
    fmt,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// What a peer says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Ok(Vec<Vec<u8>>),
    /// A tag, signature or ciphertext does not fit.
    Refused,
    /// It cannot do this, for that reason.
    Unsupported(String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok(results) => {
                let results: Vec<_> = results.iter().map(hex::encode).collect();
                write!(f, "{}", results.join(" "))
            }
            Self::Refused => f.write_str("a refusal"),
            Self::Unsupported(reason) => write!(f, "\"{reason}\""),
        }
    }
}

/// A word of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Word<'a> {
    Name(&'a str),
    Bytes(&'a [u8]),
    Number(usize),
}

pub(crate) trait Peer {
    fn ask(&mut self, request: &[Word<'_>]) -> Result<Answer, String>;
}

/// A peer in a process of its own.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(program: &Path, args: &[&OsStr]) -> Result<Self, String> {
        let mut child = Command::new(program)
            .args(args)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error} (`cargo xtask peers`)", program.display()))?;
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Ok(Self { child, input, output })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Peer for Process {
    fn ask(&mut self, request: &[Word<'_>]) -> Result<Answer, String> {
        let line = line(request);
        let failed = |error: std::io::Error| format!("`{line}`: {error}");
        writeln!(self.input, "{line}").map_err(failed)?;
        let mut answer = String::new();
        self.output.read_line(&mut answer).map_err(failed)?;
        read(answer.trim_end()).ok_or_else(|| format!("`{line}` was answered with \"{answer}\""))
    }
}

/// The request as it goes over the wire.
pub(crate) fn line(request: &[Word<'_>]) -> String {
    request.iter().map(written).collect::<Vec<_>>().join(" ")
}

fn written(word: &Word<'_>) -> String {
    match word {
        Word::Name(name) => (*name).to_owned(),
        Word::Bytes([]) => "-".to_owned(),
        Word::Bytes(bytes) => hex::encode(bytes),
        Word::Number(number) => number.to_string(),
    }
}

fn read(answer: &str) -> Option<Answer> {
    let (kind, rest) = answer.split_once(' ').unwrap_or((answer, ""));
    match kind {
        "ok" => {
            let words = rest.split_whitespace();
            let bytes =
                words.map(|word| if word == "-" { Some(vec![]) } else { hex::decode(word).ok() });
            bytes.collect::<Option<_>>().map(Answer::Ok)
        }
        "refused" => Some(Answer::Refused),
        "unsupported" => Some(Answer::Unsupported(rest.to_owned())),
        _ => None,
    }
}
