//! Copies of a log, in a sink that does what it is told to do wrong.

mod support;

use std::{fs, path::Path};

use gmkit_audit::{Error, Forwarder, Last, Log, Options, ReadBack, Retention, Sink};
use gmkit_keys::PrivateKey;
use support::{KEY, options, records, sound, write};

#[derive(Default)]
struct Memory {
    records: Vec<Vec<u8>>,
    /// How many are taken until it is away.
    room: Option<usize>,
    sends: usize,
}

fn away() -> Error {
    Error::Sink { reason: "away".to_owned() }
}

impl Sink for Memory {
    fn last(&mut self) -> Result<Option<Last>, Error> {
        Ok(self.records.last().map(|last| Last::new(self.records.len() as u64 - 1, last)))
    }

    fn send(&mut self, first: u64, records: &[Vec<u8>]) -> Result<(), Error> {
        assert_eq!(first, self.records.len() as u64, "in their order, and each once");
        self.sends += 1;
        for record in records {
            if self.room == Some(0) {
                return Err(away());
            }
            self.room = self.room.map(|room| room - 1);
            self.records.push(record.clone());
        }
        Ok(())
    }
}

impl ReadBack for Memory {
    fn read(&mut self, first: u64, count: usize) -> Result<Vec<Vec<u8>>, Error> {
        Ok(self.records.iter().skip(first as usize).take(count).cloned().collect())
    }
}

/// A copy that begins with a later record.
struct Later(u64, Memory);

impl Sink for Later {
    fn last(&mut self) -> Result<Option<Last>, Error> {
        let shifted = |last: &Vec<u8>| Last::new(self.1.records.len() as u64 - 1 + self.0, last);
        Ok(self.1.records.last().map(shifted))
    }
    fn send(&mut self, first: u64, records: &[Vec<u8>]) -> Result<(), Error> {
        self.1.send(first - self.0, records)
    }
}

impl ReadBack for Later {
    fn read(&mut self, first: u64, count: usize) -> Result<Vec<Vec<u8>>, Error> {
        self.1.read(first - self.0, count)
    }
}

fn small() -> Options {
    options().with_segments(40_000)
}

const NOTHING: fn() -> Retention = || Retention::shorter_than_the_law_wants(0);

#[test]
fn each_record_goes_once() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..700, small());
    let mut forwarder = Forwarder::new(dir, KEY.public_key(), Memory::default());
    // Away in the middle of what is sent together, and back again.
    forwarder.sink().room = Some(300);
    assert!(matches!(forwarder.forward(), Err(Error::Sink { .. })));
    assert!(matches!(forwarder.forward(), Err(Error::Sink { .. })));
    forwarder.sink().room = None;
    let size = sound(dir).size;
    assert_eq!(forwarder.forward().unwrap().next, size);
    assert!(forwarder.sink().records == records(dir));
    let sends = forwarder.sink().sends;
    assert_eq!(forwarder.forward().unwrap().next, size);
    assert_eq!(forwarder.sink().sends, sends, "there is nothing to send");
    write(dir, 700..1500, small());
    assert_eq!(forwarder.forward().unwrap().next, sound(dir).size);
    assert!(forwarder.sink().records == records(dir));

    // Another one goes on where this one was.
    let kept = std::mem::take(forwarder.sink());
    write(dir, 1500..1600, small());
    let mut again = Forwarder::new(dir, KEY.public_key(), kept);
    assert_eq!(again.forward().unwrap().next, sound(dir).size);
    assert!(again.sink().records == records(dir));
}

#[test]
fn what_is_not_signed_stays() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..10, options());
    let signed = sound(dir).size;
    let log = Log::open_unsigned(dir, options()).unwrap();
    log.append(&support::event(10)).unwrap();
    log.close().unwrap();
    let mut forwarder = Forwarder::new(dir, KEY.public_key(), Memory::default());
    assert_eq!((sound(dir).tail, forwarder.forward().unwrap().next), (1, signed));
    assert_eq!(forwarder.sink().records.len() as u64, signed);

    let stranger = gmkit_keys::SoftwareKey::generate().unwrap();
    let mut wrong = Forwarder::new(dir, stranger.public_key(), Memory::default());
    assert!(matches!(wrong.forward(), Err(Error::Rejected)));
    assert!(wrong.sink().records.is_empty());
}

#[test]
fn a_copy_of_something_else_is_not_added_to() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..20, options());
    let mut forwarder = Forwarder::new(dir, KEY.public_key(), Memory::default());
    let size = forwarder.forward().unwrap().next;
    let kept = std::mem::take(forwarder.sink());
    // The log was rolled back, or begun anew.
    let other = tempfile::tempdir().unwrap();
    for events in [0..5, 5..40] {
        write(other.path(), events, options());
        let kept = Memory { records: kept.records.clone(), ..Memory::default() };
        let mut forwarder = Forwarder::new(other.path(), KEY.public_key(), kept);
        let refused = forwarder.forward();
        assert!(matches!(refused, Err(Error::OtherCopy { .. })), "{refused:?}");
        assert_eq!(forwarder.sink().records.len() as u64, size);
    }
}

#[test]
fn what_is_pruned_must_be_copied() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..3000, small());
    let mut forwarder = Forwarder::new(dir, KEY.public_key(), Memory::default());
    let log = Log::open(dir, small(), KEY.clone()).unwrap();
    let refused = log.prune_copied(NOTHING(), forwarder.sink());
    assert!(matches!(refused, Err(Error::NotCopied { first: 0, .. })), "{refused:?}");
    forwarder.forward().unwrap();
    let before = records(dir);
    for change in [
        |memory: &mut Memory| memory.records[700][20] ^= 1,
        |memory: &mut Memory| drop(memory.records.remove(700)),
        |memory: &mut Memory| memory.records.swap(700, 701),
        |memory: &mut Memory| memory.records.truncate(700),
    ] {
        let memory = forwarder.sink();
        let kept = memory.records.clone();
        change(memory);
        let refused = log.prune_copied(NOTHING(), memory);
        assert!(matches!(refused, Err(Error::NotCopied { first: 512, end: 768 })), "{refused:?}");
        memory.records = kept;
    }
    assert!(records(dir) == before && sound(dir).first == 0, "nothing went");
    let pruned = log.prune_copied(NOTHING(), forwarder.sink()).unwrap();
    assert!(pruned.first >= 2048);
    let size = forwarder.forward().unwrap().next;
    log.close().unwrap();
    assert_eq!(sound(dir).first, pruned.first);
    assert_eq!(forwarder.sink().records.len() as u64, size, "it has what is gone");

    // A second time, behind the first cut; and a copy that began there.
    write(dir, 3000..5000, small());
    forwarder.forward().unwrap();
    let log = Log::open(dir, small(), KEY.clone()).unwrap();
    let again = log.prune_copied(NOTHING(), forwarder.sink()).unwrap();
    assert!(again.first > pruned.first);
    log.close().unwrap();
    let mut late = Forwarder::new(dir, KEY.public_key(), Later(again.first, Memory::default()));
    assert_eq!(late.forward().unwrap().next, sound(dir).size);
    assert!(late.sink().1.records == records(dir));
    write(dir, 5000..5010, small());
    assert_eq!(late.forward().unwrap().next, sound(dir).size);
}

#[test]
fn a_record_that_is_gone_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..700, options());
    let segment = dir.join("segments/00000000000000000000.jsonl");
    let text = fs::read(&segment).unwrap();
    fs::write(&segment, &text[..text.len() / 2]).unwrap();
    let mut forwarder = Forwarder::new(dir, KEY.public_key(), Memory::default());
    let failed = forwarder.forward();
    assert!(matches!(failed, Err(Error::Damaged { .. } | Error::Io { .. })), "{failed:?}");
    fs::write(&segment, &text).unwrap();
    assert_eq!(forwarder.forward().unwrap().next, sound(dir).size);
    assert!(forwarder.sink().records == records(dir));
}

/// What is missing at the beginning must have been pruned, and that is said.
#[test]
fn a_beginning_that_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..3000, small());
    let oldest = dir.join("segments/00000000000000000000.jsonl");
    fs::rename(&oldest, dir.join("kept")).unwrap();
    let mut forwarder = Forwarder::new(dir, KEY.public_key(), Memory::default());
    let refused = forwarder.forward();
    assert!(matches!(refused, Err(Error::OtherCopy { .. })), "{refused:?}");
    assert!(forwarder.sink().records.is_empty());
    fs::rename(dir.join("kept"), &oldest).unwrap();

    let log = Log::open(dir, small(), KEY.clone()).unwrap();
    let pruned = log.prune(NOTHING()).unwrap();
    log.close().unwrap();
    let later = Later(pruned.first, Memory::default());
    let mut forwarder = Forwarder::new(dir, KEY.public_key(), later);
    let done = forwarder.forward().unwrap();
    assert_eq!((done.next, done.skipped), (sound(dir).size, pruned.first));
    assert!(forwarder.sink().1.records == records(dir));
}

#[test]
fn a_log_that_goes_back_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..300, options());
    let copy = |from: &Path, to: &Path| {
        assert!(
            std::process::Command::new("cp")
                .arg("-rT")
                .args([from, to])
                .status()
                .unwrap()
                .success()
        );
    };
    let kept = tempfile::tempdir().unwrap();
    copy(dir, kept.path());
    write(dir, 300..400, options());
    let mut forwarder = Forwarder::new(dir, KEY.public_key(), Memory::default());
    forwarder.forward().unwrap();
    fs::remove_dir_all(dir).unwrap();
    copy(kept.path(), dir);
    let refused = forwarder.forward();
    assert!(matches!(refused, Err(Error::OtherCopy { .. })), "{refused:?}");
    // It is longer again than it was, and not the same.
    write(dir, 1000..1300, options());
    let stop = std::sync::atomic::AtomicBool::new(false);
    let refused = forwarder.follow(&stop, |_| ());
    assert!(matches!(refused, Err(Error::OtherCopy { .. })), "{refused:?}");
    assert_eq!(forwarder.sink().records.len(), 401);
}

/// A segment in the middle is not what pruning leaves: whoever follows is told, and not kept waiting.
#[test]
fn a_hole_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..3000, small());
    let mut segments: Vec<_> =
        fs::read_dir(dir.join("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    fs::remove_file(&segments[2]).unwrap();
    let mut forwarder = Forwarder::new(dir, KEY.public_key(), Memory::default());
    let stop = std::sync::atomic::AtomicBool::new(false);
    assert!(forwarder.follow(&stop, |_| panic!("the sink is there")).is_err());
}

/// What nobody has signed may be cut off again: it must not be kept for what comes in its place.
#[test]
fn what_was_read_ahead_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..30, options());
    let segment = dir.join("segments/00000000000000000000.jsonl");
    let signed = fs::read(&segment).unwrap();
    let mut forwarder = Forwarder::new(dir, KEY.public_key(), Memory::default());
    for unsigned in ["{\"half", "{}\n{}\n{\"half"] {
        fs::write(&segment, [&signed, unsigned.as_bytes()].concat()).unwrap();
        assert_eq!(forwarder.forward().unwrap().next, 31);
    }
    fs::write(&segment, &signed).unwrap();
    write(dir, 30..60, options());
    assert_eq!(forwarder.forward().unwrap().next, sound(dir).size);
    assert!(forwarder.sink().records == records(dir));
}

/// A sink that is away does not make more of what was pruned, nor is that looked for again and again.
#[test]
fn what_was_pruned_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..3000, small());
    let log = Log::open(dir, small(), KEY.clone()).unwrap();
    let pruned = log.prune(NOTHING()).unwrap();
    log.close().unwrap();
    let away = Memory { room: Some(0), ..Memory::default() };
    let mut forwarder = Forwarder::new(dir, KEY.public_key(), Later(pruned.first, away));
    for _ in 0..3 {
        assert!(matches!(forwarder.forward(), Err(Error::Sink { .. })));
    }
    forwarder.sink().1.room = None;
    assert_eq!(forwarder.forward().unwrap().skipped, pruned.first);
    assert_eq!(forwarder.forward().unwrap().skipped, pruned.first);
}
