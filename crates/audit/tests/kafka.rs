//! Copies of a log in librdkafka's mock cluster, over connections that fail, read by librdkafka.

mod support;

use std::{
    collections::HashSet,
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use gmkit_audit::{Error, Forwarder, Kafka, KafkaOptions, Log, ReadBack, Retention, Sink};
use gmkit_keys::PrivateKey;
use support::{KEY, ORIGIN, options, records, sound, write};

struct Cluster {
    dir: tempfile::TempDir,
    child: Child,
    said: BufReader<ChildStdout>,
    plain: u16,
    tls: u16,
}

impl Cluster {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        certificate(dir.path());
        let here = env!("CARGO_MANIFEST_DIR");
        let mut child = Command::new(format!("{here}/../../target/peers/bin/python"))
            .arg(format!("{here}/tests/kafka_cluster.py"))
            .current_dir(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("librdkafka is installed by `cargo xtask test`");
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut ports = String::new();
        said.read_line(&mut ports).unwrap();
        let (plain, tls) = ports.trim().split_once(' ').unwrap();
        let (plain, tls) = (plain.parse().unwrap(), tls.parse().unwrap());
        Self { dir, child, said, plain, tls }
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut done = String::new();
        self.said.read_line(&mut done).unwrap();
        assert_eq!(done, "done\n", "{line}");
    }

    fn options(&self) -> KafkaOptions {
        KafkaOptions::new(&format!("127.0.0.1:{}", self.plain), "audit", ORIGIN)
    }

    fn forwarder(&self, log: &Path) -> Forwarder<Kafka> {
        Forwarder::new(log, KEY.public_key(), Kafka::new(self.options()).unwrap())
    }

    /// What a consumer of librdkafka's gets: index and record, in the topic's order.
    fn messages(&mut self) -> Vec<(u64, Vec<u8>)> {
        self.tell("dump audit dump");
        let text = fs::read_to_string(self.dir.path().join("dump")).unwrap();
        let message = |line: &str| {
            let fields: Vec<_> = line.split('\t').collect();
            let [key, log, index, record] = fields[..] else { panic!("{line}") };
            let event: serde_json::Value = serde_json::from_str(record).unwrap();
            assert_eq!(key, format!("{index}-{}", event["event_id"].as_str().unwrap()));
            assert_eq!(log, ORIGIN);
            (index.parse().unwrap(), record.as_bytes().to_vec())
        };
        text.lines().map(message).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// For the broker and its clients.
fn certificate(dir: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-subj", "/CN=kafka", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "server.key", "-out", "server.pem"])
        .current_dir(dir)
        .stderr(Stdio::null())
        .status();
    assert!(made.unwrap().success());
}

/// Each once, where it came first: that is in order.
fn first_ones(messages: Vec<(u64, Vec<u8>)>) -> Vec<Vec<u8>> {
    let mut seen = HashSet::new();
    let first: Vec<_> = messages.into_iter().filter(|(index, _)| seen.insert(*index)).collect();
    assert!(first.iter().map(|(index, _)| *index).eq(0..first.len() as u64));
    first.into_iter().map(|(_, record)| record).collect()
}

#[test]
fn each_record_is_there() {
    let mut cluster = Cluster::new();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..700, options());
    let mut forwarder = cluster.forwarder(dir);
    assert_eq!(forwarder.forward().unwrap().next, sound(dir).size);
    let all = records(dir);
    assert!(forwarder.sink().read(100, 256).unwrap() == all[100..356]);
    assert!(forwarder.sink().read(356, 100).unwrap() == all[356..456]);
    assert!(forwarder.sink().read(690, 256).unwrap() == all[690..]);
    assert_eq!(forwarder.sink().read(10_000, 2).unwrap().len(), 0);
    // Another one goes on.
    write(dir, 700..900, options());
    assert_eq!(cluster.forwarder(dir).forward().unwrap().next, sound(dir).size);
    let messages = cluster.messages();
    assert_eq!(messages.len(), records(dir).len(), "each once");
    assert!(first_ones(messages) == records(dir));
}

#[test]
fn what_is_not_answered_is_asked_for() {
    let mut cluster = Cluster::new();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let small = || options().with_segments(40_000);
    write(dir, 0..100, small());
    let mut forwarder = cluster.forwarder(dir);
    forwarder.forward().unwrap();
    let mut told = 100;
    for (mode, events) in [("cut", 400), ("mute", 800)] {
        write(dir, told..events, small());
        told = events;
        cluster.tell(mode);
        assert!(matches!(forwarder.forward(), Err(Error::Sink { .. })), "{mode}");
        cluster.tell("open");
        assert_eq!(forwarder.forward().unwrap().next, sound(dir).size);
    }
    assert!(first_ones(cluster.messages()) == records(dir));

    // What was on its way for long comes when it was sent again already.
    let all = records(dir);
    forwarder.sink().send(300, &all[300..500]).unwrap();
    forwarder.sink().send(400, &all[400..]).unwrap();
    forwarder.sink().send(all.len() as u64 - 7, &all[all.len() - 7..]).unwrap();
    write(dir, told..1000, small());
    assert_eq!(cluster.forwarder(dir).forward().unwrap().next, sound(dir).size);
    let (messages, all) = (cluster.messages(), records(dir));
    assert!(messages.len() > all.len() + 300, "some stand twice");
    assert!(first_ones(messages) == all);

    // It is read back all the same, in the order in which it is asked for, and in another.
    for first in (0..all.len()).step_by(256).chain([300, 5, 900]) {
        let read = forwarder.sink().read(first as u64, 256).unwrap();
        assert!(read == all[first..all.len().min(first + 256)], "{first}");
    }
    let log = Log::open(dir, small(), KEY.clone()).unwrap();
    let nothing_kept = || Retention::shorter_than_the_law_wants(0);
    let pruned = log.prune_copied(nothing_kept(), forwarder.sink()).unwrap();
    assert!(pruned.first >= 256, "{pruned:?}");
    // Without its beginning the copy is not all of what is to go.
    let mut late =
        Kafka::new(KafkaOptions::new(&format!("127.0.0.1:{}", cluster.plain), "late", ORIGIN))
            .unwrap();
    assert_eq!(late.last().unwrap(), None);
    late.send(pruned.first + 1, &all[pruned.first as usize + 1..]).unwrap();
    write_more(&log);
    let refused = log.prune_copied(nothing_kept(), &mut late);
    assert!(matches!(refused, Err(Error::NotCopied { .. })), "{refused:?}");
    log.close().unwrap();
}

/// So much that segments end.
fn write_more(log: &Log) {
    for number in 2000..2300 {
        log.append(&support::event(number)).unwrap();
    }
}

#[test]
fn what_is_not_this_logs_is_left_alone() {
    let mut cluster = Cluster::new();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..20, options());
    cluster.tell("produce audit somebody");
    let refused = cluster.forwarder(dir).forward();
    assert!(matches!(refused, Err(Error::OtherCopy { .. })), "{refused:?}");

    let other = KafkaOptions::new(&format!("127.0.0.1:{}", cluster.plain), "other", ORIGIN);
    let mut forwarder = Forwarder::new(dir, KEY.public_key(), Kafka::new(other.clone()).unwrap());
    forwarder.forward().unwrap();
    // Another log of the same name.
    let begun_anew = tempfile::tempdir().unwrap();
    write(begun_anew.path(), 0..40, options());
    let mut forwarder =
        Forwarder::new(begun_anew.path(), KEY.public_key(), Kafka::new(other).unwrap());
    let refused = forwarder.forward();
    assert!(matches!(refused, Err(Error::OtherCopy { .. })), "{refused:?}");

    for (servers, topic, origin) in [
        ("", "audit", ORIGIN),
        ("host", "audit", ORIGIN),
        ("host:0", "audit", ORIGIN),
        ("user:secret@host:9092", "audit", ORIGIN),
        ("[::1]:9092", "audit", ORIGIN),
        ("host:9092,", "audit", ORIGIN),
        ("host:9092", "", ORIGIN),
        ("host:9092", "..", ORIGIN),
        ("host:9092", "a topic", ORIGIN),
        ("host:9092", "audit", "two\nlines"),
    ] {
        let options = KafkaOptions::new(servers, topic, origin);
        assert!(!format!("{options:?}").contains("secret"));
        let refused = Kafka::new(options);
        assert!(matches!(refused, Err(Error::Options { .. })), "{servers} {topic}: {refused:?}");
    }
}

#[test]
fn under_tls_with_a_certificate_of_its_own() {
    let mut cluster = Cluster::new();
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    write(&log, 0..50, options());
    let file = |name: &str| cluster.dir.path().join(name);
    let own = KafkaOptions::new(&format!("127.0.0.1:{}", cluster.tls), "audit", ORIGIN);
    let sends = |options: KafkaOptions| {
        Forwarder::new(&log, KEY.public_key(), Kafka::new(options).unwrap()).forward()
    };
    let trusting = own.clone().with_ca(file("server.pem"));
    certificate(dir.path());
    for (options, why) in [
        (own.clone(), "it does not speak TLS"),
        (own.clone().with_tls(), "the system does not know the broker"),
        (own.with_ca(dir.path().join("server.pem")), "another authority"),
        (trusting.clone(), "the broker wants a certificate"),
    ] {
        assert!(matches!(sends(options), Err(Error::Sink { .. })), "{why}");
    }
    let trusted = trusting.with_identity(file("server.pem"), file("server.key"));
    assert_eq!(sends(trusted).unwrap().next, sound(&log).size);
    assert!(first_ones(cluster.messages()) == records(&log));
}
