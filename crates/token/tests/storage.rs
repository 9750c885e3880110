//! What is on the disk: kept through kills, shared by processes, refused when it was tampered with.

mod support;

use std::{
    collections::BTreeSet,
    env, fs,
    io::{BufRead, BufReader},
    os::unix::fs::{MetadataExt, symlink},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use cryptoki::{
    context::Pkcs11,
    error::{Error, RvError},
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
};
use support::*;

fn failure<T: std::fmt::Debug>(result: Result<T, Error>) -> RvError {
    match result.unwrap_err() {
        Error::Pkcs11(error, _) => error,
        other => panic!("{other}"),
    }
}

fn data(label: &str, private: bool) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::DATA),
        Attribute::Token(true),
        Attribute::Private(private),
        Attribute::Label(label.into()),
        Attribute::Value(label.repeat(20).into_bytes()),
    ]
}

fn all(session: &Session) -> Vec<ObjectHandle> {
    session.find_objects(&[Attribute::Class(ObjectClass::DATA)]).unwrap()
}

fn labels(session: &Session) -> BTreeSet<String> {
    all(session)
        .into_iter()
        .map(|object| {
            let label = String::from_utf8(value(session, object, AttributeType::Label)).unwrap();
            let content = value(session, object, AttributeType::Value);
            assert_eq!(content, label.repeat(20).into_bytes(), "whole");
            label
        })
        .collect()
}

fn object_files() -> Vec<PathBuf> {
    let token = &directories()[0];
    let folder = fs::read_dir(token)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir())
        .unwrap();
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Runs a test of this file, marked as a part, with this process's tokens.
fn part(test: &str, argument: &str) -> Command {
    let mut command = again(test);
    command.env("PART", argument).stdout(Stdio::piped());
    command
}

/// Lines that a part prints begin with this, as the test runner prints too.
const MARK: &str = "part: ";

#[test]
#[ignore = "a part of kills_lose_nothing"]
fn part_that_is_killed() {
    let Ok(round) = env::var("PART") else { return };
    let pkcs11 = load();
    let session = logged_in(&pkcs11, pkcs11.get_all_slots().unwrap()[0]);
    for label in labels(&session) {
        println!("{MARK}has {label}");
    }
    println!("{MARK}begins");
    for n in 0.. {
        let label = format!("{round}-{n}");
        let object = session.create_object(&data(&label, n % 2 == 0)).unwrap();
        println!("{MARK}made {label}");
        if n % 3 == 1 {
            println!("{MARK}drops {label}");
            session.destroy_object(object).unwrap();
            println!("{MARK}dropped {label}");
        } else if n % 3 == 2 {
            let new = format!("{round}-{n}-new");
            println!("{MARK}renames {label} {new}");
            let changes =
                [Attribute::Label(new.clone().into()), Attribute::Value(new.repeat(20).into())];
            session.update_attributes(object, &changes).unwrap();
            println!("{MARK}renamed {label} {new}");
        }
    }
}

/// What must be on the token, and what may be.
#[derive(Default)]
struct Ledger {
    certain: BTreeSet<String>,
    possible: BTreeSet<String>,
}

impl Ledger {
    fn note(&mut self, line: &str) {
        match *line.split(' ').collect::<Vec<_>>() {
            ["made" | "has", label] => {
                self.certain.insert(label.to_owned());
            }
            ["drops", label] => {
                self.certain.remove(label);
                self.possible.insert(label.to_owned());
            }
            ["dropped", label] => {
                self.possible.remove(label);
            }
            ["renames", old, new] => {
                self.certain.remove(old);
                self.possible.extend([old.to_owned(), new.to_owned()]);
            }
            ["renamed", old, new] => {
                self.possible.remove(old);
                self.possible.remove(new);
                self.certain.insert(new.to_owned());
            }
            _ => {}
        }
    }
}

/// The long form is `GMKIT_TOKEN_KILLS=500`.
#[test]
fn kills_lose_nothing() {
    isolated("kills_lose_nothing", 1, || {
        let pkcs11 = load();
        fresh(&pkcs11);
        let rounds: u64 = env::var("GMKIT_TOKEN_KILLS").map_or(20, |text| text.parse().unwrap());
        let mut ledger = Ledger::default();
        for round in 0..rounds {
            let mut child = part("part_that_is_killed", &round.to_string()).spawn().unwrap();
            let lines = BufReader::new(child.stdout.take().unwrap());
            let mut found = BTreeSet::new();
            let mut killer = None;
            let id = child.id();
            // What was under way when the last one died is made or is not; a new label that was
            // never announced may be there too.
            for line in lines.lines() {
                let line = line.unwrap();
                let Some(line) = line.split(MARK).nth(1) else { continue };
                if let Some(label) = line.strip_prefix("has ") {
                    found.insert(label.to_owned());
                } else if line == "begins" {
                    check(&ledger, &found);
                    ledger = Ledger { certain: found.clone(), ..Ledger::default() };
                    let delay = Duration::from_micros(round * 7919 % 60_000);
                    killer = Some(thread::spawn(move || {
                        thread::sleep(delay);
                        assert!(
                            Command::new("kill")
                                .args(["-9", &id.to_string()])
                                .status()
                                .unwrap()
                                .success()
                        );
                    }));
                } else {
                    ledger.note(line);
                }
            }
            killer.expect("the child began").join().unwrap();
            child.wait().unwrap();
        }
        assert!(!ledger.certain.is_empty(), "something was kept");
        let session = logged_in(&pkcs11, pkcs11.get_all_slots().unwrap()[0]);
        check(&ledger, &labels(&session));
        // What the killed ones left half written goes with the next writer.
        session.create_object(&data("last", true)).unwrap();
        let unfinished = |path: &PathBuf| path.extension().is_none_or(|end| end != "der");
        assert!(!object_files().iter().any(unfinished));
    });
}

fn check(ledger: &Ledger, found: &BTreeSet<String>) {
    let lost: Vec<_> = ledger.certain.difference(found).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    let known =
        |label: &&String| !ledger.certain.contains(*label) && !ledger.possible.contains(*label);
    // At most the one that was being made when the process died.
    let unknown: Vec<_> = found.iter().filter(known).collect();
    assert!(unknown.len() <= 1, "from nowhere: {unknown:?}");
}

#[test]
#[ignore = "a part of wrong_pins_count_everywhere"]
fn part_with_a_wrong_pin() {
    let Ok(wrong) = env::var("PART") else { return };
    let pkcs11 = load();
    let session = pkcs11.open_ro_session(pkcs11.get_all_slots().unwrap()[0]).unwrap();
    let error = failure(session.login(UserType::User, Some(&pin(&wrong))));
    println!("{MARK}{error:?}");
}

fn said(done: &std::process::Output) -> String {
    let text = String::from_utf8_lossy(&done.stdout);
    text.split(MARK).nth(1).unwrap_or_else(|| panic!("{text}")).lines().next().unwrap().to_owned()
}

#[test]
fn wrong_pins_count_everywhere() {
    if env::var_os(DIRECTORIES).is_none() {
        // The policy is taken from the environment of whoever makes the token.
        let lab = tempfile::tempdir().unwrap();
        let mut child = again("wrong_pins_count_everywhere");
        child.env("GMKIT_TOKEN_PIN_TRIES", "4").env(DIRECTORIES, lab.path().join("token"));
        let done = child.output().unwrap();
        assert!(done.status.success(), "{}", text(&done));
        return;
    }
    let pkcs11 = load();
    let slot = fresh(&pkcs11)[0];
    let mut answers = Vec::new();
    let children: Vec<_> =
        (0..3).map(|_| part("part_with_a_wrong_pin", "wrong").spawn().unwrap()).collect();
    for child in children {
        answers.push(said(&child.wait_with_output().unwrap()));
    }
    assert_eq!(answers, ["PinIncorrect"; 3]);
    let info = pkcs11.get_token_info(slot).unwrap();
    assert!(info.user_pin_final_try() && !info.user_pin_locked());

    // The right one clears the count, in whatever process.
    let session = logged_in(&pkcs11, slot);
    assert!(!pkcs11.get_token_info(slot).unwrap().user_pin_count_low());
    session.logout().unwrap();

    let attempt = |text| failure(session.login(UserType::User, Some(&pin(text))));
    for _ in 0..2 {
        assert_eq!(attempt("wrong"), RvError::PinIncorrect);
        assert_eq!(said(&part("part_with_a_wrong_pin", "bad!").output().unwrap()), "PinIncorrect");
    }
    assert!(pkcs11.get_token_info(slot).unwrap().user_pin_locked());
    assert_eq!(attempt(PIN), RvError::PinLocked, "exactly four, and the right PIN comes too late");
    assert_eq!(said(&part("part_with_a_wrong_pin", PIN).output().unwrap()), "PinLocked");
    let change = session.set_pin(&pin(PIN), &pin("other"));
    assert_eq!(failure(change), RvError::PinLocked);

    // The security officer gives a new PIN; nothing was lost.
    session.login(UserType::So, Some(&pin(SO_PIN))).unwrap();
    session.init_pin(&pin("new pin")).unwrap();
    session.logout().unwrap();
    session.login(UserType::User, Some(&pin("new pin"))).unwrap();
}

/// A try is on the disk before it is made: killing the process in the middle gives no free one.
#[test]
fn a_killed_try_counts() {
    isolated("a_killed_try_counts", 1, || {
        let pkcs11 = load();
        let slot = fresh(&pkcs11)[0];
        let before = fs::read(directories()[0].join("token.der")).unwrap();
        let mut child = part("part_with_a_wrong_pin", "wrong").spawn().unwrap();
        while fs::read(directories()[0].join("token.der")).unwrap() == before {
            thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(pkcs11.get_token_info(slot).unwrap().user_pin_count_low());
    });
}

#[test]
#[ignore = "a part of two_processes_see_each_other"]
fn part_that_writes() {
    let Ok(_) = env::var("PART") else { return };
    let pkcs11 = load();
    let session = logged_in(&pkcs11, pkcs11.get_all_slots().unwrap()[0]);
    for label in labels(&session) {
        println!("{MARK}{label}");
    }
    all(&session).into_iter().for_each(|object| session.destroy_object(object).unwrap());
    session.create_object(&data("from the other", true)).unwrap();
}

#[test]
fn two_processes_see_each_other() {
    isolated("two_processes_see_each_other", 1, || {
        let pkcs11 = load();
        let session = logged_in(&pkcs11, fresh(&pkcs11)[0]);
        let kept = session.create_object(&data("from the one", true)).unwrap();
        assert_eq!(said(&part("part_that_writes", "1").output().unwrap()), "from the one");
        assert_eq!(labels(&session), ["from the other".to_owned()].into());
        let gone = session.get_attributes(kept, &[AttributeType::Label]);
        assert_eq!(failure(gone), RvError::ObjectHandleInvalid);

        // Both at once.
        let writers: Vec<_> =
            (0..4).map(|_| part("part_that_writes", "1").spawn().unwrap()).collect();
        for n in 0..40 {
            session.create_object(&data(&format!("mine {n}"), n % 2 == 0)).unwrap();
        }
        for writer in writers {
            // One may try to destroy what another one has just destroyed: it says so, and ends.
            writer.wait_with_output().unwrap();
        }
        labels(&session);
    });
}

fn open_key() -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Value(b"sixteen bytes !!".into()),
        Attribute::Sensitive(false),
        Attribute::Extractable(true),
    ]
}

#[test]
#[ignore = "a part of what_another_process_tightened_stays_tight"]
fn part_that_tightens() {
    let Ok(what) = env::var("PART") else { return };
    let pkcs11 = load();
    let session = logged_in(&pkcs11, pkcs11.get_all_slots().unwrap()[0]);
    let key = session.find_objects(&[Attribute::KeyType(KeyType::AES)]).unwrap()[0];
    if what == "destroy" {
        session.destroy_object(key).unwrap();
    } else {
        let hidden = [Attribute::Sensitive(true), Attribute::Extractable(false)];
        session.update_attributes(key, &hidden).unwrap();
    }
}

#[test]
fn what_another_process_tightened_stays_tight() {
    isolated("what_another_process_tightened_stays_tight", 1, || {
        let pkcs11 = load();
        let session = logged_in(&pkcs11, fresh(&pkcs11)[0]);
        let key = session.create_object(&open_key()).unwrap();
        assert_eq!(value(&session, key, AttributeType::Value), b"sixteen bytes !!");
        let done = part("part_that_tightens", "tighten").output().unwrap();
        assert!(done.status.success(), "{}", text(&done));
        // Our own copy of the key is an old one.
        session.update_attributes(key, &[Attribute::Label(b"mine".into())]).unwrap();
        assert!(session.get_attributes(key, &[AttributeType::Value]).unwrap().is_empty());
        let back = session.update_attributes(key, &[Attribute::Extractable(true)]);
        assert_eq!(failure(back), RvError::AttributeReadOnly);
        part("part_that_tightens", "destroy").output().unwrap();
        let risen = session.update_attributes(key, &[Attribute::Label(b"risen".into())]);
        assert_eq!(failure(risen), RvError::ObjectHandleInvalid);
        assert!(object_files().is_empty());
    });
}

/// A secret key is encrypted on the disk even where its maker calls it public.
#[test]
fn no_key_lies_in_the_clear() {
    isolated("no_key_lies_in_the_clear", 1, || {
        let pkcs11 = load();
        let session = logged_in(&pkcs11, fresh(&pkcs11)[0]);
        session.create_object(&open_key()).unwrap();
        let file = fs::read(object_files().pop().unwrap()).unwrap();
        assert!(!file.windows(7).any(|bytes| bytes == b"sixteen"));
        session.logout().unwrap();
        let aes = [Attribute::KeyType(KeyType::AES)];
        assert!(session.find_objects(&aes).unwrap().is_empty());
        session.login(UserType::User, Some(&pin(PIN))).unwrap();
        assert_eq!(session.find_objects(&aes).unwrap().len(), 1);
    });
}

#[test]
#[ignore = "a part of many_with_the_right_pin_do_not_lock_each_other_out"]
fn part_with_the_right_pin() {
    let Ok(_) = env::var("PART") else { return };
    let pkcs11 = load();
    let session = pkcs11.open_ro_session(pkcs11.get_all_slots().unwrap()[0]).unwrap();
    println!("{MARK}{:?}", session.login(UserType::User, Some(&pin(PIN))).is_ok());
}

#[test]
fn many_with_the_right_pin_do_not_lock_each_other_out() {
    let name = "many_with_the_right_pin_do_not_lock_each_other_out";
    if env::var_os(DIRECTORIES).is_none() {
        let lab = tempfile::tempdir().unwrap();
        let mut child = again(name);
        child.env("GMKIT_TOKEN_PIN_TRIES", "1").env(DIRECTORIES, lab.path().join("token"));
        let done = child.output().unwrap();
        assert!(done.status.success(), "{}", text(&done));
        return;
    }
    let pkcs11 = load();
    let slot = fresh(&pkcs11)[0];
    let children: Vec<_> =
        (0..6).map(|_| part("part_with_the_right_pin", "1").spawn().unwrap()).collect();
    for child in children {
        assert_eq!(said(&child.wait_with_output().unwrap()), "true");
    }
    // What cannot be a PIN is no try: there is only one.
    let session = pkcs11.open_ro_session(slot).unwrap();
    for bad in ["", "123"] {
        let refused = session.login(UserType::User, Some(&pin(bad)));
        assert_eq!(failure(refused), RvError::PinIncorrect);
    }
    session.login(UserType::User, Some(&pin(PIN))).unwrap();
}

#[test]
#[ignore = "a part of an_officer_of_a_token_that_is_gone"]
fn part_that_initialises() {
    let Ok(_) = env::var("PART") else { return };
    let pkcs11 = load();
    fresh(&pkcs11);
}

#[test]
fn an_officer_of_a_token_that_is_gone() {
    isolated("an_officer_of_a_token_that_is_gone", 1, || {
        let pkcs11 = load();
        let slot = fresh(&pkcs11)[0];
        let session = pkcs11.open_rw_session(slot).unwrap();
        session.login(UserType::So, Some(&pin(SO_PIN))).unwrap();
        assert!(part("part_that_initialises", "1").output().unwrap().status.success());
        let set = session.init_pin(&pin("another"));
        assert_eq!(failure(set), RvError::TokenNotRecognized, "old keys into a new token");
        session.logout().unwrap();
        session.login(UserType::User, Some(&pin(PIN))).unwrap();
    });
}

#[test]
fn tampered_objects_are_refused() {
    isolated("tampered_objects_are_refused", 1, || {
        let pkcs11 = load();
        let slot = fresh(&pkcs11)[0];
        let session = logged_in(&pkcs11, slot);
        for private in [true, false] {
            let object = session.create_object(&data("valuable", private)).unwrap();
            session.logout().unwrap();
            let path = object_files().pop().unwrap();
            let good = fs::read(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
            let shown = good.windows(8).any(|bytes| bytes == b"valuable");
            assert_eq!(shown, !private, "private objects are encrypted");
            let mut twin = good.clone();
            twin[good.len() / 2] ^= 4;
            for bad in [twin, good[..good.len() - 1].to_vec(), Vec::new()] {
                fs::write(&path, bad).unwrap();
                let login = session.login(UserType::User, Some(&pin(PIN)));
                assert_eq!(failure(login), RvError::DeviceError);
            }
            // A copy under another name is not an object either.
            fs::write(&path, &good).unwrap();
            let copy = path.with_file_name(format!("{}.der", "ab".repeat(16)));
            fs::copy(&path, &copy).unwrap();
            assert_eq!(
                failure(session.login(UserType::User, Some(&pin(PIN)))),
                RvError::DeviceError
            );
            fs::remove_file(copy).unwrap();
            session.login(UserType::User, Some(&pin(PIN))).unwrap();
            let object = all(&session).into_iter().find(|found| *found == object);
            session.destroy_object(object.unwrap_or_else(|| all(&session)[0])).unwrap();
        }
    });
}

#[test]
fn what_others_can_read_is_refused() {
    isolated("what_others_can_read_is_refused", 1, || {
        let pkcs11 = load();
        let slot = fresh(&pkcs11)[0];
        let dir = directories()[0].clone();
        let refused = |pkcs11: &Pkcs11| {
            assert_eq!(failure(pkcs11.get_token_info(slot)), RvError::TokenNotRecognized);
        };
        for (path, bad, good) in
            [(dir.clone(), 0o750, 0o700), (dir.join("token.der"), 0o640, 0o600)]
        {
            only_owner(&path, bad);
            refused(&pkcs11);
            only_owner(&path, good);
            pkcs11.get_token_info(slot).unwrap();
        }
        // A link in the place of a file.
        fs::rename(dir.join("token.der"), dir.join("elsewhere")).unwrap();
        symlink(dir.join("elsewhere"), dir.join("token.der")).unwrap();
        assert!(pkcs11.get_token_info(slot).is_err());
        fs::remove_file(dir.join("token.der")).unwrap();
        fs::write(dir.join("token.der"), "not a token").unwrap();
        only_owner(&dir.join("token.der"), 0o600);
        refused(&pkcs11);
    });
}

/// A new token takes the old one's PIN, and none of its objects.
#[test]
fn initialised_anew() {
    isolated("initialised_anew", 1, || {
        let pkcs11 = load();
        let slot = fresh(&pkcs11)[0];
        let serial = pkcs11.get_token_info(slot).unwrap().serial_number().to_owned();
        let session = logged_in(&pkcs11, slot);
        session.create_object(&data("old", false)).unwrap();
        drop(session);
        let wrong = pkcs11.init_token(slot, &pin("wrong"), "new");
        assert_eq!(failure(wrong), RvError::PinIncorrect);
        assert_eq!(pkcs11.get_token_info(slot).unwrap().serial_number(), serial);
        pkcs11.init_token(slot, &pin(SO_PIN), "new").unwrap();
        let info = pkcs11.get_token_info(slot).unwrap();
        assert_ne!(info.serial_number(), serial);
        assert_eq!(info.label(), "new");
        assert!(!info.user_pin_initialized());
        let session = pkcs11.open_ro_session(slot).unwrap();
        assert!(all(&session).is_empty());
        assert!(object_files().is_empty());
    });
}

#[test]
#[ignore = "a part of a_full_disk_keeps_what_was_there"]
fn part_on_a_full_disk() {
    let Ok(_) = env::var("PART") else { return };
    let pkcs11 = load();
    let session = logged_in(&pkcs11, pkcs11.get_all_slots().unwrap()[0]);
    let mut big = data("big", true);
    big[4] = Attribute::Value(vec![7; 60_000]);
    println!("{MARK}{:?}", failure(session.create_object(&big)));
}

/// A file that may not grow is as good as a full disk.
#[test]
fn a_full_disk_keeps_what_was_there() {
    isolated("a_full_disk_keeps_what_was_there", 1, || {
        let pkcs11 = load();
        let session = logged_in(&pkcs11, fresh(&pkcs11)[0]);
        session.create_object(&data("small", true)).unwrap();
        let before = object_files();
        let done = Command::new("bash")
            .args(["-c", "trap '' XFSZ; ulimit -f 40; exec \"$0\" \"$@\""])
            .arg(env::current_exe().unwrap())
            .args(["--exact", "part_on_a_full_disk", "--include-ignored", "--nocapture"])
            .env("PART", "1")
            .output()
            .unwrap();
        assert_eq!(said(&done), "DeviceError");
        assert_eq!(object_files(), before);
        assert_eq!(labels(&session), ["small".to_owned()].into());
    });
}
