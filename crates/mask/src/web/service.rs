//! The service around another one.

use std::{
    error::Error as StdError,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, IF_RANGE, RANGE},
    request::Parts,
};
use http_body::Body;

use super::grpc::Messages;
use super::{
    MaskBody, Settings,
    body::is_masks,
    head::{Plan, clean},
};
use crate::{Direction, Format, Passage, Policy};

/// As much of a body is masked before its head goes out, in bytes.
const AHEAD: usize = 64 << 10;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Masks what another service answers and is sent; made by [`super::MaskLayer`].
#[derive(Clone)]
pub struct MaskService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> MaskService<S> {
    pub(super) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

/// The policies for the two bodies of one exchange.
struct Chosen {
    request: Option<Arc<Policy>>,
    response: Option<Arc<Policy>>,
    /// The response has a head and no body.
    is_head: bool,
    /// What follows is no body.
    is_connect: bool,
    is_grpc: bool,
    /// The type of the messages that the method answers.
    answer: Option<usize>,
}

impl Chosen {
    fn new(head: &Parts, settings: &Settings) -> Self {
        let (caller, policies) = ((settings.caller)(head), settings.policies.get());
        let route = (settings.route)(head).unwrap_or_else(|| head.uri.path().to_owned());
        let of = |direction| {
            let method = head.method.as_str();
            let passage = Passage { route: &route, method, direction, caller: &caller };
            policies.of(&passage).map(Arc::clone)
        };
        let (request, response) = (of(Direction::Request), of(Direction::Response));
        let media_type = head.headers.get(CONTENT_TYPE);
        let is_grpc = media_type.is_some_and(|own| own.as_bytes().starts_with(b"application/grpc"));
        let (is_head, is_connect) = (head.method == Method::HEAD, head.method == Method::CONNECT);
        let answer =
            settings.grpc.as_ref().and_then(|grpc| grpc.descriptors.method(head.uri.path()));
        Self {
            request,
            response,
            is_head,
            is_connect,
            is_grpc,
            answer: answer.map(|[_, answer]| answer),
        }
    }
}

impl<S, B, R> tower_service::Service<Request<B>> for MaskService<S>
where
    S: tower_service::Service<Request<MaskBody<B>>, Response = Response<R>>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<MaskBody<R>>;
    type Error = S::Error;
    type Future =
        Pin<Box<dyn std::future::Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that said it is ready is used; its clone may not be.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let settings = Arc::clone(&self.settings);
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            let chosen = Chosen::new(&head, &settings);
            let body = match masked_request(&mut head, body, chosen.request.as_ref(), &settings) {
                Ok(body) => body,
                Err(reason) => {
                    let refused = (StatusCode::UNSUPPORTED_MEDIA_TYPE, reason);
                    return Ok(refusal(refused, chosen.is_grpc));
                }
            };
            if chosen.response.is_some() {
                head.headers.remove(RANGE);
                head.headers.remove(IF_RANGE);
            }
            let response = inner.call(Request::from_parts(head, body)).await?;
            let Some(policy) = chosen.response.clone() else {
                return Ok(response.map(MaskBody::passing));
            };
            Ok(masked(response, policy, &chosen, &settings).await)
        })
    }
}

fn masked_request<B: Body>(
    head: &mut Parts,
    body: B,
    policy: Option<&Arc<Policy>>,
    settings: &Settings,
) -> Result<MaskBody<B>, &'static str> {
    let Some(policy) = policy else { return Ok(MaskBody::passing(body)) };
    let plan = Plan::new(&head.headers, policy, settings);
    // With gRPC there is something to mask beside it.
    if is_empty(&body) && !matches!(plan, Plan::Messages(_) | Plan::RefuseAll(_)) {
        return Ok(MaskBody::empty(body));
    }
    match plan {
        Plan::Messages(encoding) => {
            let Some(grpc) = &settings.grpc else { return Err("there are no descriptors") };
            let unmasked = |_| "its metadata cannot be masked";
            grpc.head(&mut head.headers, policy).map_err(unmasked)?;
            let of = grpc.descriptors.method(head.uri.path()).map(|[own, _]| own);
            let messages = Messages::new(grpc.clone(), Arc::clone(policy), of, encoding, false);
            Ok(MaskBody::messages(body, messages))
        }
        Plan::Pass => Ok(MaskBody::passing(body)),
        Plan::Mask(format, encoding) => {
            clean(&mut head.headers);
            Ok(MaskBody::masking(body, Arc::clone(policy), format, encoding))
        }
        Plan::Refuse(reason) | Plan::RefuseAll(reason) => Err(reason),
    }
}

fn is_empty(body: &impl Body) -> bool {
    body.is_end_stream() || body.size_hint().exact() == Some(0)
}

async fn masked<R: Body<Data = Bytes, Error: Into<BoxError>>>(
    response: Response<R>,
    policy: Arc<Policy>,
    chosen: &Chosen,
    settings: &Settings,
) -> Response<MaskBody<R>> {
    let &Chosen { is_head, is_connect, is_grpc, .. } = chosen;
    let (mut head, body) = response.into_parts();
    if head.status.is_informational() || is_connect && head.status.is_success() {
        return refusal(unmasked("it goes on in another protocol"), is_grpc);
    }
    let plan = Plan::new(&head.headers, &policy, settings);
    if let (Plan::Messages(encoding), Some(grpc)) = (plan, &settings.grpc) {
        if let Err(error) = grpc.head(&mut head.headers, &policy) {
            return refusal(unmasked(&error.to_string()), true);
        }
        // Trailers may come behind a body without messages.
        if body.is_end_stream() {
            // The head has the status, and is the end of the stream.
            return Response::from_parts(head, MaskBody::whole(""));
        }
        let messages = Messages::new(grpc.clone(), policy, chosen.answer, encoding, true);
        return Response::from_parts(head, MaskBody::messages(body, messages));
    }
    if let Plan::RefuseAll(reason) = plan {
        return refusal(unmasked(reason), true);
    }
    let has_none = matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if is_head || has_none || is_empty(&body) {
        if plan != Plan::Pass {
            clean(&mut head.headers);
        }
        // Whatever is in there is not for anybody.
        let body = if is_head || has_none { MaskBody::whole("") } else { MaskBody::empty(body) };
        return Response::from_parts(head, body);
    }
    let (format, encoding) = match plan {
        Plan::Pass => return Response::from_parts(head, MaskBody::passing(body)),
        Plan::Mask(format, encoding) => (format, encoding),
        Plan::Messages(_) => return refusal(unmasked("there are no descriptors"), true),
        Plan::Refuse(reason) | Plan::RefuseAll(reason) => {
            return refusal(unmasked(reason), is_grpc);
        }
    };
    clean(&mut head.headers);
    let mut body = MaskBody::masking(body, policy, format, encoding);
    // Of the others the beginning should arrive at once.
    if matches!(format, Format::Json | Format::Form) {
        match poll_fn(|context| body.poll_ahead(context, AHEAD)).await {
            Ok(true) => {
                head.headers.insert(CONTENT_LENGTH, body.size_hint().lower().into());
            }
            Ok(false) => {}
            Err(error) => return refusal(unmasked(&describe(&error)), is_grpc),
        }
    }
    Response::from_parts(head, body)
}

/// What of an error may be logged: ours say nothing of bodies, the service's may.
fn describe(error: &BoxError) -> String {
    match is_masks(error) {
        true => error.to_string(),
        false => "the body broke off".to_owned(),
    }
}

/// A response that cannot be masked is no response.
fn unmasked(reason: &str) -> (StatusCode, &'static str) {
    tracing::warn!(reason, "a response is refused, as it cannot be masked");
    (StatusCode::INTERNAL_SERVER_ERROR, "the response cannot be masked")
}

/// In words that a client can act on, and that say nothing of the body; for gRPC INTERNAL, which is 13.
fn refusal<R>(
    (status, reason): (StatusCode, &'static str),
    is_grpc: bool,
) -> Response<MaskBody<R>> {
    let mut response = Response::new(MaskBody::whole(if is_grpc { "" } else { reason }));
    let head = response.headers_mut();
    if is_grpc {
        head.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        head.insert("grpc-status", HeaderValue::from_static("13"));
        head.insert("grpc-message", HeaderValue::from_static(reason));
    } else {
        head.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        *response.status_mut() = status;
    }
    response
}

impl<S: fmt::Debug> fmt::Debug for MaskService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
