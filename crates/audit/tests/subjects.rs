//! Persons that are erased, and logs that still verify.

mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gmkit_audit::{Auditor, Error, Event, Fields, Log, Outcome, Subject, Subjects};
use gmkit_keys::SoftwareSecret;
use support::{Away, KEY, options, sound};

fn open(dir: &Path, key: u8) -> Result<Subjects, Error> {
    Subjects::open(dir, Arc::new(SoftwareSecret::sm4(&[key; 16]).unwrap()))
}

/// Somebody has paid somebody.
fn paid(subjects: &Subjects, by: &str, to: &str) -> Event {
    let ip = Some([203, 0, 113, 77].into());
    let mut event = Event::new("pay", Outcome::allowed()).by(by, Some("customer"), ip);
    event = event.on(format!("account-of-{to}")).with("amount", 5).with("phone", "13800138000");
    let fields = Fields::none().with_actor().with_attributes(&["phone", "nothing"]);
    subjects.seal(&mut event, by, fields).unwrap();
    subjects.seal(&mut event, to, Fields::none().with_resource()).unwrap();
    event
}

fn events_of(dir: &Path, subject: &Subject) -> Vec<Event> {
    let mut events = Vec::new();
    Auditor::for_each_record(dir, |_, line| {
        let mut event = Event::from_json(line)?;
        if subject.open(&mut event)? {
            events.push(event);
        }
        Ok(())
    })
    .unwrap();
    events
}

/// Every file below a folder has none of these texts.
fn nowhere(dir: &Path, texts: &[&str]) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            nowhere(&entry.path(), texts);
            continue;
        }
        let bytes = fs::read(entry.path()).unwrap();
        for text in texts {
            let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!found, "{text} in {}", entry.path().display());
            assert!(!entry.file_name().to_string_lossy().contains(text));
        }
    }
}

const PERSONAL: &[&str] = &["alice", "bob", "203.0.113.77", "13800138000"];

#[test]
fn a_person_is_erased_and_the_log_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let (log_dir, keys) = (dir.path().join("log"), dir.path().join("keys"));
    let log = Log::open(&log_dir, options(), KEY.clone()).unwrap();
    let subjects = open(&keys, 1).unwrap();
    for (by, to) in [("alice", "bob"), ("bob", "alice"), ("alice", "carol")] {
        log.append(&paid(&subjects, by, to)).unwrap();
    }
    let alice = subjects.find("alice").unwrap().unwrap();
    let events = events_of(&log_dir, &alice);
    assert_eq!(events.len(), 3);
    assert_eq!(events[0].actor.user.as_deref(), Some("alice"));
    assert_eq!(events[0].attributes["phone"], "13800138000".into());
    assert_eq!((&events[0].resource, events[0].personal.len()), (&None, 1), "bob's stays sealed");
    assert_eq!(events[1].resource.as_deref(), Some("account-of-alice"));
    assert!(events[1].actor.user.is_none() && events[1].actor.role.as_deref() == Some("customer"));
    nowhere(dir.path(), PERSONAL);

    let asides = || {
        fs::read_dir(&keys)
            .unwrap()
            .filter(|entry| {
                entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("erasing")
            })
            .count()
    };
    assert!(subjects.erase(&log, "alice").unwrap());
    assert_eq!(asides(), 0);
    assert!(subjects.find("alice").unwrap().is_none());
    assert!(!subjects.erase(&log, "alice").unwrap(), "she is gone already");
    log.append(&paid(&subjects, "alice", "bob")).unwrap();
    log.close().unwrap();
    assert_eq!(sound(&log_dir).gaps.events, 4);
    // Who comes back is somebody else.
    let again = subjects.find("alice").unwrap().unwrap();
    assert_ne!(again.id(), alice.id());
    assert_eq!(events_of(&log_dir, &again).len(), 1);
    assert_eq!(events_of(&log_dir, &subjects.find("bob").unwrap().unwrap()).len(), 3);
    let record = Auditor::record(&log_dir, 4).unwrap().unwrap();
    let text = String::from_utf8(record).unwrap();
    assert!(text.contains("gmkit.audit.erase") && text.contains(&alice.id().to_string()), "{text}");
    nowhere(dir.path(), PERSONAL);
}

#[test]
fn sealed_parts_belong_to_their_event_and_person() {
    let dir = tempfile::tempdir().unwrap();
    let subjects = open(dir.path(), 1).unwrap();
    let (one, other) = (paid(&subjects, "alice", "bob"), paid(&subjects, "alice", "bob"));
    let alice = subjects.find("alice").unwrap().unwrap();
    let rejected = |mut event: Event| {
        let before = event.clone();
        assert!(matches!(alice.open(&mut event), Err(Error::Rejected)));
        assert_eq!(event, before);
    };
    let mut moved = one.clone();
    moved.personal = other.personal.clone();
    rejected(moved);
    let mut taken = one.clone();
    taken.personal[1].subject = alice.id();
    rejected(taken);
    let mut replaced = one.clone();
    replaced.actor.user = Some("mallory".into());
    rejected(replaced);
    let mut twice = one.clone();
    twice.personal.push(one.personal[0].clone());
    rejected(twice);
    let mut bad = one.clone().with("phone", f64::NAN);
    bad.attributes.insert("phone".into(), gmkit_audit::Attribute::Number(f64::NAN));
    let fields = Fields::none().with_attributes(&["phone"]);
    assert!(matches!(subjects.seal(&mut bad, "alice", fields), Err(Error::Event { .. })));
    let mut right = Event::from_json(&one.to_line().unwrap()).unwrap();
    assert!(alice.open(&mut right).unwrap());
    assert!(!alice.open(&mut right).unwrap(), "there is nothing more");
}

#[test]
fn files_that_are_not_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let subjects = open(dir, 1).unwrap();
    paid(&subjects, "alice", "bob");
    assert!(matches!(open(dir, 2), Err(Error::Damaged { .. })), "another master key");
    let keys: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "key"))
        .collect();
    assert_eq!(keys.len(), 2);
    // One person's key under another's name.
    fs::copy(&keys[0], &keys[1]).unwrap();
    let found = ["alice", "bob"].map(|name| open(dir, 1).unwrap().find(name));
    assert!(found.iter().filter(|found| matches!(found, Err(Error::Damaged { .. }))).count() == 1);
    fs::write(&keys[1], b"short").unwrap();
    let found = ["alice", "bob"].map(|name| open(dir, 1).unwrap().find(name));
    assert!(found.iter().filter(|found| matches!(found, Err(Error::Damaged { .. }))).count() == 1);
    let mode = fs::metadata(&keys[1]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::remove_file(dir.join("lookup")).unwrap();
    assert!(matches!(open(dir, 1), Err(Error::Damaged { .. })), "names are lost with it");
    let log = tempfile::tempdir().unwrap();
    support::write(log.path(), 0..1, options());
    assert!(matches!(open(log.path(), 1), Err(Error::Options { .. })), "a log's own folder");
}

#[test]
fn two_processes_agree() {
    let dir = tempfile::tempdir().unwrap();
    let (log_dir, keys) = (dir.path().join("log"), dir.path().join("keys"));
    let (here, there) = (open(&keys, 1).unwrap(), open(&keys, 1).unwrap());
    let ids = |subjects: &Subjects| {
        let event = paid(subjects, "alice", "bob");
        (event.personal[0].subject, event.personal[1].subject)
    };
    let first = ids(&here);
    assert_eq!([ids(&there), ids(&here), ids(&there)], [first; 3]);
    let log = Log::open(&log_dir, options(), KEY.clone()).unwrap();
    assert!(there.erase(&log, "alice").unwrap());
    // Both had her key in memory, and one of them was not asked.
    let second = ids(&there);
    assert!(second.0 != first.0 && second.1 == first.1);
    assert_eq!(ids(&here), second);

    // Many at once make one key.
    let ids: Vec<_> = std::thread::scope(|scope| {
        let each =
            |subjects| scope.spawn(move || paid(subjects, "dave", "dave").personal[0].subject);
        let threads: Vec<_> = [&here, &there, &here, &there].map(each).into();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
}

#[test]
fn what_was_interrupted_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    let (log_dir, keys) = (dir.path().join("log"), dir.path().join("keys"));
    let subjects = open(&keys, 1).unwrap();
    let away = Arc::new(AtomicBool::new(false));
    let few = options().with_checkpoints(Duration::from_millis(10), 20);
    let log = Log::open(&log_dir, few, Arc::new(Away(Arc::clone(&away)))).unwrap();
    log.append(&paid(&subjects, "alice", "bob")).unwrap();
    let alice = subjects.find("alice").unwrap().unwrap();
    // The key is away, and too much is unsigned for anything more to be taken.
    away.store(true, Ordering::Relaxed);
    while log.append(&paid(&subjects, "bob", "carol")).is_ok() {}
    let refused = subjects.erase(&log, "alice");
    assert!(matches!(refused, Err(Error::Unsigned { .. })), "{refused:?}");
    let asides = || {
        let names = fs::read_dir(&keys).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().contains(&alice.id().to_string())).count()
    };
    assert!(asides() == 1 && subjects.find("alice").unwrap().is_none());
    away.store(false, Ordering::Relaxed);
    while log.append(&paid(&subjects, "bob", "carol")).is_err() {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Asked again, it is done, and said so.
    let done = loop {
        match subjects.erase(&log, "alice") {
            Ok(done) => break done,
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    assert!(done && asides() == 0);
    assert!(!subjects.erase(&log, "alice").unwrap());
    log.close().unwrap();
    sound(&log_dir);
}
