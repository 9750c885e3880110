//! What the audit log reads of what others write: events, checkpoints, proofs.

use std::sync::{Arc, LazyLock};

use gmkit_audit::{Checkpoint, Event, Log, MAX_RECORD, Options, Outcome, Proof};
use gmkit_keys::{PrivateKey, SoftwareKey};

static KEY: LazyLock<Arc<SoftwareKey>> =
    LazyLock::new(|| Arc::new(SoftwareKey::generate().expect("the system's generator works")));

/// Events: what is taken makes one line that is taken again, and none of the log's own.
pub fn audit_event(data: &[u8]) {
    let Ok(event) = Event::from_json(data) else { return };
    let Ok(line) = event.to_line() else { return };
    assert!(line.len() <= MAX_RECORD && !line.contains(&b'\n'));
    assert!(!event.op_type.starts_with("gmkit.audit."));
    let again = Event::from_json(&line).expect("a record is an event");
    assert_eq!(
        (again.event_id, again.time, again.actor),
        (event.event_id, event.time, event.actor)
    );
}

/// Checkpoints and proofs.
pub fn audit_note(data: &[u8]) {
    let key = KEY.public_key();
    if let Ok(opened) = Checkpoint::open(data, key) {
        assert_eq!(Checkpoint::unchecked(data).expect("it was opened"), opened);
    }
    let _ = Checkpoint::witnessed_by(data, key);
    if let Ok((proof, checkpoint)) = Proof::verify(data, key) {
        assert!(proof.index() < checkpoint.size);
        assert_eq!(proof.to_string().as_bytes(), data);
    }
}

pub(crate) fn seeds() -> Vec<(&'static str, String, Vec<u8>)> {
    let dir = tempfile::tempdir().expect("a folder");
    let options = Options::new("seed.example/log").expect("a name");
    let log = Log::open(dir.path(), options, KEY.clone()).expect("opens");
    let event = Event::new("login", Outcome::denied().code("403"));
    let mut event = event.by("alice", Some("admin"), Some([192, 0, 2, 7].into())).with("n", 7);
    event.trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().ok();
    log.append(&event).expect("appends");
    log.close().expect("closes");
    let note = std::fs::read_to_string(dir.path().join("checkpoint")).expect("a checkpoint");
    let opened = Checkpoint::unchecked(note.as_bytes()).expect("a checkpoint");
    let line = opened.cosign(1_000, "w.example", &**KEY).expect("signs");
    let proof = Proof::make(dir.path(), 1).expect("proves").to_string();
    vec![
        ("audit_event", "full".to_owned(), event.to_line().expect("short")),
        ("audit_note", "checkpoint".to_owned(), note.clone().into_bytes()),
        ("audit_note", "cosigned".to_owned(), format!("{note}{line}").into_bytes()),
        ("audit_note", "proof".to_owned(), proof.into_bytes()),
    ]
}
