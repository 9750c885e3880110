//! Configurations of servers.

use std::sync::Arc;

use gmkit_keys::PrivateKey;
use gmkit_pki::{Anchor, Certificate, Purpose, Verifier};
use rustls::{
    DistinguishedName, ServerConfig, SupportedProtocolVersion,
    pki_types::CertificateDer,
    server::{NoClientAuth, ResolvesServerCert, danger::ClientCertVerifier},
    sign::{CertifiedKey, SigningKey, SingleCertAndKey},
    version::TLS13,
};

use crate::{
    Error, NationalSigningKey, client_verifier::NationalClients, shared_provider, sign::TLS_ID,
    ticketer,
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

    /// With whatever chain and key `resolver` has for a client's server name: keys are
    /// [`NationalSigningKey`]s.
    #[must_use]
    pub fn with_resolver(resolver: Arc<dyn ResolvesServerCert>) -> Self {
        let clients = Arc::new(NoClientAuth);
        Self { resolver, clients, alpn: Vec::new(), tickets: true }
    }

    /// Asks clients for certificates, which `trust` must hold for good; it is for
    /// [`Purpose::TlsClient`]. `anchors` are what clients are told of whom is trusted; it may be empty.
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
        self
    }

    /// Protocols above TLS, the preferred one first (ALPN).
    #[must_use]
    pub fn with_alpn<P: Into<Vec<u8>>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.alpn = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Gives no tickets: every connection has a full handshake.
    #[must_use]
    pub fn without_tickets(mut self) -> Self {
        self.tickets = false;
        self
    }

    /// The configuration for rustls. 0-RTT is off, and stays so: what it carries can be replayed.
    ///
    /// # Errors
    /// [`Error::Tls`] without random numbers for the key of tickets.
    pub fn config(self) -> Result<Arc<ServerConfig>, Error> {
        let mut config = ServerConfig::builder_with_provider(shared_provider())
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
