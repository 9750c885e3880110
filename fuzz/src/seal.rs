//! Sealed requests, as a service gets them.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use gmkit_keys::SoftwareSecret;
use gmkit_seal::{
    CurrentSealKeys, MEDIA_TYPE, SEALED, SealBody, SealClientLayer, SealKeys, SealLayer,
};
use http::{Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use tower_layer::Layer;
use tower_service::Service;

fn keys() -> Arc<CurrentSealKeys> {
    let key = SoftwareSecret::sm4(&[7; 16]).expect("sixteen bytes");
    Arc::new(CurrentSealKeys::new(SealKeys::new("k", Arc::new(key)).expect("a name")))
}

/// Nothing here waits for anything.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}

/// Sends bodies back as they came.
#[derive(Clone)]
struct Echo;

impl<B> Service<Request<B>> for Echo {
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Response<B>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(Response::new(request.into_body())))
    }
}

/// A request's body, behind a byte that says whether it comes in the header; what is refused is refused in words.
pub fn seal_request(data: &[u8]) {
    let Some((form, body)) = data.split_first() else { return };
    let mut request = Request::builder().method("POST").uri("/a?b");
    let body = match form % 2 {
        0 => {
            request = request.header(CONTENT_TYPE, MEDIA_TYPE);
            Full::new(Bytes::copy_from_slice(body))
        }
        _ => {
            request = request.header(SEALED, body);
            Full::new(Bytes::new())
        }
    };
    let Ok(request) = request.body(body) else { return };
    // Whenever a seed was made, it is right.
    let layer = SealLayer::new(keys()).with_skew(Duration::MAX);
    let response = now(layer.layer(Echo).call(request)).unwrap_or_else(|never| match never {});
    let sealed = response.headers().get(CONTENT_TYPE).is_some_and(|own| own == MEDIA_TYPE);
    let refused = !response.status().is_success();
    assert!(sealed != refused);
    let body = now(response.into_body().collect());
    assert!(!refused || body.is_ok_and(|body| !body.to_bytes().is_empty()));
}

/// Keeps what is sent.
struct Wire(Arc<Mutex<Vec<u8>>>);

impl Service<Request<SealBody<Full<Bytes>>>> for Wire {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<SealBody<Full<Bytes>>>) -> Self::Future {
        let (head, body) = request.into_parts();
        let body = now(body.collect()).expect("it is all there").to_bytes();
        let (form, bytes) = match head.headers.get(SEALED) {
            Some(value) => (1, value.as_bytes()),
            None => (0, &body[..]),
        };
        *self.0.lock().expect("one thread") = [&[form], bytes].concat();
        ready(Ok(Response::new(Full::default())))
    }
}

pub(crate) fn seeds() -> Vec<(&'static str, String, Vec<u8>)> {
    let sent = |body: &'static [u8]| {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let layer = SealClientLayer::new(keys()).with_clock(clock);
        let request = Request::builder().method("POST").uri("/a?b");
        let request = request.body(Full::new(Bytes::from_static(body))).expect("a request");
        let answer = now(layer.layer(Wire(Arc::clone(&kept))).call(request));
        assert!(answer.is_err(), "nobody has sealed it");
        std::mem::take(&mut *kept.lock().expect("one thread"))
    };
    vec![
        ("seal_request", "body".to_owned(), sent(b"a body")),
        ("seal_request", "none".to_owned(), sent(b"")),
    ]
}
