//! Every vector, and the set of edge cases that may be accepted.

use std::collections::BTreeSet;

use gmkit_vectors::{Error, Selection, run, suites};

#[test]
fn every_vector_passes() {
    let report = run(&Selection::default()).unwrap();
    for suite in &report.suites {
        assert!(suite.failures.is_empty(), "{}: {:#?}", suite.suite, suite.failures);
        assert!(suite.passed > 0, "{} is empty", suite.suite);
        assert!(!suite.standard.is_empty() && !suite.clause.is_empty(), "{}", suite.suite);
    }
    for suite in suites() {
        let ran = report.suites.iter().filter(|report| report.suite == suite);
        assert!(ran.clone().any(|report| report.backend == "portable"), "{suite}");
    }
    for backend in &report.backends {
        assert!(report.suites.iter().any(|suite| suite.backend == *backend), "{backend}");
    }
    assert!(report.passed >= 1500, "{} vectors", report.passed);
    assert!(report.suites.iter().flat_map(|s| &s.refusals).all(|r| !r.reason.is_empty()));
}

/// Flags of our own negative vectors, by file: what is refused, and so what is not accepted.
fn flags(suite: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let path = format!("{}/data/{suite}_test.json", env!("CARGO_MANIFEST_DIR"));
    let file: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut accepted, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for group in file["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let set = if test["result"] == "valid" { &mut accepted } else { &mut refused };
            set.extend(
                test["flags"].as_array().unwrap().iter().map(|f| f.as_str().unwrap().to_owned()),
            );
        }
    }
    (accepted, refused)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_accepted_edge_cases_are_exactly_these() {
    // Since every vector passes, a flag that occurs on valid vectors only is one that is accepted,
    // and a flag on invalid ones only is one that is refused. None may be both.
    for (suite, want_accepted) in [
        ("sm2_verify", set(&["Standard", "Pseudorandom", "Id", "ExtremeE", "XAboveN"])),
        ("sm2_sign", set(&["Standard", "Pseudorandom", "EdgeKey"])),
        ("sm2_point", set(&["Uncompressed", "Compressed"])),
        ("sm2_decrypt", set(&["Standard", "Pseudorandom", "ShortCoordinate"])),
        ("sm2_exchange", set(&["Standard", "Length", "Ids"])),
        ("sm4_xts", set(&["Length", "SameFirstBlock"])),
        ("sm4_ccm", set(&["Standard", "Length", "NonceLength", "TagLength", "LongAad"])),
        ("sm4_gcm_siv", set(&["Length"])),
        ("sm4_cmac", set(&["Length"])),
        ("sm4_wrap", set(&["Length"])),
        ("sm4_gcm_gm", set(&["Standard", "Length", "ShortTag", "LongIv"])),
        ("sm4_cbc_pkcs7", set(&["Standard", "Length"])),
    ] {
        let (accepted, refused) = flags(suite);
        assert_eq!(accepted, want_accepted, "{suite}");
        let both: Vec<_> = accepted.intersection(&refused).filter(|f| *f != "Length").collect();
        assert!(both.is_empty(), "{suite}: {both:?}");
    }
    let (_, refused) = flags("sm2_verify");
    assert!(refused.is_superset(&set(&[
        "ZeroR",
        "ZeroS",
        "RIsN",
        "SIsN",
        "RAboveN",
        "SAboveN",
        "RPlusN",
        "SPlusN",
        "ZeroT",
        "Infinity",
        "NegativeInteger",
        "NonMinimalInteger",
        "BerLength",
        "TrailingData",
        "Truncated",
        "WrongTag",
        "IntegerSize",
        "Malleated",
        "NoZ",
        "WrongId",
        "WrongKey",
        "WrongMessage",
    ])));
}

#[test]
fn selections() {
    let one = Selection { suite: Some("sm2_point".to_owned()), ..Selection::default() };
    let report = run(&one).unwrap();
    assert!(report.suites.iter().all(|suite| suite.suite == "sm2_point"));
    assert!(report.suites.iter().any(|suite| suite.backend == "portable"));
    let portable = Selection { backend: Some("portable".to_owned()), ..one.clone() };
    assert_eq!(run(&portable).unwrap().suites.len(), 1);
    // A backend that there is, but not for this suite: nothing would run.
    let other = Selection { suite: Some("sm4_block".to_owned()), ..Selection::default() };
    let other = Selection { backend: Some("saturated".to_owned()), ..other };
    assert_eq!(run(&other).unwrap_err(), Error::UnknownBackend("saturated".to_owned()));
    let none = Selection { suite: Some("sm5".to_owned()), ..Selection::default() };
    assert_eq!(run(&none).unwrap_err(), Error::UnknownSuite("sm5".to_owned()));
    let none = Selection { backend: Some("abacus".to_owned()), ..Selection::default() };
    assert_eq!(run(&none).unwrap_err(), Error::UnknownBackend("abacus".to_owned()));
}

#[test]
fn reports_are_well_formed() {
    let report = run(&Selection::default()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["failed"], 0);
    let xml = report.to_junit();
    assert_eq!(xml.matches("<testcase").count(), report.suites.len());
    assert!(!xml.contains("<failure>"));
}
