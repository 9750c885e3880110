//! Copies of a log at a collector that reads them with OpenTelemetry's own classes.

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use gmkit_audit::{Auditor, Error, Event, Forwarder, Log, Otlp, OtlpOptions, Outcome, TraceParent};
use gmkit_keys::PrivateKey;
use serde_json::Value;
use support::{KEY, ORIGIN, options, sound, write};

struct Collector {
    dir: tempfile::TempDir,
    child: Child,
    said: BufReader<ChildStdout>,
    plain: u16,
    tls: u16,
}

impl Collector {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        certificate(dir.path());
        let here = env!("CARGO_MANIFEST_DIR");
        let mut child = Command::new(format!("{here}/../../target/peers/bin/python"))
            .arg(format!("{here}/tests/otlp_collector.py"))
            .current_dir(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("OpenTelemetry's classes are installed by `cargo xtask test`");
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut ports = String::new();
        said.read_line(&mut ports).unwrap();
        let (plain, tls) = ports.trim().split_once(' ').unwrap();
        let (plain, tls) = (plain.parse().unwrap(), tls.parse().unwrap());
        Self { dir, child, said, plain, tls }
    }

    /// What it says to a line.
    fn tell(&mut self, line: &str) -> Vec<Value> {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut said = Vec::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.said.read_line(&mut line).unwrap(), 0);
            match line.trim_end() {
                "done" => return said,
                record => said.push(serde_json::from_str(record).unwrap()),
            }
        }
    }

    fn cursor(&self) -> PathBuf {
        self.dir.path().join("cursor")
    }

    fn options(&self) -> OtlpOptions {
        OtlpOptions::new(&format!("http://127.0.0.1:{}", self.plain), ORIGIN, self.cursor())
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// For the collector and its clients.
fn certificate(dir: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-subj", "/CN=collector", "-addext", "subjectAltName=DNS:localhost", "-days", "2"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "server.key", "-out", "server.pem"])
        .current_dir(dir)
        .stderr(Stdio::null())
        .status();
    assert!(made.unwrap().success());
}

fn forwarder(log: &Path, options: &OtlpOptions) -> Forwarder<Otlp> {
    Forwarder::new(log, KEY.public_key(), Otlp::new(options).unwrap())
}

fn records(dir: &Path) -> Vec<String> {
    let mut records = Vec::new();
    Auditor::for_each_record(dir, |_, record| {
        records.push(String::from_utf8(record.to_vec()).unwrap());
        Ok(())
    })
    .unwrap();
    records
}

#[test]
fn records_are_what_opentelemetry_understands() {
    let mut collector = Collector::new();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..600, options());
    let log = Log::open(dir, options(), KEY.clone()).unwrap();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    let mut event = Event::new("转账", Outcome::denied());
    event.trace = Some(TraceParent::try_from(trace).unwrap());
    log.append(&event).unwrap();
    log.close().unwrap();
    assert_eq!(forwarder(dir, &collector.options()).forward().unwrap().next, sound(dir).size);
    write(dir, 600..700, options());
    // Another one goes on.
    assert_eq!(forwarder(dir, &collector.options()).forward().unwrap().next, sound(dir).size);

    let kept = collector.tell("dump");
    let lines = records(dir);
    assert_eq!(kept.len(), lines.len(), "each once");
    for ((kept, line), index) in kept.iter().zip(&lines).zip(0..) {
        assert_eq!(kept["body"], **line);
        let event = Event::from_json(line.as_bytes()).unwrap();
        let allowed = event.result.outcome.as_str() == "allowed";
        let severity =
            if allowed { serde_json::json!([9, "INFO"]) } else { serde_json::json!([13, "WARN"]) };
        assert_eq!(kept["severity"], severity);
        let nanoseconds = u64::try_from(event.time.unix_timestamp_nanos()).unwrap();
        assert_eq!((&kept["time"], &kept["observed"]), (&nanoseconds.into(), &nanoseconds.into()));
        assert_eq!(
            (&kept["event"], &kept["scope"]),
            (&event.op_type.into(), &"gmkit.audit".into())
        );
        assert_eq!(kept["attributes"]["gmkit.audit.index"], index);
        assert_eq!(kept["attributes"]["gmkit.audit.event_id"], event.event_id.to_string());
        assert_eq!(kept["resource"]["service.instance.id"], ORIGIN);
        let (trace, span, flags) = match event.trace {
            Some(_) => ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 1),
            None => ("", "", 0),
        };
        assert_eq!((&kept["trace"], &kept["span"]), (&trace.into(), &span.into()));
        assert_eq!(kept["flags"], flags);
    }
}

#[test]
fn what_is_not_taken_goes_again() {
    let mut collector = Collector::new();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..50, options());
    let mut forwarder = forwarder(dir, &collector.options());
    for answer in ["503", "429", "401", "garbage", "elsewhere", "204", "health"] {
        collector.tell(answer);
        let refused = forwarder.forward();
        assert!(matches!(refused, Err(Error::Sink { .. })), "{answer}: {refused:?}");
    }
    assert!(collector.tell("dump").is_empty());
    // What is refused is not sent for ever.
    for answer in ["400", "413", "refuse"] {
        collector.tell(answer);
        let stop = std::sync::atomic::AtomicBool::new(false);
        let refused = forwarder.follow(&stop, |error| panic!("{answer}: {error}"));
        assert!(matches!(refused, Err(Error::OtherCopy { .. })), "{answer}: {refused:?}");
        assert!(!refused.unwrap_err().to_string().contains('\n'), "{answer}");
    }
    let in_part = collector.tell("dump").len();
    assert_eq!(in_part as u64, sound(dir).size - 3);
    // It was taken, and nobody knows.
    collector.tell("hang up");
    assert!(matches!(forwarder.forward(), Err(Error::Sink { .. })));
    collector.tell("ok");
    let size = sound(dir).size;
    assert_eq!(forwarder.forward().unwrap().next, size);
    let kept = collector.tell("dump");
    let twice: Vec<_> = records(dir).into_iter().cycle().take(2 * size as usize).collect();
    assert!(kept[in_part..].iter().map(|kept| kept["body"].as_str().unwrap()).eq(twice));
}

#[test]
fn whom_it_does_not_trust_gets_nothing() {
    let mut collector = Collector::new();
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    write(&log, 0..20, options());
    certificate(dir.path());
    let file = |name: &str| collector.dir.path().join(name);
    let port = collector.tls;
    let at = |host: &str| {
        let url = format!("https://{host}:{port}");
        OtlpOptions::new(&url, ORIGIN, dir.path().join(host.replace('.', "-")))
    };
    let trusting = at("localhost").with_ca(file("server.pem"));
    for (options, why) in [
        (at("localhost"), "the system does not know it"),
        (at("localhost").with_ca(dir.path().join("server.pem")), "another authority"),
        (at("127.0.0.1").with_ca(file("server.pem")), "another name"),
        (trusting.clone(), "it wants a certificate"),
    ] {
        let refused = forwarder(&log, &options).forward();
        assert!(matches!(refused, Err(Error::Sink { .. })), "{why}: {refused:?}");
    }
    let trusted = trusting.with_identity(file("server.pem"), file("server.key"));
    assert_eq!(forwarder(&log, &trusted).forward().unwrap().next, sound(&log).size);
    assert_eq!(collector.tell("dump").len() as u64, sound(&log).size);

    for address in [
        "",
        "localhost:4318",
        "ftp://localhost",
        "https://",
        "https://user:secret@localhost",
        "https://localhost?token=secret",
        "https://localhost/#x",
    ] {
        let options = OtlpOptions::new(address, ORIGIN, collector.cursor());
        assert!(!address.contains('@') || !format!("{options:?}").contains("secret"));
        let refused = Otlp::new(&options);
        assert!(matches!(refused, Err(Error::Options { .. })), "{address}: {refused:?}");
        assert!(!refused.unwrap_err().to_string().contains("secret"));
    }
    let plain = collector.options().with_ca(dir.path().join("server.pem"));
    assert!(matches!(Otlp::new(&plain), Err(Error::Options { .. })), "it would go without TLS");
    fs::write(dir.path().join("none.pem"), "no certificate").unwrap();
    let bad = at("localhost").with_ca(dir.path().join("none.pem"));
    assert!(matches!(Otlp::new(&bad), Err(Error::Io { .. })));
}
