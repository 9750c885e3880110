//! A bank with an HTTP API (axum) and a gRPC service (tonic), which record to one audit log; a customer whose
//! name is sealed; and a check of the log at the end.
//!
//! ```sh
//! cargo run --package gmkit-audit --features tower,tracing --example service
//! ```

use std::{net::SocketAddr, path::Path, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, MatchedPath, State},
    http::{StatusCode, request::Parts},
    routing::{get, post},
};
use gmkit_audit::{
    Actor, AuditLayer, Auditor, Event, Fields, Level, Log, Options, Outcome, Policy, Rule,
    Subjects, TraceLayer, WhenFull,
};
use gmkit_keys::{PrivateKey, SoftwareKey, SoftwareSecret};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Endpoint, Server};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::ServiceExt;
use tracing_subscriber::layer::SubscriberExt;

pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;

/// What the handlers share.
#[derive(Clone)]
struct Bank {
    log: Arc<Log>,
    subjects: Arc<Subjects>,
}

/// The user, whom a layer further outside would have authenticated. This one believes a header.
fn user(head: &Parts) -> Option<Actor> {
    let name = head.headers.get("x-user")?.to_str().ok()?;
    Some(Actor { user: Some(name.to_owned()), ..Actor::default() })
}

/// Recorded by the handler itself, as only it knows whom the transfer is about.
async fn transfer(State(bank): State<Bank>) -> Result<&'static str, StatusCode> {
    // Recorded before it is done: if it cannot be, it is not done.
    let record = move || {
        let mut event = Event::new("transfer.create", Outcome::allowed())
            .by("alice", Some("customer"), None)
            .on("account/42")
            .with("amount", 100);
        bank.subjects.seal(&mut event, "alice", Fields::none().with_actor())?;
        bank.log.append(&event)
    };
    let recorded = tokio::task::spawn_blocking(record).await;
    match recorded {
        Ok(Ok(_)) => Ok("done"),
        _ => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}

fn api(bank: Bank) -> Router {
    let policy = Policy::default()
        .with(Rule::new().route("/health").level(Level::None))
        .with(Rule::new().route("/transfers").level(Level::Request).when_full(WhenFull::Refuse));
    let audit = AuditLayer::new(Arc::clone(&bank.log))
        .with_service("api")
        .with_user(user)
        .with_route(|head| Some(head.extensions.get::<MatchedPath>()?.as_str().to_owned()))
        .with_peer(|head| Some(head.extensions.get::<ConnectInfo<SocketAddr>>()?.ip()))
        .with_policy(policy);
    Router::new()
        .route("/health", get(async || "fine"))
        .route("/transfers", post(transfer))
        .layer(audit)
        .with_state(bank)
}

/// Asks the HTTP API: without a socket, as the service is one in itself.
async fn ask_api(bank: Bank) -> Result<(), Fault> {
    let app = api(bank);
    for (method, path) in [("POST", "/transfers"), ("GET", "/health"), ("GET", "/nowhere")] {
        let request = axum::http::Request::builder().method(method).uri(path);
        let request =
            request.header("x-user", "teller7").body(axum::body::Body::from("amount=100"))?;
        let response = app.clone().oneshot(request).await?;
        println!("{method} {path}: {}", response.status());
    }
    Ok(())
}

/// Starts the gRPC service, and asks it.
async fn ask_grpc(log: Arc<Log>) -> Result<(), Fault> {
    let (_, health) = tonic_health::server::health_reporter();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let audit = AuditLayer::new(log).with_service("grpc").with_user(user);
    let server = Server::builder().layer(audit).add_service(health);
    let server = tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let channel = Endpoint::new(format!("http://{address}"))?.connect().await?;
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await?;
    println!("Health/Check: {}", answer.into_inner().status);
    server.abort();
    Ok(())
}

pub(crate) async fn run(dir: &Path) -> Result<(), Fault> {
    let key = Arc::new(SoftwareKey::generate()?);
    let options = Options::new("bank.example/service")?;
    let log = Arc::new(Log::open(&dir.join("log"), options, key.clone())?);
    let master = Arc::new(SoftwareSecret::sm4(&[7; 16])?); // a service takes it from a file, or a device
    let subjects = Arc::new(Subjects::open(&dir.join("persons"), master)?);

    ask_api(Bank { log: Arc::clone(&log), subjects }).await?;
    ask_grpc(Arc::clone(&log)).await?;
    let subscriber = tracing_subscriber::registry().with(TraceLayer::new(Arc::clone(&log)));
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(target: "audit", op_type = "limit.raise", user = "teller7", limit = 5000);
    });
    // Whatever comes after this is behind what came before.
    log.append(&Event::new("service.stop", Outcome::allowed()))?;
    drop(log);

    let report = Auditor::new(&dir.join("log"), key.public_key()).run()?;
    println!("{} events, {} findings", report.gaps.events, report.findings.len());
    assert!(report.is_sound() && report.gaps.events == 6);
    Ok(())
}

#[tokio::main]
#[allow(dead_code, reason = "the tests call `run`")]
async fn main() -> Result<(), Fault> {
    let dir = tempfile::tempdir()?;
    run(dir.path()).await
}
