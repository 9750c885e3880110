//! `gmkit selftest`.

use gmkit::{keys::selftest, rng};

use crate::{
    args::Selftest,
    failure::Failure,
    integrity::{self, Integrity},
    output::print,
};

pub(crate) fn run(args: &Selftest) -> Result<(), Failure> {
    if let Some(path) = &args.seal {
        return integrity::write_sealed_copy(path);
    }
    // First, because after a failed test no key works any more, the integrity check's neither.
    let integrity = integrity::check()?;
    let mut results = selftest::run_all();
    results.push(("DRNG", rng::selftest()));
    let sound = match integrity {
        Integrity::Intact => true,
        Integrity::Damaged => false,
        Integrity::NotSealed => !args.require_seal,
    };
    let passed = sound && results.iter().all(|(_, passed)| *passed);
    if args.json.json {
        let tests: Vec<_> = results
            .iter()
            .map(|(test, passed)| serde_json::json!({ "test": test, "passed": passed }))
            .collect();
        let report = serde_json::json!({
            "passed": passed,
            "tests": tests,
            "integrity": integrity.name(),
        });
        print(&report.to_string())?;
    } else {
        for (test, passed) in &results {
            print(&format!("{test:<26} {}", if *passed { "passed" } else { "FAILED" }))?;
        }
        print(&format!("{:<26} {}", "integrity of this binary", integrity.name()))?;
    }
    if passed { Ok(()) } else { Err(Failure::check("self-test failed")) }
}
