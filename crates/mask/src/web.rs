//! A `tower` layer that masks what a service answers, and what it is sent: for axum and hyper.

mod body;
mod decode;
mod grpc;
mod head;
mod service;

use std::{fmt, sync::Arc};

use http::request::Parts;
use tower_layer::Layer;

pub use self::{body::MaskBody, service::MaskService};
use crate::{Caller, CurrentPolicies, Descriptors, Error, body::is_media_type};

type Extract<T> = Arc<dyn Fn(&Parts) -> T + Send + Sync>;

/// Masks bodies as they stream by, each under the policy that is for its route, method and caller.
///
/// - JSON, NDJSON, text, events and forms are masked, also where they are compressed with gzip or deflate: they go on
///   uncompressed, and a layer for compression further outside may compress them again.
/// - What has another media type is not known to be harmless, and is refused; name those that may pass with
///   [`MaskLayer::with_passing`].
/// - Texts are refused under a policy without detectors, as rules are for places; under one with rules, a text that
///   begins as JSON does must be JSON, and is masked as that.
/// - Lengths, entity tags, digests and ranges of the body as it was are taken out of its head, and its trailers go; the
///   request's wish for a range is taken out, too, as parts of bodies cannot be masked.
/// - Where a response has no body, as one to HEAD, none goes out; other protocols (101, and CONNECT) are refused.
/// - A JSON document or a form of at most 64 KiB is masked before its head goes out, so that what cannot be masked is
///   answered with 500. With longer ones, and those whose beginning should arrive at once, the body breaks off
///   (HTTP/1 closes the connection, HTTP/2 resets the stream); what was not masked does not come out.
/// - Messages of gRPC are masked by their descriptors, with the metadata around them, where it knows those
///   ([`MaskLayer::with_grpc`]). Else they are refused, unless their media type may pass.
///
/// Who asks is found out by a function; without one nobody has a role, a purpose or a consent. Where callers see
/// different things of one resource, its responses must not be cached for all of them (`Cache-Control: private`).
///
/// ```
/// use std::sync::Arc;
/// use axum::{Json, Router, extract::MatchedPath, routing::get};
/// use gmkit_mask::{Caller, CurrentPolicies, MaskLayer, Policies};
///
/// #[derive(Clone)]
/// struct Role(String); // put there by a layer that is further outside
///
/// let policies = Arc::new(CurrentPolicies::new(Policies::default()));
/// let mask = MaskLayer::new(policies)
///     .with_caller(|head| {
///         let roles = head.extensions.get::<Role>().map(|role| role.0.clone());
///         Caller { roles: roles.into_iter().collect(), ..Caller::default() }
///     })
///     .with_route(|head| Some(head.extensions.get::<MatchedPath>()?.as_str().to_owned()))
///     .with_passing(&["image/png"])?;
/// let app: Router = Router::new().route("/me", get(async || Json("alice@example.com"))).layer(mask);
/// # let _ = app;
/// # Ok::<(), gmkit_mask::Error>(())
/// ```
#[derive(Clone)]
pub struct MaskLayer {
    settings: Arc<Settings>,
}

#[derive(Clone)]
struct Settings {
    policies: Arc<CurrentPolicies>,
    caller: Extract<Caller>,
    route: Extract<Option<String>>,
    /// Media types in small letters; with a `*` at its end, all that begin so.
    passing: Vec<String>,
    grpc: Option<grpc::Grpc>,
}

impl MaskLayer {
    /// Masks by these policies, as they are when a request comes in.
    #[must_use]
    pub fn new(policies: Arc<CurrentPolicies>) -> Self {
        let settings = Settings {
            policies,
            caller: Arc::new(|_| Caller::default()),
            route: Arc::new(|_| None),
            passing: Vec::new(),
            grpc: None,
        };
        Self { settings: Arc::new(settings) }
    }

    fn change(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Who asks, as a layer further outside has found out.
    #[must_use]
    pub fn with_caller(self, caller: impl Fn(&Parts) -> Caller + Send + Sync + 'static) -> Self {
        self.change(|settings| settings.caller = Arc::new(caller))
    }

    /// The template of the route, as `/accounts/{id}`, where a framework has matched one. Else it is the path.
    #[must_use]
    pub fn with_route(
        self,
        route: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.change(|settings| settings.route = Arc::new(route))
    }

    /// Bodies of these media types pass as they are: `image/png`, or all that begin so, `image/*`.
    ///
    /// # Errors
    /// [`Error::Policy`] for what is no media type.
    pub fn with_passing(self, media_types: &[&str]) -> Result<Self, Error> {
        let passing: Vec<_> = media_types.iter().map(|own| own.to_ascii_lowercase()).collect();
        if let Some(odd) = passing.iter().find(|own| !is_media_type(own) || own.starts_with('*')) {
            let reason = format!("{odd:?} is no media type");
            return Err(Error::Policy { line: 0, column: 0, reason });
        }
        Ok(self.change(|settings| settings.passing.extend(passing)))
    }

    /// Masks messages of gRPC (tonic) of at most `most` bytes, as `protobuf` does; gRPC's own limit is 4 MiB.
    ///
    /// - Messages go on uncompressed. What cannot be masked ends the stream with INTERNAL, and what was not masked does
    ///   not come out. A method that the descriptors do not know has no messages.
    /// - Metadata in headers and trailers is masked as the members of an object `metadata`: the detectors look into it, rules
    ///   name it `metadata.x-phone`. Credentials, tracing and what belongs to the protocol stays. The message of an error and
    ///   its details are looked into. Other binary metadata (`-bin`) keeps every byte, unless there is a rule for it: then
    ///   it goes.
    /// - Order, deadlines (`grpc-timeout`) and extensions are not touched.
    #[must_use]
    pub fn with_grpc(self, descriptors: Arc<Descriptors>, most: usize) -> Self {
        self.change(|settings| settings.grpc = Some(grpc::Grpc { descriptors, most }))
    }
}

impl<S> Layer<S> for MaskLayer {
    type Service = MaskService<S>;

    fn layer(&self, inner: S) -> MaskService<S> {
        MaskService::new(inner, Arc::clone(&self.settings))
    }
}

impl fmt::Debug for MaskLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { policies, passing, .. } = &*self.settings;
        f.debug_struct("MaskLayer")
            .field("policies", policies)
            .field("passing", passing)
            .finish_non_exhaustive()
    }
}
