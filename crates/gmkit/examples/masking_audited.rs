//! What masking replaces goes to the audit log: the field, its kind and its token, never the value.
//!
//! ```sh
//! cargo run --package gmkit --features audit,mask --example masking_audited
//! ```

use std::{path::Path, sync::Arc};

use gmkit::{
    audit::{Auditor, Event, Log, Options, Outcome},
    keys::{PrivateKey, SoftwareKey, SoftwareSecret},
    mask::{Decision, Keys, Observer, Policy, Strategy, json},
};

type Fault = Box<dyn std::error::Error + Send + Sync>;

const POLICY: &str = r#"
version = 1

[[rule]]
path = "customer.id"
kind = "cn_id"
strategy = { token = "joins" }

[detect]
"#;

const ORDER: &str =
    r#"{"customer":{"id":"11010119900318000X"},"note":"call 13800138000","amount":12.50}"#;

/// Records who was shown what in its place.
#[derive(Debug)]
struct Recorder {
    log: Arc<Log>,
    user: String,
}

impl Observer for Recorder {
    fn replaced(&self, decision: &Decision<'_>) {
        let mut event = Event::new("mask.replace", Outcome::allowed())
            .by(&self.user, None, None)
            .on(decision.name)
            .with("kind", decision.kind.map_or("any", |kind| kind.name()))
            .with("by", decision.confidence.map_or("rule", |confidence| confidence.name()));
        if matches!(decision.strategy, Strategy::Token(_)) {
            event = event.with("token", decision.becomes);
        }
        // What is not recorded is not shown: a panic in an observer ends the body.
        self.log.append(&event).expect("the audit log");
    }
}

pub(crate) fn run(dir: &Path) -> Result<(), Fault> {
    let key = Arc::new(SoftwareKey::generate()?);
    let options = Options::new("bank.example/masking")?;
    let log = Arc::new(Log::open(&dir.join("log"), options, key.clone())?);

    let joins = Arc::new(SoftwareSecret::hmac_sm3(&[7; 32])?); // a service takes it from a file, or a device
    let keys = Keys::new().with_secret("joins", joins);
    let recorder = Arc::new(Recorder { log: Arc::clone(&log), user: "teller7".into() });
    let policy = Policy::from_toml(POLICY, &keys)?.with_observer(recorder);
    let masked = String::from_utf8(json(&policy, ORDER.as_bytes())?)?;
    println!("{masked}");
    assert!(masked.contains("tok_") && !masked.contains("11010119900318000X"));

    drop(policy);
    drop(log);
    let report = Auditor::new(&dir.join("log"), key.public_key()).run()?;
    println!("{} decisions are recorded", report.gaps.events);
    assert!(report.is_sound() && report.gaps.events == 2);
    let written = std::fs::read_to_string(dir.join("log/segments/00000000000000000000.jsonl"))?;
    assert!(written.contains("tok_") && !written.contains("13800138000"));
    Ok(())
}

#[allow(dead_code, reason = "the tests call `run`")]
fn main() -> Result<(), Fault> {
    let dir = tempfile::tempdir()?;
    run(dir.path())
}
