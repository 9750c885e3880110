//! Bodies of any length need little memory: a program of its own, as nothing else may take any meanwhile.

use std::{convert::Infallible, env, fs, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Path,
    http::{Request, Response, StatusCode},
    routing::{get, post},
};
use gmkit_keys::SoftwareSecret;
use gmkit_seal::{CurrentSealKeys, SealBody, SealClientLayer, SealKeys, SealLayer};
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt};

/// Bytes that are not there all at once, and are all the same.
fn stream(len: u64) -> Body {
    let count = len.div_ceil(1 << 14);
    let piece = move |n: u64| Bytes::from(vec![7_u8; (len - (n << 14)).min(1 << 14) as usize]);
    Body::from_stream(tokio_stream::iter((0..count).map(move |n| Ok::<_, Infallible>(piece(n)))))
}

async fn count(body: Body) -> (StatusCode, String) {
    let mut body = body.into_data_stream();
    let (mut count, mut longest) = (0, 0);
    while let Some(data) = tokio_stream::StreamExt::next(&mut body).await {
        let Ok(data) = data else { return (StatusCode::BAD_REQUEST, "cut off".to_owned()) };
        assert!(data.iter().all(|byte| *byte == 7));
        (count, longest) = (count + data.len(), longest.max(data.len()));
    }
    (StatusCode::OK, format!("{count} {}", longest <= 64 << 10))
}

async fn ask(request: Request<Body>) -> Response<SealBody<Body>> {
    let keys = || {
        let key = Arc::new(SoftwareSecret::sm4(&[1; 16]).unwrap());
        Arc::new(CurrentSealKeys::new(SealKeys::new("a", key).unwrap()))
    };
    let app = Router::new()
        .route("/count", post(count))
        .route("/big/{len}", get(async |Path(len): Path<u64>| stream(len)))
        .layer(SealLayer::new(keys()));
    let app = app.map_request(|request: Request<SealBody<Body>>| request.map(Body::new));
    SealClientLayer::new(keys()).layer(app).oneshot(request).await.unwrap()
}

fn request(method: &str, target: &str, body: Body) -> Request<Body> {
    Request::builder().method(method).uri(target).body(body).unwrap()
}

async fn up(body: Body, len: u64) {
    let counted = ask(request("POST", "/count", body)).await.into_body().collect().await.unwrap();
    assert_eq!(counted.to_bytes(), format!("{len} true"));
}

async fn down(len: u64) {
    let mut body = ask(request("GET", &format!("/big/{len}"), Body::empty())).await.into_body();
    let mut count = 0;
    while let Some(frame) = body.frame().await {
        count += frame.unwrap().into_data().unwrap().len() as u64;
    }
    assert_eq!(count, len);
}

/// How much of this process is in memory, in bytes.
fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// `GMKIT_SEAL_BYTES` says how many; the long form is a gibibyte.
#[tokio::test]
async fn bodies_of_any_length() {
    let len: u64 = env::var("GMKIT_SEAL_BYTES").map_or(48 << 20, |len| len.parse().unwrap());
    up(stream(4 << 20), 4 << 20).await;
    down(4 << 20).await;
    let before = resident();
    up(stream(len), len).await;
    down(len).await;
    let grown = resident().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes for a body of {len}");
    // One that is there at once is in memory once.
    let once = Bytes::from(vec![7; 48 << 20]);
    let before = resident();
    up(Body::from(once.clone()), once.len() as u64).await;
    let grown = resident().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes for a body in one piece");
}
