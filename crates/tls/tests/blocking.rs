//! Handshakes on threads that block.

mod support;

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    sync::Arc,
    thread,
    time::Duration,
};

use gmkit_pki::Profile;
use gmkit_tls::{Clients, HandshakeError, NotNational, accept, connect, provider};
use rustls::{AlertDescription, ClientConfig, ServerConfig, Stream, crypto::ring};
use support::{AUTHORITY, Authority, Party, Slow, client, mutual_server, server, slow_server};

type Ended = (Result<(), HandshakeError>, Result<(), HandshakeError>);

/// Both sides of a handshake, and then a message.
fn both(config: Arc<ClientConfig>, server: Arc<ServerConfig>) -> Ended {
    let (mut ours, mut theirs) = UnixStream::pair().unwrap();
    let serving = thread::spawn(move || {
        let mut connection = accept(server, &mut theirs)?;
        let mut said = [0; 4];
        Stream::new(&mut connection, &mut theirs).read_exact(&mut said)?;
        assert_eq!(&said, b"ping");
        Ok(())
    });
    let name = "localhost".try_into().unwrap();
    let connected = connect(config, name, &mut ours).map(|mut connection| {
        let mut stream = Stream::new(&mut connection, &mut ours);
        stream.write_all(b"ping").unwrap();
        // Until the server is done: an end without close_notify is an error, and no matter here.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    drop(ours);
    (connected, serving.join().unwrap())
}

fn alert(error: &HandshakeError) -> Option<AlertDescription> {
    match error {
        HandshakeError::Tls(rustls::Error::AlertReceived(alert)) => Some(*alert),
        _ => None,
    }
}

#[test]
fn handshakes_and_what_they_fail_of() {
    let config = || client().without_resumption().config().unwrap();
    let (said, done) = both(config(), server());
    said.unwrap();
    done.unwrap();

    // The key does not sign: rustls says nothing of it, and the client would wait, or guess.
    let (said, done) = both(config(), slow_server(Duration::ZERO, false));
    assert_eq!(alert(&said.unwrap_err()), Some(AlertDescription::InternalError));
    let done = done.unwrap_err();
    assert!(done.untrusted().is_none() && done.to_string().contains("sign"), "{done}");

    let stranger = Authority::new("Stranger").party(Profile::TlsServer, "localhost");
    let (said, done) = both(config(), stranger.server().config().unwrap());
    let said = said.unwrap_err();
    assert!(said.untrusted().is_some(), "{said}");
    assert_eq!(alert(&done.unwrap_err()), Some(AlertDescription::UnknownCA));

    // Encryption certificates authenticate nobody: the words are those of `pki`.
    let encryption = AUTHORITY.party(Profile::Encrypt, "localhost");
    let (said, _) = both(config(), encryption.careless(encryption.signing_key(), None));
    let reason = said.unwrap_err().untrusted().unwrap();
    assert!(reason.contains("digitalSignature"), "{reason}");
}

/// Takes one byte at a time, and a signal comes before each.
struct Slowly(UnixStream, bool);

impl Slowly {
    fn interrupted(&mut self) -> io::Result<()> {
        self.1 = !self.1;
        if self.1 { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}

impl Read for Slowly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupted()?;
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}

impl Write for Slowly {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.interrupted()?;
        self.0.write(&bytes[..bytes.len().min(1)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Alerts come whole, however little a stream takes.
#[test]
fn alerts_over_a_narrow_stream() {
    let stranger = Authority::new("Stranger").party(Profile::TlsServer, "localhost");
    for (config, expected) in [
        (stranger.server().config().unwrap(), None),
        (slow_server(Duration::ZERO, false), Some(AlertDescription::InternalError)),
    ] {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let serving =
            thread::spawn(move || accept(config, &mut Slowly(theirs, false)).unwrap_err());
        let name = "localhost".try_into().unwrap();
        let config = client().config().unwrap();
        let said = connect(config, name, &mut Slowly(ours, false)).unwrap_err();
        let done = serving.join().unwrap();
        match expected {
            None => assert_eq!(alert(&done), Some(AlertDescription::UnknownCA), "{done}"),
            expected => assert_eq!(alert(&said), expected, "{said}"),
        }
    }
}

/// A stream that takes nothing any more is no reason to try for ever.
#[test]
fn a_stream_that_is_closed() {
    struct Closed;
    impl Read for Closed {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }
    }
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Ok(0)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let config = client().config().unwrap();
    let refused = connect(config, "localhost".try_into().unwrap(), &mut Closed).unwrap_err();
    let HandshakeError::Io(error) = refused else { panic!("{refused}") };
    assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    let HandshakeError::Io(error) = accept(server(), &mut Closed).unwrap_err() else { panic!() };
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

/// A client whose key does not sign says so under the keys that it has, not in the clear.
#[test]
fn a_client_s_key_that_does_not_sign() {
    let Party { chain, key } = AUTHORITY.party(Profile::TlsClient, "alice");
    let key = Slow { key, wait: Duration::ZERO, signs: false };
    let config = client().with_identity(chain, Arc::new(key)).unwrap().config().unwrap();
    let (said, done) = both(config, mutual_server(Clients::Required));
    let said = said.unwrap_err();
    assert!(said.is_local() && said.key_error().is_some(), "{said}");
    assert_eq!(alert(&done.unwrap_err()), Some(AlertDescription::CloseNotify));
}

/// SM4 over X25519: both sides could, and the client that sees it first does not.
#[test]
fn what_is_not_national_is_no_connection() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    let mut mixed = provider();
    mixed.kx_groups = vec![ring::kx_group::X25519];
    let mixed = Arc::new(mixed);
    let resolver = rustls::sign::SingleCertAndKey::from(party.certified(party.signing_key(), None));
    let server = ServerConfig::builder_with_provider(Arc::clone(&mixed))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(AUTHORITY.root.certificate().as_der().to_vec().into()).unwrap();
    let client = ClientConfig::builder_with_provider(mixed)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (said, done) = both(Arc::new(client), Arc::new(server));
    assert!(matches!(said, Err(HandshakeError::NotNational(NotNational::Group))), "{said:?}");
    done.unwrap_err();
}
