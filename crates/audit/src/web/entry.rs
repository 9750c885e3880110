//! A request under way, from its head to its record.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use http::{HeaderMap, StatusCode, header::CONTENT_TYPE, request::Parts};

use super::{Level, Rule, Settings, capture::Capture};
use crate::{Actor, Event, Outcome, Permit, TraceParent};

/// What is known of a request when it comes in.
pub(super) struct Seen {
    pub(super) event: Event,
    pub(super) rule: Rule,
    pub(super) is_grpc: bool,
}

impl Seen {
    pub(super) fn new(head: &Parts, settings: &Settings) -> Self {
        let is_grpc = is_grpc(&head.headers);
        let path = head.uri.path();
        let route = (settings.route)(head).or_else(|| is_grpc.then(|| path.to_owned()));
        let route = route.unwrap_or_default();
        let mut actor = (settings.user)(head).unwrap_or_default();
        if actor.ip.is_none() {
            let peer = (settings.peer)(head);
            actor.ip = peer.map(|peer| settings.proxies.client(peer, &head.headers));
        }
        let rule = settings.policy.rule(&head.method, &route, actor.user.as_deref());
        let event = event(head, settings, &route, actor, rule.level);
        Self { event, rule, is_grpc }
    }
}

fn event(head: &Parts, settings: &Settings, route: &str, actor: Actor, level: Level) -> Event {
    let name = match route {
        "" => head.method.to_string(),
        route => format!("{} {route}", head.method),
    };
    // How it ends is put there when it has.
    let mut event = Event::new(name, Outcome::failed());
    event.actor = actor;
    event.resource = Some(head.uri.path().to_owned());
    event.service = settings.service.clone();
    event.trace = traceparent(&head.headers);
    match head.uri.query() {
        Some(query) if level >= Level::Request => event.with("query", query),
        _ => event,
    }
}

/// One that cannot be read is none (W3C Trace Context, 3.2).
fn traceparent(head: &HeaderMap) -> Option<TraceParent> {
    head.get("traceparent")?.to_str().ok()?.parse().ok()
}

fn is_grpc(head: &HeaderMap) -> bool {
    let kind = head.get(CONTENT_TYPE).map(|kind| kind.as_bytes());
    kind.is_some_and(|kind| kind.starts_with(b"application/grpc"))
}

/// A body that passes elsewhere.
pub(super) type Shared = Arc<Mutex<Capture>>;

/// A request that is served. Whatever becomes of it, it is recorded when this is dropped.
pub(super) struct Entry {
    /// `None` when it is recorded.
    open: Option<(Permit, Event)>,
    since: Instant,
    is_grpc: bool,
    status: Option<StatusCode>,
    grpc_status: Option<String>,
    request: Option<Shared>,
    response: Option<Capture>,
}

impl Entry {
    pub(super) fn new(permit: Permit, seen: Seen, settings: &Settings) -> Self {
        let Seen { event, rule, is_grpc } = seen;
        let capture = || Capture::new(settings.longest_body);
        let request = (rule.level >= Level::Request).then(|| Arc::new(Mutex::new(capture())));
        let response = (rule.level >= Level::Response).then(capture);
        let (since, open) = (Instant::now(), Some((permit, event)));
        Self { open, since, is_grpc, status: None, grpc_status: None, request, response }
    }

    pub(super) fn request(&self) -> Option<Shared> {
        self.request.clone()
    }

    pub(super) fn see_head(&mut self, status: StatusCode, head: &HeaderMap) {
        self.status = Some(status);
        self.see_trailers(head);
    }

    pub(super) fn see_data(&mut self, data: &[u8]) {
        if let Some(response) = &mut self.response {
            response.update(data);
        }
    }

    /// Of gRPC, where the status may be in the head instead.
    pub(super) fn see_trailers(&mut self, trailers: &HeaderMap) {
        let status = trailers.get("grpc-status").and_then(|status| status.to_str().ok());
        if let Some(status) = status.filter(|_| self.is_grpc) {
            self.grpc_status = Some(status.to_owned());
        }
    }

    /// The response is through.
    pub(super) fn finish(&mut self) {
        let outcome = self.outcome();
        self.record(outcome);
    }

    fn outcome(&self) -> Outcome {
        let code = match (self.is_grpc, &self.grpc_status, self.status) {
            (true, Some(status), _) => return grpc_outcome(status),
            (_, _, Some(status)) => status,
            (_, _, None) => return Outcome::failed().code("no response"),
        };
        let outcome = match code.as_u16() {
            _ if self.is_grpc => Outcome::failed(),
            code if code < 400 => Outcome::allowed(),
            401 | 403 | 407 => Outcome::denied(),
            _ => Outcome::failed(),
        };
        outcome.code(code.as_str())
    }

    fn record(&mut self, outcome: Outcome) {
        let Some((permit, mut event)) = self.open.take() else { return };
        let micros = i64::try_from(self.since.elapsed().as_micros()).unwrap_or(i64::MAX);
        event.result = outcome;
        event = event.with("latency_us", micros);
        if let Some(request) = self.request.take() {
            let mut request = request.lock().unwrap_or_else(PoisonError::into_inner);
            let request = std::mem::replace(&mut *request, Capture::new(0));
            event = event.with("request", request.attribute());
        }
        if let Some(response) = self.response.take() {
            event = event.with("response", response.attribute());
        }
        // Nobody waits here for the disk; that it is not lost unsaid is the log's work.
        if let Err(error) = permit.submit(&event) {
            tracing::error!(%error, "a request was not recorded");
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.record(Outcome::failed().code("aborted"));
    }
}

/// By the codes of gRPC: 0 is OK, 7 PERMISSION_DENIED, 16 UNAUTHENTICATED.
fn grpc_outcome(status: &str) -> Outcome {
    let outcome = match status {
        "0" => Outcome::allowed(),
        "7" | "16" => Outcome::denied(),
        _ => Outcome::failed(),
    };
    outcome.code(format!("grpc {status}"))
}
