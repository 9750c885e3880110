//! Logs whose old records go.

mod support;

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use gmkit_audit::{
    Auditor, Checkpoint, Error, Finding, Log, Options, Proof, Pruned, Retention, WhenFull, growth,
    leaf_hash, verify_consistency,
};
use gmkit_keys::PrivateKey;
use support::{KEY, event, options, sound, write};

/// Everything goes that can.
const NOTHING: fn() -> Retention = || Retention::shorter_than_the_law_wants(0);

fn prune(dir: &Path, retention: Retention) -> Pruned {
    let log = Log::open(dir, options(), KEY.clone()).unwrap();
    let pruned = log.prune(retention).unwrap();
    log.close().unwrap();
    pruned
}

fn small() -> Options {
    options().with_segments(40_000)
}

fn bytes_in(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| match entry.file_type().unwrap().is_dir() {
            true => bytes_in(&entry.path()),
            false => entry.metadata().unwrap().len(),
        })
        .sum()
}

#[test]
fn what_is_left_is_proven() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..700, small());
    let early = fs::read(dir.join("checkpoint")).unwrap();
    let text = Proof::make(dir, 5).unwrap().to_string();
    write(dir, 700..3000, small());
    assert_eq!(prune(dir, Retention::default()).records, 0, "they are of today");
    assert_eq!(prune(dir, Retention::shorter_than_the_law_wants(1)).records, 0);

    let pruned = prune(dir, NOTHING());
    assert!(pruned.first >= 2048 && pruned.records == pruned.first && pruned.bytes > 500_000);
    let report = sound(dir);
    assert_eq!(report.first, pruned.first);
    assert!(report.gaps.events >= 3000 - pruned.first && report.gaps.events < 3000);
    let mut indices = Vec::new();
    Auditor::for_each_record(dir, |index, _| {
        indices.push(index);
        Proof::verify(Proof::make(dir, index)?.to_string().as_bytes(), KEY.public_key()).map(drop)
    })
    .unwrap();
    assert!(indices.into_iter().eq(pruned.first..report.size));
    // A proof that somebody has holds for ever.
    Proof::verify(text.as_bytes(), KEY.public_key()).unwrap();
    let gone = Proof::make(dir, 5);
    assert!(matches!(gone, Err(Error::Pruned { first }) if first == pruned.first), "{gone:?}");
    assert_eq!(Auditor::record(dir, 5).unwrap(), None);
    assert_eq!(Auditor::last(dir, 10_000).unwrap()[0].0, pruned.first);

    // So few records leave their tiles behind: a checkpoint of before can still be compared.
    let kept = Checkpoint::open(&early, KEY.public_key()).unwrap();
    let (_, new, proof) = growth(dir, kept.size, KEY.public_key()).unwrap();
    verify_consistency(kept.size, &kept.root, new.size, &new.root, &proof).unwrap();
    let report = Auditor::new(dir, KEY.public_key()).with_kept(&early).run().unwrap();
    let too_old = Finding::TooOld { kept: kept.size, first: pruned.first };
    assert_eq!(report.findings, [too_old], "a reader does not take leaves' tiles for records");

    // It goes on, and goes on being pruned.
    write(dir, 3000..4000, small());
    let again = prune(dir, NOTHING());
    assert!(again.first > pruned.first && again.records == again.first - pruned.first);
    write(dir, 4000..4010, small());
    assert_eq!(sound(dir).first, again.first);
}

#[test]
fn nothing_goes_without_a_signature() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..1000, small());
    let log = Log::open_unsigned(dir, options()).unwrap();
    assert!(matches!(log.prune(NOTHING()), Err(Error::Options { .. })));
    log.close().unwrap();
    assert_eq!(sound(dir).first, 0);
    assert!(matches!(Retention::new(189), Err(Error::Options { .. })));
}

#[test]
fn more_than_was_said_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..3000, small());
    let first = prune(dir, NOTHING()).first;
    write(dir, 3000..5000, small());
    let run = || Auditor::new(dir, KEY.public_key()).run().unwrap().findings;
    assert_eq!(run(), []);
    let segment = |first: u64| dir.join(format!("segments/{first:020}.jsonl"));
    let mut segments: Vec<_> =
        fs::read_dir(dir.join("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    assert_eq!(segments[0], segment(first));
    let text = fs::read_to_string(&segments[0]).unwrap();
    // A record that was changed is found behind those that went.
    fs::write(&segments[0], text.replacen("account/2", "account/3", 1)).unwrap();
    let changed = run();
    assert!(matches!(changed[..], [Finding::Changed { index }] if index >= first), "{changed:?}");
    fs::write(&segments[0], &text).unwrap();

    // One more segment than the log has said; with it goes what it has said.
    fs::remove_file(&segments[0]).unwrap();
    let found = segments[1].file_stem().unwrap().to_str().unwrap().parse().unwrap();
    assert_eq!(run(), [Finding::Segments { index: 0, found }]);
    fs::write(&segments[0], &text).unwrap();
    assert_eq!(run(), []);

    // The tiles that prove what went.
    let partial = fs::read_dir(dir.join("tile/1/000.p")).unwrap();
    for path in partial.map(|entry| entry.unwrap().path()) {
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] ^= 1;
        fs::write(&path, &bytes).unwrap();
    }
    assert!(matches!(run()[..], [Finding::Somewhere { first: 0, .. }]));
    // Without them those of the leaves do, as long as they are there.
    fs::remove_dir_all(dir.join("tile/1/000.p")).unwrap();
    assert_eq!(run(), []);
    fs::remove_file(dir.join("tile/0/003")).unwrap();
    assert!(matches!(run()[..], [Finding::Tile { first: 0, .. }]));
}

/// A line behind the last checkpoint, as anybody can write it, gives nobody leave to delete.
#[test]
fn only_the_key_gives_leave() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..3000, small());
    let segments = || {
        let paths = fs::read_dir(dir.join("segments")).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = paths.collect();
        paths.sort();
        paths
    };
    let last = segments().pop().unwrap();
    let first: u64 = last.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let other = tempfile::tempdir().unwrap();
    write(other.path(), 0..3000, Options::new("other.example/log").unwrap().with_segments(40_000));
    let elsewhere =
        Log::open(other.path(), Options::new("other.example/log").unwrap(), KEY.clone()).unwrap();
    elsewhere.prune(NOTHING()).unwrap();
    elsewhere.close().unwrap();
    let (_, real) = Auditor::last(other.path(), 1).unwrap().pop().unwrap();
    let real = String::from_utf8(real).unwrap();
    assert!(real.contains("gmkit.audit.prune"));
    let id = "019ab000-0000-7000-8000-000000000000";
    let forged = format!(
        r#"{{"v":1,"event_id":"{id}","time":"2026-01-01T00:00:00Z","op_type":"gmkit.audit.prune","result":{{"outcome":"allowed"}},"attributes":{{"days":190,"first":{first},"note":"x"}}}}"#
    );
    let mut text = fs::read_to_string(&last).unwrap();
    text += &format!("{forged}\n{real}\n");
    fs::write(&last, text).unwrap();
    write(dir, 3000..3010, small());
    sound(dir);
    for path in segments() {
        if path != last {
            fs::remove_file(path).unwrap();
        }
    }
    let findings = Auditor::new(dir, KEY.public_key()).run().unwrap().findings;
    assert_eq!(findings, [Finding::Segments { index: 0, found: first }]);
}

/// What the files say is not believed by who deletes them.
#[test]
fn a_pruner_is_not_led_astray() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..3000, small());
    let paths = dir.join("segments").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut segments: Vec<_> = paths.collect();
    segments.sort();
    let text = fs::read_to_string(&segments[0]).unwrap();
    let year = &text[text.find("\"time\":\"").unwrap() + 8..][..4];
    let old = text.replacen(&format!("\"time\":\"{year}"), "\"time\":\"2001", 1);
    assert_ne!(old, text);
    fs::write(&segments[0], old).unwrap();
    let log = Log::open(dir, options(), KEY.clone()).unwrap();
    let refused = log.prune(Retention::default());
    assert!(matches!(refused, Err(Error::Rejected)), "{refused:?}");
    fs::write(&segments[0], text).unwrap();
    // A segment that is none, behind the one that is written.
    let fake = dir.join(format!("segments/{:020}.jsonl", 256_000));
    fs::copy(&segments[0], &fake).unwrap();
    log.append(&event(0)).unwrap();
    let pruned = log.prune(NOTHING()).unwrap();
    assert!(pruned.first < 3000, "the one that is written stays");
    fs::remove_file(&fake).unwrap();
    log.append(&event(0)).unwrap();
    log.close().unwrap();
    sound(dir);

    // Tiles that would be all that is left.
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..3000, small());
    let log = Log::open(dir, options(), KEY.clone()).unwrap();
    for entry in fs::read_dir(dir.join("tile/1/000.p")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let refused = log.prune(NOTHING());
    assert!(refused.is_err(), "{refused:?}");
    drop(log);
    assert_eq!(sound(dir).first, 0);
}

#[test]
fn pruning_that_was_interrupted_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..3000, small());
    let kept = fs::read(dir.join("segments/00000000000000000000.jsonl")).unwrap();
    let first = prune(dir, NOTHING()).first;
    // Files go the oldest first, so that no kill leaves a hole.
    let segment = dir.join(format!("segments/{:020}.jsonl", 0));
    fs::write(&segment, kept).unwrap();
    let report = Auditor::new(dir, KEY.public_key()).run().unwrap();
    let hole = matches!(report.findings[..], [Finding::Segments { found, .. }] if found == first);
    assert!(hole, "{:?}", report.findings);
    fs::remove_file(&segment).unwrap();
    assert_eq!(sound(dir).first, first);

    // The segment before those that are left is one that the log has given up: nothing is wrong with it.
    write(dir, 3000..5000, small());
    let mut segments: Vec<_> =
        fs::read_dir(dir.join("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    let last_to_go = segments[segments.len() - 2].clone();
    let kept = fs::read(&last_to_go).unwrap();
    let first = prune(dir, NOTHING()).first;
    fs::write(&last_to_go, kept).unwrap();
    assert!(sound(dir).first < first);
    assert_eq!(prune(dir, NOTHING()).first, first);
    assert_eq!(sound(dir).first, first);
}

#[test]
fn beside_readers_and_writers() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let options = small().with_batch(20, Duration::from_millis(1));
    let log = Log::open(dir, options, KEY.clone()).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                sound(dir);
            }
        });
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                log.prune(NOTHING()).unwrap();
            }
        });
        for n in 0..8000 {
            log.submit(&event(n), WhenFull::Block).unwrap();
        }
        log.append(&event(0)).unwrap();
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    log.prune(NOTHING()).unwrap();
    log.close().unwrap();
    assert!(sound(dir).first > 4000);
}

/// Six months of records, less those of the last segment: at least 95 of 100 bytes come back.
#[test]
fn nearly_all_bytes_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let options = options().with_batch(4096, Duration::from_millis(50)).with_queue(8192);
    let log = Log::open(dir, options.with_segments(4 << 20), KEY.clone()).unwrap();
    for n in 0..135_000 {
        let event = event(n).with("detail", "0123456789".repeat(18));
        log.submit(&event, WhenFull::Block).unwrap();
    }
    log.close().unwrap();
    let before = bytes_in(dir);
    let pruned = prune(dir, NOTHING());
    let report = sound(dir);
    assert!(
        report.size > 135_000 && report.first == pruned.first && pruned.first > 2 * 65_536 - 20_000
    );
    let share = pruned.first as f64 / report.size as f64;
    let back = pruned.bytes as f64 / (before as f64 * share);
    assert!(back > 0.95, "{back}");
    Proof::make(dir, report.first).unwrap();

    // A record that was changed with its tile: it is known which tree it is in. Where segments begin is up to how the
    // records came, so there are some more in this one.
    write(dir, 135_000..136_000, self::options());
    let index = report.first + 700;
    let mut segments: Vec<_> =
        fs::read_dir(dir.join("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    let text = fs::read_to_string(&segments[0]).unwrap();
    let mut lines: Vec<_> = text.split('\n').map(str::to_owned).collect();
    lines[700] = lines[700].replacen("allowed", "altered", 1);
    let hash = leaf_hash(lines[700].as_bytes());
    fs::write(&segments[0], lines.join("\n")).unwrap();
    let (tile, inside) = (index / 256, (index % 256) as usize);
    let path = dir.join(format!("tile/0/{:03}", tile % 1000));
    let mut bytes = fs::read(&path).unwrap();
    bytes[inside * 32..][..32].copy_from_slice(&hash);
    fs::write(&path, bytes).unwrap();
    let findings = Auditor::new(dir, KEY.public_key()).run().unwrap().findings;
    assert_eq!(findings, [Finding::Somewhere { first: tile * 256, end: (tile + 1) * 256 }]);
}
