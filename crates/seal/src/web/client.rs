//! The client around another one.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body::Body;

use super::{
    Asked, BoxError, Client, MEDIA_TYPE, SEALED, SealBody, Settings,
    opened::{Opened, open, open_empty, seal_empty},
    server::{has_no_body, is_sealed, replace, restore, target, text},
};
use crate::{
    Error,
    frame::{Opener, Sealer},
    head::{Head, Place},
    session::SEALED_KEY,
};

/// Seals and opens the bodies of another client; made by [`super::SealClientLayer`].
#[derive(Clone)]
pub struct SealClient<S> {
    inner: S,
    settings: Client,
}

impl<S> SealClient<S> {
    pub(super) fn new(inner: S, settings: Client) -> Self {
        Self { inner, settings }
    }
}

impl<S, B, R> tower_service::Service<Request<B>> for SealClient<S>
where
    S: tower_service::Service<Request<SealBody<B>>, Response = Response<R>, Error: Into<BoxError>>,
    S::Future: Send + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<SealBody<R>>;
    type Error = BoxError;
    type Future =
        Pin<Box<dyn std::future::Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let settings = self.settings.clone();
        let (request, asked) = match sealed(request, &settings) {
            Ok(sealed) => sealed,
            Err(error) => return Box::pin(std::future::ready(Err(error.into()))),
        };
        let response = self.inner.call(request);
        Box::pin(async move {
            opened(response.await.map_err(Into::into)?, &asked, &settings.common).await
        })
    }
}

fn sealed<B: Body>(
    request: Request<B>,
    Client { common: settings, session }: &Client,
) -> Result<(Request<SealBody<B>>, Asked), Error> {
    let (mut head, body) = request.into_parts();
    let now = settings.now();
    let (name, key) = match session {
        Some(session) => {
            let drawn = session.current(now, &settings.audience)?;
            head.headers.insert(SEALED_KEY, drawn.header);
            (drawn.session.name, drawn.session.key)
        }
        None => {
            let keys = settings.keys.get();
            let (name, key) = keys.current()?;
            (name.to_owned(), Arc::clone(key))
        }
    };
    let has_body = !body.is_end_stream();
    let [media_type, encoding] = replace(&mut head.headers)?;
    let own = Head::new(now, &name, &media_type, &encoding)?;
    let (bytes, target) = (own.to_bytes(), target(&head));
    let audience = &*settings.audience;
    let place = Place { audience, method: head.method.as_str(), target: &target, answer: None };
    let sealer = Sealer::new(Arc::clone(&key), place.context(&bytes));
    let body = if has_body {
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        SealBody::sealing(body, sealer, bytes.clone())
    } else {
        head.headers.insert(SEALED, seal_empty(sealer, &bytes)?);
        SealBody::whole("")
    };
    let asked = Asked { method: head.method.clone(), target, head: bytes, key_name: name, key };
    Ok((Request::from_parts(head, body), asked))
}

async fn opened<R: Body<Data = Bytes, Error: Into<BoxError>>>(
    response: Response<R>,
    asked: &Asked,
    settings: &Settings,
) -> Result<Response<SealBody<R>>, BoxError> {
    let (mut head, body) = response.into_parts();
    let status = head.status;
    let opener = |sealed: &Head, bytes: &[u8]| {
        settings.check_time(sealed)?;
        if sealed.key != asked.key_name {
            return Err(Error::UnknownKey);
        }
        let context = asked.context(settings, status, bytes);
        Ok(Opener::new(Arc::clone(&asked.key), context))
    };
    let refused = || Error::Refused(status.as_u16());
    let (sealed, body) = if has_no_body(head.status, &asked.method) {
        let value = text(&head.headers, SEALED).ok_or_else(refused)?;
        (open_empty(value, opener)?.0, SealBody::nothing())
    } else if is_sealed(&head.headers) {
        let Opened { head, body, .. } = open(body, opener).await?;
        (head, body)
    } else {
        return Err(refused().into());
    };
    restore(&mut head.headers, &sealed)?;
    Ok(Response::from_parts(head, body))
}

impl<S: fmt::Debug> fmt::Debug for SealClient<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealClient").field("inner", &self.inner).finish_non_exhaustive()
    }
}
