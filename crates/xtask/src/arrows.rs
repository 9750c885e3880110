//! Which crate may use which: the arrows of `docs/src/en/architecture.md`, and what else can be
//! read from `cargo metadata`.

use std::{fs, path::Path};

use serde_json::Value;

use crate::run::{self, Result};

/// "A may use B". What is not here is forbidden.
const ALLOWED: &[(&str, &[&str])] = &[
    ("gmkit-sm3", &[]),
    ("gmkit-sm4", &[]),
    ("gmkit-sm2", &["gmkit-sm3"]),
    ("gmkit-rng", &["gmkit-sm3", "gmkit-sm4"]),
    ("gmkit-keys", &["gmkit-sm2", "gmkit-sm3", "gmkit-sm4"]),
    ("gmkit-pki", &["gmkit-keys", "gmkit-sm2", "gmkit-sm3", "gmkit-sm4"]),
    ("gmkit-hsm", &["gmkit-keys", "gmkit-sm2", "gmkit-sm3", "gmkit-sm4"]),
    // `pki` for certificate checks only.
    ("gmkit-tls", &["gmkit-keys", "gmkit-pki", "gmkit-sm2", "gmkit-sm3", "gmkit-sm4"]),
    ("gmkit-audit", &["gmkit-keys", "gmkit-sm2", "gmkit-sm3"]),
    ("gmkit-mask", &["gmkit-keys", "gmkit-mask-derive"]),
    ("gmkit-mask-derive", &[]),
    ("gmkit-seal", &["gmkit-keys", "gmkit-sm2", "gmkit-sm3"]),
    ("gmkit-token", &["gmkit-keys", "gmkit-sm2", "gmkit-sm3", "gmkit-sm4"]),
    (
        "gmkit",
        &[
            "gmkit-audit",
            "gmkit-hsm",
            "gmkit-keys",
            "gmkit-mask",
            "gmkit-pki",
            "gmkit-rng",
            "gmkit-seal",
            "gmkit-sm2",
            "gmkit-sm3",
            "gmkit-sm4",
            "gmkit-tls",
        ],
    ),
    ("gmkit-vectors", &["gmkit", "gmkit-sm2", "gmkit-sm3", "gmkit-sm4"]),
    ("gmkit-benches", &["gmkit", "gmkit-sm2", "gmkit-sm3", "gmkit-sm4"]),
    ("gmkit-cli", &["gmkit", "gmkit-vectors"]),
    ("gmkit-ffi", &["gmkit"]),
    ("gmkit-interop", &["gmkit"]),
    ("gmkit-ct", &[]),
    ("gmkit-xtask", &[]),
];

/// Licences that dependencies may have, one of which is enough.
const LICENCES: &[&str] =
    &["MIT", "Apache-2.0", "BSD-3-Clause", "BSD-2-Clause", "ISC", "Zlib", "Unicode-3.0", "CC0-1.0"];

/// Developers' tools under other licences; nothing of them is in what users get. The root certificates
/// are reqwest's, on other platforms, in an example.
const TOOLS: &[&str] = &["cbindgen", "webpki-root-certs"];

/// Fails on a dependency against the arrows, and on an import of a module's grandparent.
pub(crate) fn check() -> Result {
    let mut faults = violations(&edges(&metadata()?));
    visit_sources(&run::root().join("crates"), &mut faults)?;
    report(faults)
}

fn report(faults: Vec<String>) -> Result {
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn metadata() -> Result<Value> {
    let text = run::output("cargo metadata --format-version 1 --locked --all-features")?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().into_iter().flatten()
}

fn is_ours(package: &Value) -> bool {
    package["source"].is_null()
}

/// (user, used) for all pairs of our crates; what only tests use does not count.
fn edges(metadata: &Value) -> Vec<(String, String)> {
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let ours: Vec<_> = packages(metadata).filter(|package| is_ours(package)).collect();
    let names: Vec<_> = ours.iter().map(|package| name(package)).collect();
    let mut edges = Vec::new();
    for package in ours {
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if dependency["kind"] != "dev" && names.contains(&name(dependency)) {
                edges.push((name(package), name(dependency)));
            }
        }
    }
    edges
}

fn violations(edges: &[(String, String)]) -> Vec<String> {
    let allowed = |user: &str, used: &str| {
        ALLOWED.iter().any(|(name, uses)| *name == user && uses.contains(&used))
    };
    edges
        .iter()
        .filter(|(user, used)| !allowed(user, used))
        .map(|(user, used)| format!("{user} must not use {used}"))
        .collect()
}

fn visit_sources(path: &Path, faults: &mut Vec<String>) -> Result {
    let entries = fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
    for entry in entries.filter_map(std::result::Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            visit_sources(&path, faults)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap_or_default();
            if text.contains(concat!("super::", "super::")) {
                faults.push(format!("{} imports its parent's parent", path.display()));
            }
        }
    }
    Ok(())
}

/// Fails on a dependency without one of the licences above.
pub(crate) fn check_licences() -> Result {
    let metadata = metadata()?;
    let faults = packages(&metadata)
        .filter(|package| !is_ours(package))
        .filter(|package| !TOOLS.iter().any(|tool| package["name"] == *tool))
        .filter(|package| !licence_is_fine(package["license"].as_str().unwrap_or_default()))
        .map(|package| format!("{} has the licence {}", package["name"], package["license"]))
        .collect();
    report(faults)
}

/// Every part that is joined by AND must offer an allowed licence.
fn licence_is_fine(expression: &str) -> bool {
    let fine = |part: &str| {
        part.split(" OR ").any(|name| LICENCES.contains(&name.trim_matches(['(', ')', ' '])))
    };
    !expression.is_empty() && expression.replace('/', " OR ").split(" AND ").all(fine)
}

/// Fails on a dependency that wants a newer compiler than we promise; returns what we promise.
pub(crate) fn check_dependency_msrv() -> Result<String> {
    let metadata = metadata()?;
    let msrv = |package: &Value| package["rust_version"].as_str().map(str::to_owned);
    let ours = packages(&metadata).find(|package| package["name"] == "gmkit").and_then(msrv);
    let ours = ours.ok_or("the crate gmkit states no rust-version")?;
    let faults = packages(&metadata)
        .filter(|package| msrv(package).is_some_and(|theirs| number(&theirs) > number(&ours)))
        .map(|package| format!("{} needs Rust {}", package["name"], package["rust_version"]))
        .collect();
    report(faults).map(|()| ours)
}

/// Major, minor, patch; what is not written counts as 0, so that 1.89 is 1.89.0.
fn number(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(user: &str, used: &str) -> (String, String) {
        (user.to_owned(), used.to_owned())
    }

    #[test]
    fn the_workspace_keeps_the_arrows_and_a_planted_edge_does_not() {
        let mut edges = edges(&metadata().unwrap());
        assert!(edges.contains(&edge("gmkit-sm2", "gmkit-sm3")), "the edges are really read");
        assert!(violations(&edges).is_empty());
        edges.push(edge("gmkit-sm3", "gmkit-keys"));
        edges.push(edge("gmkit-new", "gmkit-sm3"));
        assert_eq!(violations(&edges).len(), 2);
    }

    #[test]
    fn licence_expressions() {
        for good in
            ["MIT", "MIT OR Apache-2.0", "MIT/Apache-2.0", "(MIT OR GPL-3.0) AND Unicode-3.0"]
        {
            assert!(licence_is_fine(good), "{good}");
        }
        for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "LGPL-2.1"] {
            assert!(!licence_is_fine(bad), "{bad}");
        }
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(number("1.100") > number("1.89.1"));
        assert!(number("1.89") < number("1.89.1"));
        assert_eq!(number("1.89"), number("1.89.0"));
    }
}
