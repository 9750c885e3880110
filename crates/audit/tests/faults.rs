//! Processes that are killed, disks that are full: every event that was offered is recorded, or in a gap
//! record. `GMKIT_AUDIT_KILLS` says how often the first is tried.

mod support;

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use gmkit_audit::{Auditor, Error, Log, Options, WhenFull};
use gmkit_keys::{Passphrase, PrivateKey, SoftwareKey};
use gmkit_sm2::PublicKey;
use support::{KEY, ORIGIN, event, options, sound, write};

/// The tests run themselves: this one is the process that is killed.
const CHILD: &str = "GMKIT_AUDIT_CHILD";

fn child_options() -> Options {
    let options = Options::new(ORIGIN).unwrap().with_batch(20, Duration::from_millis(1));
    options.with_checkpoints(Duration::from_millis(3), 1 << 20).with_queue(16).with_segments(50_000)
}

/// Offers events until it is killed, and says which are on the disk.
#[test]
fn child() {
    let Ok(dir) = env::var(CHILD) else { return };
    let dir = Path::new(&dir);
    let pem = fs::read(dir.join("key.pem")).unwrap();
    let key = SoftwareKey::from_file_bytes(&pem, || Ok(Passphrase::new(""))).unwrap();
    let log = Log::open(&dir.join("log"), child_options(), std::sync::Arc::new(key)).unwrap();
    println!("open");
    thread::scope(|scope| {
        for t in 0..3 {
            let log = &log;
            scope.spawn(move || {
                let when_full = [WhenFull::Block, WhenFull::Refuse, WhenFull::Drop][t];
                for n in 0.. {
                    match log.submit(&event(n), when_full) {
                        Ok(receipt) if n % 5 == 0 => println!("{}", receipt.wait().unwrap()),
                        Ok(_) | Err(Error::Full) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
}

fn number(bytes: &[u8], n: usize) -> u64 {
    u64::from_le_bytes(bytes[8 * n..8 * n + 8].try_into().unwrap())
}

/// offered, refused and dropped, as the file has them.
fn counters(log: &Path) -> [u64; 3] {
    let bytes = fs::read(log.join("counters")).unwrap();
    [0, 1, 2].map(|n| number(&bytes, n))
}

#[test]
fn killed() {
    let kills: u32 = env::var("GMKIT_AUDIT_KILLS").map_or(25, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let key = SoftwareKey::generate().unwrap();
    fs::write(dir.path().join("key.pem"), key.to_pem().as_bytes()).unwrap();
    let log = dir.path().join("log");
    let (mut told, mut lost) = (0, 0);
    for kill in 0..kills {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.by_ref().any(|line| line.unwrap().ends_with("open")), "the log opens again");
        // However slow the disk is, some die behind their first acknowledged record.
        if kill % 4 == 3 {
            let first = lines.by_ref().find_map(|line| line.unwrap().parse::<u64>().ok());
            told += usize::from(first.is_some());
        }
        thread::sleep(Duration::from_micros(u64::from(kill * 7919 % 60_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged: Vec<u64> =
            lines.map_while(Result::ok).filter_map(|line| line.parse().ok()).collect();

        let before = check(&log, key.public_key(), &acknowledged);
        told += acknowledged.len();
        lost = before;
    }
    println!(
        "{kills} kills: {told} acknowledged, all there; {lost} lost with a process, all counted"
    );
    assert!(told > 0 && lost > 0, "nothing was tried: {told} {lost}");
}

/// After a kill: what is wrong with the log, what was acknowledged and is not there; and after the next
/// opening, whether every event is accounted for. How many were lost up to now.
fn check(log: &Path, key: &PublicKey, acknowledged: &[u64]) -> u64 {
    let report = Auditor::new(log, key).run().unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    let records = report.size + report.tail;
    assert!(acknowledged.iter().all(|index| *index < records), "{acknowledged:?} {records}");
    let [offered, refused, dropped] = counters(log);
    let own = SoftwareKey::from_file_bytes(
        &fs::read(log.parent().unwrap().join("key.pem")).unwrap(),
        || Ok(Passphrase::new("")),
    );
    let opened = Log::open(log, child_options(), std::sync::Arc::new(own.unwrap())).unwrap();
    opened.close().unwrap();
    let report = Auditor::new(log, key).run().unwrap();
    assert!(report.is_sound() && report.tail == 0, "{:?}", report.findings);
    let gaps = report.gaps;
    assert_eq!((gaps.refused, gaps.dropped, gaps.at_most), (refused, dropped, false));
    assert_eq!(gaps.events + gaps.refused + gaps.dropped + gaps.lost, offered);
    gaps.lost
}

/// A process that is being started has all files open for a moment, and what is locked with them.
#[test]
fn others_that_start_do_not_keep_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert!(Command::new("true").status().unwrap().success());
                }
            });
        }
        let opened =
            (0..400).try_for_each(|_| Log::open(dir.path(), options(), KEY.clone()).map(drop));
        done.store(true, Ordering::Relaxed);
        opened.unwrap();
    });
}

/// What a process that was killed while it wrote a line leaves behind.
#[test]
fn half_a_record() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 0..20, options());
    let size = sound(dir.path()).size;
    let segment =
        fs::read_dir(dir.path().join("segments")).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&segment).unwrap();
    for cut in [1, 10, 100] {
        let last = whole.split(|byte| *byte == b'\n').rev().nth(1).unwrap();
        fs::write(&segment, [&whole[..], &last[..cut]].concat()).unwrap();
        assert_eq!(sound(dir.path()).tail, 0);
        write(dir.path(), 0..0, options());
        assert!(fs::read(&segment).unwrap() == whole, "it is gone");
    }
    // A segment that was made, and not written to.
    fs::write(dir.path().join("segments/00000000000000000256.jsonl"), "").unwrap();
    write(dir.path(), 20..30, options());
    assert_eq!((sound(dir.path()).gaps.events, sound(dir.path()).size), (30, size + 10));
}

/// After the system itself went down the numbers are upper bounds, and said to be.
#[test]
fn another_start_of_the_system() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 0..20, options());
    let path = dir.path().join("counters");
    let restart = |more: u64| {
        let mut bytes = fs::read(&path).unwrap();
        bytes[32] ^= 1;
        let bound = number(&bytes, 3) + more;
        bytes[24..32].copy_from_slice(&bound.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
    };
    // It was closed before: nothing was lost.
    restart(0);
    write(dir.path(), 20..30, options());
    assert_eq!(sound(dir.path()).gaps.gaps, 0);
    restart(77);
    write(dir.path(), 30..40, options());
    let gaps = sound(dir.path()).gaps;
    assert_eq!((gaps.events, gaps.lost, gaps.at_most), (40, 77, true));
    assert_eq!(gaps.events + gaps.lost, counters(dir.path())[0]);
}

/// A folder on a small file system of its own.
struct Small(tempfile::TempDir);

impl Small {
    fn new(bytes: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(dir.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "no small file system: {said}");
        Self(dir)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk() {
    let done = Command::new("id").arg("-u").output().unwrap();
    if done.stdout != b"0\n" {
        // In a name space of its own everybody may mount.
        let test =
            [env::current_exe().unwrap().as_os_str(), "--exact".as_ref(), "a_full_disk".as_ref()]
                .map(ToOwned::to_owned);
        let status = Command::new("unshare").arg("-rm").args(test).status().unwrap();
        assert!(status.success());
        return;
    }
    let small = Small::new(600 << 10);
    let dir = small.0.path().join("log");
    let log = Log::open(&dir, options().with_segments(60_000), KEY.clone()).unwrap();
    let (mut recorded, mut refused) = (0, 0);
    let ballast = small.0.path().join("ballast");
    for n in 0..900 {
        if n == 300 {
            // Somebody else fills the disk, to the last byte.
            let mut size = 1 << 20;
            while size > 0 {
                let mut file =
                    fs::OpenOptions::new().create(true).append(true).open(&ballast).unwrap();
                if std::io::Write::write_all(&mut file, &vec![1; size]).is_err() {
                    size /= 2;
                }
            }
        }
        if n == 600 {
            fs::remove_file(&ballast).unwrap();
        }
        match log.append(&event(n)) {
            Ok(_) => recorded += 1,
            Err(Error::Io { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        if refused == 50 {
            // The gap is told while the disk is full: there is space that is held for it.
            let told = Auditor::new(&dir, KEY.public_key()).run().unwrap();
            assert!(told.is_sound() && told.gaps.refused > 0, "{told:?}");
        }
    }
    log.close().unwrap();
    assert!(refused >= 50 && recorded >= 500, "{recorded} {refused}");
    let gaps = sound(&dir).gaps;
    assert_eq!((gaps.events, gaps.refused, gaps.dropped, gaps.lost), (recorded, refused, 0, 0));
}
