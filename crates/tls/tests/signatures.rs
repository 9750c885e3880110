//! CertificateVerify: the right chain, and a signature that is not its key's, or not for this; and what
//! servers staple.

mod support;

use std::sync::Arc;

use gmkit_keys::{PrivateKey, SoftwareKey};
use gmkit_pki::Profile;
use gmkit_sm2::Id;
use gmkit_tls::{Clients, NationalSigningKey, Router, SM2SIG_SM3};
use rustls::{
    CertificateError, ClientConfig, Error, HandshakeKind, ServerConfig, SignatureAlgorithm,
    SignatureScheme,
    crypto::ring,
    server::Acceptor,
    sign::{Signer, SigningKey, SingleCertAndKey},
};
use support::{AUTHORITY, Pair, client, mutual_server, server};

/// Signs as nobody should.
#[derive(Clone, Debug)]
struct Wrong {
    key: Arc<SoftwareKey>,
    /// The ID; `None` signs another message, under the right one.
    id: Option<&'static [u8]>,
    scheme: SignatureScheme,
}

impl SigningKey for Wrong {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(self.clone()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Unknown(0)
    }
}

impl Signer for Wrong {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let right = b"TLSv1.3+GM+Cipher+Suite";
        let id = Id::new(self.id.unwrap_or(right)).unwrap();
        let message = if self.id.is_some() { message } else { &message[1..] };
        Ok(self.key.sign(id, message).unwrap().to_der().as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

/// Each way to sign wrongly, with the key that the chain is for, and one that it is not for.
fn wrong_keys(right: &Arc<SoftwareKey>) -> Vec<(&'static str, Arc<dyn SigningKey>)> {
    let other = Arc::new(SoftwareKey::generate().unwrap());
    let wrong = |id, scheme| Arc::new(Wrong { key: right.clone(), id, scheme }) as _;
    vec![
        ("another key", Arc::new(NationalSigningKey::new(other)) as _),
        ("the ID of certificates", wrong(Some(Id::DEFAULT.as_bytes()), SM2SIG_SM3)),
        ("another message", wrong(None, SM2SIG_SM3)),
        ("an empty ID", wrong(Some(b""), SM2SIG_SM3)),
        (
            "another scheme",
            wrong(Some(b"TLSv1.3+GM+Cipher+Suite"), SignatureScheme::ECDSA_NISTP256_SHA256),
        ),
    ]
}

fn is_refused(what: &str, pair: &mut Pair) {
    let refused = pair.shake().unwrap_err();
    let by_scheme = matches!(refused, Error::PeerMisbehaved(_));
    let by_check = refused == Error::InvalidCertificate(CertificateError::BadSignature);
    assert!(by_check || what == "another scheme" && by_scheme, "{what}: {refused:?}");
}

#[test]
fn servers_that_sign_wrongly() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    let config = client().config().unwrap();
    let mut pair = Pair::new(&config, &party.careless(party.signing_key(), None));
    pair.shake().expect("the right key");
    for (what, key) in wrong_keys(&party.key) {
        is_refused(what, &mut Pair::new(&config, &party.careless(key, None)));
    }
}

#[test]
fn clients_that_sign_wrongly() {
    let alice = AUTHORITY.party(Profile::TlsClient, "alice");
    let server = mutual_server(Clients::Optional);
    let config = |key| {
        let config = client().without_resumption().config().unwrap();
        let mut config = ClientConfig::clone(&config);
        config.client_auth_cert_resolver =
            Arc::new(SingleCertAndKey::from(alice.certified(key, None)));
        Arc::new(config)
    };
    Pair::new(&config(alice.signing_key()), &server).shake().expect("the right key");
    for (what, key) in wrong_keys(&alice.key) {
        is_refused(what, &mut Pair::new(&config(key), &server));
    }
}

/// A server that asks for certificates gives no tickets, unless it is told to.
#[test]
fn clients_with_certificates_are_checked_each_time() {
    let alice = AUTHORITY.party(Profile::TlsClient, "alice");
    let config = client().with_identity(alice.chain.clone(), alice.key.clone()).unwrap();
    let config = config.config().unwrap();
    let server = mutual_server(Clients::Required);
    for _ in 0..2 {
        let mut pair = Pair::new(&config, &server);
        pair.shake().unwrap();
        assert_eq!(pair.client.handshake_kind(), Some(HandshakeKind::Full));
    }
    let party = AUTHORITY.party(Profile::TlsServer, "localhost").server();
    let with_tickets = party.with_clients(AUTHORITY.trust(), &[], Clients::Required);
    let with_tickets = with_tickets.with_tickets(true).config().unwrap();
    Pair::new(&config, &with_tickets).shake().unwrap();
    let mut pair = Pair::new(&config, &with_tickets);
    pair.shake().unwrap();
    assert_eq!(pair.client.handshake_kind(), Some(HandshakeKind::Resumed));
    assert_eq!(&*pair.server.peer_certificates().unwrap()[0], alice.chain[0].as_der());
}

#[test]
fn stapled_answers() {
    let (party, [good, revoked]) = AUTHORITY.party_with_ocsp();
    let (_, [foreign, _]) = AUTHORITY.party_with_ocsp();
    let mut changed = good.clone();
    // In what is signed: the responder's name, or its answer.
    let within = changed.len() / 4;
    changed[within] ^= 1;
    let key = party.signing_key();
    for (n, (staple, required, optional)) in [
        (Some(&good), Ok(()), Ok(())),
        (None, Err("UnknownRevocationStatus"), Ok(())),
        (Some(&revoked), Err("Revoked"), Err("Revoked")),
        (Some(&foreign), Err("UnknownRevocationStatus"), Err("UnknownRevocationStatus")),
        (Some(&changed), Err(""), Err("")),
        (Some(&vec![0x30, 0]), Err("InvalidOcspResponse"), Err("InvalidOcspResponse")),
    ]
    .into_iter()
    .enumerate()
    {
        let server = party.careless(key.clone(), staple.map(|der| &der[..]));
        let strict = client().with_required_ocsp().config().unwrap();
        for (config, expected) in [(strict, required), (client().config().unwrap(), optional)] {
            let done = Pair::new(&config, &server).shake();
            match expected {
                Ok(()) => done.unwrap(),
                Err(part) => {
                    let refused = done.expect_err(&format!("case {n}"));
                    assert!(matches!(refused, Error::InvalidCertificate(_)), "{refused:?}");
                    assert!(format!("{refused:?}").contains(part), "{part}: {refused:?}");
                }
            }
        }
    }
}

/// A chain that is longer than any, and certificates in it that nobody stands behind.
#[test]
fn chains_with_too_much_in_them() {
    let mut party = AUTHORITY.party(Profile::TlsServer, "localhost");
    let stranger = support::Authority::new("TLS").party(Profile::TlsServer, "localhost");
    party.chain.push(stranger.chain[1].clone());
    let config = client().config().unwrap();
    let server = party.careless(party.signing_key(), None);
    Pair::new(&config, &server).shake().expect("one of the same name, of another authority");
    party.chain.extend(vec![stranger.chain[1].clone(); 7]);
    let server = party.careless(party.signing_key(), None);
    let refused = Pair::new(&config, &server).shake().unwrap_err();
    assert!(format!("{refused:?}").contains("more certificates than a chain has"), "{refused:?}");
}

/// Each ClientHello goes to its own world.
#[test]
fn one_port_for_both_worlds() {
    let ring = Arc::new(ring::default_provider());
    let builder = || {
        ServerConfig::builder_with_provider(Arc::clone(&ring))
            .with_safe_default_protocol_versions()
            .unwrap()
    };
    let nobody = Arc::new(rustls::server::ResolvesServerCertUsingSni::new());
    let classic = Arc::new(builder().with_no_client_auth().with_cert_resolver(nobody));
    let router = Router::new(server(), Arc::clone(&classic));
    let choose = |config: &Arc<ClientConfig>| {
        let name = "localhost".try_into().unwrap();
        let mut client = rustls::ClientConnection::new(Arc::clone(config), name).unwrap();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        let mut acceptor = Acceptor::default();
        acceptor.read_tls(&mut &hello[..]).unwrap();
        let accepted = acceptor.accept().unwrap().unwrap();
        Arc::ptr_eq(&router.choose(&accepted.client_hello()), &classic)
    };
    assert!(!choose(&client().config().unwrap()));
    let classic_client = ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    assert!(choose(&Arc::new(classic_client)));
}

/// A server whose key is not SM2's shows nothing, even where a client would take it.
#[test]
fn a_classic_key_in_a_national_server() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    #[derive(Debug)]
    struct Classic;
    impl SigningKey for Classic {
        fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
            assert!(!offered.is_empty());
            None
        }
        fn algorithm(&self) -> SignatureAlgorithm {
            SignatureAlgorithm::ECDSA
        }
    }
    let server = party.careless(Arc::new(Classic), None);
    let refused = Pair::new(&client().config().unwrap(), &server).shake().unwrap_err();
    assert!(refused.to_string().contains("no server certificate chain resolved"), "{refused}");
}
