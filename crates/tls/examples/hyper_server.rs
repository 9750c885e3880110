//! hyper without a framework, on the acceptor; and a client on tokio-rustls.
//!
//! ```sh
//! cargo run --package gmkit-tls --example hyper_server
//! ```

mod identity;

use std::convert::Infallible;

use gmkit_pki::Profile;
use gmkit_tls::{Client, GmAcceptor, Server, national, rustls::pki_types::ServerName};
use http_body_util::{BodyExt, Empty, Full};
use hyper::{Request, Response, body::Bytes, service::service_fn};
use hyper_util::rt::TokioIo;
use identity::{Authority, Fault};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

/// One request and its answer.
pub(crate) async fn run() -> Result<(), Fault> {
    let authority = Authority::new()?;
    let (chain, key) = authority.identity(Profile::TlsServer, "localhost")?;
    let acceptor = GmAcceptor::new(Server::new(chain, key)?.config()?);
    let tcp = TcpListener::bind("127.0.0.1:0").await?;
    let address = tcp.local_addr()?;
    let server = tokio::spawn(async move {
        let (socket, _) = tcp.accept().await?;
        let stream = acceptor.accept(socket).await?;
        let answer = service_fn(async |request: Request<hyper::body::Incoming>| {
            let text = format!("you asked for {}", request.uri().path());
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text))))
        });
        let http = hyper::server::conn::http1::Builder::new();
        http.serve_connection(TokioIo::new(stream), answer).await?;
        Ok::<_, Fault>(())
    });

    let connector = TlsConnector::from(Client::new(authority.trust()).config()?);
    let socket = TcpStream::connect(address).await?;
    let stream = connector.connect(ServerName::try_from("localhost")?, socket).await?;
    national(stream.get_ref().1)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get("/page").header("host", "localhost").body(Empty::<Bytes>::new())?;
    let body = sender.send_request(request).await?.collect().await?.to_bytes();
    println!("{}", String::from_utf8_lossy(&body));
    assert_eq!(body, "you asked for /page");
    drop(sender);
    connection.await??;
    server.await?
}

#[allow(dead_code, reason = "the tests call `run`")]
#[tokio::main]
async fn main() -> Result<(), Fault> {
    run().await
}
