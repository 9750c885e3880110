//! Instructions per operation, counted by callgrind: the same on every run, however busy the machine
//! is. Kernels that valgrind does not know are not counted.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use crate::run::{self, Result};

const BASELINE: &str = "benches/baseline.json";
const COUNTER: &str = "target/release/examples/count";

/// What a change may cost before it is taken for a regression.
const MARGIN: f64 = 0.03;

/// How often an operation is repeated: what starting costs cancels out.
const TIMES: u64 = 10;

/// Fails when an operation takes more instructions than the baseline says, by more than the margin.
/// A baseline of another compiler says nothing.
pub(crate) fn check() -> Result {
    let text = fs::read_to_string(run::root().join(BASELINE)).map_err(|error| error.to_string())?;
    let baseline: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let compiler = run::output("rustc --version")?;
    if baseline["compiler"] != compiler.trim() {
        return Err(format!(
            "the baseline was made by {}, this is {}: make a new one with `cargo xtask bench \
             --baseline` on the commit to compare with",
            baseline["compiler"],
            compiler.trim()
        ));
    }
    let mut worse = Vec::new();
    for (name, count) in count_all()? {
        let before = baseline["instructions"][&name].as_u64();
        let before = before.ok_or_else(|| format!("the baseline has no {name}"))?;
        let change = count as f64 / before as f64 - 1.0;
        println!("{name:<32} {count:>10} {:>+7.1} %", 100.0 * change);
        if change > MARGIN {
            worse.push(name);
        }
    }
    if worse.is_empty() { Ok(()) } else { Err(format!("more instructions: {}", worse.join(", "))) }
}

/// Counts, and takes that for the measure from now on.
pub(crate) fn write_baseline() -> Result {
    let compiler = run::output("rustc --version")?;
    let report = serde_json::json!({ "compiler": compiler.trim(), "instructions": count_all()? });
    let text = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
    fs::write(run::root().join(BASELINE), text + "\n").map_err(|error| error.to_string())
}

fn count_all() -> Result<BTreeMap<String, u64>> {
    run::run("cargo build --release --package gmkit-benches --example count")?;
    let list = run::output(&format!("valgrind --quiet {COUNTER} list"))?;
    let mut all = BTreeMap::new();
    for name in list.lines() {
        let (one, many) = (count(name, 1)?, count(name, 1 + TIMES)?);
        let each =
            many.checked_sub(one).ok_or_else(|| format!("{name} costs less than nothing"))?;
        all.insert(name.to_owned(), each / TIMES);
    }
    Ok(all)
}

/// Instructions of the whole program that runs the operation so often.
fn count(name: &str, times: u64) -> Result<u64> {
    let line = format!(
        "valgrind --tool=callgrind --callgrind-out-file=/dev/null {COUNTER} {name} {times}"
    );
    let output = run::command(&line).output().map_err(|error| format!("valgrind: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let count = text.split("Collected : ").nth(1).and_then(|rest| rest.split_whitespace().next());
    match count.and_then(|count| count.parse().ok()) {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(format!("`{line}`: {text}")),
    }
}
