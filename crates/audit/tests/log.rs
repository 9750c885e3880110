//! Logs that are written, read, opened again, and out of order.

mod support;

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use gmkit_audit::{
    Auditor, Checkpoint, Error, Follow, Log, Options, Proof, Prover, WhenFull, growth,
    verify_consistency,
};
use gmkit_keys::{PrivateKey, SoftwareKey};
use support::{Away, KEY, ORIGIN, event, options, sound, write};

#[test]
fn what_goes_in_can_be_proven() {
    let dir = tempfile::tempdir().unwrap();
    // Small segments, so that there are some; tiles of two levels.
    write(dir.path(), 0..700, options().with_segments(40_000));
    let early = fs::read(dir.path().join("checkpoint")).unwrap();
    write(dir.path(), 700..1500, options().with_segments(40_000));
    let report = sound(dir.path());
    assert_eq!((report.gaps.events, report.gaps.gaps, report.tail), (1500, 0, 0));
    assert!(fs::read_dir(dir.path().join("segments")).unwrap().count() > 1);
    assert!(report.size > 1500, "with the log's own records");

    let mut of_events = 0;
    Auditor::for_each_record(dir.path(), |index, line| {
        let text = std::str::from_utf8(line).unwrap();
        if text.contains("account/") {
            assert!(text.contains(&format!("\"account/{of_events}\"")));
            of_events += 1;
        }
        if index % 97 == 0 || index + 3 > report.size {
            let text = Proof::make(dir.path(), index)?.to_string();
            let (proof, checkpoint) = Proof::verify(text.as_bytes(), KEY.public_key())?;
            assert!(proof.record() == line && proof.index() == index);
            assert_eq!((checkpoint.size, &*checkpoint.origin), (report.size, ORIGIN));
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(of_events, 1500);
    let result = Proof::make(dir.path(), report.size);
    assert!(matches!(result, Err(Error::Options { .. })));

    let kept = Checkpoint::open(&early, KEY.public_key()).unwrap();
    for from in [0, 1, 255, 256, 300, kept.size, report.size] {
        let (_, new, proof) = growth(dir.path(), from, KEY.public_key()).unwrap();
        if from == kept.size {
            verify_consistency(kept.size, &kept.root, new.size, &new.root, &proof).unwrap();
        }
        assert_eq!(proof.is_empty(), from == 0 || from == new.size);
    }
    assert!(growth(dir.path(), report.size + 1, KEY.public_key()).is_err());
}

/// One that keeps what it has read, while the log grows and when it is another one suddenly.
#[test]
fn many_proofs_of_one_log() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut prover = Prover::new(dir);
    assert!(matches!(prover.prove(0), Err(Error::Io { .. })), "there is no log yet");
    let mut check = |events: std::ops::Range<u64>| {
        write(dir, events, options().with_segments(40_000));
        let size = sound(dir).size;
        for index in (0..size).step_by(61).chain([size - 1]) {
            let proof = prover.prove(index).unwrap();
            assert_eq!(proof, Proof::make(dir, index).unwrap());
            Proof::verify(proof.to_string().as_bytes(), KEY.public_key()).unwrap();
        }
        assert!(matches!(prover.prove(size), Err(Error::Options { .. })));
    };
    for events in [0..1, 1..200, 200..255, 255..300, 300..900, 900..2000] {
        check(events);
    }
    fs::remove_dir_all(dir).unwrap();
    check(5000..5900);
}

/// Each record once, as it comes, over the ends of segments; a line that is not whole yet is none.
#[test]
fn records_as_they_come() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    assert!(Follow::new(dir, 0).is_err(), "there is no log");
    write(dir, 0..10, options().with_segments(40_000));
    let mut follow = Follow::new(dir, 4).unwrap();
    let mut read = Vec::new();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..6 {
                write(dir, 10 + 100 * n..110 + 100 * n, options().with_segments(40_000));
            }
            done.store(true, Ordering::Release);
        });
        loop {
            let last = done.load(Ordering::Acquire);
            while let Some(record) = follow.read().unwrap() {
                read.push(record);
            }
            if last {
                break;
            }
        }
    });
    let mut all = Vec::new();
    Auditor::for_each_record(dir, |_, line| {
        all.push(line.to_vec());
        Ok(())
    })
    .unwrap();
    assert!(read == all[4..] && follow.index() == all.len() as u64);

    let mut segments: Vec<_> =
        fs::read_dir(dir.join("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    let (last, whole) = (segments.last().unwrap(), fs::read(segments.last().unwrap()).unwrap());
    for (more, is) in [("{\"half", None), ("{\"other\":1", None), ("{}\n", Some(b"{}".to_vec()))] {
        fs::write(last, [&whole, more.as_bytes()].concat()).unwrap();
        assert_eq!(follow.read().unwrap(), is, "{more}");
    }
    let endless = [&whole, &b"{}\n"[..], &vec![b'x'; 1 << 17]].concat();
    fs::write(last, endless).unwrap();
    assert!(matches!(follow.read(), Err(Error::Damaged { .. })));

    // What it has not read yet is gone, and it says so.
    let mut late = Follow::new(dir, 0).unwrap();
    late.read().unwrap();
    segments[..segments.len() - 1].iter().for_each(|gone| fs::remove_file(gone).unwrap());
    let missed = loop {
        match late.read() {
            Ok(Some(_)) => {}
            missed => break missed,
        }
    };
    assert!(matches!(missed, Err(Error::Pruned { .. })), "{missed:?}");
}

#[test]
fn proofs_that_were_changed_do_not_hold() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 0..40, options());
    let text = Proof::make(dir.path(), 11).unwrap().to_string().into_bytes();
    assert!(text.len() < 2048);
    for i in 0..text.len() {
        let mut changed = text.clone();
        changed[i] ^= 1;
        assert!(Proof::verify(&changed, KEY.public_key()).is_err(), "byte {i}");
        assert!(Proof::verify(&text[..i], KEY.public_key()).is_err(), "cut at {i}");
    }
    let other = SoftwareKey::generate().unwrap();
    assert!(matches!(Proof::verify(&text, other.public_key()), Err(Error::Rejected)));
}

#[test]
fn one_writer() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), options(), KEY.clone()).unwrap();
    let second = Log::open(dir.path(), options(), KEY.clone());
    assert!(matches!(second, Err(Error::Locked { .. })));
    log.append(&event(0)).unwrap();
    drop(log);
    write(dir.path(), 1..2, options());
    assert_eq!(sound(dir.path()).gaps.events, 2);
}

#[test]
fn only_ones_own_log_is_written() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 0..10, options());
    let damaged = |options, key: Arc<SoftwareKey>| {
        let result = Log::open(dir.path(), options, key);
        assert!(matches!(result, Err(Error::Damaged { .. })), "{result:?}");
    };
    damaged(options(), Arc::new(SoftwareKey::generate().unwrap()));
    damaged(Options::new("another.example/log").unwrap(), KEY.clone());
    let counters = dir.path().join("counters");
    let kept = fs::read(&counters).unwrap();
    fs::remove_file(&counters).unwrap();
    damaged(options(), KEY.clone());
    fs::write(&counters, kept).unwrap();
    write(dir.path(), 10..20, options());
    assert_eq!(sound(dir.path()).gaps.events, 20);
}

/// `cargo xtask soak` asks for more records.
fn long() -> Option<u64> {
    std::env::var("GMKIT_AUDIT_RECORDS").ok()?.parse().ok()
}

#[test]
fn many_threads_and_a_reader_beside_them() {
    let dir = tempfile::tempdir().unwrap();
    let options = options().with_segments(60_000).with_batch(20, Duration::from_millis(2));
    let options = options.with_checkpoints(Duration::from_millis(5), 1 << 20);
    let log = Log::open(dir.path(), options, KEY.clone()).unwrap();
    log.append(&event(0)).unwrap();
    let each = long().unwrap_or(2000) / 4;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // Nothing is wrong with a log, whenever it is looked at.
                sound(dir.path());
            }
        });
        let writers: Vec<_> = (0..4)
            .map(|t| {
                let log = &log;
                scope.spawn(move || {
                    let receipts: Vec<_> = (0..each)
                        .map(|i| log.submit(&event(t * each + i), WhenFull::Block).unwrap())
                        .collect();
                    receipts.into_iter().map(|receipt| receipt.wait().unwrap()).collect::<Vec<_>>()
                })
            })
            .collect();
        let mut indices: Vec<_> =
            writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        // Each has its own, and those of one thread are in the order of its calls.
        assert!(indices.chunks(each as usize).all(|own| own.is_sorted()));
        indices.sort_unstable();
        indices.dedup();
        assert_eq!(indices.len() as u64, 4 * each);
    });
    log.close().unwrap();
    assert_eq!(sound(dir.path()).gaps.events, 4 * each + 1);
}

#[test]
fn a_key_that_is_away_stops_it_after_a_while() {
    let dir = tempfile::tempdir().unwrap();
    let away = Arc::new(AtomicBool::new(true));
    let new = Log::open(dir.path(), options(), Arc::new(Away(away.clone())));
    assert!(matches!(new, Err(Error::Key(_))), "a new log has a checkpoint first: {new:?}");
    write(dir.path(), 0..0, options());
    let options = options().with_checkpoints(Duration::from_millis(10), 30);
    let log = Log::open(dir.path(), options.clone(), Arc::new(Away(away.clone()))).unwrap();
    let mut taken = 0;
    let refused = loop {
        match log.append(&event(taken)) {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 100);
    };
    assert!(matches!(refused, Error::Unsigned { .. }) && taken >= 30, "{refused:?} {taken}");
    assert_eq!(log.signed(), 0);
    away.store(false, Ordering::Relaxed);
    let mut refusals = 1;
    while log.append(&event(taken)).is_err() {
        refusals += 1;
        thread::sleep(Duration::from_millis(5));
    }
    log.close().unwrap();
    let report = sound(dir.path());
    assert_eq!((report.gaps.events, report.gaps.refused), (taken + 1, refusals));

    // Closing says that the last records are not signed; they are when it is opened the next time.
    away.store(true, Ordering::Relaxed);
    let log = Log::open(dir.path(), options, Arc::new(Away(away))).unwrap();
    log.append(&event(7)).unwrap();
    assert!(matches!(log.close(), Err(Error::Key(_))));
    let report = Auditor::new(dir.path(), KEY.public_key()).run().unwrap();
    assert!(report.is_sound() && report.tail == 1);
    write(dir.path(), 0..0, support::options());
    assert_eq!(sound(dir.path()).tail, 0);
}

#[test]
fn without_a_key_records_wait_for_one() {
    let dir = tempfile::tempdir().unwrap();
    let new = Log::open_unsigned(dir.path(), options());
    assert!(matches!(new, Err(Error::Options { .. })), "{new:?}");
    write(dir.path(), 0..0, options());
    for _ in 0..2 {
        let log = Log::open_unsigned(dir.path(), options()).unwrap();
        log.append(&event(0)).unwrap();
        log.close().unwrap();
    }
    assert_eq!((sound(dir.path()).size, sound(dir.path()).tail), (0, 3));
    write(dir.path(), 0..1, options());
    assert_eq!((sound(dir.path()).gaps.events, sound(dir.path()).tail), (3, 0));
    let few = options().with_checkpoints(Duration::from_millis(10), 20);
    let log = Log::open_unsigned(dir.path(), few).unwrap();
    let taken = (0..50).take_while(|n| log.append(&event(*n)).is_ok()).count();
    assert!((20..50).contains(&taken), "{taken}");
}

#[test]
fn a_full_queue_refuses_and_drops_and_tells() {
    let dir = tempfile::tempdir().unwrap();
    let slow = options().with_queue(8).with_batch(1000, Duration::from_millis(150));
    let log = Log::open(dir.path(), slow, KEY.clone()).unwrap();
    let (mut receipts, mut refused, mut dropped) = (Vec::new(), 0, 0);
    // As many as it takes: how soon the queue is emptied is not known.
    for i in 0..1_000_000 {
        if refused > 0 && dropped > 0 && i >= 200 {
            break;
        }
        let (when_full, count) = match i % 2 {
            0 => (WhenFull::Refuse, &mut refused),
            _ => (WhenFull::Drop, &mut dropped),
        };
        match log.submit(&event(i), when_full) {
            Ok(receipt) => receipts.push(receipt),
            Err(Error::Full) => *count += 1,
            Err(error) => panic!("{error}"),
        }
    }
    let taken = receipts.len() as u64;
    assert!(receipts.into_iter().all(|receipt| receipt.wait().is_ok()));
    log.append(&event(0)).unwrap();
    log.close().unwrap();
    let gaps = sound(dir.path()).gaps;
    assert!(refused > 0 && dropped > 0);
    assert_eq!(
        (gaps.events, gaps.refused, gaps.dropped, gaps.lost),
        (taken + 1, refused, dropped, 0)
    );
}

#[test]
fn many_records_are_signed_before_there_are_too_many() {
    let dir = tempfile::tempdir().unwrap();
    let seldom = options().with_checkpoints(Duration::from_secs(3600), 50_000);
    let log = Log::open(dir.path(), seldom, KEY.clone()).unwrap();
    for n in 0..120_000 {
        log.submit(&event(n), WhenFull::Block).unwrap();
    }
    log.close().unwrap();
    assert_eq!(sound(dir.path()).gaps.events, 120_000);
}

#[test]
fn permits_are_counted_whatever_becomes_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let slow = options().with_queue(2).with_batch(1000, Duration::from_millis(100));
    let log = Log::open(dir.path(), slow, KEY.clone()).unwrap();
    // They hold no room: as many as there are requests.
    let permits: Vec<_> = (0..10).map(|_| log.admit(WhenFull::Refuse).unwrap()).collect();
    let mut receipts = Vec::new();
    for (n, permit) in permits.into_iter().enumerate() {
        match n {
            0 => drop(permit),
            1 => {
                let long = event(0).with("body", "x".repeat(70_000));
                assert!(matches!(permit.submit(&long), Err(Error::Event { .. })));
            }
            n => receipts.push(permit.submit(&event(n as u64)).unwrap()),
        }
    }
    for receipt in receipts {
        receipt.wait().unwrap();
    }
    let late = log.try_admit().unwrap().unwrap();
    log.close().unwrap();
    assert!(matches!(late.submit(&event(0)), Err(Error::Closed)));
    let gaps = sound(dir.path()).gaps;
    assert_eq!((gaps.events, gaps.refused, gaps.dropped, gaps.lost), (8, 0, 2, 0));
    write(dir.path(), 0..0, options());
    let gaps = sound(dir.path()).gaps;
    assert_eq!((gaps.events, gaps.dropped, gaps.lost, gaps.at_most), (8, 2, 1, false));
}

#[test]
fn each_record_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let log = Log::open(dir, options().with_segments(3 << 20), KEY.clone()).unwrap();
    for n in 0..6000_u64 {
        // Short ones for a while, long ones for a while, and now and then one as long as they get.
        let length = match n {
            1000..1100 => 5000,
            _ if n % 1009 == 0 => 65_000,
            2000..4000 => n % 7 * 300,
            _ => n % 40,
        };
        let event = event(n).with("padding", "x".repeat(length as usize));
        log.submit(&event, WhenFull::Block).unwrap();
    }
    log.close().unwrap();
    let mut records = Vec::new();
    let read = |_, line: &[u8]| {
        records.push(line.to_vec());
        Ok(())
    };
    Auditor::for_each_record(dir, read).unwrap();
    let check = |step: usize| {
        for (index, record) in records.iter().enumerate().step_by(step) {
            let found = Auditor::record(dir, index as u64).unwrap();
            assert_eq!(found.as_ref(), Some(record), "{index}");
        }
    };
    check(3);
    for beyond in [records.len() as u64, records.len() as u64 + 1, 1 << 40, u64::MAX] {
        assert_eq!(Auditor::record(dir, beyond).unwrap(), None);
    }
    // Without the tiles they are counted.
    fs::remove_dir_all(dir.join("tile/0")).unwrap();
    check(501);
}

#[test]
fn bad_options_and_events() {
    for name in ["", "a b", "a+b", "a\n"] {
        assert!(matches!(Options::new(name), Err(Error::Options { .. })), "{name:?}");
    }
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), options(), KEY.clone()).unwrap();
    let long = event(0).with("body", "x".repeat(70_000));
    assert!(matches!(log.append(&long), Err(Error::Event { .. })));
    log.close().unwrap();
    assert!(sound(dir.path()).gaps.gaps == 0, "it was never offered");
    let file = dir.path().join("counters");
    assert!(matches!(Log::open(&file, options(), KEY.clone()), Err(Error::Io { .. })));
    let nowhere = Auditor::new(Path::new("/nonexistent/log"), KEY.public_key()).run();
    assert!(matches!(nowhere, Err(Error::Io { .. })));
}
