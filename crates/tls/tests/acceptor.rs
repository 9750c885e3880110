//! Servers on tokio: clients and keys that are slow, or gone, and nobody else is held up.

mod support;

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use gmkit_pki::Profile;
use gmkit_tls::{
    GmAcceptor, GmListener, HandshakeError, NationalSigningKey, Router, SM2SIG_SM3, national,
    provider,
};
use rustls::{
    AlertDescription, ClientConfig, HandshakeKind, ServerConfig, SignatureAlgorithm,
    SignatureScheme,
    client::Resumption,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    sign::{Signer, SigningKey},
};
use support::{AUTHORITY, client, server, slow_server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

async fn dial(
    config: Arc<ClientConfig>,
    io: DuplexStream,
) -> std::io::Result<TlsStream<DuplexStream>> {
    TlsConnector::from(config).connect(ServerName::try_from("localhost").unwrap(), io).await
}

/// What a client was told.
fn alert(error: &std::io::Error) -> Option<AlertDescription> {
    match error.get_ref()?.downcast_ref()? {
        rustls::Error::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}

/// One whose first share is of another group.
fn asked_again() -> Arc<ClientConfig> {
    let mut provider = provider();
    provider.kx_groups.insert(0, ring::kx_group::X25519);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(AUTHORITY.root.certificate().as_der().to_vec().into()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

#[tokio::test]
async fn a_connection_carries_what_is_said() {
    let acceptor = GmAcceptor::new(server());
    for (config, kind) in [
        (client().without_resumption().config().unwrap(), HandshakeKind::Full),
        (asked_again(), HandshakeKind::FullWithHelloRetryRequest),
    ] {
        // Pipes that take less than a message at a time.
        for size in [500, 2000, 65_536] {
            let (ours, theirs) = duplex(size);
            let talk = async {
                let stream = dial(config.clone(), theirs).await.unwrap();
                // At once, so that it may come along with the end of the handshake.
                let (mut reader, mut writer) = tokio::io::split(stream);
                let say = async {
                    writer.write_all(&[7; 40_000]).await.unwrap();
                    writer.flush().await.unwrap();
                };
                let mut answer = Vec::new();
                let (_, heard) = tokio::join!(say, reader.read_to_end(&mut answer));
                heard.unwrap();
                answer
            };
            let serve = async {
                let mut stream = acceptor.accept(ours).await.unwrap();
                national(stream.get_ref().1).unwrap();
                assert_eq!(stream.get_ref().1.handshake_kind(), Some(kind));
                let mut came = vec![0; 40_000];
                stream.read_exact(&mut came).await.unwrap();
                assert!(came == [7; 40_000]);
                stream.write_all(b"thanks").await.unwrap();
                stream.shutdown().await.unwrap();
                // The peer's close_notify.
                assert_eq!(stream.read(&mut came).await.unwrap_or(0), 0);
            };
            let (answer, ()) = tokio::join!(talk, serve);
            assert_eq!(answer, b"thanks");
        }
    }
}

/// Alerts: the key did not sign; not in time; and the same behind a HelloRetryRequest.
#[tokio::test]
async fn keys_that_do_not_sign() {
    let (never, late) = (Duration::ZERO, Duration::from_secs(2));
    for config in [client().without_resumption().config().unwrap(), asked_again()] {
        for (wait, signs) in [(never, false), (late, true), (late, false)] {
            let acceptor = GmAcceptor::new(slow_server(wait, signs));
            // A machine may have better to do for a moment: that is no fault of the key's.
            let patience = if wait == never { 30_000 } else { 800 };
            let acceptor = acceptor.with_deadline(Duration::from_millis(patience));
            let (ours, theirs) = duplex(65_536);
            let (said, done) = tokio::join!(dial(config.clone(), theirs), acceptor.accept(ours));
            let error = said.unwrap_err();
            assert_eq!(alert(&error), Some(AlertDescription::InternalError), "{error}");
            match done.unwrap_err() {
                HandshakeError::Deadline => assert_eq!(wait, late),
                error => {
                    assert_eq!(wait, never);
                    assert!(
                        matches!(error, HandshakeError::Tls(rustls::Error::Other(_))),
                        "{error}"
                    );
                }
            }
        }
    }
}

/// A key of another kind, as `gmkit_hsm`'s classic keys are one to rustls.
#[derive(Debug)]
struct Refusing;

impl SigningKey for Refusing {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(Refusing))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Unknown(0)
    }
}

impl Signer for Refusing {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let error = std::io::Error::other("the device is gone");
        Err(rustls::Error::Other(rustls::OtherError(Arc::new(error))))
    }

    fn scheme(&self) -> SignatureScheme {
        SM2SIG_SM3
    }
}

#[tokio::test]
async fn keys_that_are_not_ours_to_know() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    let acceptor = GmAcceptor::new(party.careless(Arc::new(Refusing), None));
    let (ours, theirs) = duplex(65_536);
    let config = client().config().unwrap();
    let (said, done) = tokio::join!(dial(config, theirs), acceptor.accept(ours));
    assert_eq!(alert(&said.unwrap_err()), Some(AlertDescription::InternalError));
    let done = done.unwrap_err();
    assert!(done.is_local() && done.key_error().is_none(), "{done}");
}

/// Where rustls has an alert of its own, that is what a client gets.
#[tokio::test]
async fn a_name_that_nobody_has() {
    let nobody = rustls::server::ResolvesServerCertUsingSni::new();
    let config = gmkit_tls::Server::with_resolver(Arc::new(nobody)).config().unwrap();
    let (ours, theirs) = duplex(65_536);
    let acceptor = GmAcceptor::new(config);
    let (said, done) =
        tokio::join!(dial(client().config().unwrap(), theirs), acceptor.accept(ours));
    assert_eq!(alert(&said.unwrap_err()), Some(AlertDescription::AccessDenied));
    let done = done.unwrap_err();
    assert!(!done.is_local(), "{done}");
}

/// A thread that waits for a device is one of the acceptor's, until it comes back.
#[tokio::test]
async fn threads_that_wait_for_a_device() {
    let acceptor = GmAcceptor::new(slow_server(Duration::from_secs(2), true))
        .with_threads(1)
        .with_deadline(Duration::from_millis(800));
    let attempt = async || {
        let (ours, theirs) = duplex(65_536);
        let config = client().config().unwrap();
        let (said, done) = tokio::join!(dial(config, theirs), acceptor.accept(ours));
        assert_eq!(alert(&said.unwrap_err()), Some(AlertDescription::InternalError));
        assert!(matches!(done, Err(HandshakeError::Deadline)));
    };
    // The second one finds the only thread taken.
    attempt().await;
    attempt().await;
    let acceptor = acceptor.with_deadline(Duration::from_secs(20));
    let (ours, theirs) = duplex(65_536);
    let config = client().config().unwrap();
    let (said, done) = tokio::join!(dial(config, theirs), acceptor.accept(ours));
    said.unwrap();
    done.unwrap();
}

#[tokio::test]
async fn clients_that_are_slow_or_speak_something_else() {
    let acceptor = GmAcceptor::new(server()).with_deadline(Duration::from_millis(500));
    // Nothing; a little; and a whole ClientHello, but no more.
    let mut hello = Vec::new();
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection =
        rustls::ClientConnection::new(client().config().unwrap(), name.clone()).unwrap();
    connection.write_tls(&mut hello).unwrap();
    for said in [0, 1, 5, hello.len() - 1, hello.len()] {
        let (ours, mut theirs) = duplex(65_536);
        theirs.write_all(&hello[..said]).await.unwrap();
        assert!(matches!(acceptor.accept(ours).await, Err(HandshakeError::Deadline)), "{said}");
        let mut answer = Vec::new();
        theirs.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer.is_empty(), said < hello.len());
    }
    // No TLS.
    let acceptor = acceptor.with_deadline(Duration::from_secs(30));
    for said in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 100], &[22, 3, 1, 255, 255, 1]] {
        let (ours, mut theirs) = duplex(65_536);
        theirs.write_all(said).await.unwrap();
        theirs.shutdown().await.unwrap();
        assert!(matches!(acceptor.accept(ours).await, Err(HandshakeError::Tls(_))));
    }
    // One that goes away behind the answer.
    let (ours, mut theirs) = duplex(65_536);
    theirs.write_all(&hello).await.unwrap();
    theirs.shutdown().await.unwrap();
    assert!(matches!(acceptor.accept(ours).await, Err(HandshakeError::Io(_))));
}

/// Both worlds on one port, and what is not national at all.
#[tokio::test]
async fn both_worlds() {
    let (certificate, key) = classic();
    let classic = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let classic_client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let acceptor = GmAcceptor::routed(Router::new(server(), Arc::new(classic)));
    for (config, is_national) in
        [(client().config().unwrap(), true), (Arc::new(classic_client), false)]
    {
        let (ours, theirs) = duplex(65_536);
        let (said, done) = tokio::join!(dial(config, theirs), acceptor.accept(ours));
        assert_eq!(national(said.unwrap().get_ref().1).is_ok(), is_national);
        assert_eq!(national(done.unwrap().get_ref().1).is_ok(), is_national);
    }

    // SM4 over X25519, agreed on because somebody built a configuration for it.
    let mut mixed = provider();
    mixed.kx_groups = vec![ring::kx_group::X25519];
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    let signing = Arc::new(NationalSigningKey::new(party.key.clone()));
    let resolver = rustls::sign::SingleCertAndKey::from(party.certified(signing, None));
    let mixed = ServerConfig::builder_with_provider(Arc::new(mixed))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    let (ours, theirs) = duplex(65_536);
    let acceptor = GmAcceptor::new(Arc::new(mixed));
    let (_, done) = tokio::join!(dial(asked_again(), theirs), acceptor.accept(ours));
    assert!(matches!(done, Err(HandshakeError::NotNational(_))), "{done:?}");
}

/// A P-256 key and its certificate, by OpenSSL.
fn classic() -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let dir = tempfile::tempdir().unwrap();
    let done = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-keyout", "key", "-subj", "/CN=localhost", "-out", "pem"])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .current_dir(&dir)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let read = |name: &str| {
        let pem = std::fs::read(dir.path().join(name)).unwrap();
        pem_rfc7468::decode_vec(&pem).unwrap().1
    };
    (read("pem").into(), PrivatePkcs8KeyDer::from(read("key")).into())
}

/// Many clients at a time through a listener; those that fail are nothing to the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_and_its_clients() {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let acceptor = GmAcceptor::new(server()).with_deadline(Duration::from_secs(5));
    let mut listener = GmListener::new(tcp, acceptor).with_handshakes(8);
    let address = listener.local_addr().unwrap();
    // These say nothing, and stay.
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    let server = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await;
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut said = [0; 4];
                stream.read_exact(&mut said).await.unwrap();
                stream.write_all(&said).await.unwrap();
                stream.shutdown().await.unwrap();
            });
        }
    });
    let config = client().config().unwrap();
    let mut clients = tokio::task::JoinSet::new();
    for n in 0..60_u32 {
        let config = config.clone();
        clients.spawn(async move {
            let mut socket = TcpStream::connect(address).await.unwrap();
            if n % 3 == 0 {
                let _ = socket.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
                let _ = socket.read_to_end(&mut Vec::new()).await;
                return;
            }
            let name = ServerName::try_from("localhost").unwrap();
            let mut stream = TlsConnector::from(config).connect(name, socket).await.unwrap();
            stream.write_all(&n.to_be_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            let mut answer = [0; 4];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(answer, n.to_be_bytes());
        });
    }
    let all = async {
        while let Some(done) = clients.join_next().await {
            done.unwrap();
        }
    };
    timeout(Duration::from_secs(60), all).await.unwrap();
    assert_eq!(served.load(Ordering::Relaxed), 40);
    server.abort();
    drop(silent);
}
