//! Sealed bodies, through axum: between the two layers, with what an attacker can do in between, and with a client that
//! was written from the book.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request, Response, StatusCode},
    routing::{get, post},
};
use base64ct::{Base64UrlUnpadded, Encoding};
use gmkit_keys::{PrivateKey, SecretKey, SoftwareKey, SoftwareSecret};
use gmkit_seal::{
    ClientSession, CurrentSealKeys, CurrentSessions, Error, MEDIA_TYPE, SEALED, SEALED_KEY,
    SealBody, SealClientLayer, SealKeys, SealLayer, SealedBy, Sessions,
};
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt, util::BoxCloneSyncService};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Raw = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

fn key(byte: u8) -> Arc<dyn SecretKey> {
    Arc::new(SoftwareSecret::sm4(&[byte; 16]).unwrap())
}

fn keys(name: &str, byte: u8) -> SealKeys {
    SealKeys::new(name, key(byte)).unwrap()
}

fn own_key(byte: u8) -> SoftwareKey {
    gmkit_sm2::SecretKey::from_bytes(&[byte; 32]).unwrap().into()
}

/// With the service's fourth key.
fn sessions(clients: &[(&str, &SoftwareKey)]) -> Sessions {
    let own = Sessions::new("bank", Arc::new(own_key(4))).unwrap();
    clients
        .iter()
        .fold(own, |sessions, (name, key)| sessions.with_client(name, *key.public_key()).unwrap())
}

/// Bytes that are not there all at once, and are all the same.
fn stream(len: u64) -> Body {
    let count = len.div_ceil(1 << 14);
    let piece = move |n: u64| Bytes::from(vec![7_u8; (len - (n << 14)).min(1 << 14) as usize]);
    Body::from_stream(tokio_stream::iter((0..count).map(move |n| Ok::<_, Infallible>(piece(n)))))
}

fn app() -> Router {
    Router::new()
        .route("/hello", get(async || "你好"))
        .route(
            "/echo",
            post(async |head: HeaderMap, body: Body| {
                assert!(!head.contains_key(SEALED));
                let media_type = head.get("content-type").cloned();
                let mut response = Response::new(body);
                response
                    .headers_mut()
                    .extend(media_type.map(|own| (axum::http::header::CONTENT_TYPE, own)));
                response
            }),
        )
        .route(
            "/big/{len}",
            get(async |axum::extract::Path(len): axum::extract::Path<u64>| stream(len)),
        )
        .route("/none", get(async || StatusCode::NO_CONTENT))
        .route("/etag", get(async || ([("etag", "\"1\""), ("content-encoding", "gzip")], "x")))
        .route("/open", get(async || "open"))
        .route(
            "/who",
            get(async |by: Option<axum::Extension<SealedBy>>, head: HeaderMap| {
                assert!(!head.contains_key(SEALED_KEY));
                by.map_or_else(|| "anybody".to_owned(), |by| by.client().to_owned())
            }),
        )
}

struct Lab {
    server_keys: Arc<CurrentSealKeys>,
    client_keys: Arc<CurrentSealKeys>,
    /// Seconds by which the server's clock is ahead.
    ahead: Arc<AtomicU64>,
    /// How often the service was called.
    calls: Arc<AtomicU64>,
    audience: String,
    sessions: Arc<CurrentSessions>,
    /// The one that the client has, if it draws its own keys.
    session: Option<Arc<ClientSession>>,
    server: Raw,
}

impl Lab {
    fn new() -> Self {
        let [server_keys, client_keys] =
            [keys("a", 1), keys("a", 1)].map(|keys| Arc::new(CurrentSealKeys::new(keys)));
        let ahead = Arc::new(AtomicU64::new(0));
        let sessions = Arc::new(CurrentSessions::new(sessions(&[])));
        let clock = Arc::clone(&ahead);
        let layer = SealLayer::new(Arc::clone(&server_keys))
            .with_audience("shop/test")
            .with_routes(|head| head.uri.path() != "/open")
            .with_sessions(Arc::clone(&sessions))
            .with_skew(Duration::from_secs(30))
            .with_clock(move || {
                SystemTime::now() + Duration::from_secs(clock.load(Ordering::SeqCst))
            });
        let calls = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&calls);
        let app = app().map_request(move |request: Request<SealBody<Body>>| {
            count.fetch_add(1, Ordering::SeqCst);
            request.map(Body::new)
        });
        let server = layer.layer(app);
        let server = tower::service_fn(move |request: Request<Body>| {
            let done = server.clone().oneshot(request);
            async move { done.await.map(|response| response.map(Body::new)) }
        });
        let server = BoxCloneSyncService::new(server);
        let audience = "shop/test".to_owned();
        let session = None;
        Self { server_keys, client_keys, ahead, calls, audience, sessions, session, server }
    }

    /// Through the client's layer, over what `between` does with the sealed request and response.
    async fn ask(
        &self,
        request: Request<Body>,
        between: impl Fn(
            Raw,
            Request<Body>,
        ) -> std::pin::Pin<Box<dyn Future<Output = Response<Body>> + Send>>
        + Send
        + Sync
        + 'static,
    ) -> Result<Response<SealBody<Body>>, BoxError> {
        let server = self.server.clone();
        let wire = tower::service_fn(move |request: Request<SealBody<Body>>| {
            let answer = between(server.clone(), request.map(Body::new));
            async move { Ok::<_, BoxError>(answer.await) }
        });
        let layer =
            SealClientLayer::new(Arc::clone(&self.client_keys)).with_audience(&self.audience);
        let layer = match &self.session {
            Some(session) => layer.with_session(Arc::clone(session)),
            None => layer,
        };
        layer.layer(wire).oneshot(request).await
    }

    async fn plain(&self, request: Request<Body>) -> Result<Response<SealBody<Body>>, BoxError> {
        self.ask(request, |server, request| {
            Box::pin(async move { server.oneshot(request).await.unwrap() })
        })
        .await
    }
}

fn request(method: &str, target: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder().method(method).uri(target).body(body.into()).unwrap()
}

async fn bytes(
    response: Response<impl http_body::Body<Data = Bytes, Error = BoxError>>,
) -> Result<Bytes, BoxError> {
    response.into_body().collect().await.map(http_body_util::Collected::to_bytes)
}

/// The request as it is on the wire, whole.
async fn sealed(lab: &Lab, plain: Request<Body>) -> (http::request::Parts, Bytes) {
    let caught = Arc::new(Mutex::new(None));
    let to = Arc::clone(&caught);
    let done = lab.ask(plain, move |_, request| {
        let to = Arc::clone(&to);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            *to.lock().unwrap() = Some((head, body.collect().await.unwrap().to_bytes()));
            Response::new(Body::empty())
        })
    });
    assert!(matches!(done.await.unwrap_err().downcast_ref(), Some(Error::Refused(200))));
    caught.lock().unwrap().take().unwrap()
}

/// What the server says to what an attacker sends: status and text, if it is a refusal.
async fn answer(
    lab: &Lab,
    head: http::request::Parts,
    body: impl Into<Body>,
) -> (u16, Option<String>) {
    let response =
        lab.server.clone().oneshot(Request::from_parts(head, body.into())).await.unwrap();
    let sealed = response.headers().get("content-type").is_some_and(|own| own == MEDIA_TYPE);
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    (status, (!sealed).then(|| String::from_utf8(body.unwrap_or_default().to_vec()).unwrap()))
}

#[tokio::test]
async fn there_and_back() {
    let lab = Lab::new();
    let response = lab.plain(request("GET", "/hello", "")).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(bytes(response).await.unwrap(), "你好");
    for len in [0, 1, 65_535, 65_536, 65_537, 200_000] {
        let body: Vec<u8> = (0..len).map(|n| n as u8).collect();
        let mut post = request("POST", "/echo?q=1", body.clone());
        post.headers_mut().insert("content-type", "application/json".parse().unwrap());
        let response = lab.plain(post).await.unwrap();
        let media_type = response.headers().get("content-type").cloned();
        assert_eq!(bytes(response).await.unwrap(), body);
        assert_eq!(media_type.unwrap(), "application/json", "{len}");
    }
    let none = lab.plain(request("GET", "/none", "")).await.unwrap();
    assert_eq!(none.status(), StatusCode::NO_CONTENT);
    let missing = lab.plain(request("DELETE", "/nowhere", "")).await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    let etag = lab.plain(request("GET", "/etag", "")).await.unwrap();
    assert!(!etag.headers().contains_key("etag") && etag.headers()["content-encoding"] == "gzip");
    let open = lab.plain(request("GET", "/open", "")).await;
    assert!(matches!(open.unwrap_err().downcast_ref(), Some(Error::Refused(400))), "not sealed");
}

#[tokio::test]
async fn nothing_is_in_sight() {
    let lab = Lab::new();
    let mut post = request("POST", "/echo", "a secret of the client");
    post.headers_mut().insert("digest", "x".parse().unwrap());
    let (head, body) = sealed(&lab, post).await;
    assert_eq!(head.headers["content-type"], MEDIA_TYPE);
    assert!(!head.headers.contains_key("digest") && !head.headers.contains_key("content-length"));
    assert!(!body.windows(6).any(|window| window == b"secret"));
    let (head, body) = sealed(&lab, request("GET", "/hello", "")).await;
    assert!(body.is_empty() && head.headers.contains_key(SEALED));
}

#[tokio::test]
async fn what_an_attacker_can_do() {
    let lab = Lab::new();
    let (head, body) = sealed(&lab, request("POST", "/echo?q=1", "pay 100")).await;
    let refused = |status, text: &str| (status, Some(text.to_owned()));
    let cannot = refused(400, "the request cannot be opened");
    // To another place: nothing of that counts as having come.
    for (method, target) in [("PUT", "/echo?q=1"), ("POST", "/echo?q=2"), ("POST", "/count?q=1")] {
        let mut other = head.clone();
        (other.method, other.uri) = (method.parse().unwrap(), target.parse().unwrap());
        assert_eq!(answer(&lab, other, body.clone()).await, cannot, "{method} {target}");
    }
    for at in 0..body.len() {
        let mut forged = body.to_vec();
        forged[at] ^= 1;
        let (status, text) = answer(&lab, head.clone(), forged).await;
        assert!(status == 400 && text.is_some(), "{at}");
    }
    let format = refused(400, "the request is not in the format");
    for cut in 0..body.len() {
        assert_eq!(answer(&lab, head.clone(), body.slice(..cut)).await, format, "{cut}");
    }
    assert_eq!(lab.calls.load(Ordering::SeqCst), 0, "nothing of that reached the service");
    // Itself, and again.
    assert_eq!(answer(&lab, head.clone(), body.clone()).await, (200, None));
    assert_eq!(answer(&lab, head.clone(), body).await, refused(409, "the request came before"));
    // Not sealed at all.
    let (plain, _) = request("POST", "/echo", "pay 100").into_parts();
    assert_eq!(answer(&lab, plain, "pay 100").await, refused(415, "the request is not sealed"));
    let (mut clear, _) = request("GET", "/open", "").into_parts();
    assert_eq!(answer(&lab, clear.clone(), "").await, refused(200, "open"));
    clear.headers.insert(SEALED, "x".parse().unwrap());
    assert_eq!(answer(&lab, clear, "").await, refused(400, "this route is not sealed"));
    let (mut other, _) = request("GET", "/hello", "").into_parts();
    other.headers.insert("upgrade", "websocket".parse().unwrap());
    let calls = lab.calls.load(Ordering::SeqCst);
    assert_eq!(answer(&lab, other, "").await.0, 400);
    assert_eq!(lab.calls.load(Ordering::SeqCst), calls);
    let (mut odd, body) = sealed(&lab, request("GET", "/hello", "")).await;
    assert_eq!(answer(&lab, odd.clone(), "x").await.0, 415, "a body beside its header");
    assert_eq!(answer(&lab, odd.clone(), body.clone()).await, (200, None));
    assert_eq!(answer(&lab, odd.clone(), body.clone()).await.0, 409);
    odd.headers.insert(SEALED, "!".parse().unwrap());
    assert_eq!(answer(&lab, odd.clone(), body.clone()).await, format);
    odd.headers.insert(SEALED, "".parse().unwrap());
    assert_eq!(answer(&lab, odd, body).await, format);
}

/// Whoever has copied a request sends its head, waits until it is forgotten, and sends the rest.
#[tokio::test]
async fn what_was_held_back() {
    let lab = Lab::new();
    let (head, body) = sealed(&lab, request("POST", "/echo", "pay 100")).await;
    let held: Vec<_> = (0..3)
        .map(|_| {
            let (send, receive) = tokio::sync::mpsc::channel::<Result<Bytes, Infallible>>(4);
            send.try_send(Ok(body.slice(..40))).unwrap();
            let stream = tokio_stream::wrappers::ReceiverStream::new(receive);
            let request = Request::from_parts(head.clone(), Body::from_stream(stream));
            (send, tokio::spawn(lab.server.clone().oneshot(request)))
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(answer(&lab, head.clone(), body.clone()).await, (200, None));
    lab.ahead.store(120, Ordering::SeqCst);
    for (send, waiting) in held {
        send.send(Ok(body.slice(40..))).await.unwrap();
        drop(send);
        let response = waiting.await.unwrap().unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }
    // A later one has made the first be forgotten; then the clock goes back.
    lab.ahead.store(25, Ordering::SeqCst);
    assert_eq!(answer(&lab, head, body).await.0, 400);
    assert_eq!(lab.calls.load(Ordering::SeqCst), 1);
}

/// Of two that come at the same time one is taken.
#[tokio::test(flavor = "multi_thread")]
async fn at_the_same_time() {
    let lab = Lab::new();
    let (head, body) = sealed(&lab, request("POST", "/echo", "pay 100")).await;
    let sent: Vec<_> = (0..16)
        .map(|_| {
            let request = Request::from_parts(head.clone(), Body::from(body.clone()));
            tokio::spawn(lab.server.clone().oneshot(request))
        })
        .collect();
    let mut taken = 0;
    for done in sent {
        taken += u32::from(done.await.unwrap().unwrap().status() == StatusCode::OK);
    }
    assert_eq!((taken, lab.calls.load(Ordering::SeqCst)), (1, 1));
}

/// A success without a body is one of the service, too.
#[tokio::test]
async fn answers_without_a_body() {
    let lab = Lab::new();
    for (method, target, status) in
        [("GET", "/none", 204), ("HEAD", "/hello", 200), ("HEAD", "/nowhere", 404)]
    {
        let answer = lab.plain(request(method, target, "")).await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert!(!answer.headers().contains_key(SEALED));
        assert!(bytes(answer).await.unwrap().is_empty());
        for forged in [204, 304, 200] {
            // From who has stopped the request, or has changed what came back.
            let stopped = lab.ask(request(method, target, "x"), move |_, _| {
                Box::pin(async move {
                    let mut forgery = Response::new(Body::empty());
                    *forgery.status_mut() = StatusCode::from_u16(forged).unwrap();
                    forgery
                })
            });
            let stopped = stopped.await.unwrap_err();
            assert!(
                matches!(stopped.downcast_ref(), Some(Error::Refused(code)) if *code == forged)
            );
            if forged != status && method == "HEAD" {
                let changed = lab.ask(request(method, target, ""), move |server, request| {
                    Box::pin(async move {
                        let mut response = server.oneshot(request).await.unwrap();
                        *response.status_mut() = StatusCode::from_u16(forged).unwrap();
                        response
                    })
                });
                let changed = changed.await.unwrap_err();
                assert!(matches!(changed.downcast_ref(), Some(Error::Rejected)), "{forged}");
            }
        }
    }
}

#[tokio::test]
async fn for_somebody_else() {
    let mut lab = Lab::new();
    lab.audience = "shop/production".to_owned();
    let other = lab.plain(request("GET", "/hello", "")).await;
    assert!(matches!(other.unwrap_err().downcast_ref(), Some(Error::Refused(400))));
    assert_eq!(lab.calls.load(Ordering::SeqCst), 0);
}

/// What anybody has put into the head says nothing of what was sealed.
#[tokio::test]
async fn heads_that_were_added() {
    let lab = Lab::new();
    let response = lab.ask(request("GET", "/hello", ""), |server, mut request| {
        Box::pin(async move {
            request.headers_mut().insert("range", "bytes=0-1".parse().unwrap());
            let mut response = server.oneshot(request).await.unwrap();
            assert_eq!(response.headers()["cache-control"], "no-store");
            for name in ["etag", "content-range", "digest", "last-modified", "content-encoding"] {
                response.headers_mut().insert(name, "x".parse().unwrap());
            }
            response
        })
    });
    let response = response.await.unwrap();
    for name in ["etag", "content-range", "digest", "last-modified", "content-encoding", SEALED] {
        assert!(!response.headers().contains_key(name), "{name}");
    }
    assert_eq!(bytes(response).await.unwrap(), "你好");
}

/// Responses belong to their requests.
#[tokio::test]
async fn answers_that_were_changed() {
    let lab = Lab::new();
    let earlier = Arc::new(Mutex::new(None::<Bytes>));
    let swapped = Arc::clone(&earlier);
    let exchange = move |server: Raw,
                         request: Request<Body>|
          -> std::pin::Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        let swapped = Arc::clone(&swapped);
        Box::pin(async move {
            let (head, body) = server.oneshot(request).await.unwrap().into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let before = swapped.lock().unwrap().replace(body.clone());
            Response::from_parts(head, Body::from(before.unwrap_or(body)))
        })
    };
    let first = lab.ask(request("GET", "/hello", ""), exchange.clone()).await.unwrap();
    assert_eq!(bytes(first).await.unwrap(), "你好");
    let second = lab.ask(request("GET", "/hello", ""), exchange).await;
    assert!(
        matches!(second.unwrap_err().downcast_ref(), Some(Error::Rejected)),
        "another's answer"
    );
    let status = lab.ask(request("GET", "/hello", ""), |server, request| {
        Box::pin(async move {
            let mut response = server.oneshot(request).await.unwrap();
            *response.status_mut() = StatusCode::FORBIDDEN;
            response
        })
    });
    assert!(matches!(status.await.unwrap_err().downcast_ref(), Some(Error::Rejected)));
    // Cut off behind a chunk: what came is authentic, and it is not the end.
    let cut = lab.ask(request("GET", "/big/200000", ""), |server, request| {
        Box::pin(async move {
            let (head, body) = server.oneshot(request).await.unwrap().into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            // Behind two chunks and a bit.
            let len = 100 + 2 * (65_536 + 32);
            Response::from_parts(head, Body::from(body.slice(..len)))
        })
    });
    let mut body = cut.await.unwrap().into_body();
    let (mut count, mut error) = (0, None);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => count += frame.into_data().unwrap().len(),
            Err(cut) => error = Some(cut),
        }
    }
    assert!(
        count < 200_000 && matches!(error.unwrap().downcast_ref(), Some(Error::CutOff)),
        "{count}"
    );
}

#[tokio::test]
async fn keys_and_clocks() {
    let lab = Lab::new();
    // Rotation: the server learns the new one first, then the client uses it, then the old one goes.
    lab.server_keys.set(keys("b", 2).with("a", key(1)).unwrap());
    let hello = async || lab.plain(request("GET", "/hello", "")).await;
    assert_eq!(bytes(hello().await.unwrap()).await.unwrap(), "你好");
    let (old, _) = sealed(&lab, request("GET", "/hello", "")).await;
    lab.client_keys.set(keys("b", 2));
    assert_eq!(bytes(hello().await.unwrap()).await.unwrap(), "你好");
    lab.server_keys.set(keys("b", 2));
    assert_eq!(answer(&lab, old, "").await, (400, Some("the key is not known here".to_owned())));
    // Another key of the same name.
    lab.client_keys.set(keys("b", 3));
    assert!(matches!(hello().await.unwrap_err().downcast_ref(), Some(Error::Refused(400))));
    lab.client_keys.set(keys("b", 2));
    // Within the allowed time, and beyond it: also what was held back.
    let (held, _) = sealed(&lab, request("GET", "/hello", "")).await;
    lab.ahead.store(25, Ordering::SeqCst);
    assert_eq!(bytes(hello().await.unwrap()).await.unwrap(), "你好");
    lab.ahead.store(35, Ordering::SeqCst);
    let late = (400, Some("sealed too long ago, or the clocks differ".to_owned()));
    assert_eq!(answer(&lab, held, "").await, late);
    assert!(matches!(hello().await.unwrap_err().downcast_ref(), Some(Error::Refused(400))));
    assert!(matches!(keys("a", 1).with("a", key(2)), Err(Error::KeyName)), "which one?");
    for odd in ["", " ", "é", &"x".repeat(65)] {
        assert!(matches!(SealKeys::new(odd, key(1)), Err(Error::KeyName)));
    }
}

/// Written from the book, with SM4-GCM of OpenSSL, and SM2 of gmssl.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_in_python() {
    let lab = Lab::new();
    let [service, app] = [4, 5].map(own_key);
    lab.sessions.set(sessions(&[("app", &app)]));
    let point = |key: &SoftwareKey| hex::encode(&key.public_key().to_sec1_bytes()[1..]);
    let drawn = ["session", "app", &"05".repeat(32), &point(&app), "bank", &point(&service)];
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let app = Router::new().fallback_service(lab.server.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let here = env!("CARGO_MANIFEST_DIR");
    for key in [&["01010101010101010101010101010101", "a"][..], &drawn] {
        let done = tokio::process::Command::new(format!("{here}/../../target/peers/bin/python"))
            .args([&format!("{here}/tests/client.py"), &address])
            .args(key)
            .output()
            .await
            .expect("`cargo xtask test` installs it");
        let errors = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success() && done.stdout.starts_with(b"ok"), "{errors}");
    }
}

/// Keys that clients draw.
#[tokio::test]
async fn sessions_of_clients() {
    let mut lab = Lab::new();
    let [service, app, other] = [4, 5, 6].map(own_key);
    lab.client_keys.set(SealKeys::none());
    lab.server_keys.set(SealKeys::none());
    let draw = |name: &str, key: u8, service: &SoftwareKey| {
        let own: Arc<dyn PrivateKey> = Arc::new(own_key(key));
        let session = ClientSession::new(name, own, "bank", *service.public_key()).unwrap();
        Some(Arc::new(session))
    };
    lab.sessions.set(sessions(&[("app", &app), ("other", &other)]));
    lab.session = draw("app", 5, &service);
    let who = async |lab: &Lab| {
        let response = lab.plain(request("GET", "/who", "")).await?;
        bytes(response).await
    };
    assert_eq!(who(&lab).await.unwrap(), "app");
    assert_eq!(who(&lab).await.unwrap(), "app", "the same key again");
    let post = lab.plain(request("POST", "/echo", vec![7; 200_000])).await.unwrap();
    assert_eq!(bytes(post).await.unwrap(), vec![7; 200_000]);

    // What an attacker can do with what was sent.
    let again = |head: &http::request::Parts| {
        let mut new = Request::builder().method(&head.method).uri(&head.uri);
        *new.headers_mut().unwrap() = head.headers.clone();
        new.body(()).unwrap().into_parts().0
    };
    let (head, body) = sealed(&lab, request("POST", "/echo", "mine")).await;
    let (others, _) = {
        lab.session = draw("other", 6, &service);
        sealed(&lab, request("POST", "/echo", "theirs")).await
    };
    let mut swapped = again(&head);
    swapped.headers.insert(SEALED_KEY, others.headers[SEALED_KEY].clone());
    let said = |text: &str| (400, Some(text.to_owned()));
    let unknown = said("the key is not known here");
    assert_eq!(answer(&lab, swapped, body.clone()).await, unknown, "another's key");
    let mut bare = again(&head);
    bare.headers.remove(SEALED_KEY);
    assert_eq!(answer(&lab, bare, body.clone()).await, unknown, "no offer");
    let mut twice = again(&head);
    twice.headers.append(SEALED_KEY, others.headers[SEALED_KEY].clone());
    assert_eq!(answer(&lab, twice, body.clone()).await, said("the request is not in the format"));
    let offered = head.headers[SEALED_KEY].to_str().unwrap().to_owned();
    let whole = Base64UrlUnpadded::decode_vec(&offered).unwrap();
    for at in (0..whole.len()).step_by(3) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let mut head = again(&head);
        let text = Base64UrlUnpadded::encode_string(&changed);
        head.headers.insert(SEALED_KEY, text.parse().unwrap());
        let (status, text) = answer(&lab, head, body.clone()).await;
        assert!(status == 400 && text.is_some(), "{at}: {text:?}");
    }
    for cut in 0..whole.len() {
        let mut head = again(&head);
        let text = Base64UrlUnpadded::encode_string(&whole[..cut]);
        head.headers.insert(SEALED_KEY, text.parse().unwrap());
        assert_eq!(answer(&lab, head, body.clone()).await.0, 400);
    }
    let mut long = again(&head);
    long.headers.insert(SEALED_KEY, "A".repeat(5000).parse().unwrap());
    assert_eq!(answer(&lab, long, body.clone()).await, said("the request is not in the format"));
    let mut open = again(&head);
    open.uri = "/open".parse().unwrap();
    open.headers.remove("content-type");
    assert_eq!(answer(&lab, open, "").await, said("this route is not sealed"));
    assert_eq!(answer(&lab, again(&head), body.clone()).await.0, 200, "as it was");
    assert_eq!(answer(&lab, again(&head), body).await.0, 409);

    // Whom the service does not know, or not with that key; and a key that is not its own.
    let refused = async |lab: &Lab| {
        let error = who(lab).await.unwrap_err();
        matches!(error.downcast_ref(), Some(Error::Refused(400)))
    };
    for (name, key, service) in [("app", 6, &service), ("nobody", 5, &service), ("app", 5, &other)]
    {
        lab.session = draw(name, key, service);
        assert!(refused(&lab).await, "{name} {key}");
    }
    // For another audience.
    lab.session = draw("app", 5, &service);
    lab.audience = "shop/other".to_owned();
    assert!(refused(&lab).await);
    lab.audience = "shop/test".to_owned();
    assert_eq!(who(&lab).await.unwrap(), "app");
    // A client that is gone is refused at once, also with a key that is known.
    lab.sessions.set(sessions(&[("other", &other)]));
    assert!(refused(&lab).await);
    lab.sessions.set(sessions(&[("app", &app)]));
    assert_eq!(who(&lab).await.unwrap(), "app");
    // An offer has its time.
    let old = sessions(&[("app", &app)]).with_lifetime(Duration::ZERO);
    lab.sessions.set(old);
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(refused(&lab).await, "too old");
    assert!(Sessions::new("", Arc::new(own_key(4))).is_err());
    let twice = sessions(&[("app", &app)]);
    assert!(twice.with_client("app", *other.public_key()).is_err());
}

/// A client draws a new key in time, and a service remembers some of them.
#[tokio::test]
async fn many_sessions() {
    let mut lab = Lab::new();
    let [service, app] = [4, 5].map(own_key);
    lab.sessions.set(sessions(&[("app", &app)]));
    let own: Arc<dyn PrivateKey> = Arc::new(own_key(5));
    let session = ClientSession::new("app", own, "bank", *service.public_key()).unwrap();
    lab.session = Some(Arc::new(session.with_lifetime(Duration::ZERO)));
    let mut names = std::collections::HashSet::new();
    for _ in 0..20 {
        let (head, body) = sealed(&lab, request("POST", "/echo", "x")).await;
        names.insert(head.headers[SEALED_KEY].clone());
        assert_eq!(answer(&lab, head, body).await.0, 200);
    }
    assert_eq!(names.len(), 20);
}
