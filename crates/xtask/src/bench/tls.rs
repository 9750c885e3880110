//! `cargo xtask bench tls`: handshakes and data in memory, ours, rustls with aws-lc-rs, OpenSSL 4 and
//! Tongsuo, one after the other on one machine.

use std::{fs, process::Command};

use serde_json::Value;

use super::rivals::{RIVALS, title};
use crate::{
    ffi_tls,
    run::{self, Result},
};

/// A build of its own. criterion keeps its figures in `target/criterion` all the same.
const TARGET: &str = "target/yardstick";

/// What the benches call it: a full handshake, a resumed one, and data.
const GROUPS: [&str; 3] = [
    "TLS 1.3 handshake, full",
    "TLS 1.3 handshake, resumed",
    "TLS 1.3 data, 16 KiB records, there and read",
];
const OURS: [&str; 3] = ["gmkit", "gmkit", "gmkit, SM4-GCM"];
const CLASSIC: [&str; 3] = [
    "rustls with aws-lc-rs, P-256",
    "rustls with aws-lc-rs, P-256",
    "rustls with aws-lc-rs, AES-128-GCM",
];

/// Prints microseconds, and how many times ours each takes.
pub(crate) fn run() -> Result {
    let line = format!("cargo bench --target-dir {TARGET} --package gmkit-benches --bench tls");
    let mut command = run::command(&line);
    run::run_command(command.env("RUSTFLAGS", "--cfg gmkit_yardstick"), &line)?;
    run::run("cargo build --package gmkit-cli")?;
    let dir = run::root().join("target/bench-tls");
    fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    ffi_tls::files(&dir)?;
    let mut rows = vec![("gmkit".to_owned(), criterion(OURS)?)];
    rows.push(("rustls, aws-lc-rs, P-256 and AES".to_owned(), criterion(CLASSIC)?));
    for name in RIVALS {
        let (peer, program) = (run::root().join("target/peers").join(name), dir.join(name));
        run::run(&format!(
            "cc -O2 {}/benches/peers_tls.c -o {} -I{peer}/include {peer}/libssl.a \
             {peer}/libcrypto.a -lpthread -ldl",
            run::root().display(),
            program.display(),
            peer = peer.display(),
        ))?;
        let output = Command::new(&program).current_dir(&dir).output();
        let output = output.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let figures: Vec<f64> = text.split_whitespace().flat_map(str::parse).collect();
        let figures = figures
            .try_into()
            .map_err(|_| format!("{name}: {text}{}", String::from_utf8_lossy(&output.stderr)))?;
        rows.push((title(name).to_owned(), figures));
    }
    let ours = rows[0].1;
    println!("microseconds (times ours)          full handshake    resumed           16 KiB");
    for (name, figures) in rows {
        let cells =
            figures.iter().zip(ours).map(|(one, ours)| format!("{one:8.1} ({:4.2})", one / ours));
        println!("{name:34} {}", cells.collect::<Vec<_>>().join("   "));
    }
    Ok(())
}

/// The means that criterion has kept, in microseconds.
fn criterion(names: [&str; 3]) -> Result<[f64; 3]> {
    let mut figures = [0.0; 3];
    for (figure, (group, name)) in figures.iter_mut().zip(GROUPS.iter().zip(names)) {
        let path = run::root().join("target/criterion").join(group).join(name);
        let path = path.join("new/estimates.json");
        let text = fs::read_to_string(&path);
        let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
        let all: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let mean = all["mean"]["point_estimate"].as_f64().ok_or("criterion has kept no mean")?;
        *figure = mean / 1e3;
    }
    Ok(figures)
}
