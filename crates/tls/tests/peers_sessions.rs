//! What goes on in connections with OpenSSL 4 and Tongsuo: names, protocols, new keys, ends; and
//! pyOpenSSL.

mod openssl;
mod support;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use gmkit_pki::Profile;
use gmkit_tls::{HandshakeError, Server, accept, connect};
use openssl::{NATIONAL, PEERS, Peer, Running, ask, our_server};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, ServerConfig, ServerConnection, Stream,
    StreamOwned, server::ResolvesServerCertUsingSni,
};
use support::{AUTHORITY, client};

const FILES: &str = "-cert server.pem -cert_chain server.pem -key server.key";

/// `s_client` that is spoken with.
struct Talking {
    running: Running,
    stdin: std::process::ChildStdin,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    errors: std::io::Lines<BufReader<std::process::ChildStderr>>,
}

impl Talking {
    fn new(peer: &Peer, port: u16, options: &str) -> Self {
        let line = format!(
            "s_client -connect 127.0.0.1:{port} -tls1_3 -ciphersuites TLS_SM4_GCM_SM3 {NATIONAL} \
             -CAfile root.pem -verify_return_error {options}"
        );
        let mut child = peer
            .command(&line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let lines = BufReader::new(stdout).lines();
        let errors = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { running: Running { child, port }, stdin, lines, errors }
    }

    fn say(&mut self, line: &str) {
        self.stdin.write_all(line.as_bytes()).unwrap();
    }

    /// A command, which it takes for one only at the beginning of what it reads at once.
    fn command(&mut self, letter: &str, said: &str) {
        self.say(&format!("{letter}\n"));
        let mut errors = self.errors.by_ref().map_while(Result::ok);
        assert!(errors.any(|line| line == said), "no {said}");
    }

    /// Reads on to a line that ends so.
    fn hear(&mut self, end: &str) {
        let found = self.lines.by_ref().map_while(Result::ok).find(|line| line.ends_with(end));
        found.unwrap_or_else(|| panic!("no line that ends with {end}"));
    }
}

type Served = StreamOwned<ServerConnection, TcpStream>;

/// A server of ours for one connection.
fn serve<T: Send + 'static>(
    config: Arc<ServerConfig>,
    work: impl FnOnce(Served) -> T + Send + 'static,
) -> (u16, thread::JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let connection = accept(config, &mut socket).unwrap();
        work(StreamOwned::new(connection, socket))
    });
    (port, serving)
}

/// Lines, reversed, until the end; how it ended.
fn reverse_lines(stream: Served) -> std::io::Result<usize> {
    let mut reader = BufReader::new(stream);
    let mut count = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(count);
        }
        count += 1;
        let answer: String = line.trim_end().chars().rev().collect();
        reader.get_mut().write_all(format!("{answer}\n").as_bytes())?;
        // Ours change as often as there are lines.
        reader.get_mut().conn.refresh_traffic_keys().unwrap();
    }
}

#[test]
fn new_keys_whoever_asks_for_them_and_a_clean_end() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    for name in PEERS {
        let peer = Peer::new(name);
        let (port, serving) = serve(party.server().config().unwrap(), reverse_lines);
        let mut client = Talking::new(&peer, port, "");
        client.hear("---");
        for n in 0..3 {
            client.say(&format!("line {n}\n"));
            client.hear(&format!("{n} enil"));
            // A line of its own; K asks for keys of both sides.
            client.command(if n == 0 { "k" } else { "K" }, "KEYUPDATE");
        }
        client.say("Q\n");
        assert!(client.running.child.wait().unwrap().success());
        assert_eq!(serving.join().unwrap().unwrap(), 3, "{name}");

        // And with a server of theirs, at our wish.
        party.write(peer.dir.path(), "server");
        let server = peer.server(&format!("-ciphersuites TLS_SM4_GCM_SM3 {NATIONAL} {FILES} -rev"));
        let (mut connection, mut socket) = ours(server.port, client_config());
        let mut stream = Stream::new(&mut connection, &mut socket);
        for _ in 0..3 {
            stream.write_all(b"hello\n").unwrap();
            let mut answer = [0; 6];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"olleh\n");
            stream.conn.refresh_traffic_keys().unwrap();
        }
    }
}

fn client_config() -> Arc<ClientConfig> {
    client().without_resumption().config().unwrap()
}

fn ours(port: u16, config: Arc<ClientConfig>) -> (ClientConnection, TcpStream) {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let connection = connect(config, "localhost".try_into().unwrap(), &mut socket).unwrap();
    (connection, socket)
}

/// Killed in the middle: what came is not taken for all.
#[test]
fn ends_without_a_word() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    for name in PEERS {
        let peer = Peer::new(name);
        let (port, serving) = serve(party.server().config().unwrap(), reverse_lines);
        let mut client = Talking::new(&peer, port, "");
        client.hear("---");
        client.say("line\n");
        client.hear("enil");
        drop(client.running);
        serving.join().unwrap().expect_err("no close_notify");

        party.write(peer.dir.path(), "server");
        let server = peer.server(&format!("-ciphersuites TLS_SM4_GCM_SM3 {NATIONAL} {FILES} -rev"));
        let (mut connection, mut socket) = ours(server.port, client_config());
        let mut stream = Stream::new(&mut connection, &mut socket);
        stream.write_all(b"hello\n").unwrap();
        stream.read_exact(&mut [0; 6]).unwrap();
        drop(server);
        stream.read_to_end(&mut Vec::new()).expect_err("no close_notify");
    }
}

#[test]
fn protocols_and_names() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    for name in PEERS {
        let peer = Peer::new(name);
        let config = party.server().with_alpn(["h2", "http/1.1"]).config().unwrap();
        let server = our_server(config.clone(), 1);
        let options =
            format!("-ciphersuites TLS_SM4_GCM_SM3 {NATIONAL} -ign_eof -alpn http/1.1,h2");
        let (good, said) = peer.client(server.port, &options, b"hello\n");
        assert!(good && said.contains("ALPN protocol: h2"), "{name}: {said}");
        let server = our_server(config, 1);
        let options = format!("-ciphersuites TLS_SM4_GCM_SM3 {NATIONAL} -ign_eof -alpn smtp");
        let (_, said) = peer.client(server.port, &options, b"hello\n");
        assert!(!said.contains("olleh"), "{name}: {said}");
        assert!(server.told().is_err());

        party.write(peer.dir.path(), "server");
        let options = format!("-ciphersuites TLS_SM4_GCM_SM3 {NATIONAL} {FILES} -rev -alpn h2");
        let server = peer.server(&options);
        let config = client().with_alpn(["http/1.1", "h2"]).config().unwrap();
        let (connection, _) = ours(server.port, config);
        assert_eq!(connection.alpn_protocol(), Some(&b"h2"[..]));

        // Two names on one port, each with its chain.
        let mut resolver = ResolvesServerCertUsingSni::new();
        for host in ["localhost", "other.example"] {
            let party = AUTHORITY.party(Profile::TlsServer, host);
            resolver.add(host, party.certified(party.signing_key(), None)).unwrap();
        }
        let config = Server::with_resolver(Arc::new(resolver)).config().unwrap();
        for (host, good) in
            [("localhost", true), ("other.example", true), ("nobody.example", false)]
        {
            let server = our_server(config.clone(), 1);
            let line = format!(
                "s_client -connect 127.0.0.1:{} -tls1_3 -ciphersuites TLS_SM4_GCM_SM3 {NATIONAL} \
                 -servername {host} -verify_hostname {host} -CAfile root.pem -verify_return_error \
                 -quiet -ign_eof",
                server.port
            );
            let mut child = peer
                .command(&line)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut stdin = child.stdin.take().unwrap();
            // It may have ended by now.
            let _ = stdin.write_all(b"hello\n");
            let done = child.wait_with_output().unwrap();
            assert_eq!(done.stdout == b"olleh\n", good, "{name} {host}");
            assert_eq!(server.told().is_ok(), good, "{name} {host}");
        }
    }
}

/// OpenSSL 4 once more, as Python has it.
#[test]
fn py_openssl() {
    let dir = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    party.write(dir.path(), "server");
    std::fs::write(dir.path().join("root.pem"), AUTHORITY.root.certificate().to_pem()).unwrap();
    let settings = "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n\
                    [tls]\nGroups = curveSM2\nSignatureAlgorithms = sm2sig_sm3\n";
    std::fs::write(dir.path().join("openssl.cnf"), settings).unwrap();
    let python = |line: &str| {
        let program = root.join("../../target/peers/bin/python");
        assert!(program.exists(), "{} is missing: `cargo xtask test` makes it", program.display());
        let mut command = Command::new(program);
        command
            .arg(root.join("tests/pyopenssl.py"))
            .args(line.split(' '))
            .current_dir(dir.path())
            .env("OPENSSL_CONF", dir.path().join("openssl.cnf"));
        command
    };
    let server = our_server(party.server().config().unwrap(), 1);
    let done = python(&format!("connect {} root.pem hello", server.port)).output().unwrap();
    let (said, cried) = (String::from_utf8(done.stdout), String::from_utf8(done.stderr));
    assert_eq!(said.unwrap(), "TLS_SM4_GCM_SM3 olleh\n", "{}", cried.unwrap());
    assert_eq!(server.told().unwrap().0, HandshakeKind::Full);

    let mut child = python("serve server.pem server.key").stdout(Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
    let (kind, suite) = ask(&client_config(), port.trim().parse().unwrap()).unwrap();
    assert_eq!((kind, suite), (HandshakeKind::Full, 0xc6));
    assert!(child.wait().unwrap().success());
}

/// Whoever trusts nobody of this is told so.
#[test]
fn a_server_that_our_client_does_not_trust_hears_of_it() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    let peer = Peer::new("openssl4");
    party.write(peer.dir.path(), "server");
    let server = peer.server(&format!("-ciphersuites TLS_SM4_GCM_SM3 {NATIONAL} {FILES} -rev"));
    let mut socket = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let refused = connect(client_config(), "elsewhere".try_into().unwrap(), &mut socket);
    let refused: HandshakeError = refused.unwrap_err();
    assert!(refused.untrusted().is_some(), "{refused}");
}
