//! The layers.

mod body;
mod client;
mod opened;
mod server;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use gmkit_keys::SecretKey;
use http::{Method, StatusCode, request::Parts};
use tower_layer::Layer;

pub use self::{body::SealBody, client::SealClient, server::SealService};
use crate::{
    ClientSession, CurrentSealKeys, CurrentSessions, Error,
    head::{Head, Place},
    replay::Seen,
};

/// The media type of sealed bodies.
pub const MEDIA_TYPE: &str = "application/vnd.gmkit.sealed";

/// The header with the sealed body of a request or response that has none, in base64url.
pub const SEALED: &str = "sealed";

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// What both sides have.
#[derive(Clone)]
struct Settings {
    keys: Arc<CurrentSealKeys>,
    clock: Clock,
    /// How far apart the clocks may be, in milliseconds.
    skew: u64,
    audience: Arc<str>,
}

impl Settings {
    fn new(keys: Arc<CurrentSealKeys>) -> Self {
        Self { keys, clock: Arc::new(SystemTime::now), skew: 60_000, audience: "".into() }
    }

    fn now(&self) -> u64 {
        let since = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether it was sealed now, or nearly.
    fn check_time(&self, head: &Head) -> Result<(), Error> {
        if self.now().abs_diff(head.time) > self.skew { Err(Error::Time) } else { Ok(()) }
    }
}

/// The request that a response is for.
struct Asked {
    method: Method,
    target: String,
    /// The head of its sealed body.
    head: Vec<u8>,
    key_name: String,
    key: Arc<dyn SecretKey>,
}

impl Asked {
    /// What the response with this head is bound to.
    fn context(&self, settings: &Settings, status: StatusCode, head: &[u8]) -> Vec<u8> {
        let Self { method, target, head: request, .. } = self;
        let answer = Some((status.as_u16(), &request[..]));
        Place { audience: &settings.audience, method: method.as_str(), target, answer }
            .context(head)
    }
}

/// Opens the bodies that a service is sent, and seals what it answers, on the routes that are to be sealed.
///
/// There a request that is not sealed, came before, is too old, or is for another method or path, does not reach the
/// service: it is answered in words that a client can act on, and that tell nothing else. Chunks of a body reach the
/// service as they come, each of them authentic; one that is cut off ends with an error, so what is done before a body's
/// end must be undone then. Trailers go.
///
/// A request is known again for as long as its time is right, by this process: with several, requests must reach the same
/// one each time, or be harmless twice. What was sealed before the process began is too old for it. What is compressed is
/// compressed before it is sealed: put a layer for compression further inside. A layer with a time limit belongs outside:
/// there is no limit for how long a client may take for its first chunk.
///
/// ```
/// use std::sync::Arc;
/// use axum::{Router, routing::post};
/// use gmkit_keys::SoftwareSecret;
/// use gmkit_seal::{CurrentSealKeys, SealKeys, SealLayer};
///
/// let keys = SealKeys::new("2026-11", Arc::new(SoftwareSecret::sm4(&[7; 16])?))?;
/// let seal = SealLayer::new(Arc::new(CurrentSealKeys::new(keys)))
///     .with_audience("payments.example/production");
/// let app: Router = Router::new()
///     .route("/payments", post(async |body: String| body))
///     .route_layer(seal) // for the routes above
///     .route("/health", post(async || "in the clear"));
/// # let _ = app;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SealLayer {
    settings: Arc<Server>,
}

/// What a server has.
#[derive(Clone)]
struct Server {
    common: Settings,
    routes: Arc<dyn Fn(&Parts) -> bool + Send + Sync>,
    sessions: Option<Arc<CurrentSessions>>,
    seen: Arc<Seen>,
    /// When it began to remember, in milliseconds since 1970.
    start: u64,
}

impl SealLayer {
    /// For all routes, with these keys, and clocks that are a minute apart at most.
    #[must_use]
    pub fn new(keys: Arc<CurrentSealKeys>) -> Self {
        let common = Settings::new(keys);
        let start = common.now();
        let (routes, seen) = (Arc::new(|_: &Parts| true), Arc::default());
        let settings = Server { common, routes, sessions: None, seen, start };
        Self { settings: Arc::new(settings) }
    }

    fn change(mut self, change: impl FnOnce(&mut Server)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Only for these requests; others pass as they are, and so do their responses, but for those that are sealed, which are
    /// refused. What the service routes differently from this function passes in the clear: where routes can have layers of
    /// their own (axum's `route_layer`), put this layer there instead.
    #[must_use]
    pub fn with_routes(self, sealed: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.change(|settings| settings.routes = Arc::new(sealed))
    }

    /// Also for clients that draw keys of their own. Their requests have [`crate::SealedBy`] among their extensions.
    #[must_use]
    pub fn with_sessions(self, sessions: Arc<CurrentSessions>) -> Self {
        self.change(|settings| settings.sessions = Some(sessions))
    }

    /// How far apart the clocks may be.
    #[must_use]
    pub fn with_skew(self, skew: Duration) -> Self {
        let skew = u64::try_from(skew.as_millis()).unwrap_or(u64::MAX);
        self.change(|settings| settings.common.skew = skew)
    }

    /// Another clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.change(|settings| {
            settings.common.clock = Arc::new(clock);
            settings.start = settings.common.now();
        })
    }

    /// Whom requests are for: a service and its environment, as `payments.example/production`. Clients say the same. One key
    /// may then be used for several, and what is sealed for one is nothing to the others, or to who sends it.
    #[must_use]
    pub fn with_audience(self, audience: &str) -> Self {
        self.change(|settings| settings.common.audience = audience.into())
    }
}

impl<S> Layer<S> for SealLayer {
    type Service = SealService<S>;

    fn layer(&self, inner: S) -> SealService<S> {
        SealService::new(inner, Arc::clone(&self.settings))
    }
}

impl fmt::Debug for SealLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { keys, skew, .. } = &self.settings.common;
        f.debug_struct("SealLayer").field("keys", keys).field("skew", skew).finish_non_exhaustive()
    }
}

/// Seals the bodies that a client sends, and opens what comes back: around any HTTP client that is a `tower` service.
///
/// A response that is not sealed, as one from a proxy, is an error with its status. One is only opened if it answers this
/// very request, under its key.
#[derive(Clone)]
pub struct SealClientLayer {
    settings: Client,
}

/// What a client has.
#[derive(Clone)]
struct Client {
    common: Settings,
    session: Option<Arc<ClientSession>>,
}

impl SealClientLayer {
    /// With these keys, and clocks that are a minute apart at most.
    #[must_use]
    pub fn new(keys: Arc<CurrentSealKeys>) -> Self {
        Self { settings: Client { common: Settings::new(keys), session: None } }
    }

    /// How far apart the clocks may be.
    #[must_use]
    pub fn with_skew(mut self, skew: Duration) -> Self {
        self.settings.common.skew = u64::try_from(skew.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// Whom requests are for: see [`SealLayer::with_audience`].
    #[must_use]
    pub fn with_audience(mut self, audience: &str) -> Self {
        self.settings.common.audience = audience.into();
        self
    }

    /// Under keys that this client draws, and not under those that both sides have.
    #[must_use]
    pub fn with_session(mut self, session: Arc<ClientSession>) -> Self {
        self.settings.session = Some(session);
        self
    }

    /// Another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.settings.common.clock = Arc::new(clock);
        self
    }
}

impl<S> Layer<S> for SealClientLayer {
    type Service = SealClient<S>;

    fn layer(&self, inner: S) -> SealClient<S> {
        SealClient::new(inner, self.settings.clone())
    }
}

impl fmt::Debug for SealClientLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { keys, skew, .. } = &self.settings.common;
        f.debug_struct("SealClientLayer")
            .field("keys", keys)
            .field("skew", skew)
            .finish_non_exhaustive()
    }
}
