//! `gmkit audit append` while one system call after the other fails, as `strace` makes them: nothing is lost
//! unsaid, and the log goes on.

mod support;

use std::fs;

use serde_json::Value;
use support::{Done, Lab};

const BEFORE: u64 = 5;
const DURING: usize = 40;
const AFTER: u64 = 3;

const EVENT: &str = r#"{"op_type":"login","result":{"outcome":"denied"},"actor":{"user":"alice"}}"#;

/// Runs the command with the n-th call of a kind failing, in each of its threads.
const SCRIPT: &str = r#"exec strace -f -qq -o trace -e trace=$1 -e inject=$1:error=$2:when=$3 \
    $4 audit append --log log -k key.pem --json < events"#;

/// The calls, and how they fail.
const FAULTS: &[(&str, &str)] = &[
    ("openat", "EMFILE"),
    ("write", "EIO"),
    ("write", "ENOSPC"),
    ("pwrite64", "ENOSPC"),
    ("fdatasync", "EIO"),
    ("fsync", "EIO"),
    ("rename", "EIO"),
    // With any other error Rust's own library ends the program where it is a folder that does not close.
    ("close", "EINTR"),
    ("mkdir", "ENOSPC"),
];

/// All of them with GMKIT_AUDIT_CALLS=all; else more seldom the later they come.
fn nth() -> impl Iterator<Item = usize> {
    let all = std::env::var("GMKIT_AUDIT_CALLS").is_ok_and(|calls| calls == "all");
    std::iter::successors(Some(1), move |n: &usize| Some(n + if all { 1 } else { 1 + n / 2 }))
}

fn json(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or(Value::Null)
}

/// How many events were ever offered, as the log's own count says.
fn offered(lab: &Lab) -> u64 {
    let bytes = lab.read("log/counters");
    u64::from_le_bytes(bytes[..8].try_into().unwrap())
}

/// Whether a call failed at all.
fn with_fault(call: &str, error: &str, n: usize) -> bool {
    let lab = Lab::new();
    let events = format!("{EVENT}\n");
    let append = |events: String| {
        lab.gmkit_with("audit append --log log -k key.pem --json".split(' '), events.as_bytes())
    };
    assert_eq!(append(events.repeat(BEFORE as usize)).code, 0);
    lab.write("events", events.repeat(DURING));
    lab.write("run.sh", SCRIPT);
    let gmkit = env!("CARGO_BIN_EXE_gmkit");
    let done = lab.peer_done(&format!("sh run.sh {call} {error} {n} {gmkit}"));
    let about = format!("{call} {error} {n}: {} {}", done.stdout, done.stderr);
    assert!(matches!(done.code, 0..=3 | 127), "{about}");
    // The loader of programs has not got as far as ours.
    assert!(done.code != 127 || done.stderr.contains("error while loading"), "{about}");
    let acknowledged = json(&done)["records"].as_u64().unwrap_or(0);
    assert!(done.code != 0 || acknowledged == DURING as u64, "{about}");
    let told = offered(&lab);

    let again = append(events.repeat(AFTER as usize));
    assert_eq!(again.code, 0, "{about}: {}", again.stderr);
    let report = json(&lab.gmkit("audit verify --log log -p pub.pem --json"));
    assert_eq!(report["sound"], true, "{about}: {report}");
    let count = |name: &str| report["gaps"][name].as_u64().unwrap();
    let recorded = report["events"].as_u64().unwrap();
    let gaps = count("refused") + count("dropped") + count("lost");
    assert_eq!(recorded + gaps, told + AFTER, "{about}: {report}");
    assert!(recorded >= BEFORE + acknowledged + AFTER, "{about}: {report}");
    fs::read_to_string(lab.path("trace")).unwrap_or_default().contains("INJECTED")
}

#[test]
fn one_call_at_a_time() {
    let mut faults = 0;
    for (call, error) in FAULTS {
        let hits = nth().take_while(|n| with_fault(call, error, *n)).count();
        println!("{call} {error}: {hits} failures");
        faults += hits;
    }
    assert!(faults > 25, "{faults}: strace has made none, or nearly none");
}
