//! `cargo xtask bench`: ours and the rivals in one run. With criterion: RustCrypto, in one process.
//! As a table: OpenSSL 4 and Tongsuo, each measured by its own `speed`.

mod chart;
mod count;
mod presidio;
mod rivals;
mod tls;

use std::{fmt::Write as _, fs, hint::black_box, time::Instant};

use serde_json::Value;

use crate::run::{self, Result};
use rivals::{RIVALS, Rival};

pub(crate) fn run() -> Result {
    run::run("cargo bench --package gmkit-benches")
}

pub(crate) use count::{check, write_baseline};
pub(crate) use presidio::run as presidio;
pub(crate) use tls::run as tls;

/// A row of the table: what `gmkit bench` calls it, and what `openssl speed` does.
struct Compared {
    core: &'static str,
    what: &'static str,
    rival: Rival,
}

const fn row(core: &'static str, what: &'static str, rival: Rival) -> Compared {
    Compared { core, what, rival }
}

const ROWS: &[Compared] = &[
    row("SM4", "CTR, 16 KiB", Rival::Bytes("-evp sm4-ctr")),
    row("SM4", "GCM seal, 16 KiB", Rival::Bytes("-evp sm4-gcm")),
    row("SM4", "GCM open, 16 KiB", Rival::Bytes("-decrypt -evp sm4-gcm")),
    row("SM4", "GCM seal, 64 B", Rival::Short("-evp sm4-gcm")),
    row("SM4", "XTS, 16 KiB", Rival::Bytes("-evp sm4-xts")),
    row("SM4", "CBC encrypt, 16 KiB", Rival::Bytes("-evp sm4-cbc")),
    row("SM4", "CBC encrypt, 16 x 1 KiB", Rival::Bytes("-evp sm4-cbc")),
    row("SM4", "CBC decrypt, 16 KiB", Rival::Bytes("-decrypt -evp sm4-cbc")),
    row("SM3", "one message, 16 KiB", Rival::Bytes("-evp sm3")),
    row("SM3", "one message, 64 B", Rival::Short("-evp sm3")),
    row("SM3", "16 messages of 1 KiB", Rival::Bytes("-evp sm3")),
    row("SM2", "sign", Rival::Sign),
    row("SM2", "sign 64 at once", Rival::Sign),
    row("SM2", "verify", Rival::Verify),
    row("SM2", "verify, prepared key", Rival::Verify),
];

/// The page that the table is a part of, between two comments.
const PAGE: &str = "docs/src/en/performance.md";
const CHART: &str = "docs/src/en/performance.svg";
const BEGIN: &str = "<!-- begin: cargo xtask bench table -->\n";
const END: &str = "<!-- end -->\n";

/// One row of figures: bytes, or operations, per second.
struct Figures {
    what: String,
    ours: f64,
    is_bytes: bool,
    theirs: [f64; RIVALS.len()],
}

/// Measures row by row, ours and theirs one after the other, and writes the table into the book.
pub(crate) fn table() -> Result {
    run::run("cargo build --release --package gmkit-cli")?;
    let report = run::output("target/release/gmkit bench --json")?;
    let report: Value = serde_json::from_str(&report).map_err(|error| error.to_string())?;
    let mut all = Vec::new();
    for compared in ROWS {
        let (ours, is_bytes) = ours(&report, compared)?;
        let mut theirs = [0.0; RIVALS.len()];
        for (figure, name) in theirs.iter_mut().zip(RIVALS) {
            *figure = compared.rival.measure(name)?;
        }
        let what = format!("{} {}", compared.core, compared.what);
        println!("{what}: {ours:.0}, {theirs:.0?}");
        all.push(Figures { what, ours, is_bytes, theirs });
    }
    let sizes = run::output("target/release/gmkit bench --sizes --json")?;
    let sizes: Value = serde_json::from_str(&sizes).map_err(|error| error.to_string())?;
    let text = markdown(&report, &all) + &sizes_markdown(&sizes);
    println!("\n{text}");
    fs::write(run::root().join(CHART), chart::draw(&all)).map_err(|error| error.to_string())?;
    replace(&text)
}

/// The chosen backend's figure.
fn ours(report: &Value, compared: &Compared) -> Result<(f64, bool)> {
    let rows = report["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = rows.iter().find(|row| {
        row["core"] == compared.core && row["what"] == compared.what && row["chosen"] == true
    });
    let rate = found.and_then(|row| row["rate"].as_f64());
    let rate = rate.ok_or_else(|| format!("`gmkit bench` has no \"{}\"", compared.what))?;
    Ok((rate, found.is_some_and(|row| row["unit"] == "bytes/s")))
}

/// Additions that wait for each other: one each cycle, whatever else the core does.
fn hertz() -> f64 {
    const STEPS: u32 = 20_000_000;
    let mut best = f64::MAX;
    for _ in 0..5 {
        let started = Instant::now();
        let mut x = black_box(1_u64);
        for i in 0..STEPS {
            // Two instructions that wait for each other, and that no compiler can sum up.
            x = x.rotate_left(1) ^ u64::from(i);
        }
        black_box(x);
        best = best.min(started.elapsed().as_secs_f64());
    }
    2.0 * f64::from(STEPS) / best
}

fn markdown(report: &Value, all: &[Figures]) -> String {
    let hertz = hertz();
    let mut text = format!(
        "{} ({}), one core at {:.1} GHz by a loop of instructions that wait for each other. {}.\n\n\
         | work | gmkit | cycles per byte | {} |\n| --- | --- | --- |{}\n",
        report["cpu"].as_str().unwrap_or_default(),
        report["arch"].as_str().unwrap_or_default(),
        hertz / 1e9,
        chosen(report),
        RIVALS.map(|name| format!("{} | ratio", rivals::title(name))).join(" | "),
        " --- |".repeat(2 * RIVALS.len()),
    );
    for Figures { what, ours, is_bytes, theirs } in all {
        let shown = |rate: f64| {
            if *is_bytes {
                format!("{:.0} MiB/s", rate / f64::from(1 << 20))
            } else {
                format!("{rate:.0}/s")
            }
        };
        let cycles = if *is_bytes { format!("{:.2}", hertz / ours) } else { String::new() };
        let _ = write!(text, "| {what} | {} | {cycles} |", shown(*ours));
        for rate in theirs {
            let _ = write!(text, " {} | {:.1} |", shown(*rate), ours / rate);
        }
        text.push('\n');
    }
    text
}

/// What `gmkit bench --sizes` says: all backends on all sizes.
fn sizes_markdown(report: &Value) -> String {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let sizes = list(&report["sizes"]);
    let mut text = "\n| MiB/s, by bytes in a message |".to_owned();
    sizes.iter().for_each(|size| text.extend([" ".to_owned(), size.to_string(), " |".to_owned()]));
    text += "\n| --- |";
    text += &" ---: |".repeat(sizes.len());
    text.push('\n');
    for row in list(&report["rows"]) {
        let name = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let _ = write!(text, "| {} {}, `{}` |", name("core"), name("what"), name("backend"));
        for rate in list(&row["rates"]) {
            let _ =
                write!(text, " {:.0} |", rate.as_f64().unwrap_or_default() / f64::from(1 << 20));
        }
        text.push('\n');
    }
    text
}

fn chosen(report: &Value) -> String {
    let rows = report["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut names: Vec<String> = rows
        .iter()
        .filter(|row| row["chosen"] == true)
        .map(|row| format!("{} {}", row["core"], row["backend"]).replace('"', ""))
        .collect();
    names.dedup();
    format!("Backends: {}", names.join(", "))
}

fn replace(table: &str) -> Result {
    let path = run::root().join(PAGE);
    let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let (before, rest) = text.split_once(BEGIN).ok_or("the page has no place for the table")?;
    let (_, after) = rest.split_once(END).ok_or("the page's table has no end")?;
    fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).map_err(|e| e.to_string())
}
