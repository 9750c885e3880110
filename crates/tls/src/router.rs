//! One port for both worlds.

use std::sync::Arc;

use rustls::{ServerConfig, server::ClientHello};

use crate::{CURVE_SM2, SM2SIG_SM3, TLS_SM4_CCM_SM3, TLS_SM4_GCM_SM3};

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

    /// The one for this client.
    #[must_use]
    pub fn choose(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        let config = if wants_national(hello) { &self.national } else { &self.classic };
        Arc::clone(config)
    }
}

fn wants_national(hello: &ClientHello<'_>) -> bool {
    let suites = [TLS_SM4_GCM_SM3, TLS_SM4_CCM_SM3];
    hello.cipher_suites().iter().any(|suite| suites.contains(suite))
        && hello.signature_schemes().contains(&SM2SIG_SM3)
        && hello.named_groups().is_some_and(|groups| groups.contains(&CURVE_SM2))
}
