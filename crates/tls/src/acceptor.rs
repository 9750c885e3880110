//! Handshakes of a tokio server whose key may be in a slow device.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use rustls::{
    ServerConfig,
    server::{Accepted, Acceptor},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::Semaphore,
    task::spawn_blocking,
    time::timeout,
};
use tokio_rustls::{
    LazyConfigAcceptor, StartHandshake,
    server::{Accept, TlsStream},
};

use crate::{
    HandshakeError, Router,
    blocking::INTERNAL_ERROR,
    national,
    transport::{Outbound, Transport},
};

/// Accepts connections without holding up other tasks: what computes or waits for a device runs on
/// tokio's blocking threads, some at a time and no more, and every handshake ends within a deadline.
/// Handshakes wait for these threads in turn, also those of classic clients behind a [`Router`].
///
/// tokio-rustls's own acceptor signs on the thread that runs all other tasks as well: with a key in
/// memory that takes a tenth of a millisecond, with a device's as long as the device does.
///
/// Whatever the client or the key do, there is an end: a client that is slow is closed; one whose
/// handshake the key failed, or did not sign in time, gets an alert (`internal_error`), and the log a
/// line that says why. A device's own deadline is the better one, as its thread comes back; a thread
/// that never does stays one of the [`GmAcceptor::with_threads`].
///
/// ```
/// # use gmkit_tls::{Client, Server, GmAcceptor, rustls};
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # async fn f(server: Server, client: Client) -> Result<(), Box<dyn std::error::Error>> {
/// let acceptor = GmAcceptor::new(server.config()?);
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let (socket, _) = listener.accept().await?;
/// let mut stream = acceptor.accept(socket).await?;
/// stream.write_all(b"hello").await?;
/// // Before waiting for an answer: a stream may keep the end of what was written.
/// stream.flush().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct GmAcceptor {
    national: Arc<ServerConfig>,
    router: Option<Router>,
    threads: Arc<Semaphore>,
    deadline: Duration,
}

impl GmAcceptor {
    /// For national clients alone; 32 threads, ten seconds.
    #[must_use]
    pub fn new(national: Arc<ServerConfig>) -> Self {
        let (threads, deadline) = (Arc::new(Semaphore::new(32)), Duration::from_secs(10));
        Self { national, router: None, threads, deadline }
    }

    /// For both worlds on one port.
    #[must_use]
    pub fn routed(router: Router) -> Self {
        Self { router: Some(router.clone()), ..Self::new(router.national()) }
    }

    /// How long a handshake may take, from the call on: an idle connection is closed then. Telling the
    /// client takes a second more at most.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many handshakes compute or wait for a device at a time; the others wait for them, in turn.
    /// tokio must have as many blocking threads (512, if nobody says otherwise).
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = Arc::new(Semaphore::new(threads.clamp(1, Semaphore::MAX_PERMITS)));
        self
    }

    /// Shakes hands with a client.
    ///
    /// # Errors
    /// Who failed of what. The client has been told, as far as TLS lets it be.
    pub async fn accept<IO>(&self, io: IO) -> Result<TlsStream<Transport<IO>>, HandshakeError>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut client = Client { io: None, keyed: false, computing: false };
        if let Ok(done) = timeout(self.deadline, self.shake(io, &mut client)).await {
            return done;
        }
        // Anybody can be slow; that a key is, somebody should know.
        if client.computing {
            tracing::warn!(deadline = ?self.deadline, "no private key in time for a handshake");
        } else {
            tracing::debug!(deadline = ?self.deadline, "a client was slow");
        }
        // A client that does not even read this is closed.
        let _ = timeout(GOODBYE, client.say_no()).await;
        Err(HandshakeError::Deadline)
    }

    async fn shake<IO>(
        &self,
        io: IO,
        client: &mut Client<IO>,
    ) -> Result<TlsStream<Transport<IO>>, HandshakeError>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let start = LazyConfigAcceptor::new(Acceptor::default(), io).await?;
        let config = match &self.router {
            Some(router) => router.choose(&start.client_hello()),
            None => Arc::clone(&self.national),
        };
        let is_national = Arc::ptr_eq(&config, &self.national);
        let StartHandshake { accepted, io, .. } = start;
        client.io = Some(io);
        let mut step = Step::Start(accepted, config);
        loop {
            client.computing = true;
            let (said, next) = self.compute(step).await?;
            client.computing = false;
            match next {
                Next::Failed(error) => {
                    // What there is to say of it; the client may be gone.
                    let _ = match error.is_local() {
                        true => client.say_no().await,
                        false => client.say(&said).await,
                    };
                    return Err(error);
                }
                Next::Done(mut stream) => {
                    client.say(&said).await?;
                    if is_national {
                        national(stream.get_ref().1)?;
                    }
                    let transport = stream.get_mut().0;
                    transport.inbound.shrink_to_fit();
                    transport.stream = client.io.take();
                    return Ok(stream);
                }
                Next::Wait(mut accept, outbound) => {
                    client.say(&said).await?;
                    client.hear(&mut accept).await?;
                    step = Step::Go(accept, outbound);
                }
            }
        }
    }

    /// One step, on another thread: what it says to the client, and how it goes on.
    async fn compute<IO>(&self, step: Step<IO>) -> Result<(Vec<u8>, Next<IO>), HandshakeError>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let permit = Arc::clone(&self.threads).acquire_owned().await;
        let permit = permit.map_err(io::Error::other)?;
        let work = move || {
            // Kept until the thread is free, whether or not anybody still waits for it.
            let _permit = permit;
            step.take()
        };
        Ok(spawn_blocking(work).await.map_err(io::Error::other)?)
    }
}

/// How long a client may take to read that there will be no connection.
const GOODBYE: Duration = Duration::from_secs(1);

/// The client, while a thread computes.
struct Client<IO> {
    io: Option<IO>,
    /// Whether it has the server's share, and expects everything else encrypted.
    keyed: bool,
    /// Whether it waits for a thread, and not a thread for it.
    computing: bool,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Client<IO> {
    fn io(&mut self) -> io::Result<&mut IO> {
        self.io.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.keyed |= !bytes.is_empty() && !is_retry(bytes);
        let io = self.io()?;
        io.write_all(bytes).await?;
        io.flush().await
    }

    async fn hear<S>(&mut self, accept: &mut Accept<Transport<S>>) -> io::Result<()> {
        let transport = accept.get_mut().ok_or(io::ErrorKind::NotConnected)?;
        transport.inbound.reserve(4096);
        match self.io()?.read_buf(&mut transport.inbound).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// An alert, if the client can read one: what the failed step said was never sent.
    async fn say_no(&mut self) -> io::Result<()> {
        if self.keyed || self.io.is_none() {
            return Ok(());
        }
        self.say(&INTERNAL_ERROR).await?;
        self.io()?.shutdown().await
    }
}

/// Whether the first message is a HelloRetryRequest: a ServerHello with this random (RFC 8446, 4.1.3).
/// It comes behind the headers of record and message and the version.
fn is_retry(said: &[u8]) -> bool {
    const RANDOM: [u8; 32] = [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8,
        0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8,
        0x33, 0x9c,
    ];
    said.get(5 + 4 + 2..).is_some_and(|rest| rest.starts_with(&RANDOM))
}

/// What there is to compute.
enum Step<IO> {
    Start(Accepted, Arc<ServerConfig>),
    Go(Accept<Transport<IO>>, Outbound),
}

/// How it goes on.
enum Next<IO> {
    Wait(Accept<Transport<IO>>, Outbound),
    Done(TlsStream<Transport<IO>>),
    Failed(HandshakeError),
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Step<IO> {
    fn take(self) -> (Vec<u8>, Next<IO>) {
        let (mut accept, outbound) = match self {
            Self::Start(accepted, config) => {
                let outbound = Outbound::default();
                let transport = Transport::in_memory(outbound.clone());
                (StartHandshake::from_parts(accepted, transport).into_stream(config), outbound)
            }
            Self::Go(accept, outbound) => (accept, outbound),
        };
        // Nobody has to be woken: memory has more when this is called again.
        let polled = Pin::new(&mut accept).poll(&mut Context::from_waker(Waker::noop()));
        let said = outbound.take();
        let next = match polled {
            Poll::Ready(Ok(stream)) => Next::Done(stream),
            Poll::Ready(Err(error)) => Next::Failed(error.into()),
            Poll::Pending => Next::Wait(accept, outbound),
        };
        (said, next)
    }
}
