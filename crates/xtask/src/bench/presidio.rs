//! `cargo xtask bench presidio`: what Presidio finds of the corpus on which masking is tested, and how fast.

use std::{fs, process::Stdio};

use crate::{
    python,
    run::{self, Result},
};

/// With a tokenizer that knows words and no language: its patterns, without models.
const PACKAGES: &str = "presidio-analyzer==2.2.366 spacy==3.8.18";

/// How many texts with something in them, and with nothing: it needs a millisecond for each.
const TEXTS: &str = "5000 10000";

pub(crate) fn run() -> Result {
    let peers = python::environment()?;
    let dir = run::root().join("target/presidio");
    if !dir.join("installed").exists() {
        run::run(&format!("python3 -m venv {}", dir.display()))?;
        run::run(&format!(
            "{}/bin/pip install --quiet --disable-pip-version-check {PACKAGES}",
            dir.display()
        ))?;
        fs::write(dir.join("installed"), PACKAGES).map_err(|error| error.to_string())?;
    }
    let corpus = dir.join("corpus");
    let line = format!("{}/bin/python crates/mask/tests/corpus.py {TEXTS}", peers.display());
    fs::write(&corpus, run::output(&line)?).map_err(|error| error.to_string())?;
    let on_corpus = |line: &str| {
        let file = fs::File::open(&corpus).map_err(|error| error.to_string())?;
        run::run_command(run::command(line).stdin(Stdio::from(file)), line)
    };
    println!("\n--> gmkit");
    on_corpus("cargo run --release --quiet --package gmkit-mask --example corpus")?;
    println!("\n--> Presidio: {PACKAGES}, without a model");
    on_corpus(&format!("{}/bin/python crates/mask/tests/presidio.py", dir.display()))
}
