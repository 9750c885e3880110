//! A `tower` layer that records each request: for axum, hyper and tonic.

mod body;
mod capture;
mod entry;
mod policy;
mod proxies;
mod service;

use std::{fmt, net::IpAddr, sync::Arc};

use http::request::Parts;
use tower_layer::Layer;

pub use self::{
    body::{RequestBody, ResponseBody},
    policy::{Level, Policy, Rule},
    proxies::TrustedProxies,
    service::AuditService,
};
use crate::{Actor, Log};

/// Finds something in the head of a request.
type Extract<T> = Arc<dyn Fn(&Parts) -> Option<T> + Send + Sync>;

/// Records each request that passes: method, route, user, address, status, how long it took, `traceparent`.
///
/// What is known of a request is taken when it comes in, and the record is made when its response is through,
/// or is given up. Heads, bodies and trailers pass as they are. Where the log takes no more the request is not
/// served, unless its [`Rule`] says that it may be.
///
/// Who the user is, which route was matched and from where the connection came is known to the framework, and
/// is asked with functions:
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path().join("log");
/// use std::{net::SocketAddr, sync::Arc};
/// use axum::{Router, extract::{ConnectInfo, MatchedPath}, routing::get};
/// use gmkit_audit::{Actor, AuditLayer, Level, Log, Options, Policy, Rule, TrustedProxies};
/// use gmkit_keys::SoftwareKey;
///
/// #[derive(Clone)]
/// struct User(String); // put there by a layer that is further outside
///
/// let log = Log::open(&dir, Options::new("bank.example/api")?, Arc::new(SoftwareKey::generate()?))?;
/// let audit = AuditLayer::new(Arc::new(log))
///     .with_service("api")
///     .with_user(|head| {
///         let User(name) = head.extensions.get::<User>()?.clone();
///         Some(Actor { user: Some(name), ..Actor::default() })
///     })
///     .with_route(|head| Some(head.extensions.get::<MatchedPath>()?.as_str().to_owned()))
///     .with_peer(|head| Some(head.extensions.get::<ConnectInfo<SocketAddr>>()?.ip()))
///     .with_proxies(TrustedProxies::new(["10.0.0.0/8"])?)
///     .with_policy(Policy::default().with(Rule::new().route("/health").level(Level::None)));
/// let app: Router = Router::new().route("/accounts/{id}", get(async || "42")).layer(audit);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AuditLayer {
    settings: Arc<Settings>,
}

#[derive(Clone)]
struct Settings {
    log: Arc<Log>,
    service: Option<String>,
    user: Extract<Actor>,
    route: Extract<String>,
    peer: Extract<IpAddr>,
    proxies: TrustedProxies,
    policy: Policy,
    /// Longest body that is recorded as it is, in bytes.
    longest_body: usize,
}

impl AuditLayer {
    /// Records to a log: the method and the path's place in nothing but the names of methods, until
    /// [`AuditLayer::with_route`] and the others say more.
    #[must_use]
    pub fn new(log: Arc<Log>) -> Self {
        let settings = Settings {
            log,
            service: None,
            user: Arc::new(|_| None),
            route: Arc::new(|_| None),
            peer: Arc::new(|_| None),
            proxies: TrustedProxies::default(),
            policy: Policy::default(),
            longest_body: 8192,
        };
        Self { settings: Arc::new(settings) }
    }

    fn change(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// The service's name, for all records.
    #[must_use]
    pub fn with_service(self, name: impl Into<String>) -> Self {
        self.change(|settings| settings.service = Some(name.into()))
    }

    /// Who sends a request, as a layer further outside has found out. Without an address in it, that of the
    /// client is put there.
    #[must_use]
    pub fn with_user(self, user: impl Fn(&Parts) -> Option<Actor> + Send + Sync + 'static) -> Self {
        self.change(|settings| settings.user = Arc::new(user))
    }

    /// The template of the route, as `/accounts/{id}`, where a framework has matched one. For gRPC it is the
    /// path, if nothing is said.
    #[must_use]
    pub fn with_route(
        self,
        route: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.change(|settings| settings.route = Arc::new(route))
    }

    /// The address of the other end of the connection.
    #[must_use]
    pub fn with_peer(
        self,
        peer: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.change(|settings| settings.peer = Arc::new(peer))
    }

    /// Whose word is taken for the address of the client.
    #[must_use]
    pub fn with_proxies(self, proxies: TrustedProxies) -> Self {
        self.change(|settings| settings.proxies = proxies)
    }

    /// What is recorded of which request, and what is done when the log is full.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        self.change(|settings| settings.policy = policy)
    }

    /// The longest body that is recorded as text where the policy wants bodies, in bytes (8,192; 24,576 at
    /// most). Of longer ones, and of those that are no text, SM3 and length are recorded.
    #[must_use]
    pub fn with_longest_body(self, bytes: usize) -> Self {
        self.change(|settings| settings.longest_body = bytes.min(24_576))
    }
}

impl<S> Layer<S> for AuditLayer {
    type Service = AuditService<S>;

    fn layer(&self, inner: S) -> AuditService<S> {
        AuditService::new(inner, Arc::clone(&self.settings))
    }
}

impl fmt::Debug for AuditLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { log, service, policy, .. } = &*self.settings;
        f.debug_struct("AuditLayer")
            .field("log", log)
            .field("service", service)
            .field("policy", policy)
            .finish_non_exhaustive()
    }
}
