//! `gmkit hash`: output and checking as `sha256sum` has them.

use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use gmkit::{
    keys::selftest::Algorithm,
    sm3::{Digest, Sm3},
};
use rayon::{ThreadPool, ThreadPoolBuilder, prelude::*};

use super::tested;
use crate::{
    args::Hash,
    failure::Failure,
    input::Input,
    output::{colours, complain, print, print_bytes},
};

/// Largest list of digests, in bytes.
const MAX_SUMS: usize = 64 << 20;

pub(crate) fn run(args: &Hash) -> Result<(), Failure> {
    tested(Algorithm::Sm3)?;
    match &args.check {
        Some(sums) => check(sums, args.json.json),
        None => hash_all(&args.files, args.json.json),
    }
}

/// How many files are hashed before the digests are printed, on all cores together.
const TOGETHER: usize = 256;

fn hash_all(files: &[PathBuf], json: bool) -> Result<(), Failure> {
    let mut failed = None;
    let mut list = Vec::new();
    let cores = Cores::new(files.len());
    for files in files.chunks(TOGETHER) {
        let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        let digests = cores.digests(&paths);
        for (file, digest) in files.iter().zip(digests) {
            match digest {
                Ok(digest) if json => {
                    list.push(serde_json::json!({ "file": file.to_string_lossy(), "sm3": digest }));
                }
                Ok(digest) => print_bytes(&line(&digest, file))?,
                // The others are still hashed, as sha256sum does; all are told, the last one decides.
                Err(failure) => {
                    if let Some(earlier) = failed.replace(failure) {
                        complain(&earlier);
                    }
                }
            }
        }
    }
    if json {
        print_bytes(serde_json::Value::from(list).to_string().as_bytes())?;
    }
    failed.map_or(Ok(()), Err)
}

/// What hashes several files: a thread for each core. `None` for a single file, and where no thread can be
/// started, as in a container that limits them: then one file comes after the other.
struct Cores(Option<ThreadPool>);

impl Cores {
    fn new(files: usize) -> Self {
        Self((files > 1).then(ThreadPoolBuilder::new).and_then(|pool| pool.build().ok()))
    }

    fn digests(&self, files: &[&Path]) -> Vec<Result<String, Failure>> {
        match &self.0 {
            Some(pool) => pool.install(|| files.par_iter().map(|file| digest(file)).collect()),
            None => files.iter().map(|file| digest(file)).collect(),
        }
    }
}

fn digest(file: &Path) -> Result<String, Failure> {
    let mut hash = Sm3::new();
    Input::open(file)?.for_each(|piece| {
        hash.update(piece);
        Ok(())
    })?;
    Ok(hex::encode(hash.finalize()))
}

/// A line of the list. A name with a backslash or a line break is escaped, and the line marked by
/// a backslash in front. Names are bytes, whatever their encoding.
pub(crate) fn line(digest: &str, file: &Path) -> Vec<u8> {
    let (mark, name) = escape(file);
    [mark, digest.as_bytes(), b"  ", &name].concat()
}

/// The mark of an escaped line, and the name as it is written.
fn escape(file: &Path) -> (&'static [u8], Vec<u8>) {
    let name = file.as_os_str().as_bytes();
    let mut out = Vec::with_capacity(name.len());
    for &byte in name {
        match byte {
            b'\\' => out.extend(b"\\\\"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            byte => out.push(byte),
        }
    }
    (if out == name { b"" } else { b"\\" }, out)
}

/// Digest and file of a line; `None` if it is not one.
fn parse(line: &[u8]) -> Option<(String, PathBuf)> {
    let (escaped, line) = match line.strip_prefix(b"\\") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (digest, name) = line.split_at_checked(64)?;
    let digest = std::str::from_utf8(digest).ok()?;
    // Two blanks, or a blank and an asterisk for what once was "binary".
    let name = name.strip_prefix(b"  ").or_else(|| name.strip_prefix(b" *"))?;
    if name.is_empty() || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let name = if escaped { unescape(name)? } else { name.to_vec() };
    Some((digest.to_ascii_lowercase(), PathBuf::from(OsString::from_vec(name))))
}

fn unescape(name: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next()? {
                b'\\' => b'\\',
                b'n' => b'\n',
                b'r' => b'\r',
                _ => return None,
            },
            byte => byte,
        });
    }
    Some(out)
}

#[derive(Default)]
struct Tally {
    matched: usize,
    differed: usize,
    unreadable: usize,
    malformed: usize,
}

fn check(sums: &Path, json: bool) -> Result<(), Failure> {
    let list = Input::open(sums)?.read_all(MAX_SUMS)?;
    let mut tally = Tally::default();
    let mut results = Vec::new();
    let lines = list.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let entries = lines.map(|line| parse(line.strip_suffix(b"\r").unwrap_or(line)));
    let mut wanted = Vec::new();
    for entry in entries {
        match entry {
            Some(entry) => wanted.push(entry),
            None => tally.malformed += 1,
        }
    }
    let cores = Cores::new(wanted.len());
    for wanted in wanted.chunks(TOGETHER) {
        let paths: Vec<&Path> = wanted.iter().map(|(_, file)| file.as_path()).collect();
        let digests = cores.digests(&paths);
        for ((want, file), digest) in wanted.iter().zip(digests) {
            let verdict = tally.count(want, digest);
            if json {
                let file = file.to_string_lossy();
                results.push(serde_json::json!({ "file": file, "verdict": verdict }));
            } else {
                print(&report(file, verdict))?;
            }
        }
    }
    if json {
        print(&serde_json::Value::from(results).to_string())?;
    }
    tally.verdict(sums)
}

/// A line that says what came of a file. The name is escaped as in the list, and other control
/// characters are replaced: a list must not be able to print verdicts of its own, or to command a
/// terminal.
fn report(file: &Path, verdict: &str) -> String {
    let (mark, name) = escape(file);
    let name = String::from_utf8_lossy(&name).replace(char::is_control, "?");
    let mark = String::from_utf8_lossy(mark);
    let verdict = match (colours(&std::io::stdout()), verdict) {
        (true, "OK") => format!("\x1b[32m{verdict}\x1b[0m"),
        (true, _) => format!("\x1b[31m{verdict}\x1b[0m"),
        (false, _) => verdict.to_owned(),
    };
    format!("{mark}{name}: {verdict}")
}

impl Tally {
    fn count(&mut self, want: &str, digest: Result<String, Failure>) -> &'static str {
        match digest {
            Ok(got) if got == want => {
                self.matched += 1;
                "OK"
            }
            Ok(_) => {
                self.differed += 1;
                "FAILED"
            }
            Err(failure) => {
                complain(&failure);
                self.unreadable += 1;
                "FAILED open or read"
            }
        }
    }

    fn verdict(&self, sums: &Path) -> Result<(), Failure> {
        if self.matched + self.differed + self.unreadable == 0 {
            let reason = Failure::input("no properly formatted digest lines found");
            return Err(Failure::about(sums.display(), reason));
        }
        if self.malformed > 0 {
            complain(&format!("warning: {} lines are improperly formatted", self.malformed));
        }
        if self.differed + self.unreadable > 0 {
            return Err(Failure::check(format!(
                "{} computed digests did NOT match, {} listed files could not be read",
                self.differed, self.unreadable
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_back() {
        let digest = "0f".repeat(32);
        let names: [&[u8]; 7] = [
            b"a",
            b"with  blanks",
            b" *",
            b"new\nline",
            b"back\\slash\r",
            "名字".as_bytes(),
            b"\xff\xfe",
        ];
        for name in names {
            let file = PathBuf::from(OsString::from_vec(name.to_vec()));
            assert_eq!(parse(&line(&digest, &file)), Some((digest.clone(), file)));
        }
        let binary = format!("{} *a", digest.to_uppercase());
        assert_eq!(parse(binary.as_bytes()), Some((digest.clone(), PathBuf::from("a"))));
        for bad in ["", "0f  a", &digest, &format!("{digest}  "), &format!("\\{digest}  a\\x")] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_name_cannot_print_a_verdict_of_its_own() {
        let text = report(Path::new("x\nkernel.img: OK\ny\x1b[2J"), "FAILED");
        assert_eq!(text, "\\x\\nkernel.img: OK\\ny?[2J: FAILED");
    }
}
