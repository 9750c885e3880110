//! Bodies that are masked on their way, through axum, with `curl`.
#![cfg(feature = "tower")]

use std::{
    io::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use flate2::{Compression, write::GzEncoder, write::ZlibEncoder};
use gmkit_mask::{Caller, CurrentPolicies, Keys, MaskLayer, Policies};
use http_body_util::BodyExt;
use tokio::{net::TcpListener, process::Command, sync::mpsc};

const POLICIES: &str = r#"
version = 1
[detect]
[[scope]]
roles = ["teller"]
style = "usual"
[scope.detect]
[[scope]]
roles = ["auditor"]
clear = true
[[scope]]
direction = "request"
route = "/echo"
style = "usual"
[scope.detect]
"#;

const RAW: &str = r#"{"phone":"13800138000","mail":"alice@example.com"}"#;
const STRICT: &str = r#"{"phone":"138******00","mail":"****@example.com"}"#;
const USUAL: &str = r#"{"phone":"138****8000","mail":"a****@example.com"}"#;

fn caller(head: &Parts) -> Caller {
    let role = head.headers.get("x-role").and_then(|role| role.to_str().ok());
    Caller { roles: role.map(str::to_owned).into_iter().collect(), ..Caller::default() }
}

/// A body with these headers.
fn with(headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    for (name, value) in headers {
        let name = name.parse::<HeaderName>().unwrap();
        response.headers_mut().append(name, value.parse().unwrap());
    }
    response
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// In pieces of these many bytes.
fn pieces(body: impl Into<Vec<u8>>, len: usize) -> Body {
    let body = Bytes::from(body.into());
    let count = body.len().div_ceil(len);
    let pieces = (0..count).map(move |n| body.slice(n * len..body.len().min((n + 1) * len)));
    Body::from_stream(tokio_stream::iter(pieces.map(Ok::<_, std::io::Error>)))
}

/// Head and body.
type Seen = (HeaderMap, Vec<u8>);

struct Lab {
    url: String,
    policies: Arc<CurrentPolicies>,
    /// What the service was sent.
    seen: Arc<Mutex<Vec<Seen>>>,
    events: Arc<Mutex<Option<mpsc::Receiver<&'static str>>>>,
}

impl Lab {
    async fn new() -> Self {
        let policies = Policies::from_toml(POLICIES, &Keys::new()).unwrap();
        let policies = Arc::new(CurrentPolicies::new(policies));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let events = Arc::new(Mutex::new(None));
        let mask = MaskLayer::new(Arc::clone(&policies))
            .with_caller(caller)
            .with_passing(&["image/*"])
            .unwrap();
        let (to, of) = (Arc::clone(&seen), Arc::clone(&events));
        let take = async move |head: HeaderMap, body: Body| match body.collect().await {
            Ok(body) => {
                to.lock().unwrap().push((head, body.to_bytes().to_vec()));
                StatusCode::NO_CONTENT
            }
            Err(_) => StatusCode::BAD_REQUEST,
        };
        let app = Router::new()
            .route(
                "/json",
                get(async |head: HeaderMap| {
                    assert!(!head.contains_key("range"), "parts cannot be masked");
                    with(
                        &[
                            JSON,
                            ("etag", "\"1\""),
                            ("digest", "x"),
                            ("x-kept", "yes"),
                            ("content-length", "50"),
                        ],
                        RAW,
                    )
                }),
            )
            .route(
                "/gzip",
                get(async || {
                    with(&[JSON, ("content-encoding", "gzip")], pieces(gzip(RAW.as_bytes()), 7))
                }),
            )
            .route(
                "/deflate",
                get(async || with(&[JSON, ("content-encoding", "deflate")], zlib(RAW.as_bytes()))),
            )
            .route("/brotli", get(async || with(&[JSON, ("content-encoding", "br")], "x")))
            .route(
                "/cut-gzip",
                get(async || {
                    let whole = gzip(RAW.as_bytes());
                    with(&[JSON, ("content-encoding", "gzip")], whole[..whole.len() - 4].to_vec())
                }),
            )
            .route(
                "/bomb",
                get(async || {
                    let body = [b"[\"".to_vec(), vec![b'x'; 20 << 20], b"\"]".to_vec()].concat();
                    with(&[JSON, ("content-encoding", "gzip")], gzip(&body))
                }),
            )
            .route("/cut", get(async || with(&[JSON], &RAW[..20])))
            .route(
                "/part",
                get(async || with(&[JSON, ("content-range", "bytes 0-9/20")], "[1,2,3,4,5")),
            )
            .route("/image", get(async || with(&[("content-type", "image/png")], "13800138000")))
            .route(
                "/pdf",
                get(async || with(&[("content-type", "application/pdf")], "13800138000")),
            )
            .route("/nothing", get(async || with(&[], "13800138000")))
            .route("/empty", get(async || StatusCode::NO_CONTENT))
            .route("/text", get(async || "mail alice@example.com"))
            .route("/gbk", get(async || with(&[("content-type", "text/plain; charset=gbk")], "x")))
            .route(
                "/grpc",
                post(async |_: Bytes| with(&[("content-type", "application/grpc")], "x")),
            )
            .route(
                "/late",
                get(async || {
                    let rows = format!("[{}", "\"13800138000 手机\",".repeat(20_000));
                    with(&[JSON], pieces(rows + "oops]", 1000))
                }),
            )
            .route(
                "/long",
                get(async || {
                    let rows = format!("[{}1]", "\"手机13800138000\",".repeat(200_000));
                    with(&[JSON], pieces(rows, 4099))
                }),
            )
            .route(
                "/events",
                get(async move || {
                    let receiver = of.lock().unwrap().take().unwrap();
                    let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
                    let stream = tokio_stream::StreamExt::map(stream, |event: &'static str| {
                        Ok::<_, std::io::Error>(Bytes::from_static(event.as_bytes()))
                    });
                    with(&[("content-type", "text/event-stream")], Body::from_stream(stream))
                        .into_response()
                }),
            )
            .route("/echo", post(take.clone()))
            .route("/take", post(take))
            .layer(mask);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, policies, seen, events }
    }

    /// What `curl` gets: whether it was content, the head, and the body.
    async fn curl(&self, args: &[&str], path: &str) -> (bool, String, String) {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--include", "--max-time", "60"]).args(args);
        let done = curl.arg(format!("{}{path}", self.url)).output().await.unwrap();
        let out = String::from_utf8(done.stdout).unwrap();
        let (head, body) = out.split_once("\r\n\r\n").unwrap_or((&out, ""));
        (done.status.success(), head.to_lowercase(), body.to_owned())
    }

    async fn body(&self, args: &[&str], path: &str) -> String {
        let (whole, head, body) = self.curl(args, path).await;
        assert!(whole && head.contains(" 200"), "{path}: {head}\n{body}");
        body
    }

    async fn refused(&self, path: &str) {
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            let (whole, head, body) = self.curl(&[version], path).await;
            assert!(whole && head.contains(" 500"), "{path}: {head}");
            assert_eq!(body, "the response cannot be masked");
            assert!(!head.contains("13800138000") && !head.contains("etag"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn responses() {
    let lab = Lab::new().await;
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let (whole, head, body) = lab.curl(&[version, "--range", "0-3"], "/json").await;
        assert!(
            whole
                && head.contains(&format!("content-length: {}", STRICT.len()))
                && head.contains("x-kept: yes")
        );
        assert!(!head.contains("etag") && !head.contains("digest"), "{head}");
        assert_eq!(body, STRICT);
        for path in ["/gzip", "/deflate"] {
            let (whole, head, body) = lab.curl(&[version], path).await;
            assert!(whole && !head.contains("content-encoding"), "{head}");
            assert_eq!(body, STRICT, "{path}");
        }
    }
    let as_role =
        async |role: &str| lab.body(&["--header", &format!("x-role: {role}")], "/json").await;
    assert_eq!(as_role("teller").await, USUAL);
    assert_eq!(as_role("auditor").await, RAW);
    assert_eq!(as_role("guest").await, STRICT);
    let (_, head, _) = lab.curl(&["--header", "x-role: auditor"], "/json").await;
    assert!(head.contains("etag"), "what passes is not touched: {head}");
    assert_eq!(lab.body(&[], "/text").await, "mail ****@example.com");
    assert_eq!(lab.body(&[], "/image").await, "13800138000");
    let (whole, head, _) = lab.curl(&[], "/empty").await;
    assert!(whole && head.contains(" 204"));
    let (whole, head, body) = lab.curl(&["--head"], "/json").await;
    assert!(whole && head.contains(" 200") && !head.contains("etag") && body.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_masked_is_refused() {
    let lab = Lab::new().await;
    for path in ["/brotli", "/cut-gzip", "/bomb", "/cut", "/part", "/pdf", "/nothing", "/gbk"] {
        lab.refused(path).await;
    }
    let (_, head, body) = lab
        .curl(
            &[
                "--http2-prior-knowledge",
                "--header",
                "content-type: application/grpc",
                "--data",
                "x",
            ],
            "/grpc",
        )
        .await;
    assert!(head.contains("grpc-status: 13") && body.is_empty(), "{head}");
}

/// Behind the head nothing can be taken back: the connection or the stream breaks off.
#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_late_breaks_off() {
    let lab = Lab::new().await;
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let (whole, head, body) = lab.curl(&[version], "/late").await;
        assert!(!whole && head.contains(" 200"), "{head}");
        assert!(body.starts_with("[\"138******00") && !body.contains("13800138000"));
        let body = lab.body(&[version], "/long").await;
        assert_eq!(body.matches("138******00").count(), 200_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_arrive_at_once_and_policies_change() {
    let lab = Lab::new().await;
    let (send, receive) = mpsc::channel(4);
    *lab.events.lock().unwrap() = Some(receive);
    let mut curl = Command::new("curl")
        .args(["--silent", "--no-buffer", &format!("{}/events", lab.url)])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = curl.stdout.take().unwrap();
    let mut read = async |len: usize| {
        let mut event = vec![0; len];
        let read = tokio::io::AsyncReadExt::read_exact(&mut out, &mut event);
        tokio::time::timeout(Duration::from_secs(60), read).await.unwrap().unwrap();
        String::from_utf8(event).unwrap()
    };
    let masked = "data: {\"phone\":\"138******00\"}\n\n";
    send.send("data: {\"phone\":").await.unwrap();
    send.send("\"13800138000\"}\n\n").await.unwrap();
    assert_eq!(read(masked.len()).await, masked);
    // Under way it stays with the policies it began with; who comes later gets the new ones.
    lab.policies.reload("version = 1\nclear = true\n", &Keys::new()).unwrap();
    send.send("data: {\"phone\":\"13800138000\"}\n\n").await.unwrap();
    assert_eq!(read(masked.len()).await, masked);
    assert_eq!(lab.body(&[], "/json").await, RAW);
    assert!(lab.policies.reload("version = 1\n[scope]\n", &Keys::new()).is_err());
    assert_eq!(lab.body(&[], "/json").await, RAW);
    drop(send);
    assert!(curl.wait().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests() {
    let lab = Lab::new().await;
    let send = async |path: &str, media_type: &str, body: &str| {
        let media_type = format!("content-type: {media_type}");
        let args = ["--header", &media_type, "--header", "digest: x", "--data-binary", body];
        let (_, head, _) = lab.curl(&args, path).await;
        let status = head.split(' ').nth(1).unwrap().to_owned();
        (status, lab.seen.lock().unwrap().pop())
    };
    let (status, seen) = send("/echo", "application/json", RAW).await;
    let (head, body) = seen.unwrap();
    assert_eq!((&*status, &body[..]), ("204", USUAL.as_bytes()));
    assert!(!head.contains_key("content-length") && !head.contains_key("digest"));
    let form = "application/x-www-form-urlencoded";
    let (_, seen) = send("/echo", form, "phone=13800138000&a=1").await;
    assert_eq!(seen.unwrap().1, b"phone=138****8000&a=1");
    let (_, seen) = send("/take", "application/json", RAW).await;
    let (head, body) = seen.unwrap();
    assert_eq!((body, head.contains_key("digest")), (RAW.into(), true), "no scope is for it");
    assert_eq!(send("/echo", "application/json", &RAW[..9]).await.0, "400");
    assert_eq!(send("/echo", "application/pdf", "x").await.0, "415");
    assert!(lab.seen.lock().unwrap().is_empty());
}

/// What the layer makes of one response, without a server that would mend it.
async fn alone(policies: &str, method: &str, path: &str, response: Response) -> (Parts, Response) {
    let policies = Policies::from_toml(policies, &Keys::new()).unwrap();
    let policies = Arc::new(CurrentPolicies::new(policies));
    let mask = MaskLayer::new(policies).with_passing(&["image/*"]).unwrap();
    let response = Arc::new(Mutex::new(Some(response)));
    let service = tower::service_fn(move |_: axum::http::Request<gmkit_mask::MaskBody<Body>>| {
        let response = response.lock().unwrap().take().unwrap();
        std::future::ready(Ok::<_, std::convert::Infallible>(response))
    });
    let request = axum::http::Request::builder().method(method).uri(path).body(Body::empty());
    let (head, body) = request.unwrap().into_parts();
    let request = axum::http::Request::from_parts(head.clone(), body);
    let service = tower_layer::Layer::layer(&mask, service);
    let response = tower::ServiceExt::oneshot(service, request).await.unwrap();
    (head, response.map(Body::new))
}

async fn bytes(response: Response) -> Result<Bytes, axum::Error> {
    response.into_body().collect().await.map(http_body_util::Collected::to_bytes)
}

/// Services that put something where nothing belongs.
#[tokio::test]
async fn bodies_that_should_be_none() {
    let all = "version = 1\n[detect]\n";
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED] {
        let mut response = with(&[JSON], RAW);
        *response.status_mut() = status;
        let (_, response) = alone(all, "GET", "/", response).await;
        assert_eq!((response.status(), bytes(response).await.unwrap().len()), (status, 0));
    }
    let (_, response) =
        alone(all, "HEAD", "/", with(&[("content-type", "application/pdf")], RAW)).await;
    assert!(bytes(response).await.unwrap().is_empty());
    let mut switching = with(&[], "");
    *switching.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let (_, response) = alone(all, "GET", "/", switching).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let (_, response) = alone(all, "CONNECT", "example.com:443", with(&[], "")).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    // One that says it is empty, and is not.
    struct Liar(Option<Bytes>);
    impl http_body::Body for Liar {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Ready(self.0.take().map(|data| Ok(http_body::Frame::data(data))))
        }

        fn size_hint(&self) -> http_body::SizeHint {
            http_body::SizeHint::with_exact(0)
        }
    }
    let liar = Body::new(Liar(Some(Bytes::from_static(RAW.as_bytes()))));
    let (_, response) = alone(all, "GET", "/", with(&[JSON], liar)).await;
    assert!(bytes(response).await.is_err());
}

#[tokio::test]
async fn texts_under_rules_and_odd_media_types() {
    let rules = "version = 1\n[[rule]]\npath = \"**.salary\"\nstrategy = \"nullify\"\n";
    let both = format!("{rules}[detect]\n");
    let salary = r#"{"salary":9000}"#;
    let text = ("content-type", "text/plain");
    let status = async |policies: &str, headers: &[(&str, &str)], body: &'static str| {
        let (_, response) = alone(policies, "GET", "/", with(headers, body)).await;
        (response.status().as_u16(), bytes(response).await)
    };
    let (refused, _) = status(rules, &[text], salary).await;
    assert_eq!(refused, 500, "rules do nothing to a text");
    let (masked, body) = status(&both, &[text], "\u{feff} {\"salary\":9000}").await;
    assert_eq!((masked, &*body.unwrap()), (200, "\u{feff} {\"salary\":null}".as_bytes()));
    let (_, body) = status(&both, &[text], "{\"salary\":9000").await;
    assert!(body.is_err(), "it begins as JSON does, and is none");
    let (_, body) = status(&both, &[text], "mail alice@example.com").await;
    assert_eq!(body.unwrap(), "mail ****@example.com");
    let (_, body) = status(&both, &[text], " ").await;
    assert_eq!(body.unwrap(), " ");
    for headers in [
        &[("content-type", "image/png"), JSON][..],
        &[("content-type", "image/png, application/json")],
        &[("content-type", "text/html, application/json")],
        &[("content-type", "*")],
        &[("content-type", "")],
    ] {
        assert_eq!(status(&both, headers, salary).await.0, 500, "{headers:?}");
    }
    let layer = MaskLayer::new(Arc::default());
    for odd in ["*", "*/*", "image", "", "image/png, text/html"] {
        assert!(layer.clone().with_passing(&[odd]).is_err(), "{odd}");
    }
}

/// Trailers are of the body as it was.
#[tokio::test]
async fn trailers_go() {
    let mut trailers = HeaderMap::new();
    trailers.insert("content-digest", "sha-256=:x:".parse().unwrap());
    let frames = [
        Ok::<_, std::convert::Infallible>(http_body::Frame::data(Bytes::from_static(
            RAW.as_bytes(),
        ))),
        Ok(http_body::Frame::trailers(trailers)),
    ];
    let body = Body::new(http_body_util::StreamBody::new(tokio_stream::iter(frames)));
    let response = with(&[JSON, ("trailer", "content-digest")], body);
    let (_, response) = alone("version = 1\n[detect]\n", "GET", "/", response).await;
    assert!(!response.headers().contains_key("trailer"));
    let whole = response.into_body().collect().await.unwrap();
    assert!(whole.trailers().is_none());
    assert_eq!(whole.to_bytes(), STRICT);
}
