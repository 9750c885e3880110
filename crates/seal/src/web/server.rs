//! The service around another one.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
        CONTENT_TYPE, ETAG, IF_RANGE, LAST_MODIFIED, RANGE, TRAILER, UPGRADE,
    },
    request::Parts,
};
use http_body::Body;

use super::{
    Asked, BoxError, MEDIA_TYPE, SEALED, SealBody, Server, Settings,
    opened::{Opened, open, open_empty, seal_empty},
};
use crate::{
    Error,
    frame::{Opener, Sealer},
    head::{Head, Place},
    replay::Sealed,
    session::{SEALED_KEY, SealedBy, Session},
};

/// Opens and seals the bodies of another service; made by [`super::SealLayer`].
#[derive(Clone)]
pub struct SealService<S> {
    inner: S,
    settings: Arc<Server>,
}

impl<S> SealService<S> {
    pub(super) fn new(inner: S, settings: Arc<Server>) -> Self {
        Self { inner, settings }
    }
}

impl<S, B, R> tower_service::Service<Request<B>> for SealService<S>
where
    S: tower_service::Service<Request<SealBody<B>>, Response = Response<R>>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<SealBody<R>>;
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
            let (head, body) = request.into_parts();
            if !(settings.routes)(&head) {
                let named = [SEALED, SEALED_KEY].iter().any(|own| head.headers.contains_key(*own));
                if is_sealed(&head.headers) || named {
                    return Ok(answer(StatusCode::BAD_REQUEST, "this route is not sealed"));
                }
                let request = Request::from_parts(head, SealBody::passing(body));
                return Ok(inner.call(request).await?.map(SealBody::passing));
            }
            if head.method == Method::CONNECT || head.headers.contains_key(UPGRADE) {
                return Ok(answer(StatusCode::BAD_REQUEST, "another protocol cannot be sealed"));
            }
            let (request, asked) = match opened(head, body, &settings).await {
                Ok(opened) => opened,
                Err(error) => return Ok(refusal(&error)),
            };
            let response = inner.call(request).await?;
            Ok(sealed(response, &asked, &settings).unwrap_or_else(|error| {
                tracing::warn!(%error, "a response cannot be sealed");
                answer(StatusCode::INTERNAL_SERVER_ERROR, "the response cannot be sealed")
            }))
        })
    }
}

pub(super) fn target(head: &Parts) -> String {
    head.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
}

/// Of a header that stands there once, and is text.
pub(super) fn text(headers: &HeaderMap, name: impl http::header::AsHeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok();
    if values.next().is_some() { None } else { value }
}

pub(super) fn is_sealed(headers: &HeaderMap) -> bool {
    text(headers, CONTENT_TYPE).is_some_and(|own| own.trim().eq_ignore_ascii_case(MEDIA_TYPE))
}

async fn opened<B: Body<Data = Bytes, Error: Into<BoxError>>>(
    mut head: Parts,
    body: B,
    settings: &Server,
) -> Result<(Request<SealBody<B>>, Asked), BoxError> {
    let keys = settings.common.keys.get();
    let target = target(&head);
    let session = session(&head.headers, settings)?;
    let mut found = None;
    let audience = &*settings.common.audience;
    let opener = |sealed: &Head, bytes: &[u8]| {
        settings.common.check_time(sealed)?;
        let key = match &session {
            Some(session) if session.name == sealed.key => &session.key,
            Some(_) => return Err(Error::UnknownKey),
            None => keys.get(&sealed.key)?,
        };
        found = Some(Arc::clone(key));
        let place = Place { audience, method: head.method.as_str(), target: &target, answer: None };
        Ok(Opener::new(Arc::clone(key), place.context(bytes)))
    };
    let has_none = body.is_end_stream() || body.size_hint().exact() == Some(0);
    let (sealed, bytes, body) = if is_sealed(&head.headers) {
        let Opened { head, bytes, body } = open(body, opener).await?;
        (head, bytes, body)
    } else if let Some(value) = text(&head.headers, SEALED).filter(|_| has_none) {
        let (sealed, bytes) = open_empty(value, opener)?;
        (sealed, bytes, SealBody::whole(""))
    } else {
        return Err(Error::NotSealed.into());
    };
    // What is not authentic is not remembered.
    let Server { common, seen, start, .. } = settings;
    let came = Sealed { id: sealed.id, time: sealed.time, skew: common.skew, start: *start };
    seen.first(&came, || common.now())?;
    let key = found.ok_or(Error::UnknownKey)?;
    restore(&mut head.headers, &sealed)?;
    // Nobody further outside says who it was.
    head.extensions.remove::<SealedBy>();
    if let Some(session) = session {
        head.extensions.insert(SealedBy(session.client));
    }
    let asked =
        Asked { method: head.method.clone(), target, head: bytes, key_name: sealed.key, key };
    Ok((Request::from_parts(head, body), asked))
}

/// The session that a request was sealed in.
fn session(headers: &HeaderMap, settings: &Server) -> Result<Option<Session>, Error> {
    if !headers.contains_key(SEALED_KEY) {
        return Ok(None);
    }
    let sessions = settings.sessions.as_ref().ok_or(Error::UnknownKey)?;
    let offered = text(headers, SEALED_KEY);
    let offered = offered.ok_or(Error::Malformed("more than one offer of its key"))?;
    let Settings { audience, skew, .. } = &settings.common;
    sessions.get().find(offered, audience, settings.common.now(), *skew).map(Some)
}

/// What is true of a body only as long as nobody changes it, or says which part of one it is.
const OF_THE_BODY: [HeaderName; 10] = [
    CONTENT_LENGTH,
    CONTENT_TYPE,
    CONTENT_ENCODING,
    CONTENT_RANGE,
    RANGE,
    IF_RANGE,
    ETAG,
    LAST_MODIFIED,
    ACCEPT_RANGES,
    TRAILER,
];

fn clean(headers: &mut HeaderMap) {
    OF_THE_BODY.iter().for_each(|name| drop(headers.remove(name)));
    for name in ["digest", "content-digest", "repr-digest", "content-md5"] {
        headers.remove(name);
    }
}

/// The head of what was sealed: what anybody in between may have put there goes.
pub(super) fn restore(headers: &mut HeaderMap, sealed: &Head) -> Result<(), Error> {
    clean(headers);
    headers.remove(SEALED);
    headers.remove(SEALED_KEY);
    for (name, text) in [(CONTENT_TYPE, &sealed.media_type), (CONTENT_ENCODING, &sealed.encoding)] {
        if !text.is_empty() {
            let value = HeaderValue::from_str(text);
            let value = value.map_err(|_| Error::Malformed("a text in its head is none"))?;
            headers.insert(name, value);
        }
    }
    Ok(())
}

/// What the head of a sealed body says of what is in it; the rest is not true of it any more.
pub(super) fn replace(headers: &mut HeaderMap) -> Result<[String; 2], Error> {
    let no_text = Error::Malformed("a head that is no text");
    let media_type = match headers.contains_key(CONTENT_TYPE) {
        true => text(headers, CONTENT_TYPE).ok_or(no_text)?.to_owned(),
        false => String::new(),
    };
    let encodings = headers.get_all(CONTENT_ENCODING).iter().map(|own| own.to_str());
    let encodings: Result<Vec<_>, _> = encodings.collect();
    let no_text = |_| Error::Malformed("a head that is no text");
    let encoding = encodings.map_err(no_text)?.join(", ");
    clean(headers);
    Ok([media_type, encoding])
}

fn sealed<R: Body<Data = Bytes, Error: Into<BoxError>>>(
    response: Response<R>,
    asked: &Asked,
    settings: &Server,
) -> Result<Response<SealBody<R>>, Error> {
    let (mut head, body) = response.into_parts();
    if head.status.is_informational() {
        return Err(Error::Malformed("a response in another protocol cannot be sealed"));
    }
    let [media_type, encoding] = replace(&mut head.headers)?;
    let own = Head::new(settings.common.now(), &asked.key_name, &media_type, &encoding)?;
    let bytes = own.to_bytes();
    let context = asked.context(&settings.common, head.status, &bytes);
    let sealer = Sealer::new(Arc::clone(&asked.key), context);
    // To nobody else is it an answer.
    head.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if has_no_body(head.status, &asked.method) {
        head.headers.insert(SEALED, seal_empty(sealer, &bytes)?);
        return Ok(Response::from_parts(head, SealBody::nothing()));
    }
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    Ok(Response::from_parts(head, SealBody::sealing(body, sealer, bytes)))
}

pub(super) fn has_no_body(status: StatusCode, method: &Method) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) || method == Method::HEAD
}

/// In words that a client can act on, and that say nothing else.
fn refusal<R>(error: &BoxError) -> Response<SealBody<R>> {
    if let Some(Error::Key(cause)) = error.downcast_ref::<Error>() {
        tracing::warn!(%cause, "a key failed");
    }
    let (status, reason) = match error.downcast_ref::<Error>() {
        Some(Error::NotSealed) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "the request is not sealed"),
        Some(Error::UnknownKey) => (StatusCode::BAD_REQUEST, "the key is not known here"),
        Some(Error::Time) => (StatusCode::BAD_REQUEST, "sealed too long ago, or the clocks differ"),
        Some(Error::Replayed) => (StatusCode::CONFLICT, "the request came before"),
        Some(Error::Rejected) => (StatusCode::BAD_REQUEST, "the request cannot be opened"),
        Some(Error::Malformed(_) | Error::CutOff) => {
            (StatusCode::BAD_REQUEST, "the request is not in the format")
        }
        Some(Error::Busy | Error::Key(_) | Error::KeyName | Error::Refused(_)) => {
            (StatusCode::SERVICE_UNAVAILABLE, "not now")
        }
        None => (StatusCode::BAD_REQUEST, "the request broke off"),
    };
    tracing::debug!(reason, "a request is refused");
    answer(status, reason)
}

fn answer<R>(status: StatusCode, reason: &'static str) -> Response<SealBody<R>> {
    let mut response = Response::new(SealBody::whole(reason));
    *response.status_mut() = status;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}

impl<S: fmt::Debug> fmt::Debug for SealService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
