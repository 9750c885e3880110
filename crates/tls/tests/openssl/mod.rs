//! OpenSSL 4 and Tongsuo, as servers and clients, and servers and clients of ours for them.

#![allow(dead_code, reason = "each test program uses some of it")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use gmkit_tls::national;
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, ServerConfig, ServerConnection, Stream,
};

use crate::support::AUTHORITY;

pub(crate) const PEERS: [&str; 2] = ["openssl4", "tongsuo"];
pub(crate) const SUITES: [&str; 2] = ["TLS_SM4_GCM_SM3", "TLS_SM4_CCM_SM3"];

/// A peer's `openssl`, in a folder.
pub(crate) struct Peer {
    pub(crate) program: PathBuf,
    pub(crate) libraries: PathBuf,
    pub(crate) dir: tempfile::TempDir,
}

impl Peer {
    pub(crate) fn new(name: &str) -> Self {
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers").join(name);
        let program = home.join("apps/openssl");
        assert!(program.exists(), "{} is missing: `cargo xtask test` builds it", program.display());
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("root.pem"), AUTHORITY.root.certificate().to_pem()).unwrap();
        Self { program, libraries: home, dir }
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(line.split_whitespace())
            .current_dir(self.dir.path())
            .env("LD_LIBRARY_PATH", &self.libraries)
            .env("OPENSSL_CONF", "/dev/null");
        command
    }

    /// Runs `s_client` against a server of ours with something to say, until it ends; what it said.
    pub(crate) fn client(&self, port: u16, options: &str, input: &[u8]) -> (bool, String) {
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
    pub(crate) fn server(&self, options: &str) -> Running {
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

pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) port: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server of ours that answers each line with its letters reversed, and tells of each connection.
pub(crate) struct OurServer {
    pub(crate) port: u16,
    pub(crate) told: mpsc::Receiver<Result<(HandshakeKind, String), String>>,
}

pub(crate) fn our_server(config: Arc<ServerConfig>, connections: usize) -> OurServer {
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

pub(crate) fn serve(
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
    pub(crate) fn told(&self) -> Result<(HandshakeKind, String), String> {
        self.told.recv_timeout(Duration::from_secs(30)).unwrap()
    }
}

/// A line to a server of the peer's and back, reversed.
pub(crate) fn ask(config: &Arc<ClientConfig>, port: u16) -> Result<(HandshakeKind, u16), String> {
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

pub(crate) const NATIONAL: &str = "-groups curveSM2 -sigalgs sm2sig_sm3";
