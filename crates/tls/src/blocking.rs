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
    shake(&mut connection, stream)?;
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
    // Tickets are left to the first read or write: a client need not wait for them.
    shake(&mut connection, stream)?;
    Ok(connection)
}

fn shake<D: SideData>(
    connection: &mut ConnectionCommon<D>,
    stream: &mut (impl Read + Write),
) -> Result<(), HandshakeError> {
    while connection.is_handshaking() {
        write(connection, stream)?;
        if connection.read_tls(stream)? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if let Err(error) = connection.process_new_packets() {
            let error = HandshakeError::from(error);
            // What there is to say of it; the other side may be gone.
            let _ = match error.is_of_the_key() {
                // In the clear: the answer that this was to be part of has not gone out.
                true => stream.write_all(&INTERNAL_ERROR).and_then(|()| stream.flush()),
                false => write(connection, stream),
            };
            return Err(error);
        }
    }
    Ok(national(connection)?)
}

fn write<D: SideData>(
    connection: &mut ConnectionCommon<D>,
    stream: &mut impl Write,
) -> io::Result<()> {
    while connection.wants_write() {
        connection.write_tls(stream)?;
    }
    stream.flush()
}
