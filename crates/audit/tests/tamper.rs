//! A real log, changed in every way there is: what is wrong is said, with the right index.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use gmkit_audit::{Auditor, Checkpoint, Error, Finding, Log, growth, verify_consistency};
use gmkit_keys::{PrivateKey, SoftwareKey};
use support::{KEY, ORIGIN, options, sound, write};
use tempfile::TempDir;

/// A log of four full tiles and more, in three segments at least; made once.
static ORIGINAL: LazyLock<TempDir> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    for part in 0..4 {
        write(dir.path(), part * 300..(part + 1) * 300, options().with_segments(60_000));
    }
    let report = sound(dir.path());
    assert!(report.size > 1200 && report.tail == 0);
    dir
});

/// A copy to be changed.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        copy(ORIGINAL.path(), dir.path());
        Self(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.file("segments")).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }

    /// The lines of all segments, changed and put back where the segments' names want them.
    fn edit(&self, change: impl FnOnce(&mut Vec<String>)) {
        let paths = self.segments();
        let texts: Vec<_> = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        let mut lines: Vec<_> = texts.concat().lines().map(str::to_owned).collect();
        change(&mut lines);
        let first = |path: &Path| (first(path) as usize).min(lines.len());
        for (n, path) in paths.iter().enumerate() {
            let start = first(path);
            let end = paths.get(n + 1).map_or(lines.len(), |next| first(next));
            let text: String = lines[start..end].iter().map(|line| format!("{line}\n")).collect();
            fs::write(path, text).unwrap();
        }
    }

    fn findings(&self) -> Vec<Finding> {
        Auditor::new(self.path(), KEY.public_key()).run().unwrap().findings
    }
}

/// The index that a segment's name says.
fn first(path: &Path) -> u64 {
    path.file_stem().unwrap().to_str().unwrap().parse().unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

/// Indices at the edges of tiles and segments, and between.
const PLACES: [usize; 9] = [1, 2, 100, 255, 256, 257, 511, 700, 1100];

#[test]
fn flipped() {
    for at in PLACES {
        let log = Copy::new();
        log.edit(|lines| lines[at] = lines[at].replacen("allowed", "allowee", 1));
        assert_eq!(log.findings(), [Finding::Changed { index: at as u64 }]);
    }
}

#[test]
fn every_bit_of_a_record() {
    let log = Copy::new();
    let path = log.segments().remove(0);
    let bytes = fs::read(&path).unwrap();
    let start = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let len = bytes[start..].iter().position(|byte| *byte == b'\n').unwrap();
    for i in start..=start + len {
        let mut changed = bytes.clone();
        changed[i] ^= 1 << (i % 8);
        fs::write(&path, changed).unwrap();
        let findings = log.findings();
        assert_eq!(findings.first().and_then(Finding::index), Some(1), "{i}: {findings:?}");
    }
}

#[test]
fn taken_out_put_in_and_moved() {
    for at in PLACES {
        let log = Copy::new();
        log.edit(|lines| drop(lines.remove(at)));
        assert_eq!(log.findings(), [Finding::TakenOut { index: at as u64 }]);
        let log = Copy::new();
        log.edit(|lines| lines.insert(at, lines[at].replacen(':', ": ", 1)));
        assert_eq!(log.findings(), [Finding::PutIn { index: at as u64 }]);
        let log = Copy::new();
        log.edit(|lines| lines.insert(at, lines[at - 1].clone()));
        assert_eq!(
            log.findings(),
            [Finding::PutIn { index: at as u64 }],
            "a copy of the one before"
        );
        let log = Copy::new();
        log.edit(|lines| lines.swap(at, at + 30));
        assert_eq!(log.findings(), [Finding::Moved { index: at as u64 }]);
    }
}

#[test]
fn cut_off() {
    for at in PLACES {
        let log = Copy::new();
        log.edit(|lines| lines.truncate(at));
        let findings = log.findings();
        assert!(
            matches!(&findings[..], [Finding::Truncated { index } | Finding::Segments { index, .. }]
                if *index == at as u64),
            "{findings:?}"
        );
    }
    // Half a line is none.
    let log = Copy::new();
    let path = log.segments().pop().unwrap();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
    let size = sound(ORIGINAL.path()).size;
    assert_eq!(log.findings(), [Finding::Truncated { index: size - 1 }]);
    // A whole segment.
    let log = Copy::new();
    let (second, third) = (log.segments().remove(1), log.segments().remove(2));
    fs::remove_file(&second).unwrap();
    let (index, found) = (first(&second), first(&third));
    assert_eq!(log.findings(), [Finding::Segments { index, found }]);
}

/// Opening a log that is not right changes nothing of it.
#[test]
fn opened_and_left_alone() {
    let files = |log: &Copy| {
        let paths = log.segments().into_iter().chain([log.file("tile/0/003")]);
        paths.map(|path| fs::read(path).unwrap_or_default()).collect::<Vec<_>>()
    };
    let refused = |log: &Copy| {
        let before = files(log);
        let opened = Log::open(log.path(), options(), KEY.clone());
        assert!(matches!(opened, Err(Error::Damaged { .. })), "{opened:?}");
        assert!(files(log) == before);
    };
    // The last line break, without which the last record is none.
    let log = Copy::new();
    let path = log.segments().pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    refused(&log);
    // A record below a full tile.
    let log = Copy::new();
    let last = first(&log.segments().pop().unwrap()) as usize;
    log.edit(|lines| lines[last + 1] = lines[last + 1].replacen("allowed", "denied", 1));
    refused(&log);
    assert_eq!(log.findings(), [Finding::Changed { index: last as u64 + 1 }]);
    // Behind the checkpoint, what no writer writes.
    for line in ["x".repeat(70_000).as_str(), "{}", ""] {
        let log = Copy::new();
        log.edit(|lines| lines.push(line.to_owned()));
        refused(&log);
    }
}

/// What is not signed stands nowhere, or is said to be there.
#[test]
fn half_lines() {
    let log = Copy::new();
    let paths = log.segments();
    let append = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        bytes.extend(b"{\"v\":1,\"forged\":");
        fs::write(path, bytes).unwrap();
    };
    append(paths.last().unwrap());
    let report = Auditor::new(log.path(), KEY.public_key()).run().unwrap();
    assert!(report.is_sound() && report.unfinished == 16, "{report:?}");
    append(&paths[0]);
    assert_eq!(log.findings(), [Finding::Unfinished { index: first(&paths[1]) }]);
    // A forged record of the log's own, behind the checkpoint.
    let log = Copy::new();
    let gap = r#"{"v":1,"event_id":"01a2068c-da10-76c0-b131-f1849cc9edab","time":"2026-11-23T03:57:03Z","op_type":"gmkit.audit.gap","result":{"outcome":"failed"},"attributes":{"refused":9223372036854775807,"dropped":9223372036854775807,"lost":9223372036854775807}}"#;
    log.edit(|lines| lines.extend([gap.to_owned(), gap.to_owned(), gap.to_owned()]));
    let report = Auditor::new(log.path(), KEY.public_key()).run().unwrap();
    assert_eq!((report.tail, report.gaps), (3, sound(ORIGINAL.path()).gaps));
}

/// Who cuts it off cannot go on with the same key's log without its checkpoint; and a kept one tells.
#[test]
fn cut_off_and_continued() {
    let log = Copy::new();
    let kept = fs::read(log.file("checkpoint")).unwrap();
    log.edit(|lines| lines.truncate(600));
    for path in log.segments() {
        if fs::metadata(&path).unwrap().len() == 0 {
            fs::remove_file(path).unwrap();
        }
    }
    assert!(Log::open(log.path(), options(), KEY.clone()).is_err());
    // Who has not got the key does not get it signed by taking the checkpoint away.
    fs::remove_file(log.file("checkpoint")).unwrap();
    let opened = Log::open(log.path(), options(), KEY.clone());
    assert!(matches!(opened, Err(Error::Damaged { .. })), "{opened:?}");
    fs::remove_dir_all(log.file("segments")).unwrap();
    let opened = Log::open(log.path(), options(), KEY.clone());
    assert!(matches!(opened, Err(Error::Damaged { .. })), "events were offered: {opened:?}");
    // The host that has it can make another log, as long.
    let log = tempfile::tempdir().unwrap();
    write(log.path(), 0..1300, options());
    sound(log.path());
    let auditor = Auditor::new(log.path(), KEY.public_key()).with_kept(&kept);
    let size = Checkpoint::open(&kept, KEY.public_key()).unwrap().size;
    assert_eq!(auditor.run().unwrap().findings, [Finding::OtherHistory { kept: size }]);
}

#[test]
fn rolled_back() {
    let log = Copy::new();
    write(log.path(), 0..50, options());
    let kept = fs::read(log.file("checkpoint")).unwrap();
    let kept_size = Checkpoint::open(&kept, KEY.public_key()).unwrap().size;
    // All files as they were before: nothing in them tells.
    let old = Copy::new();
    let size = sound(old.path()).size;
    let auditor = Auditor::new(old.path(), KEY.public_key()).with_kept(&kept);
    assert_eq!(auditor.run().unwrap().findings, [Finding::RolledBack { size, kept: kept_size }]);
    // Grown since is no fault.
    let before = fs::read(old.file("checkpoint")).unwrap();
    let auditor = Auditor::new(log.path(), KEY.public_key()).with_kept(&before).with_kept(&kept);
    assert!(auditor.run().unwrap().is_sound());
}

#[test]
fn spliced_from_another_log_of_the_same_key() {
    let other = tempfile::tempdir().unwrap();
    write(other.path(), 5000..6300, options().with_segments(60_000));
    let log = Copy::new();
    let lines: Vec<_> = {
        let mut paths: Vec<_> = fs::read_dir(other.path().join("segments"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        let texts: Vec<_> = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        texts.concat().lines().map(str::to_owned).collect()
    };
    log.edit(|own| own[512..600].clone_from_slice(&lines[512..600]));
    assert_eq!(log.findings(), [Finding::Changed { index: 512 }]);
    // Its checkpoint, too: it is signed by the key, and of other records.
    let log = Copy::new();
    fs::copy(other.path().join("checkpoint"), log.file("checkpoint")).unwrap();
    let findings = log.findings();
    assert!(!findings.is_empty() && findings[0].index().is_some(), "{findings:?}");
}

#[test]
fn signed_by_another_key_or_name() {
    let log = Copy::new();
    let other = SoftwareKey::generate().unwrap();
    let report = Auditor::new(log.path(), other.public_key()).run().unwrap();
    assert_eq!(report.findings, [Finding::CheckpointNotSigned]);
    fs::remove_file(log.file("checkpoint")).unwrap();
    assert_eq!(log.findings(), [Finding::NoCheckpoint]);
    fs::write(log.file("checkpoint"), "").unwrap();
    assert_eq!(log.findings(), [Finding::CheckpointNotSigned]);
    let named = Auditor::new(ORIGINAL.path(), KEY.public_key()).with_origin("bank.example/other");
    assert_eq!(named.run().unwrap().findings, [Finding::OtherLog { origin: ORIGIN.to_owned() }]);
    let kept = fs::read(ORIGINAL.path().join("checkpoint")).unwrap();
    let auditor = Auditor::new(ORIGINAL.path(), other.public_key()).with_kept(&kept);
    assert!(auditor.run().is_err(), "a kept checkpoint of another key says nothing");
}

#[test]
fn tiles_edited_and_not_the_records() {
    for (name, first) in [("tile/0/000", 0), ("tile/0/002", 512), ("tile/0/003", 768)] {
        let log = Copy::new();
        let mut bytes = fs::read(log.file(name)).unwrap();
        bytes[1000] ^= 1;
        fs::write(log.file(name), &bytes).unwrap();
        let path = log.file(name);
        assert_eq!(log.findings(), [Finding::Tile { path: path.clone(), first }]);
        fs::remove_file(&path).unwrap();
        assert_eq!(log.findings(), [Finding::Tile { path, first }]);
    }
}

/// A record and everything that hangs on it, up to what only the key can make.
#[test]
fn records_and_tiles_edited_together() {
    let log = Copy::new();
    log.edit(|lines| lines[700] = lines[700].replacen("allowed", "denied", 1));
    // The tile of its hash, too: the level above still knows which tile it was.
    let path = log.file("tile/0/002");
    let mut line = None;
    Auditor::for_each_record(log.path(), |index, text| {
        if index == 700 {
            line = Some(text.to_vec());
        }
        Ok(())
    })
    .unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = (700 - 512) * 32;
    bytes[at..at + 32].copy_from_slice(&gmkit_audit::leaf_hash(&line.unwrap()));
    fs::write(&path, bytes).unwrap();
    assert_eq!(log.findings(), [Finding::Somewhere { first: 512, end: 768 }]);
    // And all tiles: that there is something wrong is all that is left to say.
    fs::remove_dir_all(log.file("tile")).unwrap();
    let size = sound(ORIGINAL.path()).size;
    assert_eq!(log.findings(), [Finding::Somewhere { first: 0, end: size }]);
}

#[test]
fn what_is_unsigned_is_said() {
    let log = Copy::new();
    let signed = fs::read(log.file("checkpoint")).unwrap();
    write(log.path(), 0..5, options());
    fs::write(log.file("checkpoint"), signed).unwrap();
    let report = Auditor::new(log.path(), KEY.public_key()).run().unwrap();
    assert!(report.is_sound() && report.tail == 5);
    assert_eq!(report.size, sound(ORIGINAL.path()).size);
}

#[test]
fn too_long_a_line() {
    let log = Copy::new();
    log.edit(|lines| lines[300] = "x".repeat(100_000));
    assert_eq!(log.findings(), [Finding::TooLong { index: 300 }]);
    // A file that is no segment does not pass for one.
    let log = Copy::new();
    fs::write(log.file("segments/more.jsonl"), "{}\n").unwrap();
    assert!(Auditor::new(log.path(), KEY.public_key()).run().is_err());
}

/// What a witness has signed, it has seen to be grown from what it signed before.
#[test]
fn witnessed() {
    let log = Copy::new();
    let witness = SoftwareKey::generate().unwrap();
    let auditor = || Auditor::new(log.path(), KEY.public_key()).with_witness(witness.public_key());
    assert_eq!(auditor().run().unwrap().findings, [Finding::NotWitnessed]);

    let (note, seen, _) = growth(log.path(), 0, KEY.public_key()).unwrap();
    let line = seen.cosign(1_000, "witness.example", &witness).unwrap();
    let kept = format!("{note}{line}");
    assert_eq!(
        Checkpoint::witnessed(kept.as_bytes(), "witness.example", witness.public_key()).unwrap(),
        1_000
    );
    write(log.path(), 0..400, options());
    let (_, grown, proof) = growth(log.path(), seen.size, KEY.public_key()).unwrap();
    verify_consistency(seen.size, &seen.root, grown.size, &grown.root, &proof).unwrap();
    let report = auditor().with_kept(kept.as_bytes()).run().unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    // The cosignature of another checkpoint is none of this one.
    let (note, ..) = growth(log.path(), 0, KEY.public_key()).unwrap();
    fs::write(log.file("checkpoint"), format!("{note}{line}")).unwrap();
    assert_eq!(auditor().run().unwrap().findings, [Finding::NotWitnessed]);
    // Lines of anybody do not come along.
    let junk = format!("{note}— x AAAAAAA=\n");
    let own = Checkpoint::stripped(junk.as_bytes(), KEY.public_key()).unwrap();
    assert_eq!(own, note);
}
