//! Configurations of clients.

use std::sync::Arc;

use gmkit_keys::PrivateKey;
use gmkit_pki::{Certificate, Purpose, Verifier};
use rustls::{
    ClientConfig,
    client::{ResolvesClientCert, Resumption},
    sign::SingleCertAndKey,
};

use crate::{
    Error,
    server::{VERSIONS, certified, self_test},
    server_verifier::NationalServers,
    shared_provider,
};

/// A national client: whom it trusts, and who it is. The platform's authorities are not asked: whoever
/// is trusted is named in the [`Verifier`].
///
/// See the crate's front page for an example.
#[derive(Debug)]
pub struct Client {
    trust: Verifier,
    identity: Option<Arc<dyn ResolvesClientCert>>,
    alpn: Vec<Vec<u8>>,
    must_staple: bool,
    resumption: bool,
    hybrid: bool,
}

impl Client {
    /// Trusts servers that `trust` holds for good; the name is the one that is connected to.
    #[must_use]
    pub fn new(trust: Verifier) -> Self {
        let trust = trust.with_purpose(Purpose::TlsServer);
        Self {
            trust,
            identity: None,
            alpn: Vec::new(),
            must_staple: false,
            resumption: true,
            hybrid: false,
        }
    }

    /// Shows this chain, end entity first, to a server that asks.
    ///
    /// # Errors
    /// As [`crate::Server::new`].
    pub fn with_identity(
        mut self,
        chain: Vec<Certificate>,
        key: Arc<dyn PrivateKey>,
    ) -> Result<Self, Error> {
        let certified = certified(chain, key, Purpose::TlsClient)?;
        self.identity = Some(Arc::new(SingleCertAndKey::from(certified)));
        Ok(self)
    }

    /// Protocols above TLS, the preferred one first (ALPN).
    #[must_use]
    pub fn with_alpn<P: Into<Vec<u8>>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.alpn = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Refuses a server that staples no OCSP response of its own certificate, and resumes no sessions,
    /// as what is stapled counts for one handshake.
    #[must_use]
    pub fn with_required_ocsp(mut self) -> Self {
        self.must_staple = true;
        self.resumption = false;
        self
    }

    /// Has a full handshake with every connection, in which the server is checked: in a session that is
    /// resumed it is not, and what the first handshake said of its certificate stands.
    #[must_use]
    pub fn without_resumption(mut self) -> Self {
        self.resumption = false;
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
    /// [`Error::Tls`], as rustls finds it; [`Error::Key`] when a self-test fails.
    pub fn config(self) -> Result<Arc<ClientConfig>, Error> {
        self_test()?;
        let verifier = NationalServers { verifier: self.trust, must_staple: self.must_staple };
        let builder = ClientConfig::builder_with_provider(shared_provider(self.hybrid))
            .with_protocol_versions(VERSIONS)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match self.identity {
            Some(identity) => builder.with_client_cert_resolver(identity),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.alpn;
        if !self.resumption {
            config.resumption = Resumption::disabled();
        }
        Ok(Arc::new(config))
    }
}
