//! `gmkit mask scan`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use gmkit::mask::{Confidence, Finder, Kind, Style, mask};

use super::sarif;
use crate::{
    args::MaskScan,
    failure::{Context, Failure},
    input::Input,
    output::{print, print_bytes},
};

/// Longest line that is looked at in one piece, in bytes.
const MAX_LINE: usize = 4 << 20;

/// How many bytes of a file tell whether it is a text.
const HEAD: usize = 8 << 10;

/// Personal data in a file. What it was is not in here.
pub(super) struct Found {
    pub(super) path: String,
    pub(super) line: u64,
    /// Character of the line, from 1.
    pub(super) column: usize,
    pub(super) kind: Kind,
    pub(super) confidence: Confidence,
    pub(super) masked: String,
}

/// What a scan has come across.
#[derive(Default)]
struct Scan {
    found: Vec<Found>,
    files: u64,
    /// Files that are no text.
    skipped: u64,
    /// Files that could not be read.
    failed: Vec<String>,
}

pub(super) fn run(args: &MaskScan) -> Result<(), Failure> {
    let mut finder = Finder::new();
    if !args.kind.is_empty() {
        let kind = |name: &String| {
            Kind::from_name(name).ok_or_else(|| Failure::input(format!("{name:?} is no kind")))
        };
        finder = finder.with_kinds(&args.kind.iter().map(kind).collect::<Result<Vec<_>, _>>()?);
    }
    if args.strict {
        finder = finder.with_least(Confidence::Low);
    }
    let mut scan = Scan::default();
    for path in &args.paths {
        if path.as_os_str() != "-" {
            // What was typed must be there; what is in a folder may go while it is read.
            fs::metadata(path).about(path)?;
        }
        scan.path(&finder, path);
    }
    report(args, &scan)?;
    if !scan.failed.is_empty() {
        return Err(Failure::input(format!("could not be read: {}", scan.failed.join(", "))));
    }
    if args.fail_on_hit && !scan.found.is_empty() {
        return Err(Failure::check(format!("personal data in {} places", scan.found.len())));
    }
    Ok(())
}

impl Scan {
    fn path(&mut self, finder: &Finder, path: &Path) {
        if !path.is_dir() {
            if let Err(failure) = self.file(finder, path) {
                self.failed.push(failure.to_string());
            }
            return;
        }
        match entries(path) {
            Ok(entries) => entries.iter().for_each(|entry| self.path(finder, entry)),
            Err(failure) => self.failed.push(failure.to_string()),
        }
    }

    fn file(&mut self, finder: &Finder, path: &Path) -> Result<(), Failure> {
        let name = path.display().to_string();
        let (mut held, mut line, mut column, mut first) = (Vec::new(), 1, 0, true);
        let mut is_text = true;
        Input::open(path)?.for_each(|piece| {
            if std::mem::take(&mut first) {
                is_text = !piece[..piece.len().min(HEAD)].contains(&0);
            }
            if !is_text {
                return Ok(());
            }
            held.extend_from_slice(piece);
            let mut start = 0;
            while let Some(end) = memchr::memchr(b'\n', &held[start..]) {
                self.line(finder, &name, (line, column), &held[start..start + end]);
                (line, column) = (line + 1, 0);
                start += end + 1;
            }
            held.drain(..start);
            while held.len() > MAX_LINE {
                // Where nothing is cut in two.
                let end =
                    held[..MAX_LINE].iter().rposition(u8::is_ascii_whitespace).unwrap_or(MAX_LINE);
                let end = end.max(1);
                self.line(finder, &name, (line, column), &held[..end]);
                column += String::from_utf8_lossy(&held[..end]).chars().count();
                held.drain(..end);
            }
            Ok(())
        })?;
        if !is_text {
            self.skipped += 1;
            return Ok(());
        }
        self.line(finder, &name, (line, column), &held);
        self.files += 1;
        Ok(())
    }

    /// Whatever its encoding is, numbers and tokens are in ASCII.
    fn line(&mut self, finder: &Finder, path: &str, (line, column): (u64, usize), bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        for hit in finder.find(&text) {
            self.found.push(Found {
                path: path.to_owned(),
                line,
                column: column + 1 + text[..hit.range.start].chars().count(),
                kind: hit.kind,
                confidence: hit.confidence,
                masked: mask(hit.kind, Style::Strict, &text[hit.range]),
            });
        }
    }
}

/// What is in a folder, in order, without links.
fn entries(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).about(path)? {
        let entry = entry.about(path)?;
        let kind = entry.file_type().about(path)?;
        if kind.is_dir() || kind.is_file() {
            entries.push(entry.path());
        }
    }
    entries.sort();
    Ok(entries)
}

fn report(args: &MaskScan, scan: &Scan) -> Result<(), Failure> {
    if args.sarif {
        return print_bytes(sarif::report(&scan.found).to_string().as_bytes());
    }
    if args.json.json {
        let found: Vec<_> = scan.found.iter().map(json).collect();
        let report =
            serde_json::json!({ "found": found, "files": scan.files, "skipped": scan.skipped });
        return print_bytes(report.to_string().as_bytes());
    }
    for found in &scan.found {
        let Found { path, line, column, kind, confidence, masked } = found;
        let text = format!("{path}:{line}:{column}: {kind} ({}) {masked}", confidence.name());
        print(&text.replace(char::is_control, "?"))?;
    }
    let (found, files, skipped) = (scan.found.len(), scan.files, scan.skipped);
    print(&format!("{found} found in {files} files; {skipped} that are no text passed over"))
}

fn json(found: &Found) -> serde_json::Value {
    serde_json::json!({
        "path": found.path, "line": found.line, "column": found.column, "kind": found.kind.name(),
        "confidence": found.confidence.name(), "masked": found.masked,
    })
}
