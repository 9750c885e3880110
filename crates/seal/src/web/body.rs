//! Bodies that are sealed or opened on their way.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};

use super::BoxError;
use crate::{
    Error,
    frame::{LONGEST, Opener, Sealer},
};

/// A body on its way through a layer. It ends with an error where it is not authentic, or cut off.
pub struct SealBody<B> {
    inner: Option<Pin<Box<B>>>,
    work: Work,
}

/// What is done with it.
enum Work {
    Pass,
    /// This is all of it.
    Whole(Option<Bytes>),
    /// Nothing, whatever is said of its length: that of a body that HEAD asks for, say.
    Nothing,
    Seal(Box<Sealing>),
    Open(Box<Opening>),
}

struct Sealing {
    sealer: Sealer,
    /// The head, before it has gone out.
    head: Option<Bytes>,
    /// What came and is in no chunk yet.
    input: Bytes,
    buffer: BytesMut,
    ended: bool,
}

struct Opening {
    opener: Opener,
    /// What came and the opener has not got yet.
    input: Bytes,
    /// Chunks that were opened and have not gone out yet: one, or none.
    ready: Option<Bytes>,
    ended: bool,
}

impl<B> SealBody<B> {
    pub(super) fn passing(inner: B) -> Self {
        Self { inner: Some(Box::pin(inner)), work: Work::Pass }
    }

    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = Some(bytes.into()).filter(|bytes| !bytes.is_empty());
        Self { inner: None, work: Work::Whole(bytes) }
    }

    pub(super) fn sealing(inner: B, sealer: Sealer, head: Vec<u8>) -> Self {
        let (head, input, buffer) = (Some(head.into()), Bytes::new(), BytesMut::new());
        let sealing = Sealing { sealer, head, input, buffer, ended: false };
        Self { inner: Some(Box::pin(inner)), work: Work::Seal(Box::new(sealing)) }
    }

    pub(super) fn nothing() -> Self {
        Self { inner: None, work: Work::Nothing }
    }

    /// With the first chunk, which was opened, and what came behind it.
    pub(super) fn opening(
        inner: Pin<Box<B>>,
        opener: Opener,
        first: Vec<u8>,
        input: Bytes,
    ) -> Self {
        let ready = Some(Bytes::from(first)).filter(|first| !first.is_empty());
        let opening = Opening { opener, input, ready, ended: false };
        Self { inner: Some(inner), work: Work::Open(Box::new(opening)) }
    }
}

impl Sealing {
    fn poll<B: Body<Data = Bytes, Error: Into<BoxError>>>(
        &mut self,
        inner: &mut Option<Pin<Box<B>>>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Bytes, BoxError>> {
        if let Some(head) = self.head.take() {
            return Poll::Ready(Ok(head));
        }
        while self.buffer.len() < LONGEST {
            if !self.input.is_empty() {
                let room = LONGEST - self.buffer.len();
                let piece = self.input.split_to(self.input.len().min(room));
                self.buffer.extend_from_slice(&piece);
                continue;
            }
            let Some(body) = inner else { break };
            match body.as_mut().poll_frame(context) {
                Poll::Ready(Some(frame)) => {
                    // Trailers would not be authentic.
                    if let Ok(data) = frame.map_err(Into::into)?.into_data() {
                        self.input = data;
                    }
                    // Then the last chunk need not be an empty one.
                    if body.is_end_stream() {
                        *inner = None;
                    }
                }
                Poll::Ready(None) => *inner = None,
                // What is there goes out, as there may be nothing more for long.
                Poll::Pending if self.buffer.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        self.ended = inner.is_none() && self.input.is_empty();
        let sealed = self.sealer.seal(&self.buffer, self.ended);
        self.buffer.clear();
        Poll::Ready(sealed.map(Bytes::from).map_err(Into::into))
    }
}

impl Opening {
    fn poll<B: Body<Data = Bytes, Error: Into<BoxError>>>(
        &mut self,
        inner: &mut Option<Pin<Box<B>>>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BoxError>>> {
        loop {
            if let Some(ready) = self.ready.take() {
                return Poll::Ready(Some(Ok(ready)));
            }
            if let Some(chunk) = self.opener.next()? {
                self.ready = Some(Bytes::from(chunk)).filter(|chunk| !chunk.is_empty());
                continue;
            }
            if !self.input.is_empty() {
                let piece = self.input.split_to(self.input.len().min(LONGEST));
                self.opener.take(&piece);
                continue;
            }
            let frame = match inner {
                Some(inner) => ready!(inner.as_mut().poll_frame(context)),
                None => None,
            };
            match frame.transpose().map_err(Into::into)?.map(Frame::into_data) {
                Some(Ok(data)) => self.input = data,
                // Trailers are not authentic.
                Some(Err(_)) => {}
                None if self.opener.ended() => {
                    self.ended = true;
                    return Poll::Ready(None);
                }
                None => return Poll::Ready(Some(Err(Error::CutOff.into()))),
            }
        }
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> Body for SealBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let next = match &mut this.work {
            Work::Pass => {
                let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
                return inner.as_mut().poll_frame(context).map_err(Into::into);
            }
            Work::Whole(whole) => whole.take().map(Ok),
            Work::Nothing => None,
            Work::Seal(sealing) if sealing.ended => None,
            Work::Seal(sealing) => Some(ready!(sealing.poll(&mut this.inner, context))),
            Work::Open(opening) if opening.ended => None,
            Work::Open(opening) => ready!(opening.poll(&mut this.inner, context)),
        };
        if let Some(Err(_)) = &next {
            // Nothing comes behind an error.
            (this.inner, this.work) = (None, Work::Whole(None));
        }
        Poll::Ready(next.map(|next| next.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.work {
            Work::Pass => self.inner.as_ref().is_none_or(|inner| inner.is_end_stream()),
            Work::Whole(whole) => whole.is_none(),
            Work::Nothing => true,
            Work::Seal(sealing) => sealing.ended,
            Work::Open(opening) => opening.ended,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.work {
            Work::Pass => {
                self.inner.as_ref().map_or(SizeHint::with_exact(0), |inner| inner.size_hint())
            }
            Work::Whole(whole) => SizeHint::with_exact(whole.as_ref().map_or(0, Bytes::len) as u64),
            Work::Nothing | Work::Seal(_) | Work::Open(_) => SizeHint::new(),
        }
    }
}

impl<B> fmt::Debug for SealBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealBody").finish_non_exhaustive()
    }
}
