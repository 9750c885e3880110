//! OpenSSL 4 and Tongsuo on the other side, in both directions.

mod openssl;
mod support;

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, mpsc},
    thread,
};

use gmkit_pki::Profile;
use gmkit_tls::{Client, Clients};
use openssl::{NATIONAL, OurServer, PEERS, Peer, SUITES, ask, our_server};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, ServerConfig, ServerConnection, Stream,
};
use support::{AUTHORITY, Party, client};

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
