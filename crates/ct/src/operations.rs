//! What is checked, and with which secrets.

use std::{path::Path, process::Command, thread};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    compare::{Difference, first_difference},
    symbol,
    trace::{Result, Trace, cpus, record},
};

/// The operations of the harness, `operation` by `operation`.
pub(crate) fn all(harness: &Path) -> Result<Vec<String>> {
    let output = Command::new(harness).arg("list").output().map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// Checks the operations; `Ok(false)` when addresses depend on a secret.
pub(crate) fn check_all(
    harness: &Path,
    secrets: usize,
    backend: &str,
    names: &[String],
) -> Result<bool> {
    let names = if names.is_empty() { all(harness)? } else { names.to_vec() };
    if names.is_empty() {
        return Err("the harness has no operations".into());
    }
    let seed: u64 = rand::random();
    println!("{secrets} secrets per operation, seed {seed}");
    let secrets = draw(secrets, seed);
    let mut clean = true;
    for name in &names {
        clean &= check(harness, name, &secrets, backend)?;
    }
    Ok(clean)
}

/// Two secrets that differ in every bit, one nearly all zeros and one nearly all ones, then random
/// ones. As private keys all of them are in range.
fn draw(count: usize, seed: u64) -> Vec<String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut sparse = [0; 32];
    sparse[0] = 1;
    let mut secrets = vec![sparse, sparse.map(|byte| !byte)];
    secrets.resize_with(count, || {
        let mut secret: [u8; 32] = rng.random();
        secret[0] &= 0x7f;
        secret
    });
    secrets.iter().map(|secret| secret.iter().map(|byte| format!("{byte:02x}")).collect()).collect()
}

fn check(harness: &Path, name: &str, secrets: &[String], backend: &str) -> Result<bool> {
    let cpus = cpus()?;
    let mut first: Option<Trace> = None;
    let mut clean = true;
    'secrets: for secrets in secrets.chunks(cpus.len()) {
        for (secret, trace) in secrets.iter().zip(traces(harness, name, secrets, &cpus)) {
            let trace = trace?;
            ran_on(&trace.output, backend)?;
            let Some(first) = &first else {
                first = Some(trace);
                continue;
            };
            if let Some(difference) = first_difference(first, &trace) {
                explain(name, secret, first, &difference);
                clean = false;
                break 'secrets;
            }
        }
    }
    let steps = first.map_or(0, |trace| trace.steps.len());
    let verdict = if clean { "constant" } else { "DEPENDS ON THE SECRET" };
    println!("{name:<16} {steps:>9} instructions, {} secrets: {verdict}", secrets.len());
    Ok(clean)
}

/// The operation with each of the secrets, at the same time, each on a CPU of its own.
fn traces(harness: &Path, name: &str, secrets: &[String], cpus: &[usize]) -> Vec<Result<Trace>> {
    thread::scope(|scope| {
        let running: Vec<_> = secrets
            .iter()
            .zip(cpus)
            .map(|(secret, &cpu)| scope.spawn(move || trace(harness, name, secret, cpu)))
            .collect();
        let ended = running.into_iter().map(|thread| thread.join());
        ended.map(|trace| trace.unwrap_or_else(|_| Err("a thread panicked".into()))).collect()
    })
}

fn trace(harness: &Path, name: &str, secret: &str, cpu: usize) -> Result<Trace> {
    // All names are as long: what handles them takes the same steps.
    let file = std::env::temp_dir().join(format!("gmkit-ct-{}-{cpu:03}.der", std::process::id()));
    let path = file.display().to_string();
    if name == "pbes2" {
        encrypted_key(&path, secret)?;
    }
    let trace = record(harness, &[name, secret, &path], cpu);
    let _ = std::fs::remove_file(&file);
    trace
}

/// The harness prints which backends compute: they must be those that were asked for.
pub(crate) fn ran_on(printed: &str, backends: &str) -> Result<()> {
    let ran = printed.split_whitespace().collect::<Vec<_>>().join(",");
    if ran == backends { Ok(()) } else { Err(format!("the backends {ran} ran, not {backends}")) }
}

fn explain(name: &str, secret: &str, trace: &Trace, difference: &Difference) {
    let (what, step, address) = match *difference {
        Difference::Branch { step, from } => ("takes another way after", step, from),
        Difference::Memory { step, at } => ("touches other memory in", step, at),
    };
    println!("{name} with {secret} {what} instruction {step}:");
    println!("    {}", symbol::name(&trace.maps, address));
}

/// A key that OpenSSL encrypts under the secret, with so few iterations that they can be traced.
fn encrypted_key(file: &str, secret: &str) -> Result<()> {
    let line = format!(
        "openssl genpkey -algorithm SM2 | openssl pkcs8 -topk8 -v2 sm4-cbc -v2prf hmacWithSHA256 \
         -iter 3 -passout pass:{secret} -outform DER -out {file}"
    );
    let status = Command::new("sh").args(["-c", &line]).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("openssl could not encrypt a key: {status:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_keys_of_32_bytes_and_all_different() {
        let secrets = draw(6, 1);
        for (i, secret) in secrets.iter().enumerate() {
            assert_eq!(secret.len(), 64);
            assert!(!secrets[..i].contains(secret));
            // n begins with fffffffe: all are in range.
            assert!(secret.as_str() < "fffffffe");
        }
        let digit = |c: char| c.to_digit(16).unwrap();
        let pairs = secrets[0].chars().zip(secrets[1].chars());
        assert!(pairs.into_iter().all(|(a, b)| digit(a) ^ digit(b) == 15), "every bit differs");
    }
}
