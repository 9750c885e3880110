//! A connection for what goes together, which ends when the server has read it.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustls::{ClientConfig, ClientConnection, Stream, pki_types::ServerName};

/// How long it waits for an address, for what is to be sent, and for the server's end.
const TO_CONNECT: Duration = Duration::from_secs(10);
const TO_SEND: Duration = Duration::from_secs(60);
const TO_END: Duration = Duration::from_secs(30);

/// Sends bytes, and returns when the server has read all of them, as far as TCP can tell.
///
/// The server must end its side of TLS behind the bytes' end, and then its connection. One that ends earlier leaves
/// something unread, or gets something that it does not take any more: its system says so by a reset, which comes a
/// round trip later at most. It is seen only as long as this side of the connection has not ended, too: a connection
/// that both have ended is the system's own, and tells nobody of resets.
pub(super) fn deliver(
    server: &str,
    name: ServerName<'static>,
    config: &Arc<ClientConfig>,
    plain_end: bool,
    bytes: &[u8],
) -> io::Result<()> {
    let (socket, round_trip) = dial(server)?;
    let mut socket = Timed { socket, until: Instant::now() + TO_SEND };
    let mut tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut socket)?;
    }
    let mut stream = Stream::new(&mut tls, &mut socket);
    stream.write_all(bytes)?;
    stream.flush()?;
    still_there(&mut tls, &mut socket)?;

    tls.send_close_notify();
    while tls.wants_write() {
        tls.write_tls(&mut socket)?;
    }
    socket.until = Instant::now() + TO_END;
    let ended = wait_for_end(&mut tls, &mut socket)?;
    if ended == End::Plain && !plain_end {
        let reason = "the connection ended without TLS's close_notify";
        return Err(io::Error::new(ErrorKind::UnexpectedEof, reason));
    }
    to_the_end(&mut socket)?;
    thread::sleep(2 * round_trip + Duration::from_millis(5));
    socket.socket.take_error()?.map_or(Ok(()), Err)?;
    to_the_end(&mut socket)
}

/// The server has not ended before everything was sent.
fn still_there(tls: &mut ClientConnection, socket: &mut Timed) -> io::Result<()> {
    socket.socket.set_nonblocking(true)?;
    let ended = loop {
        match tls.read_tls(&mut socket.socket) {
            Ok(0) => break true,
            Ok(_) if progress(tls)? => break true,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break false,
            Err(error) => return Err(error),
        }
    };
    socket.socket.set_nonblocking(false)?;
    match ended {
        true => Err(io::Error::new(ErrorKind::UnexpectedEof, "the server ended the connection")),
        false => Ok(()),
    }
}

/// How a server ends a connection.
#[derive(PartialEq)]
enum End {
    /// In TLS.
    Notified,
    /// By TCP alone, as anybody can who can cut connections.
    Plain,
}

fn wait_for_end(tls: &mut ClientConnection, socket: &mut Timed) -> io::Result<End> {
    loop {
        let read = tls.read_tls(socket)?;
        match progress(tls)? {
            true => return Ok(End::Notified),
            false if read == 0 => return Ok(End::Plain),
            false => {}
        }
    }
}

/// Whether the server has ended its side of TLS. What it says otherwise is of no interest.
fn progress(tls: &mut ClientConnection) -> io::Result<bool> {
    let invalid = |error| io::Error::new(ErrorKind::InvalidData, error);
    let state = tls.process_new_packets().map_err(invalid)?;
    let mut said = tls.reader().take(state.plaintext_bytes_to_read() as u64);
    io::copy(&mut said, &mut io::sink())?;
    Ok(state.peer_has_closed())
}

/// Up to the end of the connection, which no reset follows.
fn to_the_end(socket: &mut Timed) -> io::Result<()> {
    let mut ignored = [0; 512];
    while socket.read(&mut ignored)? > 0 {}
    Ok(())
}

/// The socket, and how long a connection took: a round trip.
fn dial(server: &str) -> io::Result<(TcpStream, Duration)> {
    let mut failed = io::Error::new(ErrorKind::NotFound, "no such host");
    for address in server.to_socket_addrs()? {
        let began = Instant::now();
        match TcpStream::connect_timeout(&address, TO_CONNECT) {
            Ok(socket) => return Ok((socket, began.elapsed())),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// A socket that gives up at a time, however much it still does until then.
struct Timed {
    socket: TcpStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.checked_duration_since(Instant::now());
        left.filter(|left| !left.is_zero()).map(Some).ok_or_else(late)
    }
}

impl Read for Timed {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(to).map_err(in_words)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes).map_err(in_words)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn in_words(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::WouldBlock { late() } else { error }
}

fn late() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "the server does not answer")
}
