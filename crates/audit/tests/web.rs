//! Requests that are recorded, through axum and tonic, with `curl` and tonic's own client.
#![cfg(feature = "tower")]

mod support;

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, MatchedPath, Request},
    http::{HeaderMap, StatusCode, request::Parts},
    response::Response,
    routing::{get, post},
};
use gmkit_audit::{
    Actor, Attribute, AuditLayer, Auditor, Event, Level, Log, Options, Outcome, Policy, Rule,
    TrustedProxies, WhenFull,
};
use http_body_util::BodyExt;
use support::{KEY, options, sound};
use tokio::{net::TcpListener, process::Command};
use tower::ServiceExt;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Who a layer further outside says it is: here, whoever says so.
fn user(head: &Parts) -> Option<Actor> {
    let name = head.headers.get("x-user")?.to_str().ok()?;
    Some(Actor { user: Some(name.to_owned()), role: Some("teller".into()), ip: None })
}

fn route(head: &Parts) -> Option<String> {
    Some(head.extensions.get::<MatchedPath>()?.as_str().to_owned())
}

fn peer(head: &Parts) -> Option<IpAddr> {
    Some(head.extensions.get::<ConnectInfo<SocketAddr>>()?.ip())
}

struct Lab {
    dir: tempfile::TempDir,
    log: Arc<Log>,
}

impl Lab {
    fn new(options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = Arc::new(Log::open(dir.path(), options, KEY.clone()).unwrap());
        Self { dir, log }
    }

    fn layer(&self) -> AuditLayer {
        let layer = AuditLayer::new(Arc::clone(&self.log)).with_service("api").with_user(user);
        layer.with_route(route).with_peer(peer)
    }

    /// Closes the log; what it has recorded of requests.
    fn events(self) -> Vec<Event> {
        // Connections of a server that was stopped may still be on their way out.
        let deadline = Instant::now() + Duration::from_secs(60);
        while Arc::strong_count(&self.log) > 1 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let log = Arc::into_inner(self.log).expect("nobody else has the log any more");
        log.close().unwrap();
        sound(self.dir.path());
        events(self.dir.path())
    }
}

fn events(dir: &Path) -> Vec<Event> {
    let mut events = Vec::new();
    Auditor::for_each_record(dir, |_, line| {
        let event = Event::from_json(line)?;
        if !event.op_type.starts_with("gmkit.audit.") {
            events.push(event);
        }
        Ok(())
    })
    .unwrap();
    events
}

fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("x-user", "alice")
}

async fn whole(response: Response) -> (StatusCode, Bytes) {
    (response.status(), response.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_of_a_request() {
    let lab = Lab::new(options());
    let proxies = TrustedProxies::new(["127.0.0.0/8"]).unwrap();
    let health = Rule::new().route("/health").level(Level::None);
    let audit = lab.layer().with_proxies(proxies).with_policy(Policy::default().with(health));
    let app = Router::new()
        .route(
            "/accounts/{id}",
            get(async |head: HeaderMap| head["x-keep"].to_str().unwrap().to_owned()),
        )
        .route("/forbidden", get(async || StatusCode::FORBIDDEN))
        .route("/broken", post(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/health", get(async || "fine"))
        .layer(audit);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await });
    let curl = async |args: &str| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--include", "--header", "x-user: alice", "--max-time", "30"]);
        let line = args.replace("URL", &format!("http://{address}"));
        let output = command.args(line.split(' ')).output().await.expect("these tests need `curl`");
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let headers =
        format!("-H traceparent:{TRACE} -H x-forwarded-for:1.1.1.1,203.0.113.9 -H x-keep:it");
    let said = curl(&format!("{headers} URL/accounts/42?secret=1")).await;
    assert!(said.starts_with("HTTP/1.1 200 OK") && said.ends_with("\r\n\r\nit"), "{said}");
    curl("URL/forbidden").await;
    curl("-H traceparent:nonsense -X POST URL/broken").await;
    curl("URL/health").await;
    curl("-I URL/nowhere").await;
    server.abort();
    drop(server.await);

    let events = lab.events();
    let [account, forbidden, broken, nowhere] = &events[..] else { panic!("{events:?}") };
    assert_eq!(account.op_type, "GET /accounts/{id}");
    assert_eq!(account.resource.as_deref(), Some("/accounts/42"));
    assert_eq!(account.actor.user.as_deref(), Some("alice"));
    assert_eq!(account.actor.role.as_deref(), Some("teller"));
    assert_eq!(account.actor.ip, Some([203, 0, 113, 9].into()));
    assert_eq!(account.result, Outcome::allowed().code("200"));
    assert_eq!(account.service.as_deref(), Some("api"));
    assert_eq!(account.trace.as_ref().unwrap().as_str(), TRACE);
    let names: Vec<_> = account.attributes.keys().map(String::as_str).collect();
    assert_eq!(names, ["latency_us"], "no query, no bodies");
    assert_eq!(
        (&*forbidden.op_type, &forbidden.result),
        ("GET /forbidden", &Outcome::denied().code("403"))
    );
    assert_eq!(forbidden.actor.ip, Some([127, 0, 0, 1].into()));
    assert_eq!((&broken.result, &broken.trace), (&Outcome::failed().code("500"), &None));
    assert_eq!((&*nowhere.op_type, &nowhere.result), ("HEAD", &Outcome::failed().code("404")));
}

#[tokio::test]
async fn bodies_are_recorded_where_the_policy_says_so() {
    let lab = Lab::new(options());
    let policy = Policy::default()
        .with(Rule::new().user("root").level(Level::Metadata))
        .with(Rule::new().route("/echo").level(Level::Response))
        .with(Rule::new().level(Level::Request));
    let app = Router::new()
        .route("/echo", post(async |body: Body| body))
        .route("/take", post(async |body: Bytes| body.len().to_string()))
        .layer(lab.layer().with_policy(policy).with_longest_body(100));
    let send = async |path: &str, user: &str, body: Vec<u8>| {
        let request = Request::post(path).header("x-user", user).body(Body::from(body)).unwrap();
        whole(app.clone().oneshot(request).await.unwrap()).await
    };
    let long = vec![b'x'; 1 << 20];
    assert_eq!(
        send("/echo?q=1", "alice", b"short".to_vec()).await,
        (StatusCode::OK, "short".into())
    );
    assert_eq!(send("/echo", "alice", long.clone()).await.1, long);
    assert_eq!(send("/echo", "alice", vec![0xff]).await.1, vec![0xff]);
    assert_eq!(send("/take", "alice", b"abc".to_vec()).await.1, "3");
    send("/echo", "root", b"short".to_vec()).await;
    drop(app);
    let events = lab.events();
    let text = |text: &str| Some(Attribute::from(text));
    let get = |n: usize, name: &str| events[n].attributes.get(name).cloned();
    assert_eq!(
        [get(0, "request"), get(0, "response"), get(0, "query")],
        [text("short"), text("short"), text("q=1")]
    );
    assert_eq!(
        [get(1, "request"), get(1, "response")],
        [(); 2].map(|()| Some(Attribute::digest(&long)))
    );
    assert_eq!(get(2, "request"), Some(Attribute::digest(&[0xff])), "it is no text");
    assert_eq!([get(3, "request"), get(3, "response")], [text("abc"), None]);
    assert_eq!([get(4, "request"), get(4, "response")], [None, None]);
}

#[tokio::test]
async fn what_is_given_up_is_recorded_too() {
    let lab = Lab::new(options());
    let app = Router::new()
        .route("/slow", get(async || tokio::time::sleep(Duration::from_secs(3600)).await))
        .route(
            "/panics",
            get(async || {
                if true {
                    panic!("as it should")
                }
            }),
        )
        .route(
            "/endless",
            get(async || {
                Body::from_stream(tokio_stream::iter(
                    (0..1000).map(|_| Ok::<_, std::io::Error>("more")),
                ))
            }),
        )
        .layer(lab.layer());
    let send = async |path: &str| {
        app.clone().oneshot(request("GET", path).body(Body::empty()).unwrap()).await
    };
    assert!(tokio::time::timeout(Duration::from_millis(20), send("/slow")).await.is_err());
    let app = &app;
    let panicking = app.clone().oneshot(request("GET", "/panics").body(Body::empty()).unwrap());
    assert!(tokio::spawn(panicking).await.unwrap_err().is_panic());
    let mut body = send("/endless").await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    whole(send("/endless").await.unwrap()).await;
    let Lab { dir, log } = lab;
    log.append(&support::event(0)).unwrap();
    let events = events(dir.path());
    let of = |n: usize| (&*events[n].op_type, events[n].result.clone());
    let aborted = Outcome::failed().code("aborted");
    assert_eq!(of(0), ("GET /slow", aborted.clone()));
    assert_eq!(of(1), ("GET /panics", aborted.clone()));
    assert_eq!(of(2), ("GET /endless", aborted));
    assert_eq!(of(3), ("GET /endless", Outcome::allowed().code("200")));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_log_is_full() {
    let lab = Lab::new(options().with_queue(2));
    let policy = Policy::default()
        .with(Rule::new().route("/refuse").when_full(WhenFull::Refuse))
        .with(Rule::new().route("/drop").when_full(WhenFull::Drop));
    let app = Router::new()
        .route("/block", get(async || "done"))
        .route("/refuse", get(async || "done"))
        .route("/drop", get(async || "done"));
    let app = app.layer(lab.layer().with_policy(policy));
    let send = async |path: &str| {
        let request = request("GET", path).body(Body::empty()).unwrap();
        whole(app.clone().oneshot(request).await.unwrap()).await
    };
    let (mut refused, mut dropped, mut done) = (0, 0, 0);
    // How soon the writer empties the queue is up to the machine: for as long as it takes to find it full often.
    while refused < 50 {
        let (first, second, third, refuse, drop) = tokio::join!(
            send("/block"),
            send("/block"),
            send("/block"),
            send("/refuse"),
            send("/drop")
        );
        for answer in [first, second, third] {
            assert_eq!(answer, (StatusCode::OK, "done".into()));
        }
        match refuse {
            (StatusCode::SERVICE_UNAVAILABLE, body) => refused += u64::from(body.is_empty()),
            (status, _) => done += u64::from(status == StatusCode::OK),
        }
        // It is served, whether it is recorded or not.
        assert_eq!(drop.0, StatusCode::OK);
        dropped += 1;
        done += 3;
        assert!(done < 1_000_000, "it is hardly ever full");
    }
    drop(app);
    let Lab { dir, log } = lab;
    Arc::into_inner(log).unwrap().close().unwrap();
    let gaps = sound(dir.path()).gaps;
    assert!(gaps.dropped > 0);
    assert_eq!((gaps.refused, gaps.lost), (refused, 0));
    assert_eq!(gaps.events + gaps.dropped, done + dropped, "each is recorded, or counted");
}

#[tokio::test]
async fn a_stopped_log_stops_the_service() {
    let lab = Lab::new(options().with_checkpoints(Duration::from_millis(10), 0));
    drop(lab.log);
    // Without its key it takes nothing that stays unsigned.
    let few = options().with_checkpoints(Duration::from_millis(10), 0);
    let log = Arc::new(Log::open_unsigned(lab.dir.path(), few).unwrap());
    let policy = Policy::default().with(Rule::new().route("/drop").when_full(WhenFull::Drop));
    let layer = AuditLayer::new(Arc::clone(&log)).with_route(route).with_policy(policy);
    let app = Router::new().route("/drop", get(async || "done")).route("/", get(async || "done"));
    let app = app.layer(layer);
    let send = async |path: &str| {
        let request = request("GET", path).body(Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap().status()
    };
    let mut served = 0;
    while send("/").await == StatusCode::OK {
        served += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(served < 1000);
    }
    assert_eq!(send("/").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(send("/drop").await, StatusCode::OK);
}

#[tokio::test]
async fn grpc() {
    use tonic::{Code, Request, metadata::MetadataValue, transport::Server};
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

    let lab = Lab::new(options());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("bank", tonic_health::ServingStatus::Serving).await;
    // Inside the layer: what comes through it.
    let keep = tonic::service::InterceptorLayer::new(|request: Request<()>| {
        let seen = request.metadata().get_bin("trace-bin").map(|value| value.to_bytes().unwrap());
        assert!(seen.is_none_or(|bytes| bytes[..] == [0, 0xff, 7]));
        Ok(request)
    });
    let peer = |head: &Parts| {
        let info = head.extensions.get::<tonic::transport::server::TcpConnectInfo>()?;
        Some(info.remote_addr()?.ip())
    };
    let refuse = Rule::new().user("nobody").when_full(WhenFull::Refuse);
    let audit = AuditLayer::new(Arc::clone(&lab.log)).with_user(user).with_peer(peer);
    let audit = audit.with_policy(Policy::default().with(refuse));
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    let server = Server::builder().layer(audit).layer(keep).add_service(health);
    let server = tokio::spawn(server.serve_with_incoming(incoming));

    let endpoint = tonic::transport::Endpoint::new(format!("http://{address}")).unwrap();
    let mut client = HealthClient::new(endpoint.connect().await.unwrap());
    let ask = |service: &str| {
        let mut request = Request::new(HealthCheckRequest { service: service.to_owned() });
        request.metadata_mut().insert("x-user", "alice".parse().unwrap());
        request.metadata_mut().insert_bin("trace-bin", MetadataValue::from_bytes(&[0, 0xff, 7]));
        request
    };
    let answer = client.check(ask("bank")).await.unwrap();
    assert_eq!(answer.into_inner().status, 1);
    assert_eq!(client.check(ask("shop")).await.unwrap_err().code(), Code::NotFound);
    drop(client);
    server.abort();
    drop(server.await);

    let Lab { dir, log } = lab;
    log.append(&support::event(0)).unwrap();
    let events = events(dir.path());
    assert_eq!(events[0].op_type, "POST /grpc.health.v1.Health/Check");
    assert_eq!(events[0].actor.user.as_deref(), Some("alice"));
    assert_eq!(events[0].actor.ip, Some([127, 0, 0, 1].into()));
    assert_eq!(events[0].result, Outcome::allowed().code("grpc 0"));
    assert_eq!(events[1].result, Outcome::failed().code("grpc 5"));
}
