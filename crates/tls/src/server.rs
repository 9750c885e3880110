//! Configurations of servers.

use std::sync::Arc;

use gmkit_keys::PrivateKey;
use gmkit_pki::{Anchor, Certificate, Purpose, Verifier};
use rustls::{
    DistinguishedName, ServerConfig, SupportedProtocolVersion,
    pki_types::CertificateDer,
    server::{ClientHello, NoClientAuth, ResolvesServerCert, danger::ClientCertVerifier},
    sign::{CertifiedKey, SigningKey, SingleCertAndKey},
    version::TLS13,
};

use crate::{
    Error, NationalSigningKey, SM2SIG_SM3, client_verifier::NationalClients, shared_provider,
    sign::TLS_ID, ticketer,
};

/// RFC 8998 is TLS 1.3.
pub(crate) static VERSIONS: &[&SupportedProtocolVersion] = &[&TLS13];

/// A national server: a chain, its key, and who may connect.
///
/// See the crate's front page for an example.
#[derive(Debug)]
pub struct Server {
    resolver: Arc<dyn ResolvesServerCert>,
    clients: Arc<dyn ClientCertVerifier>,
    alpn: Vec<Vec<u8>>,
    tickets: bool,
    hybrid: bool,
}

/// Which certificates clients need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    /// Every client must have one.
    Required,
    /// One that is shown must be good; a client may have none.
    Optional,
}

impl Server {
    /// With this chain, end entity first, and the end entity's key, which may be in a device.
    ///
    /// # Errors
    /// [`Error::NoCertificate`]; [`Error::KeyMismatch`]; [`Error::Certificate`] for a certificate that
    /// is expired, or whose usages do not let it authenticate a server (as a national encryption
    /// certificate's); [`Error::Key`] for a key that does not sign under the ID of TLS.
    pub fn new(chain: Vec<Certificate>, key: Arc<dyn PrivateKey>) -> Result<Self, Error> {
        let certified = certified(chain, key, Purpose::TlsServer)?;
        Ok(Self::with_resolver(Arc::new(SingleCertAndKey::from(certified))))
    }

    /// With whatever chain and key `resolver` has for a client's server name. A key that does not sign
    /// with SM2 is as none: whoever would show an ECDSA certificate under SM4 has no connection.
    #[must_use]
    pub fn with_resolver(resolver: Arc<dyn ResolvesServerCert>) -> Self {
        let (resolver, clients) = (Arc::new(NationalOnly(resolver)), Arc::new(NoClientAuth));
        Self { resolver, clients, alpn: Vec::new(), tickets: true, hybrid: false }
    }

    /// Asks clients for certificates, which `trust` must hold for good; it is for
    /// [`Purpose::TlsClient`]. `anchors` are what clients are told of whom is trusted; it may be empty.
    ///
    /// There are no tickets then: a session that is resumed is not checked again, and a client whose
    /// certificate has expired or was revoked since could go on for ever. [`Server::with_tickets`] has
    /// them all the same.
    #[must_use]
    pub fn with_clients(mut self, trust: Verifier, anchors: &[Anchor], clients: Clients) -> Self {
        let hint = |anchor: &Anchor| {
            DistinguishedName::from(anchor.certificate().subject().as_der().to_vec())
        };
        self.clients = Arc::new(NationalClients {
            verifier: trust.with_purpose(Purpose::TlsClient),
            hints: anchors.iter().map(hint).collect(),
            mandatory: clients == Clients::Required,
        });
        self.tickets = false;
        self
    }

    /// Protocols above TLS, the preferred one first (ALPN).
    #[must_use]
    pub fn with_alpn<P: Into<Vec<u8>>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.alpn = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Whether clients get tickets, with which they resume their sessions ([`ticketer()`]). Without,
    /// every connection has a full handshake.
    #[must_use]
    pub fn with_tickets(mut self, tickets: bool) -> Self {
        self.tickets = tickets;
        self
    }

    /// Prefers the group of curveSM2 and ML-KEM-768 together, which is not in RFC 8998: see
    /// [`crate::provider_hybrid()`]. curveSM2 alone stays for peers that have no other.
    #[must_use]
    pub fn with_hybrid(mut self) -> Self {
        self.hybrid = true;
        self
    }

    /// The configuration for rustls. 0-RTT is off, and stays so: what it carries can be replayed.
    ///
    /// # Errors
    /// [`Error::Tls`] without random numbers for the key of tickets; [`Error::Key`] when a self-test
    /// fails.
    pub fn config(self) -> Result<Arc<ServerConfig>, Error> {
        self_test()?;
        let mut config = ServerConfig::builder_with_provider(shared_provider(self.hybrid))
            .with_protocol_versions(VERSIONS)?
            .with_client_cert_verifier(self.clients)
            .with_cert_resolver(self.resolver);
        config.alpn_protocols = self.alpn;
        match self.tickets {
            true => config.ticketer = ticketer()?,
            false => config.send_tls13_tickets = 0,
        }
        Ok(Arc::new(config))
    }
}

/// What handshakes and records compute with has shown that it computes rightly; ML-KEM, of the hybrid
/// group, is not ours to test.
pub(crate) fn self_test() -> Result<(), Error> {
    use gmkit_keys::selftest::{Algorithm, require};
    for algorithm in [
        Algorithm::Sm3,
        Algorithm::HmacSm3,
        Algorithm::Sm4,
        Algorithm::Sm4Gcm,
        Algorithm::Sm2Signature,
        Algorithm::Sm2Encryption,
    ] {
        require(algorithm)?;
    }
    Ok(())
}

/// Takes keys of other kinds for none.
#[derive(Debug)]
struct NationalOnly(Arc<dyn ResolvesServerCert>);

impl ResolvesServerCert for NationalOnly {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let found = self.0.resolve(hello)?;
        found.key.choose_scheme(&[SM2SIG_SM3]).is_some().then_some(found)
    }
}

/// A chain and its key, checked for a purpose by what they say themselves.
pub(crate) fn certified(
    chain: Vec<Certificate>,
    key: Arc<dyn PrivateKey>,
    purpose: Purpose,
) -> Result<CertifiedKey, Error> {
    let leaf = chain.first().ok_or(Error::NoCertificate)?;
    let subject = || leaf.subject().to_string();
    purpose
        .check(leaf, gmkit_pki::now())
        .map_err(|reason| Error::Certificate { subject: subject(), reason })?;
    if leaf.public_key().ok() != Some(key.public_key()) {
        return Err(Error::KeyMismatch { subject: subject() });
    }
    // Whether it can sign under this ID at all: a device that hashes by itself cannot.
    let id = gmkit_sm2::Id::new(TLS_ID).map_err(gmkit_keys::Error::from)?;
    drop(key.start_signing(id)?);
    let chain = chain.iter().map(|one| CertificateDer::from(one.as_der().to_vec())).collect();
    let key: Arc<dyn SigningKey> = Arc::new(NationalSigningKey::new(key));
    Ok(CertifiedKey::new(chain, key))
}
