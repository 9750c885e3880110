//! A web service with axum, and its client with reqwest: each is national by one line.
//!
//! ```sh
//! cargo run --package gmkit-tls --example axum_reqwest
//! ```

mod identity;

use std::{io, net::SocketAddr, sync::Arc};

use axum::{Router, extract::ConnectInfo, routing::get, serve::Listener};
use gmkit_pki::Profile;
use gmkit_tls::{Client, GmAcceptor, GmListener, GmStream, Server};
use identity::{Authority, Fault};
use tokio::net::TcpListener;

/// Where axum takes its connections from.
struct Connections(GmListener);

impl Listener for Connections {
    type Io = GmStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        self.0.accept().await
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A page, over HTTP/2.
pub(crate) async fn run() -> Result<(), Fault> {
    let authority = Authority::new()?;
    let (chain, key) = authority.identity(Profile::TlsServer, "localhost")?;
    let config = Server::new(chain, key)?.with_alpn(["h2", "http/1.1"]).config()?;
    let tcp = TcpListener::bind("127.0.0.1:0").await?;
    let listener = GmListener::new(tcp, GmAcceptor::new(config));
    let address = listener.local_addr()?;
    let page = get(async |ConnectInfo(from): ConnectInfo<From>| format!("你好, {}", from.0.ip()));
    let app = Router::new().route("/", page).into_make_service_with_connect_info::<From>();
    let server = tokio::spawn(async move { axum::serve(Connections(listener), app).await });

    let config = Client::new(authority.trust()).with_alpn(["h2", "http/1.1"]).config()?;
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(Arc::unwrap_or_clone(config))
        .resolve("localhost", address)
        .build()?;
    let answer = client.get(format!("https://localhost:{}/", address.port())).send().await?;
    let version = answer.version();
    let text = answer.error_for_status()?.text().await?;
    println!("{version:?}: {text}");
    assert_eq!(text, "你好, 127.0.0.1");
    assert_eq!(version, reqwest::Version::HTTP_2);
    server.abort();
    Ok(())
}

/// Who asks.
#[derive(Clone)]
struct From(SocketAddr);

impl axum::extract::connect_info::Connected<axum::serve::IncomingStream<'_, Connections>> for From {
    fn connect_info(stream: axum::serve::IncomingStream<'_, Connections>) -> Self {
        Self(*stream.remote_addr())
    }
}

#[allow(dead_code, reason = "the tests call `run`")]
#[tokio::main]
async fn main() -> Result<(), Fault> {
    run().await
}
