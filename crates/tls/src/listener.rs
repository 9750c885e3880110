//! A listener that has shaken hands.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::server::TlsStream;

use crate::{GmAcceptor, HandshakeError, Transport};

/// A connection of [`GmListener`].
pub type GmStream = TlsStream<Transport<TcpStream>>;

/// Accepts connections and shakes hands with many clients at once: what `axum::serve` and tonic take
/// connections from. A client waits for others only while there are as many handshakes as there may be
/// ([`GmListener::with_handshakes`]); silent ones count, until the acceptor's deadline.
///
/// A handshake that fails is a line in the log (`tracing`), and nothing else: it is the client's fault,
/// or the key's, and not the server's end.
#[derive(Debug)]
pub struct GmListener {
    tcp: TcpListener,
    acceptor: GmAcceptor,
    handshakes: JoinSet<(Result<GmStream, HandshakeError>, SocketAddr)>,
    most: usize,
}

impl GmListener {
    /// On this socket; at most 1024 handshakes at a time.
    #[must_use]
    pub fn new(tcp: TcpListener, acceptor: GmAcceptor) -> Self {
        Self { tcp, acceptor, handshakes: JoinSet::new(), most: 1024 }
    }

    /// How many handshakes are under way at a time; further clients wait in the system's queue.
    #[must_use]
    pub fn with_handshakes(mut self, most: usize) -> Self {
        self.most = most.max(1);
        self
    }

    /// Where it listens.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// The next client with whom hands were shaken. Nothing is lost when this is cancelled.
    pub async fn accept(&mut self) -> (GmStream, SocketAddr) {
        loop {
            tokio::select! {
                Some(done) = self.handshakes.join_next() => match done {
                    Ok((Ok(stream), client)) => return (stream, client),
                    Ok((Err(error), client)) => tracing::info!(%client, %error, "no handshake"),
                    Err(error) => tracing::error!(%error, "a handshake ended"),
                },
                next = next(&self.tcp), if self.handshakes.len() < self.most => {
                    if let Some((socket, client)) = next {
                        self.shake(socket, client);
                    }
                },
            }
        }
    }

    fn shake(&mut self, socket: TcpStream, client: SocketAddr) {
        // Answers of a handshake are small, and waited for.
        let _ = socket.set_nodelay(true);
        let acceptor = self.acceptor.clone();
        self.handshakes.spawn(async move { (acceptor.accept(socket).await, client) });
    }
}

/// A connection; or none, a while after there could be none.
async fn next(tcp: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match tcp.accept().await {
        Ok(connection) => Some(connection),
        // No more files, most of all: it may have some later. Handshakes end meanwhile.
        Err(error) => {
            tracing::warn!(%error, "no connection is accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}
