//! One port for both worlds.

use std::sync::Arc;

use rustls::{ServerConfig, crypto::CryptoProvider, server::ClientHello};

use crate::SM2SIG_SM3;

/// Picks the configuration for each ClientHello: the national one for a client that offers all of RFC
/// 8998 (a suite, the group and the scheme), the classic one for any other. It goes between
/// `rustls::server::Acceptor` (or tokio-rustls's `LazyConfigAcceptor`) and the handshake:
///
/// ```no_run
/// # use std::{io::Read, net::TcpStream, sync::Arc};
/// # use gmkit_tls::Router;
/// # use rustls::{ServerConfig, server::Acceptor};
/// # fn f(national: Arc<ServerConfig>, classic: Arc<ServerConfig>, mut socket: TcpStream) -> Result<(), Box<dyn std::error::Error>> {
/// let router = Router::new(national, classic);
/// let mut acceptor = Acceptor::default();
/// let accepted = loop {
///     if acceptor.read_tls(&mut socket)? == 0 {
///         return Err("it went away".into());
///     }
///     if let Some(accepted) = acceptor.accept().map_err(|(error, _)| error)? {
///         break accepted;
///     }
/// };
/// let config = router.choose(&accepted.client_hello());
/// let connection = accepted.into_connection(config).map_err(|(error, _)| error)?;
/// # let _ = connection;
/// # Ok(())
/// # }
/// ```
///
/// A client that offers both worlds is served the national one: whoever must be national is, and the
/// choice of a suite is the server's (RFC 8446, 4.1.1). An attacker who takes the national offers out
/// of a ClientHello makes the handshake fail: in TLS 1.3 the signature covers all of it. In TLS 1.2 it
/// does not, and only Finished does, under the classic key exchange: whoever must not fall back to
/// that has a classic configuration of TLS 1.3 alone.
#[derive(Clone, Debug)]
pub struct Router {
    national: Arc<ServerConfig>,
    classic: Arc<ServerConfig>,
}

impl Router {
    /// Between these two.
    #[must_use]
    pub fn new(national: Arc<ServerConfig>, classic: Arc<ServerConfig>) -> Self {
        Self { national, classic }
    }

    /// The national one.
    #[cfg(feature = "tokio")]
    pub(crate) fn national(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.national)
    }

    /// The one for this client.
    #[must_use]
    pub fn choose(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        let national = meets(self.national.crypto_provider(), hello);
        Arc::clone(if national { &self.national } else { &self.classic })
    }
}

/// Whether a client offers a suite and a group of a national provider, and the scheme.
fn meets(provider: &CryptoProvider, hello: &ClientHello<'_>) -> bool {
    let suites = hello.cipher_suites();
    let groups = hello.named_groups().unwrap_or_default();
    provider.cipher_suites.iter().any(|ours| suites.contains(&ours.suite()))
        && provider.kx_groups.iter().any(|ours| groups.contains(&ours.name()))
        && hello.signature_schemes().contains(&SM2SIG_SM3)
}
