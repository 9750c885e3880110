//! What lies beneath TLS: memory while hands are shaken, the caller's stream from then on.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The stream that was given to [`crate::GmAcceptor`], as its [`TlsStream`](tokio_rustls::server::TlsStream)
/// has it.
///
/// During the handshake it is not there: a thread computes on bytes in memory, and the task that waits
/// for that thread keeps the stream, so that it can say no in time whatever the thread is waiting for.
#[derive(Debug)]
pub struct Transport<IO> {
    /// What came and was not read yet.
    pub(crate) inbound: Vec<u8>,
    /// What is to go out, also for whoever loses the rest when a handshake fails.
    outbound: Outbound,
    pub(crate) stream: Option<IO>,
}

/// Bytes on their way out of a handshake.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbound(Arc<Mutex<Vec<u8>>>);

impl Outbound {
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.bytes())
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<IO> Transport<IO> {
    pub(crate) const fn in_memory(outbound: Outbound) -> Self {
        Self { inbound: Vec::new(), outbound, stream: None }
    }

    /// The caller's stream. What is read from it or written to it here is not TLS.
    ///
    /// # Panics
    /// Not in what an acceptor has given out.
    pub fn get_ref(&self) -> &IO {
        self.stream.as_ref().expect("a finished handshake has its stream")
    }

    /// As [`Transport::get_ref`], to change it.
    ///
    /// # Panics
    /// Not in what an acceptor has given out.
    pub fn get_mut(&mut self) -> &mut IO {
        self.stream.as_mut().expect("a finished handshake has its stream")
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Transport<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.inbound.is_empty() {
            return match &mut self.stream {
                Some(stream) => Pin::new(stream).poll_read(cx, buffer),
                // Whoever polls goes on when there is something.
                None => Poll::Pending,
            };
        }
        let n = self.inbound.len().min(buffer.remaining());
        buffer.put_slice(&self.inbound[..n]);
        self.inbound.drain(..n);
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Transport<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(stream) = &mut self.stream {
            return Pin::new(stream).poll_write(cx, bytes);
        }
        self.outbound.bytes().extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(stream) = &mut self.stream {
            return Pin::new(stream).poll_write_vectored(cx, slices);
        }
        let mut outbound = self.outbound.bytes();
        slices.iter().for_each(|slice| outbound.extend_from_slice(slice));
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_none_or(AsyncWrite::is_write_vectored)
    }
}
