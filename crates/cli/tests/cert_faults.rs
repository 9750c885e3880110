//! An authority's database while things go wrong: processes killed at any moment, two at once, a disk that
//! is full.

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use serde_json::Value;
use support::Lab;

/// Kills in all; `GMKIT_KILLS` asks for more.
const KILLS: u32 = 200;

fn authority() -> Lab {
    let lab = Lab::empty();
    lab.ok("keygen -o ca.key --no-passphrase");
    lab.ok("keygen -o a.key --no-passphrase");
    lab.ok("cert ca -k ca.key --subject CN=CA -o ca.pem");
    lab.ok("cert csr -k a.key --subject CN=a --san DNS:a.example -o a.csr");
    lab
}

const AUTHORITY: &str = "--ca ca.pem -k ca.key --db db";

fn start(lab: &Lab, line: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_gmkit"))
        .args(line.split(' '))
        .current_dir(lab.path("."))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Serial number to status, as the database has it.
fn listed(lab: &Lab) -> BTreeMap<String, String> {
    let text = lab.ok("cert list --db db --json");
    let records: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let field = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
    let map: BTreeMap<_, _> =
        records.iter().map(|r| (field(r, "serial"), field(r, "status"))).collect();
    assert_eq!(map.len(), records.len(), "a serial number is listed twice");
    map
}

fn show(lab: &Lab, file: &str) -> Value {
    serde_json::from_str(&lab.ok(&format!("cert show --json {file}"))).unwrap()
}

/// Numbers that are spread well enough over the time a command takes.
struct Delays {
    state: u64,
    longest: Duration,
}

impl Delays {
    fn next(&mut self) -> Duration {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.longest.mul_f64((self.state >> 33) as f64 / f64::from(1_u32 << 31))
    }
}

#[test]
fn killed_at_any_moment() {
    let lab = authority();
    let kills = std::env::var("GMKIT_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let seed =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
            as u64;
    println!("seed {seed}");
    let started = std::time::Instant::now();
    lab.ok(&format!("cert issue {AUTHORITY} --csr a.csr -o first.pem"));
    // Some of the processes come to their end, and others are stopped on the way there.
    let mut delays = Delays { state: seed, longest: started.elapsed().mul_f64(1.5) };
    let (mut done, mut crl_numbers, mut revoked) = ([0; 3], BTreeSet::new(), BTreeSet::new());
    for round in 0..kills {
        let target = listed(&lab)
            .into_iter()
            .find(|(_, status)| status == "valid")
            .map(|(serial, _)| serial);
        let target = target.unwrap_or_else(|| {
            lab.ok(&format!("cert issue {AUTHORITY} --csr a.csr -o more.pem"));
            show(&lab, "more.pem")["serial"].as_str().unwrap().to_owned()
        });
        let out = format!("out{round}");
        let line = match round % 3 {
            0 => format!("cert issue {AUTHORITY} --csr a.csr -o {out}"),
            1 => format!("cert revoke --db db --serial {target}"),
            _ => format!("cert crl {AUTHORITY} -o {out}"),
        };
        let mut child = start(&lab, &line);
        sleep(delays.next());
        child.kill().unwrap();
        let finished = child.wait().unwrap().success();
        done[round as usize % 3] += u32::from(finished);
        if finished && round % 3 == 1 {
            revoked.insert(target);
        }
        if round % 3 == 2 && lab.path(&out).exists() {
            assert!(
                crl_numbers.insert(show(&lab, &out)["number"].as_u64().unwrap()),
                "a list's number twice"
            );
        }
        check(&lab, &revoked, |output| output == out);
    }
    check(&lab, &revoked, |output| output.starts_with("out"));
    println!("of {kills}: issued, revoked, listed before the kill: {done:?}");
    let tries = kills / 3;
    assert!(done.iter().all(|finished| (1..tries).contains(finished)), "of {tries} each: {done:?}");
    // The next list has all of it, and the number that comes next.
    lab.ok(&format!("cert crl {AUTHORITY} -o last.crl"));
    let last = show(&lab, "last.crl");
    assert!(crl_numbers.iter().all(|number| *number < last["number"].as_u64().unwrap()));
    let on_list: BTreeSet<_> = last["revoked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["serial"].as_str().unwrap().to_owned())
        .collect();
    assert!(revoked.is_subset(&on_list));
}

/// No certificate is about that the database does not know, and what it has said to be revoked is.
fn check(lab: &Lab, revoked: &BTreeSet<String>, looked_at: impl Fn(&str) -> bool) {
    let known = listed(lab);
    for entry in std::fs::read_dir(lab.path("db/certs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(serial) = name.strip_suffix(".pem") {
            assert!(known.contains_key(serial), "{serial} is not in the index");
        }
    }
    for output in lab.files().iter().filter(|name| looked_at(name)) {
        if let Some(serial) = show(lab, output)["serial"].as_str() {
            assert!(known.contains_key(serial), "{output} is not in the index");
        }
    }
    for serial in revoked {
        assert_eq!(known[serial], "revoked");
    }
}

#[test]
fn two_at_once() {
    let lab = authority();
    let both: Vec<_> = (0..20)
        .map(|i| start(&lab, &format!("cert issue {AUTHORITY} --csr a.csr -o out{i}")))
        .collect();
    for child in both {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(listed(&lab).len(), 20);
    check(&lab, &BTreeSet::new(), |output| output.starts_with("out"));
    let lists: Vec<_> =
        (0..8).map(|i| start(&lab, &format!("cert crl {AUTHORITY} -o list{i}"))).collect();
    lists.into_iter().for_each(|mut child| assert!(child.wait().unwrap().success()));
    let numbers: BTreeSet<_> =
        (0..8).map(|i| show(&lab, &format!("list{i}"))["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=8).collect());
}

/// A file that may not grow is as good as a full disk: half a line is written, and taken back.
#[test]
fn a_full_disk_takes_nothing_away() {
    let lab = authority();
    lab.ok(&format!("cert issue {AUTHORITY} --csr a.csr -o first.pem"));
    let serial = show(&lab, "first.pem")["serial"].as_str().unwrap().to_owned();
    let before = lab.read("db/index.jsonl");
    // In blocks of 1024 bytes, less than two lines more than there is now; the signal that comes with it is
    // ignored, so that the write fails.
    let blocks = (before.len() + 300) / 1024;
    let padding = "x".repeat(900);
    lab.ok(&format!("cert csr -k a.key --subject CN={padding} --san DNS:a.example -o long.csr"));
    let gmkit = env!("CARGO_BIN_EXE_gmkit");
    lab.write(
        "full.sh",
        format!("trap '' XFSZ\nulimit -f {}\nexec {gmkit} cert issue {AUTHORITY} --csr long.csr -o long.pem\n", blocks + 1),
    );
    let done = lab.peer_done("bash full.sh");
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("index.jsonl"), "{}", done.stderr);
    assert_eq!(lab.read("db/index.jsonl"), before);
    assert!(!lab.path("long.pem").exists());
    lab.ok(&format!("cert revoke --db db --serial {serial}"));
    assert_eq!(listed(&lab)[&serial], "revoked");
}
