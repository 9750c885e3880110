//! The service around another one.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use base64ct::{Base64UrlUnpadded, Encoding};
use bytes::Bytes;
use gmkit_keys::SecretKey;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, RANGE, TRAILER},
    request::Parts,
};
use http_body::Body;

use super::{
    BoxError, MEDIA_TYPE, SEALED, SealBody, Server,
    opened::{Opened, open},
};
use crate::{
    Error,
    frame::{Opener, Sealer},
    head::{Head, Place},
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

/// What a response has to know of its request.
struct Asked {
    method: Method,
    target: String,
    head: Vec<u8>,
    key_name: String,
    key: Arc<dyn SecretKey>,
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
                let request = Request::from_parts(head, SealBody::passing(body));
                return Ok(inner.call(request).await?.map(SealBody::passing));
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
    let mut found = None;
    let mut opener = |sealed: &Head, bytes: &[u8]| {
        settings.common.check_time(sealed)?;
        let key = keys.get(&sealed.key)?;
        found = Some(Arc::clone(key));
        let place = Place { method: head.method.as_str(), target: &target, answer: None };
        Ok(Opener::new(Arc::clone(key), place.context(bytes)))
    };
    let (sealed, bytes, body) = if is_sealed(&head.headers) {
        let Opened { head, bytes, body } = open(body, opener).await?;
        (head, bytes, body)
    } else if let Some(value) = text(&head.headers, SEALED).filter(|_| body.is_end_stream()) {
        let all = Base64UrlUnpadded::decode_vec(value.trim());
        let all = all.map_err(|_| Error::Malformed("its header is not base64url"))?;
        let (sealed, len) = Head::from_bytes(&all)?.ok_or(Error::CutOff)?;
        let mut opener = opener(&sealed, &all[..len])?;
        opener.take(&all[len..]);
        let whole = opener.next()?.ok_or(Error::CutOff)?;
        if !opener.ended() || opener.next()?.is_some() {
            return Err(Error::CutOff.into());
        }
        (sealed, all[..len].to_vec(), SealBody::whole(whole))
    } else {
        return Err(Error::NotSealed.into());
    };
    // What is not authentic is not remembered.
    let now = settings.common.now();
    let until = sealed.time.saturating_add(settings.common.skew);
    settings.seen.first(sealed.id, now, until)?;
    let key = found.ok_or(Error::UnknownKey)?;
    restore(&mut head.headers, &sealed)?;
    head.headers.remove(RANGE);
    let asked =
        Asked { method: head.method.clone(), target, head: bytes, key_name: sealed.key, key };
    Ok((Request::from_parts(head, body), asked))
}

/// The head of what was sealed.
pub(super) fn restore(headers: &mut HeaderMap, sealed: &Head) -> Result<(), Error> {
    for name in [CONTENT_LENGTH, CONTENT_TYPE, CONTENT_ENCODING] {
        headers.remove(name);
    }
    headers.remove(SEALED);
    for (name, text) in [(CONTENT_TYPE, &sealed.media_type), (CONTENT_ENCODING, &sealed.encoding)] {
        if !text.is_empty() {
            let value = HeaderValue::from_str(text);
            headers
                .insert(name, value.map_err(|_| Error::Malformed("a text in its head is none"))?);
        }
    }
    Ok(())
}

/// What the head of a sealed body says of what is in it; the rest is not true of it any more.
pub(super) fn replace(headers: &mut HeaderMap) -> Result<[String; 2], Error> {
    let of = |name| match headers.contains_key(&name) {
        true => {
            text(headers, name).map(str::to_owned).ok_or(Error::Malformed("a head that is no text"))
        }
        false => Ok(String::new()),
    };
    let texts = [of(CONTENT_TYPE)?, of(CONTENT_ENCODING)?];
    for name in [CONTENT_LENGTH, CONTENT_ENCODING, ETAG, ACCEPT_RANGES, TRAILER] {
        headers.remove(name);
    }
    for name in ["digest", "content-digest", "repr-digest", "content-md5"] {
        headers.remove(name);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    Ok(texts)
}

fn sealed<R: Body<Data = Bytes, Error: Into<BoxError>>>(
    response: Response<R>,
    asked: &Asked,
    settings: &Server,
) -> Result<Response<SealBody<R>>, Error> {
    let (mut head, body) = response.into_parts();
    if head.status.is_informational() || asked.method == Method::CONNECT {
        return Err(Error::Malformed("a response in another protocol cannot be sealed"));
    }
    let has_none = matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if has_none || asked.method == Method::HEAD {
        return Ok(Response::from_parts(head, SealBody::whole("")));
    }
    let [media_type, encoding] = replace(&mut head.headers)?;
    let own = Head::new(settings.common.now(), &asked.key_name, &media_type, &encoding)?;
    let bytes = own.to_bytes();
    let answer = Some((head.status.as_u16(), &asked.head[..]));
    let place = Place { method: asked.method.as_str(), target: &asked.target, answer };
    let sealer = Sealer::new(Arc::clone(&asked.key), place.context(&bytes));
    Ok(Response::from_parts(head, SealBody::sealing(body, sealer, bytes)))
}

/// In words that a client can act on, and that say nothing else.
fn refusal<R>(error: &BoxError) -> Response<SealBody<R>> {
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
