//! Bodies of gRPC that no good server would send.
#![cfg(feature = "tower")]

mod grpc;

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use bytes::Bytes;
use gmkit_mask::{CurrentPolicies, Decision, Keys, MaskLayer, Observer, Policies, Policy};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, StreamBody};
use tower::{Layer, ServiceExt};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn layer(policies: Policies) -> MaskLayer {
    MaskLayer::new(Arc::new(CurrentPolicies::new(policies)))
        .with_grpc(Arc::new(grpc::descriptors().clone()), 4 << 20)
}

fn policies(toml: &str) -> Policies {
    Policies::from_toml(toml, &Keys::new()).unwrap()
}

/// What comes out of a response with these headers and this body.
async fn answered<B>(layer: MaskLayer, headers: &[(&'static str, &str)], body: B) -> Answer
where
    B: Body<Data = Bytes, Error = BoxError> + Send + 'static,
{
    let mut response = Response::new(body);
    for (name, value) in headers {
        response.headers_mut().append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let response = Arc::new(Mutex::new(Some(response)));
    let service = tower::service_fn(move |_: Request<_>| {
        let response = response.lock().unwrap().take().unwrap();
        async move { Ok::<_, BoxError>(response) }
    });
    let request = Request::post("/bank.v1.Accounts/Get").header("content-type", "application/grpc");
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let response = layer.layer(service).oneshot(request).await.unwrap();
    let ends = response.body().is_end_stream();
    let (head, body) = response.into_parts();
    let mut body = Box::pin(body);
    let (mut data, mut trailers, mut error) = (Vec::new(), None, None);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => match frame.into_data() {
                Ok(bytes) => data.extend_from_slice(&bytes),
                Err(frame) => trailers = frame.into_trailers().ok(),
            },
            Err(failed) => error = Some(failed.to_string()),
        }
    }
    Answer { head: head.headers, ends, data, trailers, error }
}

struct Answer {
    head: HeaderMap,
    ends: bool,
    data: Vec<u8>,
    trailers: Option<HeaderMap>,
    error: Option<String>,
}

impl Answer {
    fn status(&self) -> Option<&str> {
        let trailers = self.trailers.as_ref().unwrap_or(&self.head);
        Some(trailers.get("grpc-status")?.to_str().unwrap())
    }
}

fn trailers(of: &[(&'static str, &str)]) -> HeaderMap {
    of.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

/// A message with a phone, and the trailers of success.
fn frames(pieces: &[&[u8]]) -> impl Body<Data = Bytes, Error = BoxError> + Send + 'static {
    let data = pieces.iter().map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))));
    let end = Frame::trailers(trailers(&[("grpc-status", "0"), ("x-mail", "alice@example.com")]));
    StreamBody::new(tokio_stream::iter(data.chain([Ok(end)]).collect::<Vec<_>>()))
}

fn none() -> impl Body<Data = Bytes, Error = BoxError> + Send + 'static {
    Empty::new().map_err(|never| match never {})
}

const GRPC: (&str, &str) = ("content-type", "application/grpc");
const MESSAGE: &[u8] = b"\0\0\0\0\x0d\x0a\x0b13800138000";
const MASKED: &[u8] = b"\0\0\0\0\x0d\x0a\x0b138******00";
const DETECT: &str = "version = 1\n[detect]\n";

#[tokio::test]
async fn however_it_is_cut() {
    let whole = answered(layer(policies(DETECT)), &[GRPC], frames(&[MESSAGE, MESSAGE])).await;
    assert_eq!(whole.data, [MASKED, MASKED].concat());
    assert_eq!(whole.status(), Some("0"));
    assert_eq!(whole.trailers.unwrap()["x-mail"], "****@example.com");
    let both = [MESSAGE, MESSAGE].concat();
    for at in 0..=both.len() {
        let (left, right) = both.split_at(at);
        let cut = answered(layer(policies(DETECT)), &[GRPC], frames(&[left, right])).await;
        assert_eq!(cut.data, whole.data, "cut at {at}");
    }
    let bytes: Vec<&[u8]> = both.chunks(1).collect();
    assert_eq!(answered(layer(policies(DETECT)), &[GRPC], frames(&bytes)).await.data, whole.data);
}

#[tokio::test]
async fn what_is_no_body() {
    for (body, why) in [
        (&b"\0\0\0\0\x0d\x0a"[..], "cut off"),
        (b"\0\0", "a prefix"),
        (b"\x02\0\0\0\0", "a mark that is none"),
        (b"\x01\0\0\0\x01x", "compressed, and nobody says how"),
        (b"\0\xff\xff\xff\xff", "too long"),
        (b"\0\0\0\0\x02\x0a\x05", "no message"),
    ] {
        let answer = answered(layer(policies(DETECT)), &[GRPC], frames(&[MESSAGE, body])).await;
        assert_eq!(answer.status(), Some("13"), "{why}");
        assert_eq!(answer.data, MASKED, "{why}: what came before it");
        assert!(answer.error.is_none() && !answer.trailers.unwrap().contains_key("x-mail"));
    }
    // A bomb: 5 MiB in a few bytes.
    let bomb = gzip(&vec![0; 5 << 20]);
    let bomb = [&[1][..], &u32::try_from(bomb.len()).unwrap().to_be_bytes(), &bomb].concat();
    let gzip = [GRPC, ("grpc-encoding", "gzip")];
    let answer = answered(layer(policies(DETECT)), &gzip, frames(&[&bomb])).await;
    assert_eq!((answer.status(), answer.data.len()), (Some("13"), 0));
    assert!(!answer.head.contains_key("grpc-encoding"));
}

fn gzip(data: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Heads of gRPC whose messages nobody knows do not pass, with a body or without.
#[tokio::test]
async fn other_forms() {
    let mail = ("x-mail", "alice@example.com");
    for kind in
        ["application/grpc-web+proto", "application/grpc+json", "application/grpcx", "text/plain"]
    {
        let headers = [("content-type", kind), ("grpc-status", "5"), mail];
        let answer = answered(layer(policies(DETECT)), &headers, none()).await;
        assert_eq!(answer.status(), Some("13"), "{kind}");
        assert!(!answer.head.contains_key("x-mail"), "{kind}");
    }
    let answer = answered(layer(policies(DETECT)), &[("grpc-status", "5"), mail], none()).await;
    assert!(answer.status() == Some("13") && !answer.head.contains_key("x-mail"));
    let headers = [GRPC, ("grpc-encoding", "zstd"), mail];
    let answer = answered(layer(policies(DETECT)), &headers, frames(&[MESSAGE])).await;
    assert!(answer.status() == Some("13") && answer.data.is_empty());
    // Only a head, and only trailers.
    let headers = [GRPC, ("grpc-status", "5"), ("grpc-message", "no alice%40example.com"), mail];
    let answer = answered(layer(policies(DETECT)), &headers, none()).await;
    assert!(answer.ends, "the head is the end");
    assert_eq!(answer.head["grpc-message"], "no ****@example.com");
    assert_eq!(answer.head["x-mail"], "****@example.com");
    let body =
        none().with_trailers(std::future::ready(Some(Ok(trailers(&[("grpc-status", "7"), mail])))));
    let answer = answered(layer(policies(DETECT)), &[GRPC], body).await;
    assert_eq!(answer.status(), Some("7"));
    assert_eq!(answer.trailers.unwrap()["x-mail"], "****@example.com");
}

#[tokio::test]
async fn rules_for_metadata() {
    let rules = "version = 1\n[detect]\n[[rule]]\npath = \"metadata.cookie\"\nstrategy = \"drop\"\n\
                 [[rule]]\npath = \"metadata.x-user\"\nstrategy = { truncate = 2 }\n\
                 [[rule]]\npath = \"**.secret-bin\"\n[[rule]]\npath = \"metadata.raw\"\nopaque = true\n\
                 [[rule]]\npath = \"metadata.grpc-status\"\nstrategy = \"drop\"\n";
    let headers = [
        GRPC,
        ("cookie", "id=1"),
        ("user-agent", "alice@example.com"),
        ("x-user", "alice"),
        ("x-user", "bob"),
        ("secret-bin", "AAEC"),
        ("other-bin", "YWxpY2VAZXhhbXBsZS5jb20"),
        ("raw", "alice@example.com"),
        ("grpc-phone", "13800138000"),
        ("x-note", "caf\u{e9} alice@example.com"),
        ("6200000000000005", "x"),
        ("x-lists", "a, b"),
        ("grpc-status", "0"),
    ];
    let head = answered(layer(policies(rules)), &headers, none()).await.head;
    let all = |name: &str| {
        let values = head.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect::<Vec<_>>().join("|")
    };
    for (name, expected) in [
        ("cookie", ""),
        ("user-agent", "alice@example.com"),
        ("x-user", "al|bo"),
        ("secret-bin", ""),
        ("other-bin", "YWxpY2VAZXhhbXBsZS5jb20"),
        ("raw", "alice@example.com"),
        ("grpc-phone", "138******00"),
        ("x-note", "caf\u{e9} ****@example.com"),
        ("6200000000000005", ""),
        ("x-lists", "a, b"),
        ("grpc-status", "0"),
    ] {
        assert_eq!(all(name), expected, "{name}");
    }
}

#[derive(Debug)]
struct Panics(AtomicBool);

impl Observer for Panics {
    fn replaced(&self, _: &Decision<'_>) {
        assert!(self.0.swap(true, Ordering::Relaxed), "the first time");
    }
}

/// After a panic in a callback nothing more comes out.
#[tokio::test]
async fn a_panic_ends_it() {
    let policy = Policy::new().with_observer(Arc::new(Panics(AtomicBool::new(false))));
    let mask = layer(Policies::new(policy));
    let service = tower::service_fn(move |_: Request<_>| async move {
        let mut response = Response::new(frames(&[MESSAGE, MESSAGE]));
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        Ok::<_, BoxError>(response)
    });
    let request = Request::post("/bank.v1.Accounts/Get").header("content-type", "application/grpc");
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let response = mask.layer(service).oneshot(request).await.unwrap();
    let mut body = Box::pin(response.into_body());
    let panicked = poll_fn(|context| {
        let poll = AssertUnwindSafe(|| body.as_mut().poll_frame(context));
        catch_unwind(poll).map_or(Poll::Ready(true), |polled| polled.map(|_| false))
    });
    assert!(panicked.await);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { break };
        assert!(frame.is_trailers(), "nothing more");
        assert_eq!(frame.trailers_ref().unwrap()["grpc-status"], "13");
    }
}
