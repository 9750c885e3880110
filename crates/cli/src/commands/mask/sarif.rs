//! What a scan has found, in the form that code scanners exchange (SARIF 2.1.0).

use std::collections::BTreeSet;

use gmkit::mask::{Confidence, Kind};
use serde_json::{Value, json};

use super::scan::Found;

pub(super) fn report(found: &[Found]) -> Value {
    let kinds: BTreeSet<Kind> = found.iter().map(|found| found.kind).collect();
    let rules: Vec<_> = kinds.iter().map(|kind| rule(*kind)).collect();
    let results: Vec<_> = found.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "gmkit", "version": env!("CARGO_PKG_VERSION"), "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(kind: Kind) -> Value {
    let what = if kind.is_secret() { "a secret" } else { "personal data" };
    json!({ "id": kind.name(), "shortDescription": { "text": format!("{what}: {kind}") } })
}

fn result(found: &Found) -> Value {
    let level = match found.confidence {
        Confidence::High => "error",
        Confidence::Medium => "warning",
        _ => "note",
    };
    json!({
        "ruleId": found.kind.name(),
        "level": level,
        "message": { "text": format!("{}: {}", found.kind, found.masked) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&found.path) },
            "region": { "startLine": found.line, "startColumn": found.column },
        } }],
    })
}

/// A path as a reference in a URI.
fn uri(path: &str) -> String {
    path.bytes().fold(String::new(), |mut uri, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => {
                uri.push(char::from(byte));
            }
            byte => uri += &format!("%{byte:02X}"),
        }
        uri
    })
}
