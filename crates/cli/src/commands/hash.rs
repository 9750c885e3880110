//! `gmkit hash`: output and checking as `sha256sum` has them.

use std::path::{Path, PathBuf};

use gmkit::{
    keys::selftest::Algorithm,
    sm3::{Digest, Sm3},
};

use super::tested;
use crate::{
    args::Hash,
    failure::Failure,
    input::Input,
    output::{colours, print},
};

/// Largest list of digests, in bytes.
const MAX_SUMS: usize = 256 << 20;

pub(crate) fn run(args: &Hash) -> Result<(), Failure> {
    tested(Algorithm::Sm3)?;
    match &args.check {
        Some(sums) => check(sums, args.json.json),
        None => hash_all(&args.files, args.json.json),
    }
}

fn hash_all(files: &[PathBuf], json: bool) -> Result<(), Failure> {
    let mut failed = None;
    let mut list = Vec::new();
    for file in files {
        match digest(file) {
            Ok(digest) if json => list.push(serde_json::json!({ "file": file, "sm3": digest })),
            Ok(digest) => print(&line(&digest, file))?,
            Err(failure) => {
                // The others are still hashed, as sha256sum does; the first error decides the end.
                if let Some(earlier) = failed.replace(failure) {
                    eprintln!("gmkit: {earlier}");
                }
            }
        }
    }
    if json {
        print(&serde_json::Value::from(list).to_string())?;
    }
    failed.map_or(Ok(()), Err)
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
/// a backslash in front.
pub(crate) fn line(digest: &str, file: &Path) -> String {
    let name = file.to_string_lossy();
    if name.contains(['\\', '\n', '\r']) {
        let name = name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
        format!("\\{digest}  {name}")
    } else {
        format!("{digest}  {name}")
    }
}

/// Digest and file of a line; `None` if it is not one.
fn parse(line: &str) -> Option<(String, PathBuf)> {
    let (escaped, line) = match line.strip_prefix('\\') {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (digest, name) = line.split_at_checked(64)?;
    // Two blanks, or a blank and an asterisk for what once was "binary".
    let name = name.strip_prefix("  ").or_else(|| name.strip_prefix(" *"))?;
    if name.is_empty() || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let name = if escaped { unescape(name)? } else { name.to_owned() };
    Some((digest.to_ascii_lowercase(), PathBuf::from(name)))
}

fn unescape(name: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            c => c,
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
    let list = std::str::from_utf8(&list)
        .map_err(|_| Failure::about(sums.display(), Failure::input("is not a list of digests")))?;
    let mut tally = Tally::default();
    let mut results = Vec::new();
    for entry in list.lines() {
        let Some((want, file)) = parse(entry) else {
            tally.malformed += 1;
            continue;
        };
        let verdict = check_one(&want, &file, &mut tally);
        if json {
            results.push(serde_json::json!({ "file": file, "verdict": verdict }));
        } else {
            print(&format!("{}: {}", file.display(), coloured(verdict)))?;
        }
    }
    if json {
        print(&serde_json::Value::from(results).to_string())?;
    }
    tally.verdict(sums)
}

fn check_one(want: &str, file: &Path, tally: &mut Tally) -> &'static str {
    match digest(file) {
        Ok(got) if got == want => {
            tally.matched += 1;
            "OK"
        }
        Ok(_) => {
            tally.differed += 1;
            "FAILED"
        }
        Err(failure) => {
            eprintln!("gmkit: {failure}");
            tally.unreadable += 1;
            "FAILED open or read"
        }
    }
}

fn coloured(verdict: &str) -> String {
    match (colours(&std::io::stdout()), verdict) {
        (true, "OK") => format!("\x1b[32m{verdict}\x1b[0m"),
        (true, _) => format!("\x1b[31m{verdict}\x1b[0m"),
        (false, _) => verdict.to_owned(),
    }
}

impl Tally {
    fn verdict(&self, sums: &Path) -> Result<(), Failure> {
        if self.matched + self.differed + self.unreadable == 0 {
            let reason = Failure::input("no properly formatted digest lines found");
            return Err(Failure::about(sums.display(), reason));
        }
        if self.malformed > 0 {
            eprintln!("gmkit: warning: {} lines are improperly formatted", self.malformed);
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
        for name in ["a", "with  blanks", " *", "new\nline", "back\\slash\r", "名字"] {
            let file = PathBuf::from(name);
            assert_eq!(parse(&line(&digest, &file)), Some((digest.clone(), file)));
        }
        let binary = format!("{} *a", digest.to_uppercase());
        assert_eq!(parse(&binary), Some((digest.clone(), PathBuf::from("a"))));
        for bad in ["", "0f  a", &digest, &format!("{digest}  "), &format!("\\{digest}  a\\x")] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
