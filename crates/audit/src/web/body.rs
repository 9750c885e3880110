//! Bodies that are seen on their way, and not changed.

use std::{
    fmt,
    pin::Pin,
    sync::PoisonError,
    task::{Context, Poll, ready},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::entry::{Entry, Shared};

pin_project! {
    /// The body of a request.
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        shared: Option<Shared>,
    }
}

impl<B> RequestBody<B> {
    pub(super) fn new(inner: B, shared: Option<Shared>) -> Self {
        Self { inner, shared }
    }
}

impl<B: Body<Data: AsRef<[u8]>>> Body for RequestBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(context));
        if let (Some(Ok(frame)), Some(shared)) = (&frame, this.shared)
            && let Some(data) = frame.data_ref()
        {
            shared.lock().unwrap_or_else(PoisonError::into_inner).update(data.as_ref());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> fmt::Debug for RequestBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").finish_non_exhaustive()
    }
}

pin_project! {
    /// The body of a response; its end is when the request is recorded.
    pub struct ResponseBody<B> {
        // `None` for the answer to a request that was refused.
        #[pin]
        inner: Option<B>,
        entry: Option<Entry>,
    }
}

impl<B: Body> ResponseBody<B> {
    pub(super) fn new(inner: B, entry: Option<Entry>) -> Self {
        let mut entry = entry;
        // Nobody may ask for the rest of a body that has none.
        if inner.is_end_stream()
            && let Some(mut entry) = entry.take()
        {
            entry.finish();
        }
        Self { inner: Some(inner), entry }
    }

    pub(super) fn none() -> Self {
        Self { inner: None, entry: None }
    }
}

impl<B: Body<Data: AsRef<[u8]>>> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let frame = ready!(inner.as_mut().poll_frame(context));
        let Some(entry) = this.entry else { return Poll::Ready(frame) };
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    entry.see_data(data.as_ref());
                }
                if let Some(trailers) = frame.trailers_ref() {
                    entry.see_trailers(trailers);
                }
                // Trailers are the last; and behind the last byte of a known length nobody asks for more.
                if frame.is_trailers()
                    || inner.is_end_stream()
                    || inner.size_hint().exact() == Some(0)
                {
                    entry.finish();
                    *this.entry = None;
                }
            }
            // It is dropped, and so recorded as given up.
            Some(Err(_)) => *this.entry = None,
            None => {
                entry.finish();
                *this.entry = None;
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}
