//! Bodies that are masked on their way.

use std::{
    collections::VecDeque,
    error::Error as StdError,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::decode::{Decoder, Encoding};
use crate::{BodyStream, Error, Format, Policy};

type BoxError = Box<dyn StdError + Send + Sync>;

/// A body on its way through a [`crate::MaskLayer`]. It ends with an error where it cannot be masked.
pub struct MaskBody<B> {
    inner: Option<Pin<Box<B>>>,
    work: Work,
}

/// What is done with it.
enum Work {
    Pass,
    Mask(Box<Masking>),
    /// This is all of it.
    Whole(Option<Bytes>),
}

struct Masking {
    decoder: Decoder,
    stream: BodyStream<Arc<Policy>>,
    /// What came and was not looked at yet.
    input: Bytes,
    /// What was masked and has not gone out yet.
    output: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
    ended: bool,
}

impl<B> MaskBody<B> {
    pub(super) fn passing(inner: B) -> Self {
        Self { inner: Some(Box::pin(inner)), work: Work::Pass }
    }

    pub(super) fn whole(text: &'static str) -> Self {
        let text = (!text.is_empty()).then(|| Bytes::from_static(text.as_bytes()));
        Self { inner: None, work: Work::Whole(text) }
    }

    pub(super) fn masking(
        inner: B,
        policy: Arc<Policy>,
        format: Format,
        encoding: Encoding,
    ) -> Self {
        let masking = Masking {
            decoder: Decoder::new(encoding),
            stream: BodyStream::new(policy, format),
            input: Bytes::new(),
            output: VecDeque::new(),
            trailers: None,
            ended: false,
        };
        Self { inner: Some(Box::pin(inner)), work: Work::Mask(Box::new(masking)) }
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> MaskBody<B> {
    /// Masks until the end, or until more than `most` bytes wait to go out: whether it was the end.
    pub(super) fn poll_ahead(
        &mut self,
        context: &mut Context<'_>,
        most: usize,
    ) -> Poll<Result<bool, BoxError>> {
        let Work::Mask(masking) = &mut self.work else { return Poll::Ready(Ok(false)) };
        while !masking.ended && masking.output.iter().map(Bytes::len).sum::<usize>() <= most {
            let inner = self.inner.as_mut().map(Pin::as_mut);
            ready!(masking.poll_more(inner, context))?;
        }
        Poll::Ready(Ok(masking.ended && masking.trailers.is_none()))
    }
}

impl Masking {
    /// Masks the next piece.
    fn poll_more<B: Body<Data = Bytes, Error: Into<BoxError>>>(
        &mut self,
        inner: Option<Pin<&mut B>>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), BoxError>> {
        if self.input.is_empty() {
            let frame = match inner {
                Some(inner) => ready!(inner.poll_frame(context)).transpose().map_err(Into::into)?,
                None => None,
            };
            match frame.map(Frame::into_data) {
                Some(Ok(data)) => self.input = data,
                // Whatever else there is comes behind all data.
                Some(Err(frame)) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        self.trailers = Some(trailers);
                        self.finish()?;
                    }
                }
                None => self.finish()?,
            }
            return Poll::Ready(Ok(()));
        }
        let len = self.input.len().min(self.decoder.most());
        let piece = self.input.split_to(len);
        let decoded = self.decoder.decode(&piece)?;
        let mut out = Vec::with_capacity(decoded.len());
        self.stream.push(&decoded, &mut out)?;
        self.put(out);
        Poll::Ready(Ok(()))
    }

    fn finish(&mut self) -> Result<(), BoxError> {
        let mut out = Vec::new();
        self.stream.push(&self.decoder.finish()?, &mut out)?;
        self.stream.finish(&mut out)?;
        self.put(out);
        self.ended = true;
        Ok(())
    }

    fn put(&mut self, out: Vec<u8>) {
        if !out.is_empty() {
            self.output.push_back(out.into());
        }
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> Body for MaskBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let masking = match &mut this.work {
            Work::Pass => {
                let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
                return inner.as_mut().poll_frame(context).map_err(Into::into);
            }
            Work::Whole(whole) => return Poll::Ready(whole.take().map(|all| Ok(Frame::data(all)))),
            Work::Mask(masking) => masking,
        };
        loop {
            if let Some(data) = masking.output.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            if masking.ended {
                return Poll::Ready(masking.trailers.take().map(|last| Ok(Frame::trailers(last))));
            }
            let inner = this.inner.as_mut().map(Pin::as_mut);
            if let Err(error) = ready!(masking.poll_more(inner, context)) {
                // Nothing comes behind an error.
                masking.ended = true;
                this.inner = None;
                return Poll::Ready(Some(Err(error)));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.work {
            Work::Pass => self.inner.as_ref().is_none_or(|inner| inner.is_end_stream()),
            Work::Whole(whole) => whole.is_none(),
            Work::Mask(masking) => {
                masking.ended && masking.output.is_empty() && masking.trailers.is_none()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.work {
            Work::Pass => {
                self.inner.as_ref().map_or(SizeHint::with_exact(0), |inner| inner.size_hint())
            }
            Work::Whole(whole) => SizeHint::with_exact(whole.as_ref().map_or(0, Bytes::len) as u64),
            Work::Mask(masking) => {
                let waiting = masking.output.iter().map(Bytes::len).sum::<usize>() as u64;
                if masking.ended {
                    return SizeHint::with_exact(waiting);
                }
                let mut hint = SizeHint::new();
                hint.set_lower(waiting);
                hint
            }
        }
    }
}

/// Whether it is a body that could not be masked, and not one that broke off.
pub(super) fn is_masks(error: &BoxError) -> bool {
    error.is::<Error>() || error.is::<std::io::Error>()
}

impl<B> fmt::Debug for MaskBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskBody").finish_non_exhaustive()
    }
}
