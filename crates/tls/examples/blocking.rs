//! A server and a client on plain threads and sockets, without any runtime.
//!
//! ```sh
//! cargo run --package gmkit-tls --example blocking
//! ```

mod identity;

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use gmkit_pki::Profile;
use gmkit_tls::{
    Client, Server, national,
    rustls::{ClientConnection, ServerConfig, ServerConnection, Stream, pki_types::ServerName},
};
use identity::{Authority, Fault};

/// One line there, and one back.
pub(crate) fn run() -> Result<(), Fault> {
    let authority = Authority::new()?;
    let (chain, key) = authority.identity(Profile::TlsServer, "localhost")?;
    let config = Server::new(chain, key)?.config()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || serve(&listener, config));

    let config = Client::new(authority.trust()).config()?;
    let mut connection = ClientConnection::new(config, ServerName::try_from("localhost")?)?;
    let mut socket = TcpStream::connect(address)?;
    let mut stream = Stream::new(&mut connection, &mut socket);
    stream.write_all(b"Who is there?")?;
    let mut answer = [0; 13];
    stream.read_exact(&mut answer)?;
    national(stream.conn)?;
    println!("{}", String::from_utf8_lossy(&answer));
    assert_eq!(&answer, b"Who is there?");
    stream.conn.send_close_notify();
    stream.flush()?;
    server.join().expect("the server's thread")
}

fn serve(listener: &TcpListener, config: Arc<ServerConfig>) -> Result<(), Fault> {
    let (mut socket, _) = listener.accept()?;
    let mut connection = ServerConnection::new(config)?;
    let mut stream = Stream::new(&mut connection, &mut socket);
    let mut said = [0; 13];
    stream.read_exact(&mut said)?;
    stream.write_all(&said)?;
    // Until the client is done.
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}

#[allow(dead_code, reason = "the tests call `run`")]
fn main() -> Result<(), Fault> {
    run()
}
