//! Connections of national TLS, over sockets of the caller's.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
};

use toolkit::{
    pki::Certificate,
    tls::{
        self, HandshakeError,
        rustls::{ClientConnection, CommonState, ServerConnection, StreamOwned},
    },
};

use crate::{
    certificate::{give, gmkit_certificate, text},
    export::export,
    fault::{Fault, gmkit_error},
    handle::handles,
    pointer::{Fd, In, Len, Out, Output, Owned, RefMut, Slot},
};

/// A connection after its handshake.
pub enum Session {
    Client(StreamOwned<ClientConnection, Socket>),
    Server(StreamOwned<ServerConnection, Socket>),
}

trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

impl Session {
    fn stream(&mut self) -> &mut dyn Stream {
        match self {
            Self::Client(stream) => stream,
            Self::Server(stream) => stream,
        }
    }

    fn state(&mut self) -> &mut CommonState {
        match self {
            Self::Client(stream) => &mut stream.conn,
            Self::Server(stream) => &mut stream.conn,
        }
    }
}

handles! {
    /// A connection of TLS. Not for two threads at the same time.
    struct gmkit_tls_session(Session);
}

/// The caller's socket, of whatever family: what the standard library calls of it here are `recv` and
/// `send`, the latter so that no SIGPIPE ends a C program. Several buffers at once would be `writev`,
/// which cannot be told that.
pub struct Socket(TcpStream);

impl Socket {
    pub(crate) fn copy_of(fd: &Fd) -> Result<Self, Fault> {
        fd.duplicate().map(|own| Self(TcpStream::from(own)))
    }
}

impl Read for Socket {
    /// With a timeout, Linux does not go on by itself after a signal.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// `h2,http/1.1`
pub(crate) fn protocols(list: &[u8]) -> Result<Vec<&str>, Fault> {
    let names: Vec<_> = text(list)?.split(',').filter(|name| !name.is_empty()).collect();
    match names.iter().all(|name| name.len() <= 255) {
        true => Ok(names),
        false => Err(Fault::argument("the name of a protocol has more than 255 bytes")),
    }
}

fn failed(error: io::Error) -> Fault {
    HandshakeError::from(error).into()
}

export! {
    /// Reads what has come, at most `*out_len` bytes, and waits while there is nothing; sets `*out_len`.
    /// With 0 the other side has ended the connection, and nothing is missing.
    ///
    /// Errors: GMKIT_ERR_TIMEOUT, after which it may be called again; GMKIT_ERR_IO, also when the
    /// connection was cut off; GMKIT_ERR_TLS; GMKIT_ERR_BUFFER_TOO_SMALL for no room.
    fn gmkit_tls_session_read(session: RefMut<gmkit_tls_session>, out: Out, out_len: Len) {
        let mut output = Output::given(&mut out, &out_len, 1)?;
        let n = session.with(|session| session.stream().read(output.buffer()?).map_err(failed))?;
        output.finish(n);
        Ok(())
    }

    /// Writes all of `data`.
    ///
    /// Errors: GMKIT_ERR_IO, GMKIT_ERR_TIMEOUT, GMKIT_ERR_TLS; how much of it has gone is not known then,
    /// and the session can only be freed.
    fn gmkit_tls_session_write(session: RefMut<gmkit_tls_session>, data: In, data_len: usize) {
        let data = data.bytes(data_len)?;
        session.with(|session| {
            let stream = session.stream();
            stream.write_all(data).and_then(|()| stream.flush()).map_err(failed)
        })
    }

    /// Tells the other side that nothing more comes (close_notify). Reading goes on.
    ///
    /// Errors: GMKIT_ERR_IO, GMKIT_ERR_TIMEOUT.
    fn gmkit_tls_session_close(session: RefMut<gmkit_tls_session>) {
        session.with(|session| {
            session.state().send_close_notify();
            session.stream().flush().map_err(failed)
        })
    }

    /// Gives the other side's certificate. Free it with `gmkit_certificate_free`.
    ///
    /// Errors: GMKIT_ERR_UNTRUSTED when a client has shown none.
    fn gmkit_tls_session_peer_certificate(
        session: RefMut<gmkit_tls_session>,
        certificate: Slot<gmkit_certificate>,
    ) {
        certificate.check()?;
        let shown = session.with(|session| {
            let shown = session.state().peer_certificates().and_then(<[_]>::first);
            let none = || Fault::new(gmkit_error::GMKIT_ERR_UNTRUSTED, "the client has no certificate");
            Ok(Certificate::from_der(shown.ok_or_else(none)?)?)
        })?;
        certificate.put(shown)
    }

    /// Writes what was agreed on as text, without a NUL byte:
    /// `TLS_SM4_GCM_SM3 curveSM2 sm2sig_sm3`.
    ///
    /// Errors: GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_tls_session_report(session: RefMut<gmkit_tls_session>, out: Out, out_len: Len) {
        let text = session.with(|session| {
            let state = session.state();
            Ok(format!("{} {} sm2sig_sm3", tls::suite_name(state), tls::group_name(state)))
        })?;
        give(out, &out_len, text.as_bytes()).map(drop)
    }

    /// Writes the protocol above TLS that was agreed on, without a NUL byte; nothing if there is none.
    ///
    /// Errors: GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_tls_session_alpn(session: RefMut<gmkit_tls_session>, out: Out, out_len: Len) {
        let name = session.with(|session| {
            Ok(session.state().alpn_protocol().unwrap_or_default().to_vec())
        })?;
        give(out, &out_len, &name).map(drop)
    }

    /// Wipes and frees, and closes the session's own descriptor; the caller's stays. NULL is allowed.
    fn gmkit_tls_session_free(session: Owned<gmkit_tls_session>) = void {
        session.free();
    }
}
