//! The service around another one.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body::Body;

use super::{
    Level, RequestBody, ResponseBody, Settings,
    entry::{Entry, Seen},
};
use crate::{Error, Permit, WhenFull};

/// Records the requests that another service answers; made by [`super::AuditLayer`].
#[derive(Clone)]
pub struct AuditService<S> {
    inner: S,
    settings: Arc<Settings>,
}

/// The answer to come.
type Future<T, E> = Pin<Box<dyn std::future::Future<Output = Result<T, E>> + Send>>;

impl<S> AuditService<S> {
    pub(super) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

impl<S, B, R> tower_service::Service<Request<B>> for AuditService<S>
where
    S: tower_service::Service<Request<RequestBody<B>>, Response = Response<R>>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Body,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = Future<Self::Response, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that said it is ready is used; its clone may not be.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let settings = Arc::clone(&self.settings);
        let (head, body) = request.into_parts();
        let seen = Seen::new(&head, &settings);
        Box::pin(async move {
            let is_grpc = seen.is_grpc;
            let mut entry = match admit(&settings, &seen).await {
                Ok(permit) => permit.map(|permit| Entry::new(permit, seen, &settings)),
                Err(error) => {
                    tracing::warn!(%error, "a request is refused, as it cannot be recorded");
                    return Ok(refusal(is_grpc));
                }
            };
            let body = RequestBody::new(body, entry.as_ref().and_then(Entry::request));
            let response = inner.call(Request::from_parts(head, body)).await?;
            if let Some(entry) = &mut entry {
                entry.see_head(response.status(), response.headers());
            }
            Ok(response.map(|body| ResponseBody::new(body, entry)))
        })
    }
}

/// `None` for a request that is not recorded, or cannot be and is served all the same.
async fn admit(settings: &Settings, seen: &Seen) -> Result<Option<Permit>, Error> {
    let (log, when_full) = (&settings.log, seen.rule.when_full);
    if seen.rule.level == Level::None {
        return Ok(None);
    }
    match when_full {
        WhenFull::Drop => Ok(log.admit(when_full).ok()),
        WhenFull::Refuse => log.admit(when_full).map(Some),
        WhenFull::Block => match log.try_admit()? {
            Some(permit) => Ok(Some(permit)),
            // Waiting is not for the threads that drive everything else.
            None => {
                let log = Arc::clone(log);
                let waiting = tokio::task::spawn_blocking(move || log.admit(WhenFull::Block));
                waiting.await.unwrap_or(Err(Error::Closed)).map(Some)
            }
        },
    }
}

/// 503, or for gRPC UNAVAILABLE, which is 14.
fn refusal<R: Body>(is_grpc: bool) -> Response<ResponseBody<R>> {
    let mut response = Response::new(ResponseBody::none());
    if is_grpc {
        let head = response.headers_mut();
        head.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        head.insert("grpc-status", HeaderValue::from_static("14"));
        head.insert("grpc-message", HeaderValue::from_static("the audit log takes no more"));
    } else {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

impl<S: fmt::Debug> fmt::Debug for AuditService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
