//! Handshakes between our own two sides: what is agreed on, and who is refused.

mod support;

use std::sync::Arc;

use gmkit_keys::SoftwareKey;
use gmkit_pki::{Profile, Purpose, Untrusted, Verifier};
use gmkit_tls::{
    CURVE_SM2, CURVE_SM2_MLKEM768, Client, Clients, Error, NotNational, SM2SIG_SM3, Server,
    TLS_SM4_CCM_SM3, TLS_SM4_GCM_SM3, national, provider,
};
use rustls::{
    CertificateError, ClientConfig, HandshakeKind, ProtocolVersion, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::NoClientAuth,
};
use support::{AUTHORITY, Authority, Pair, client, mutual_server, server};

#[test]
fn a_handshake_is_national() {
    let mut pair = Pair::new(&client().config().unwrap(), &server());
    assert_eq!(national(&pair.client), Err(NotNational::Unfinished));
    pair.shake().unwrap();
    assert!(pair.is_up());
    let sides: [&rustls::CommonState; 2] = [&pair.client, &pair.server];
    for side in sides {
        national(side).unwrap();
        assert_eq!(side.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(side.negotiated_cipher_suite().unwrap().suite(), TLS_SM4_GCM_SM3);
        assert_eq!(side.negotiated_key_exchange_group().unwrap().name(), CURVE_SM2);
    }
    pair.talk();
    // New keys, and on it goes.
    pair.client.refresh_traffic_keys().unwrap();
    pair.server.refresh_traffic_keys().unwrap();
    pair.talk();
    pair.talk();
}

/// curveSM2 with ML-KEM where both want it, and curveSM2 where one does not.
#[test]
fn the_hybrid_group() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    for (client_wants, server_wants) in [(true, true), (true, false), (false, true)] {
        let client = if client_wants { client().with_hybrid() } else { client() };
        let server = party.server();
        let server = if server_wants { server.with_hybrid() } else { server };
        let mut pair = Pair::new(&client.config().unwrap(), &server.config().unwrap());
        pair.shake().unwrap();
        let group = pair.server.negotiated_key_exchange_group().unwrap().name();
        let expected = if client_wants && server_wants { CURVE_SM2_MLKEM768 } else { CURVE_SM2 };
        assert_eq!(group, expected);
        assert_eq!(pair.client.handshake_kind(), Some(HandshakeKind::Full));
        national(&pair.client).unwrap();
        national(&pair.server).unwrap();
        pair.talk();
    }
}

#[test]
fn the_other_suite_where_only_that_is_offered() {
    let mut only_ccm = provider();
    only_ccm.cipher_suites.retain(|suite| suite.suite() == TLS_SM4_CCM_SM3);
    let config = ClientConfig::builder_with_provider(Arc::new(only_ccm))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots())
        .with_no_client_auth();
    let mut pair = Pair::new(&Arc::new(config), &server());
    pair.shake().unwrap();
    let suite = pair.server.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(suite, TLS_SM4_CCM_SM3);
    national(&pair.server).unwrap();
    pair.talk();
}

fn roots() -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(AUTHORITY.root.certificate().as_der().to_vec())).unwrap();
    roots
}

/// The provider with rustls's builders alone, keys loaded from DER.
#[test]
fn the_provider_alone() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    let chain: Vec<_> =
        party.chain.iter().map(|one| CertificateDer::from(one.as_der().to_vec())).collect();
    let (_, der) = pem(party.key.to_pem().as_bytes());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der));
    let provider = Arc::new(provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(Arc::new(NoClientAuth))
        .with_single_cert(chain, key)
        .unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots())
        .with_no_client_auth();
    let mut pair = Pair::new(&Arc::new(client), &Arc::new(server));
    pair.shake().unwrap();
    national(&pair.client).unwrap();
    pair.talk();
}

fn pem(text: &[u8]) -> (String, Vec<u8>) {
    let (label, der) = pem_rfc7468::decode_vec(text).unwrap();
    (label.to_owned(), der)
}

#[test]
fn both_sides_have_certificates() {
    let alice = AUTHORITY.party(Profile::TlsClient, "alice");
    let with_alice =
        client().with_identity(alice.chain.clone(), alice.key.clone()).unwrap().config().unwrap();
    for clients in [Clients::Required, Clients::Optional] {
        let mut pair = Pair::new(&with_alice, &mutual_server(clients));
        pair.shake().unwrap();
        national(&pair.server).unwrap();
        let shown = pair.server.peer_certificates().unwrap();
        assert_eq!(&*shown[0], alice.chain[0].as_der());
        pair.talk();
    }
    let nobody = client().config().unwrap();
    let mut pair = Pair::new(&nobody, &mutual_server(Clients::Optional));
    pair.shake().unwrap();
    assert!(pair.server.peer_certificates().is_none());
    let mut pair = Pair::new(&nobody, &mutual_server(Clients::Required));
    assert_eq!(pair.shake(), Err(rustls::Error::NoCertificatesPresented));

    // Somebody else's clients, and certificates that are not for clients.
    let stranger = Authority::new("Stranger").party(Profile::TlsClient, "mallory");
    let config = client().with_identity(stranger.chain, stranger.key).unwrap();
    let mut pair = Pair::new(&config.config().unwrap(), &mutual_server(Clients::Optional));
    let refused = pair.shake().unwrap_err();
    assert_eq!(refused, rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer));
    let server_only = AUTHORITY.party(Profile::TlsServer, "localhost");
    let refused = client().with_identity(server_only.chain, server_only.key).unwrap_err();
    assert!(matches!(refused, Error::Certificate { .. }), "{refused}");
}

#[test]
fn sessions_are_resumed_with_tickets() {
    let (config, server) = (client().config().unwrap(), server());
    let mut first = Pair::new(&config, &server);
    first.shake().unwrap();
    assert_eq!(first.client.handshake_kind(), Some(HandshakeKind::Full));
    let mut second = Pair::new(&config, &server);
    second.shake().unwrap();
    assert_eq!(second.client.handshake_kind(), Some(HandshakeKind::Resumed));
    national(&second.client).unwrap();
    national(&second.server).unwrap();
    second.talk();
    // Another server's tickets are worth nothing: a full handshake.
    let mut other = Pair::new(&config, &self::server());
    other.shake().unwrap();
    assert_eq!(other.client.handshake_kind(), Some(HandshakeKind::Full));
    // And without, all are full.
    let config = client().without_resumption().config().unwrap();
    for _ in 0..2 {
        let mut pair = Pair::new(&config, &server);
        pair.shake().unwrap();
        assert_eq!(pair.client.handshake_kind(), Some(HandshakeKind::Full));
    }
}

#[test]
fn protocols_above() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    let server = party.server().with_alpn(["h2", "http/1.1"]).config().unwrap();
    let both = client().with_alpn(["http/1.1", "h2"]).config().unwrap();
    let mut pair = Pair::new(&both, &server);
    pair.shake().unwrap();
    assert_eq!(pair.client.alpn_protocol(), Some(&b"h2"[..]));
    let mut pair = Pair::new(&client().with_alpn(["smtp"]).config().unwrap(), &server);
    assert_eq!(pair.shake(), Err(rustls::Error::NoApplicationProtocol));
}

/// Servers that a client must not talk to.
#[test]
fn servers_that_are_refused() {
    let config = client().config().unwrap();
    let stranger = Authority::new("Stranger").party(Profile::TlsServer, "localhost");
    let other_name = AUTHORITY.party(Profile::TlsServer, "elsewhere");
    for (server, reason) in
        [(stranger.server(), "UnknownIssuer"), (other_name.server(), "NotValidForNameContext")]
    {
        let mut pair = Pair::new(&config, &server.config().unwrap());
        let refused = pair.shake().unwrap_err();
        assert!(format!("{refused:?}").contains(reason), "{refused:?}");
        assert!(!pair.is_up());
    }
    let must_staple = client().with_required_ocsp().config().unwrap();
    let mut pair = Pair::new(&must_staple, &server());
    assert_eq!(
        pair.shake(),
        Err(rustls::Error::InvalidCertificate(CertificateError::UnknownRevocationStatus))
    );
}

/// Configurations that cannot work are refused in words, before anybody connects.
#[test]
fn configurations_that_are_refused() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    let other = Arc::new(SoftwareKey::generate().unwrap());
    let refused = Server::new(party.chain.clone(), other).unwrap_err();
    assert!(matches!(refused, Error::KeyMismatch { .. }));
    assert!(refused.to_string().contains("CN=localhost"), "{refused}");
    assert!(matches!(Server::new(vec![], party.key.clone()), Err(Error::NoCertificate)));

    // The encryption certificate of a national pair authenticates nobody.
    let encryption = AUTHORITY.party(Profile::Encrypt, "localhost");
    let refused = Server::new(encryption.chain, encryption.key).unwrap_err();
    let Error::Certificate { reason: Untrusted::KeyUsage { .. }, .. } = refused else {
        panic!("{refused:?}")
    };
    let for_clients = AUTHORITY.party(Profile::TlsClient, "localhost");
    let refused = Server::new(for_clients.chain, for_clients.key).unwrap_err();
    assert!(matches!(refused, Error::Certificate { .. }), "{refused}");
}

/// A server that shows an encryption certificate all the same is refused by the client.
#[test]
fn an_encryption_certificate_authenticates_nobody() {
    let encryption = AUTHORITY.party(Profile::Encrypt, "localhost");
    let chain: Vec<_> =
        encryption.chain.iter().map(|one| CertificateDer::from(one.as_der().to_vec())).collect();
    let (_, der) = pem(encryption.key.to_pem().as_bytes());
    let server = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der)))
        .unwrap();
    let mut pair = Pair::new(&client().config().unwrap(), &Arc::new(server));
    let refused = pair.shake().unwrap_err();
    assert!(format!("{refused:?}").contains("KeyUsage"), "{refused:?}");
}

/// Revoked, by a list that the client has.
#[test]
fn a_revoked_server() {
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    let verifier = |crls: Vec<gmkit_pki::Crl>| {
        Verifier::new(vec![AUTHORITY.anchor()], Purpose::TlsServer).with_crls(crls).unwrap()
    };
    let server = party.server().config().unwrap();
    let mut pair = Pair::new(&Client::new(verifier(vec![])).config().unwrap(), &server);
    pair.shake().unwrap();
    let revoked = support::crl(&party);
    let mut pair = Pair::new(&Client::new(verifier(vec![revoked])).config().unwrap(), &server);
    assert_eq!(pair.shake(), Err(rustls::Error::InvalidCertificate(CertificateError::Revoked)));
}

/// Classic clients and servers find nothing in common with a national side.
#[test]
fn worlds_do_not_mix() {
    use rustls::crypto::ring;
    let classic = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let mut pair = Pair::new(&Arc::new(classic), &server());
    let refused = pair.shake().unwrap_err();
    assert!(matches!(refused, rustls::Error::PeerIncompatible(_)), "{refused:?}");
    assert_eq!(SM2SIG_SM3, rustls::SignatureScheme::Unknown(0x0708));
}

/// What `national` says of connections that are not: SM4 over X25519, AES over curveSM2.
#[test]
fn mixed_connections_are_not_national() {
    use rustls::crypto::ring;
    let party = AUTHORITY.party(Profile::TlsServer, "localhost");
    let mixed = |change: fn(&mut rustls::crypto::CryptoProvider)| {
        let mut provider = provider();
        change(&mut provider);
        let provider = Arc::new(provider);
        let chain: Vec<_> =
            party.chain.iter().map(|one| CertificateDer::from(one.as_der().to_vec())).collect();
        let (_, der) = pem(party.key.to_pem().as_bytes());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der)))
            .unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots())
            .with_no_client_auth();
        let mut pair = Pair::new(&Arc::new(client), &Arc::new(server));
        pair.shake().unwrap();
        national(&pair.client)
    };
    assert_eq!(mixed(|_| {}), Ok(()));
    let group = mixed(|provider| provider.kx_groups = vec![ring::kx_group::X25519]);
    assert_eq!(group, Err(NotNational::Group));
    let suite = mixed(|provider| {
        provider.cipher_suites = vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256];
    });
    assert_eq!(suite, Err(NotNational::Suite));
}
