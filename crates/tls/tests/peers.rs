//! OpenSSL 4 and Tongsuo on the other side, in both directions.

mod support;

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use gmkit_pki::Profile;
use gmkit_tls::{Client, Clients, national};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, ServerConfig, ServerConnection, Stream,
};
use support::{AUTHORITY, Party, client};

const PEERS: [&str; 2] = ["openssl4", "tongsuo"];
const SUITES: [&str; 2] = ["TLS_SM4_GCM_SM3", "TLS_SM4_CCM_SM3"];

/// A peer's `openssl`, in a folder.
struct Peer {
    program: PathBuf,
    libraries: PathBuf,
    dir: tempfile::TempDir,
}

impl Peer {
    fn new(name: &str) -> Self {
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers").join(name);
        let program = home.join("apps/openssl");
        assert!(program.exists(), "{} is missing: `cargo xtask test` builds it", program.display());
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("root.pem"), AUTHORITY.root.certificate().to_pem()).unwrap();
        Self { program, libraries: home, dir }
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(line.split_whitespace())
            .current_dir(self.dir.path())
            .env("LD_LIBRARY_PATH", &self.libraries)
            .env("OPENSSL_CONF", "/dev/null");
        command
    }

    /// Runs `s_client` against a server of ours with something to say, until it ends; what it said.
    fn client(&self, port: u16, options: &str, input: &[u8]) -> (bool, String) {
        let line = format!(
            "s_client -connect 127.0.0.1:{port} -tls1_3 -servername localhost \
             -verify_hostname localhost -CAfile root.pem -verify_return_error {options}"
        );
        let mut client = self
            .command(&line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = client.stdin.take().unwrap();
        let input = input.to_vec();
        // It may end before it has read all of this.
        let writer = thread::spawn(move || stdin.write_all(&input));
        let done = client.wait_with_output().unwrap();
        let _ = writer.join().unwrap();
        let said = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Starts `s_server -rev`, and waits until it listens.
    fn server(&self, options: &str) -> Running {
        let line = format!("s_server -accept 127.0.0.1:0 -tls1_3 {options}");
        let mut child = self
            .command(&line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().unwrap_or_else(|| panic!("{line}: it ended")).unwrap();
            if let Some(address) = line.strip_prefix("ACCEPT ") {
                break address.rsplit(':').next().unwrap().parse().unwrap();
            }
        };
        // What it says is read, so that it can go on.
        thread::spawn(move || lines.for_each(drop));
        Running { child, port }
    }
}

struct Running {
    child: Child,
    port: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server of ours that answers each line with its letters reversed, and tells of each connection.
struct OurServer {
    port: u16,
    told: mpsc::Receiver<Result<(HandshakeKind, String), String>>,
}

fn our_server(config: Arc<ServerConfig>, connections: usize) -> OurServer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for _ in 0..connections {
            let (socket, _) = listener.accept().unwrap();
            let _ = tell.send(serve(Arc::clone(&config), socket));
        }
    });
    OurServer { port, told }
}

fn serve(
    config: Arc<ServerConfig>,
    mut socket: TcpStream,
) -> Result<(HandshakeKind, String), String> {
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut connection = ServerConnection::new(config).unwrap();
    let mut stream = Stream::new(&mut connection, &mut socket);
    let mut line = String::new();
    let mut reader = BufReader::new(&mut stream);
    reader.read_line(&mut line).map_err(|error| error.to_string())?;
    let answer: String = line.trim_end().chars().rev().collect();
    stream.write_all(format!("{answer}\n").as_bytes()).unwrap();
    national(stream.conn).map_err(|error| error.to_string())?;
    let kind = stream.conn.handshake_kind().unwrap();
    let suite = stream.conn.negotiated_cipher_suite().unwrap().suite();
    stream.conn.send_close_notify();
    let _ = stream.flush();
    // Until the other side is done: what it still says must not make the answer be lost.
    let _ = socket.read_to_end(&mut Vec::new());
    Ok((kind, format!("{suite:?}")))
}

impl OurServer {
    fn told(&self) -> Result<(HandshakeKind, String), String> {
        self.told.recv_timeout(Duration::from_secs(30)).unwrap()
    }
}

/// A line to a server of the peer's and back, reversed.
fn ask(config: &Arc<ClientConfig>, port: u16) -> Result<(HandshakeKind, u16), String> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let name = "localhost".try_into().unwrap();
    let mut connection = ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut stream = Stream::new(&mut connection, &mut socket);
    stream.write_all(b"hello\n").map_err(|error| error.to_string())?;
    let mut answer = [0; 6];
    stream.read_exact(&mut answer).map_err(|error| error.to_string())?;
    assert_eq!(&answer, b"olleh\n");
    national(stream.conn).map_err(|error| error.to_string())?;
    let suite = stream.conn.negotiated_cipher_suite().unwrap().suite();
    let kind = stream.conn.handshake_kind().unwrap();
    stream.conn.send_close_notify();
    let _ = stream.flush();
    Ok((kind, suite.into()))
}

const NATIONAL: &str = "-groups curveSM2 -sigalgs sm2sig_sm3";

#[test]
fn their_clients_and_our_server() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    for name in PEERS {
        let peer = Peer::new(name);
        for suite in SUITES {
            let server = our_server(party.server().config().unwrap(), 1);
            let options = format!("-ciphersuites {suite} {NATIONAL} -ign_eof");
            let (good, said) = peer.client(server.port, &options, b"hello\n");
            assert!(good && said.contains("olleh\n"), "{name} {suite}: {said}");
            assert!(said.contains(&format!("Cipher is {suite}")), "{name} {suite}: {said}");
            let (kind, _) = server.told().unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(kind, HandshakeKind::Full);
        }
        // Its first share is another group's: HelloRetryRequest.
        let server = our_server(party.server().config().unwrap(), 1);
        let options = "-ciphersuites TLS_SM4_GCM_SM3 -groups X25519:curveSM2 -ign_eof";
        let (good, said) = peer.client(server.port, options, b"hello\n");
        assert!(good && said.contains("olleh\n"), "{name}: {said}");
        assert_eq!(server.told().unwrap().0, HandshakeKind::FullWithHelloRetryRequest);
    }
}

#[test]
fn their_servers_and_our_client() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    for name in PEERS {
        let peer = Peer::new(name);
        party.write(peer.dir.path(), "server");
        for suite in SUITES {
            let server = peer.server(&format!(
                "-ciphersuites {suite} {NATIONAL} -cert server.pem -cert_chain server.pem \
                 -key server.key -rev"
            ));
            let config = client().config().unwrap();
            let (kind, number) =
                ask(&config, server.port).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(kind, HandshakeKind::Full);
            assert_eq!(number, if suite.contains("GCM") { 0xc6 } else { 0xc7 });
            // And again, with its ticket.
            let (kind, _) = ask(&config, server.port).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(kind, HandshakeKind::Resumed, "{name} {suite}");
        }
    }
}

/// curveSM2 and ML-KEM-768 together, both ways.
#[test]
fn the_hybrid_group() {
    const HYBRID: &str =
        "-ciphersuites TLS_SM4_GCM_SM3 -groups curveSM2MLKEM768 -sigalgs sm2sig_sm3";
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    for name in PEERS {
        let peer = Peer::new(name);
        party.write(peer.dir.path(), "server");
        let server = our_server(party.server().with_hybrid().config().unwrap(), 1);
        let (good, said) = peer.client(server.port, &format!("{HYBRID} -ign_eof"), b"hello\n");
        assert!(good && said.contains("olleh\n"), "{name}: {said}");
        assert_eq!(server.told().unwrap().0, HandshakeKind::Full);

        let files = "-cert server.pem -cert_chain server.pem -key server.key -rev";
        let server = peer.server(&format!("{HYBRID} {files}"));
        let config = client().with_hybrid().config().unwrap();
        let (kind, _) = ask(&config, server.port).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(kind, HandshakeKind::Full);
        // Whoever has curveSM2 alone does not meet it.
        assert!(ask(&client().config().unwrap(), server.port).is_err(), "{name}");
    }
}

#[test]
fn both_have_certificates() {
    let server = AUTHORITY.party(Profile::TlsServer, "localhost");
    let alice = AUTHORITY.party(Profile::TlsClient, "alice");
    for name in PEERS {
        let peer = Peer::new(name);
        server.write(peer.dir.path(), "server");
        alice.write(peer.dir.path(), "alice");

        let ours = our_server(mutual(&server), 2);
        let options = format!("-ciphersuites TLS_SM4_GCM_SM3 {NATIONAL} -ign_eof");
        let with = format!("{options} -cert alice.pem -cert_chain alice.pem -key alice.key");
        let (good, said) = peer.client(ours.port, &with, b"hello\n");
        ours.told().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(good && said.contains("olleh\n"), "{name}: {good} {said}");
        let (_, said) = peer.client(ours.port, &options, b"hello\n");
        assert!(!said.contains("olleh\n"), "{name}: {said}");
        assert!(ours.told().is_err(), "{name}: nobody without a certificate");

        let theirs = peer.server(&format!(
            "-ciphersuites TLS_SM4_GCM_SM3 {NATIONAL} -cert server.pem -cert_chain server.pem \
             -key server.key -Verify 3 -verify_return_error -CAfile root.pem -rev"
        ));
        let with = client().with_identity(alice.chain.clone(), alice.key.clone()).unwrap();
        ask(&with.config().unwrap(), theirs.port).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(ask(&client().config().unwrap(), theirs.port).is_err());
    }
}

fn mutual(party: &Party) -> Arc<ServerConfig> {
    let anchors = [AUTHORITY.anchor()];
    party.server().with_clients(AUTHORITY.trust(), &anchors, Clients::Required).config().unwrap()
}

#[test]
fn resumption_of_their_clients() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    for name in PEERS {
        let peer = Peer::new(name);
        let server = our_server(party.server().config().unwrap(), 2);
        let options = format!("-ciphersuites TLS_SM4_GCM_SM3 {NATIONAL} -ign_eof");
        let (good, said) =
            peer.client(server.port, &format!("{options} -sess_out session"), b"hello\n");
        assert!(good, "{name}: {said}");
        server.told().unwrap();
        let (good, said) =
            peer.client(server.port, &format!("{options} -sess_in session"), b"hello\n");
        assert!(good && said.contains("Reused, TLSv1.3"), "{name}: {said}");
        assert_eq!(server.told().unwrap().0, HandshakeKind::Resumed);
    }
}

/// Peers that are not national, or not what they say.
#[test]
fn peers_that_are_refused() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    for name in PEERS {
        let peer = Peer::new(name);
        party.write(peer.dir.path(), "server");
        // Another group, another suite, another scheme: nothing in common.
        for options in [
            "-ciphersuites TLS_SM4_GCM_SM3 -groups X25519",
            "-ciphersuites TLS_AES_128_GCM_SHA256 -groups curveSM2",
            "-ciphersuites TLS_SM4_GCM_SM3 -groups curveSM2 -sigalgs ecdsa_secp256r1_sha256",
        ] {
            let server = our_server(party.server().config().unwrap(), 1);
            let (_, said) = peer.client(server.port, options, b"hello\n");
            assert!(!said.contains("olleh"), "{name} {options}: {said}");
            assert!(server.told().is_err(), "{name} {options}");
        }
        // A server with an ECDSA certificate: under SM4 and curveSM2, which these peers allow.
        let line = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ec.key \
                    -subj /CN=localhost -addext subjectAltName=DNS:localhost -out ec.pem";
        let done = peer.command(line).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let server = peer
            .server("-ciphersuites TLS_SM4_GCM_SM3 -groups curveSM2 -cert ec.pem -key ec.key -rev");
        let config: Arc<ClientConfig> = Client::new(AUTHORITY.trust()).config().unwrap();
        let refused = ask(&config, server.port).unwrap_err();
        assert!(!refused.is_empty());
    }
}

/// A hundred megabytes each way, in records of all sizes; the short form has four.
#[test]
fn much_data_both_ways() {
    let mib: usize =
        std::env::var("GMKIT_BIG_MIB").map_or(4, |text| text.parse().unwrap()).min(100);
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    for name in PEERS {
        let peer = Peer::new(name);
        party.write(peer.dir.path(), "server");
        // Files are served by -WWW; what comes is compared.
        let content: Vec<u8> = (0..mib << 20).map(|n: usize| (n % 251) as u8).collect();
        std::fs::write(peer.dir.path().join("big"), &content).unwrap();
        let server = peer.server(&format!(
            "-ciphersuites TLS_SM4_GCM_SM3 {NATIONAL} -cert server.pem -cert_chain server.pem \
             -key server.key -WWW"
        ));
        let mut socket = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        let config = client().config().unwrap();
        let mut connection =
            ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
        let mut stream = Stream::new(&mut connection, &mut socket);
        stream.write_all(b"GET /big HTTP/1.0\r\n\r\n").unwrap();
        let mut came = Vec::new();
        stream.read_to_end(&mut came).unwrap();
        let body = came.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        assert!(came[body..] == content, "{name}: {} bytes", came.len());

        // And up: lines, each answered, of growing length.
        let server = our_server_that_counts(party.server().config().unwrap());
        let mut text = String::new();
        while text.len() < mib << 20 {
            let n = text.len() % 16_000;
            writeln!(text, "{}", "x".repeat(n + 1)).unwrap();
        }
        text.push_str("end\n");
        let options = format!("-ciphersuites TLS_SM4_CCM_SM3 {NATIONAL} -ign_eof -quiet");
        let (_, said) = peer.client(server.port, &options, text.as_bytes());
        let expected = format!("{} bytes", text.len());
        assert!(said.contains(&expected), "{name}: {expected}: {said}");
    }
}

/// Counts what comes until `end`, and says how much that was.
fn our_server_that_counts(config: Arc<ServerConfig>) -> OurServer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (_, told) = mpsc::channel();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(config).unwrap();
        let mut stream = Stream::new(&mut connection, &mut socket);
        let (mut total, mut tail, mut buffer) = (0, Vec::new(), vec![0; 20_000]);
        while !tail.ends_with(b"\nend\n") {
            let n = stream.read(&mut buffer).unwrap();
            assert!(n > 0, "ended after {total}");
            total += n;
            tail.extend_from_slice(&buffer[..n]);
            tail.drain(..tail.len().saturating_sub(5));
        }
        stream.write_all(format!("{total} bytes\n").as_bytes()).unwrap();
        stream.conn.send_close_notify();
        let _ = stream.flush();
        let _ = socket.read_to_end(&mut Vec::new());
    });
    OurServer { port, told }
}
