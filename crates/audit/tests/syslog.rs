//! Copies of a log at a real syslog server, over connections that are cut.

mod support;

use std::{
    collections::HashSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use gmkit_audit::{Error, Event, Forwarder, Syslog, SyslogOptions};
use gmkit_keys::PrivateKey;
use support::{KEY, ORIGIN, options, records, sound, write};

/// syslog-ng with a certificate and a port of its own.
struct Server {
    dir: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Server {
    fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        certificate(dir.path());
        let mut server = Self { dir, port, child: None };
        server.start();
        server
    }

    fn start(&mut self) {
        let (dir, port) = (self.dir.path().display(), self.port);
        let config = format!(
            "@version: 3.38\n\
             options {{ log-msg-size(131072); stats-freq(0); frac-digits(6); }};\n\
             source s {{ syslog(ip(\"127.0.0.1\") port({port}) transport(\"tls\")\n\
             tls(key-file(\"{dir}/key.pem\") cert-file(\"{dir}/ca.pem\") ca-file(\"{dir}/ca.pem\") peer-verify(optional-untrusted))); }};\n\
             destination d {{ file(\"{dir}/messages\" template(\"$FACILITY_NUM.$LEVEL_NUM $S_ISODATE $PROGRAM $MSGID $SDATA $MESSAGE\\n\")); }};\n\
             log {{ source(s); destination(d); }};\n"
        );
        fs::write(self.dir.path().join("conf"), config).unwrap();
        let mut server = Command::new("syslog-ng");
        server.args("-F --no-caps -f conf -R persist -p pid -c control".split(' '));
        let child = server.current_dir(self.dir.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = child.spawn().expect("syslog-ng is installed by `cargo xtask test`");
        self.child = Some(child);
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "syslog-ng ended: {ended:?}");
            assert!(started.elapsed() < Duration::from_secs(30), "syslog-ng does not listen");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// In good order: what it has read, it writes.
    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let id = child.id().to_string();
            assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
            child.wait().unwrap();
        }
    }

    fn options(&self, port: u16) -> SyslogOptions {
        SyslogOptions::new(&format!("localhost:{port}"), ORIGIN, self.cursor())
            .with_ca(self.dir.path().join("ca.pem"))
    }

    fn cursor(&self) -> PathBuf {
        self.dir.path().join("cursor")
    }

    /// What the cursor says.
    fn has_nothing(&self) -> bool {
        let cursor = fs::read_to_string(self.cursor());
        cursor.map_or(true, |cursor| cursor.ends_with("\n-\n"))
    }

    fn forwarder(&self, log: &Path) -> Forwarder<Syslog> {
        Forwarder::new(log, KEY.public_key(), Syslog::new(&self.options(self.port)).unwrap())
    }

    /// What it has written, when it has stopped: the heads, and the records.
    fn messages(&mut self) -> Vec<(String, Vec<u8>)> {
        self.stop();
        let text = fs::read_to_string(self.dir.path().join("messages")).unwrap_or_default();
        let message = |line: &str| {
            let (head, record) = line.split_once("] ").unwrap();
            (head.to_owned(), record.as_bytes().to_vec())
        };
        text.lines().filter(|line| line.contains("gmkit-audit")).map(message).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

/// One that is for localhost, and its own authority.
fn certificate(dir: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "ca.pem"])
        .current_dir(dir)
        .stderr(Stdio::null())
        .status();
    assert!(made.unwrap().success());
}

/// Each record once, in the order in which they came first.
fn first_ones(messages: &[(String, Vec<u8>)]) -> Vec<Vec<u8>> {
    let mut seen = HashSet::new();
    let new = |record: &&Vec<u8>| seen.insert(Event::from_json(record).unwrap().event_id);
    messages.iter().map(|(_, record)| record).filter(new).cloned().collect()
}

#[test]
fn messages_are_what_a_server_understands() {
    let mut server = Server::new();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..300, options());
    let mut forwarder = server.forwarder(dir);
    assert_eq!(forwarder.forward().unwrap().next, sound(dir).size);
    write(dir, 300..700, options());
    // Another one goes on, also when the server was away.
    server.stop();
    let mut forwarder = server.forwarder(dir);
    assert!(matches!(forwarder.forward(), Err(Error::Sink { .. })));
    server.start();
    assert_eq!(forwarder.forward().unwrap().next, sound(dir).size);

    let (messages, records) = (server.messages(), records(dir));
    let told: Vec<_> = messages.iter().map(|(_, record)| record.clone()).collect();
    assert!(told == records, "each once, and in order");
    for ((head, record), index) in messages.iter().zip(0..) {
        let event = Event::from_json(record).unwrap();
        let words: Vec<_> = head.splitn(5, ' ').collect();
        let json: serde_json::Value = serde_json::from_slice(record).unwrap();
        let time =
            json["time"].as_str().unwrap().trim_end_matches('Z').get(..20).unwrap().to_owned();
        assert_eq!(
            words[0],
            if event.result.outcome.as_str() == "allowed" { "13.6" } else { "13.4" }
        );
        assert!(words[1].starts_with(&time), "{head} is not of {time}");
        assert_eq!(&words[2..4], ["gmkit-audit", event.op_type.as_str()]);
        assert_eq!(words[4], format!("[meta sequenceId=\"{}\"", index + 1));
    }
}

/// A way to the server that is cut when so many bytes have gone to it.
fn cut_after(port: u16, bytes: &Arc<AtomicUsize>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let left = Arc::clone(bytes);
    thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(mut client) = client else { return };
            let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
            let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let back = thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
            let mut buffer = [0; 4096];
            let how = loop {
                let Ok(n @ 1..) = client.read(&mut buffer) else { break Shutdown::Write };
                let before = left.load(Ordering::Relaxed);
                left.store(before.saturating_sub(n), Ordering::Relaxed);
                if server.write_all(&buffer[..n.min(before)]).is_err() || n > before {
                    break Shutdown::Both;
                }
            };
            let _ = server.shutdown(how);
            if how == Shutdown::Both {
                let _ = client.shutdown(how);
            }
            back.join().unwrap();
        }
    });
    own
}

#[test]
fn cut_connections_lose_nothing() {
    let mut server = Server::new();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..1000, options());
    let left = Arc::new(AtomicUsize::new(0));
    let port = cut_after(server.port, &left);
    let sink = Syslog::new(&server.options(port)).unwrap();
    let mut forwarder = Forwarder::new(dir, KEY.public_key(), sink);
    let mut cuts = 0;
    for bytes in [0, 100, 600, 2000, 10_000, 50_000, 90_000, 150_000, 200_000] {
        left.store(bytes, Ordering::Relaxed);
        match forwarder.forward() {
            Err(Error::Sink { .. }) => cuts += 1,
            done => assert_eq!(done.unwrap().next, sound(dir).size),
        }
    }
    assert!(cuts >= 7, "{cuts}");
    left.store(usize::MAX, Ordering::Relaxed);
    assert_eq!(forwarder.forward().unwrap().next, sound(dir).size);
    let messages = server.messages();
    assert!(first_ones(&messages) == records(dir), "all of them, and in order");
}

/// A server of Python's, which ends connections in its own way: `read` reads all and says nothing; `early` says that
/// it ends before it has read anything, and `cut` does not even say that; with `+` both end the connection before they
/// close it.
const ENDS: &str = r"
import socket, ssl, sys, time
how, pause = sys.argv[1], float(sys.argv[2])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('ca.pem', 'key.pem')
listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
while True:
    client, _ = listener.accept()
    if how == 'read':
        client = context.wrap_socket(client, server_side=True)
        while data := client.recv(65536):
            open('got', 'ab').write(data)
    else:
        came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(came, goes, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.sendall(goes.read())
                came.write(client.recv(1))
        client.sendall(goes.read())
        time.sleep(pause)
        if how.startswith('early'):
            try:
                tls.unwrap()
            except ssl.SSLWantReadError:
                pass
            client.sendall(goes.read())
        if how.endswith('+'):
            client.shutdown(socket.SHUT_RDWR)
    client.close()
";

fn python(server: &mut Server, how: &str) -> u16 {
    server.stop();
    let mut python = Command::new("python3");
    python.args(["-c", ENDS]).args(how.split(' ')).current_dir(server.dir.path());
    let mut child = python.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    server.child = Some(child);
    port.trim().parse().unwrap()
}

#[test]
fn a_server_that_does_not_say_that_it_ends() {
    let mut server = Server::new();
    let port = python(&mut server, "read 0");
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..20, options());
    let sends = |options: &SyslogOptions| {
        Forwarder::new(dir, KEY.public_key(), Syslog::new(options).unwrap()).forward()
    };
    let reason = sends(&server.options(port)).unwrap_err().to_string();
    assert!(reason.contains("without TLS's close_notify"), "{reason}");
    assert!(server.has_nothing());
    let done = sends(&server.options(port).with_plain_end());
    assert_eq!(done.unwrap().next, sound(dir).size);
    let got = fs::read_to_string(server.dir.path().join("got")).unwrap();
    assert!(got.len() > 2 && got[..got.len() / 2] == got[got.len() / 2..], "both came");

    // A cursor is for one server.
    let other = SyslogOptions::new("other.example:6514", ORIGIN, server.cursor());
    let refused = sends(&other.with_ca(server.dir.path().join("ca.pem")));
    assert!(matches!(refused, Err(Error::Damaged { .. })), "{refused:?}");
    // One that cannot be written is found out before anything goes.
    let nowhere = SyslogOptions::new(&format!("localhost:{port}"), ORIGIN, dir.join("no/cursor"));
    let refused = sends(&nowhere.with_ca(server.dir.path().join("ca.pem")).with_plain_end());
    assert!(matches!(refused, Err(Error::Io { .. })), "{refused:?}");
    assert_eq!(fs::read_to_string(server.dir.path().join("got")).unwrap().len(), got.len());
}

/// The end of a server that has not read what was sent is no receipt, whenever it comes.
#[test]
fn a_server_that_ends_too_early() {
    let mut server = Server::new();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, 0..300, options());
    for how in
        ["early 0", "early 0.002", "early 0.3", "early+ 0", "early+ 0.3", "cut 0", "cut+ 0.3"]
    {
        let port = python(&mut server, how);
        let options = server.options(port);
        let options = if how.starts_with("cut") { options.with_plain_end() } else { options };
        let mut forwarder = Forwarder::new(dir, KEY.public_key(), Syslog::new(&options).unwrap());
        for _ in 0..5 {
            let refused = forwarder.forward();
            assert!(matches!(refused, Err(Error::Sink { .. })), "{how}: {refused:?}");
        }
        assert!(server.has_nothing());
        fs::remove_file(server.cursor()).unwrap();
    }
}

#[test]
fn whom_it_does_not_trust_gets_nothing() {
    let mut server = Server::new();
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    write(&log, 0..20, options());
    let sends = |options: &SyslogOptions| {
        Forwarder::new(&log, KEY.public_key(), Syslog::new(options).unwrap()).forward()
    };
    certificate(dir.path());
    let own = server.options(server.port);
    let refused = sends(&own.clone().with_ca(dir.path().join("ca.pem")));
    assert!(matches!(refused, Err(Error::Sink { .. })), "another authority: {refused:?}");
    let address = format!("127.0.0.1:{}", server.port);
    let other = SyslogOptions::new(&address, ORIGIN, dir.path().join("cursor"));
    let refused = sends(&other.with_ca(server.dir.path().join("ca.pem")));
    assert!(matches!(refused, Err(Error::Sink { .. })), "another name: {refused:?}");
    assert!(server.messages().is_empty() && server.has_nothing());

    // A server that answers with something else, and one that says nothing and ends.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers = thread::spawn(move || {
        for answer in [&b"220 ready\r\n"[..], b""] {
            let (mut client, _) = listener.accept().unwrap();
            let _ = client.write_all(answer);
        }
    });
    fs::remove_file(server.cursor()).unwrap();
    for _ in 0..2 {
        assert!(matches!(sends(&server.options(port)), Err(Error::Sink { .. })));
    }
    answers.join().unwrap();

    // What cannot be right is said before anything is sent.
    for address in ["localhost", "localhost:0", "localhost:99999", ":6514", "a b:6514", ""] {
        let refused = Syslog::new(&SyslogOptions::new(address, ORIGIN, server.cursor()));
        assert!(matches!(refused, Err(Error::Options { .. })), "{address}: {refused:?}");
    }
    fs::write(dir.path().join("none.pem"), "no certificate").unwrap();
    for file in ["none.pem", "missing.pem", "key.pem"] {
        let refused = Syslog::new(&server.options(port).with_ca(dir.path().join(file)));
        assert!(matches!(refused, Err(Error::Io { .. })), "{file}: {refused:?}");
    }
    let wrong = server
        .options(port)
        .with_identity(dir.path().join("ca.pem"), server.dir.path().join("key.pem"));
    assert!(matches!(Syslog::new(&wrong), Err(Error::Io { .. })), "a key of another certificate");
}
