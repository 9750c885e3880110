//! Bodies that are masked on their way.

use std::{
    error::Error as StdError,
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::decode::{Decoder, Encoding};
use super::grpc::{self, Messages};
use crate::{BodyStream, Error, Format, Policy};

type BoxError = Box<dyn StdError + Send + Sync>;

/// How many pieces are masked before others get their turn.
const TURN: usize = 32;

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
    stream: Stream,
    /// What came and was not looked at yet.
    input: Bytes,
    /// What was masked and has not gone out yet, and what comes behind it.
    output: BytesMut,
    trailers: Option<HeaderMap>,
    ended: bool,
}

/// A body whose format may show with its first character.
enum Stream {
    Known(BodyStream<Arc<Policy>>),
    /// A text under a policy with rules: if it begins as JSON does, it is masked as JSON.
    Text(Arc<Policy>, Vec<u8>),
    /// There is to be nothing.
    Empty,
    Messages(Box<Messages>),
}

/// The service has compressed its body in another way than it says.
#[derive(Debug)]
struct Undecodable(io::Error);

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body cannot be decompressed: {}", self.0)
    }
}

impl StdError for Undecodable {}

/// What is said to be empty is not.
#[derive(Debug)]
struct NotEmpty;

impl fmt::Display for NotEmpty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is something in a body that is said to be empty")
    }
}

impl StdError for NotEmpty {}

impl<B> MaskBody<B> {
    pub(super) fn passing(inner: B) -> Self {
        Self { inner: Some(Box::pin(inner)), work: Work::Pass }
    }

    pub(super) fn whole(text: &'static str) -> Self {
        let text = (!text.is_empty()).then(|| Bytes::from_static(text.as_bytes()));
        Self { inner: None, work: Work::Whole(text) }
    }

    /// One in which nothing is; else it is an error.
    pub(super) fn empty(inner: B) -> Self {
        Self::with(inner, Stream::Empty, Encoding::Identity)
    }

    pub(super) fn masking(
        inner: B,
        policy: Arc<Policy>,
        format: Format,
        encoding: Encoding,
    ) -> Self {
        let stream = match format {
            Format::Text if policy.has_rules() => Stream::Text(policy, Vec::new()),
            _ => Stream::Known(BodyStream::new(policy, format)),
        };
        Self::with(inner, stream, encoding)
    }

    pub(super) fn messages(inner: B, messages: Messages) -> Self {
        Self::with(inner, Stream::Messages(Box::new(messages)), Encoding::Identity)
    }

    fn with(inner: B, stream: Stream, encoding: Encoding) -> Self {
        let (decoder, input) = (Decoder::new(encoding), Bytes::new());
        let (output, trailers, ended) = (BytesMut::new(), None, false);
        let masking = Masking { decoder, stream, input, output, trailers, ended };
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
        for _ in 0..TURN {
            if masking.ended || masking.output.len() > most {
                return Poll::Ready(Ok(masking.ended));
            }
            ready!(masking.poll_more(self.inner.as_mut().map(Pin::as_mut), context))?;
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Stream {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), BoxError> {
        match self {
            Self::Known(stream) => stream.push(piece, out)?,
            Self::Messages(messages) => messages.push(piece, out)?,
            Self::Empty if piece.is_empty() => {}
            Self::Empty => return Err(Box::new(NotEmpty)),
            Self::Text(policy, held) => {
                held.extend_from_slice(piece);
                let begin = held.trim_ascii_start();
                // Of a mark of the byte order there may be more to come.
                let begin = begin.strip_prefix("\u{feff}".as_bytes()).unwrap_or(begin);
                let begin = begin.trim_ascii_start();
                let open = begin.is_empty() || "\u{feff}".as_bytes().starts_with(begin);
                if open && held.len() <= policy.limits.max_inspect {
                    return Ok(());
                }
                let json = begin.starts_with(b"{") || begin.starts_with(b"[");
                let format = if json { Format::JsonLines } else { Format::Text };
                let mut known = BodyStream::new(Arc::clone(policy), format);
                known.push(held, out)?;
                *self = Self::Known(known);
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BoxError> {
        match self {
            Self::Known(stream) => stream.finish(out)?,
            Self::Messages(messages) => messages.finish()?,
            Self::Empty => {}
            Self::Text(policy, held) => {
                let mut known = BodyStream::new(Arc::clone(policy), Format::Text);
                known.push(held, out)?;
                known.finish(out)?;
            }
        }
        Ok(())
    }
}

impl Stream {
    /// Those of gRPC, masked. Others are of the body as it was, and behind its end; nobody has looked into them.
    fn trailers(&self, trailers: Option<HeaderMap>) -> Result<Option<HeaderMap>, BoxError> {
        match (self, trailers) {
            (Self::Messages(messages), Some(trailers)) => Ok(Some(messages.trailers(trailers)?)),
            _ => Ok(None),
        }
    }

    /// What ends a body that cannot be masked, where that is not an error.
    fn last_words(&self, error: &BoxError) -> Option<HeaderMap> {
        match self {
            Self::Messages(messages) if messages.answers && is_masks(error) => {
                tracing::warn!(%error, "a response is ended, as it cannot be masked");
                Some(grpc::internal())
            }
            _ => None,
        }
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
                Some(Err(frame)) => self.finish(frame.into_trailers().ok())?,
                None => self.finish(None)?,
            }
            return Poll::Ready(Ok(()));
        }
        let piece = self.input.split_to(self.input.len().min(self.decoder.most()));
        let decoded = self.decoder.decode(&piece).map_err(Undecodable)?;
        let mut out = Vec::new();
        self.stream.push(&decoded, &mut out)?;
        self.output.extend_from_slice(&out);
        Poll::Ready(Ok(()))
    }

    fn finish(&mut self, trailers: Option<HeaderMap>) -> Result<(), BoxError> {
        let mut out = Vec::new();
        let decoded = self.decoder.finish().map_err(Undecodable)?;
        self.stream.push(&decoded, &mut out)?;
        self.stream.finish(&mut out)?;
        self.trailers = self.stream.trailers(trailers)?;
        self.output.extend_from_slice(&out);
        self.ended = true;
        Ok(())
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
        for _ in 0..TURN {
            if !masking.output.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(masking.output.split().freeze()))));
            }
            if masking.ended {
                return Poll::Ready(masking.trailers.take().map(|own| Ok(Frame::trailers(own))));
            }
            let inner = this.inner.as_mut().map(Pin::as_mut);
            if let Err(error) = ready!(masking.poll_more(inner, context)) {
                // Nothing comes behind an error.
                masking.ended = true;
                this.inner = None;
                return Poll::Ready(Some(match masking.stream.last_words(&error) {
                    Some(trailers) => Ok(Frame::trailers(trailers)),
                    None => Err(error),
                }));
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
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
                let waiting = masking.output.len() as u64;
                if masking.ended || matches!(masking.stream, Stream::Empty) {
                    return SizeHint::with_exact(waiting);
                }
                let mut hint = SizeHint::new();
                hint.set_lower(waiting);
                hint
            }
        }
    }
}

/// Whether it is an error of this layer, which says nothing of what is in the body.
pub(super) fn is_masks(error: &BoxError) -> bool {
    error.is::<Error>() || error.is::<Undecodable>() || error.is::<NotEmpty>()
}

impl<B> fmt::Debug for MaskBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskBody").finish_non_exhaustive()
    }
}
