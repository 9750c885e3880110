//! gRPC with tonic, and certificates on both sides: the service knows who calls.
//!
//! ```sh
//! cargo run --package gmkit-tls --example tonic_mutual
//! ```

mod identity;

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use gmkit_pki::{Certificate, Profile};
use gmkit_tls::{
    Client, Clients, GmAcceptor, GmListener, GmStream, Server, rustls::pki_types::ServerName,
};
use hyper_util::rt::TokioIo;
use identity::{Authority, Fault};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsConnector;
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{
    Request, Status,
    transport::{Endpoint, Server as Grpc, Uri, server::Connected},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// A connection, and whose it is.
struct Call(GmStream);

/// The caller's name, as its certificate has it.
#[derive(Clone)]
struct Caller(String);

impl Connected for Call {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        let shown = self.0.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let certificate = shown.and_then(|der| Certificate::from_der(der).ok());
        Caller(certificate.map(|one| one.subject().to_string()).unwrap_or_default())
    }
}

impl AsyncRead for Call {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Call {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A health check by a client that the service knows, and one by a client that it does not.
pub(crate) async fn run() -> Result<(), Fault> {
    let authority = Authority::new()?;
    let (chain, key) = authority.identity(Profile::TlsServer, "localhost")?;
    let config = Server::new(chain, key)?
        .with_clients(authority.trust(), &[authority.anchor()], Clients::Required)
        .with_alpn(["h2"])
        .config()?;
    let tcp = TcpListener::bind("127.0.0.1:0").await?;
    let mut listener = GmListener::new(tcp, GmAcceptor::new(config));
    let port = listener.local_addr()?.port();
    let (give, connections) = tokio::sync::mpsc::channel(16);
    let accepting =
        tokio::spawn(async move { while give.send(listener.accept().await.0).await.is_ok() {} });
    let (_, health) = tonic_health::server::health_reporter();
    let health = tonic::service::interceptor::InterceptedService::new(health, only_alice);
    let incoming = ReceiverStream::new(connections).map(|stream| Ok::<_, io::Error>(Call(stream)));
    let serving = tokio::spawn(Grpc::builder().add_service(health).serve_with_incoming(incoming));

    println!("alice: {}", check(&authority, "alice", port).await?);
    let refused = check(&authority, "mallory", port).await.unwrap_err();
    println!("mallory: {refused}");
    assert!(
        refused
            .downcast_ref()
            .is_some_and(|status: &Status| { status.code() == tonic::Code::PermissionDenied })
    );
    accepting.abort();
    serving.abort();
    Ok(())
}

fn only_alice(request: Request<()>) -> Result<Request<()>, Status> {
    match request.extensions().get::<Caller>() {
        Some(Caller(name)) if name == "CN=alice, C=CN" => Ok(request),
        _ => Err(Status::permission_denied("not for you")),
    }
}

async fn check(authority: &Authority, name: &str, port: u16) -> Result<&'static str, Fault> {
    let (chain, key) = authority.identity(Profile::TlsClient, name)?;
    let config =
        Client::new(authority.trust()).with_identity(chain, key)?.with_alpn(["h2"]).config()?;
    let connector = TlsConnector::from(config);
    // tonic speaks HTTP/2 over what it is given.
    let dial = tower::service_fn(move |_: Uri| {
        let connector = connector.clone();
        async move {
            let socket = TcpStream::connect(("127.0.0.1", port)).await?;
            let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
            Ok::<_, io::Error>(TokioIo::new(connector.connect(name, socket).await?))
        }
    });
    let channel = Endpoint::from_static("http://localhost").connect_with_connector(dial).await?;
    let request = HealthCheckRequest { service: String::new() };
    let answer = HealthClient::new(channel).check(request).await?;
    Ok(answer.into_inner().status().as_str_name())
}

#[allow(dead_code, reason = "the tests call `run`")]
#[tokio::main]
async fn main() -> Result<(), Fault> {
    run().await
}
