//! Handshakes on a thread of one's own.

use std::{
    io::{self, Read, Write},
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, ServerConfig, ServerConnection, SideData,
    pki_types::ServerName,
};

use crate::{HandshakeError, national};

/// A fatal `internal_error` in the clear (RFC 8446, 6 and 5.1).
pub(crate) const INTERNAL_ERROR: [u8; 7] = [21, 3, 3, 0, 2, 2, 80];

/// Shakes hands with a server over a stream that blocks, and checks that what was agreed on is
/// national. The connection goes into a `rustls::Stream` with the same stream.
///
/// It takes as long as the other side likes: timeouts are the stream's.
///
/// # Errors
/// [`HandshakeError`]; the server has been told, as far as TLS lets it be.
pub fn connect(
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    stream: &mut (impl Read + Write),
) -> Result<ClientConnection, HandshakeError> {
    let mut connection = ClientConnection::new(config, name)?;
    shake(&mut connection, stream).inspect_err(|error| {
        if error.is_local() {
            // rustls has no alert for it, and lets others send this one alone, under the keys that the
            // server expects by then.
            connection.send_close_notify();
        }
        // The server may be gone.
        let _ = write(&mut connection, stream);
    })?;
    write(&mut connection, stream)?;
    Ok(connection)
}

/// As [`connect`], with a client. When one's own key does not sign, the client gets an alert
/// (`internal_error`), which rustls alone does not send.
///
/// # Errors
/// [`HandshakeError`]; the client has been told, as far as TLS lets it be.
pub fn accept(
    config: Arc<ServerConfig>,
    stream: &mut (impl Read + Write),
) -> Result<ServerConnection, HandshakeError> {
    let mut connection = ServerConnection::new(config)?;
    shake(&mut connection, stream).inspect_err(|error| {
        // The client may be gone.
        let _ = match error.is_local() {
            // In the clear: the answer that this was to be part of has not gone out. (Without random
            // numbers for a ticket it has, and the client refuses this alert as it would that one.)
            true => stream.write_all(&INTERNAL_ERROR).and_then(|()| stream.flush()),
            false => write(&mut connection, stream),
        };
    })?;
    // Tickets are left to the first read or write: a client need not wait for them.
    Ok(connection)
}

fn shake<D: SideData>(
    connection: &mut ConnectionCommon<D>,
    stream: &mut (impl Read + Write),
) -> Result<(), HandshakeError> {
    while connection.is_handshaking() {
        write(connection, stream)?;
        if read(connection, stream)? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        connection.process_new_packets()?;
    }
    Ok(national(connection)?)
}

/// A signal is no reason to give up.
fn read<D: SideData>(
    connection: &mut ConnectionCommon<D>,
    stream: &mut impl Read,
) -> io::Result<usize> {
    loop {
        match connection.read_tls(stream) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

fn write<D: SideData>(
    connection: &mut ConnectionCommon<D>,
    stream: &mut impl Write,
) -> io::Result<()> {
    while connection.wants_write() {
        match connection.write_tls(stream) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    stream.flush()
}
