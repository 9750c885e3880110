//! Bodies of the kinds that are told apart by their media types.

use std::ops::Deref;

use crate::{Error, FormStream, JsonStream, Policy, SseStream, TextStream};

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// One value of JSON.
    Json,
    /// Lines of JSON (NDJSON).
    JsonLines,
    /// Text, line by line.
    Text,
    /// Events, as servers send them (`text/event-stream`).
    Events,
    /// Fields of a form (`application/x-www-form-urlencoded`).
    Form,
}

impl Format {
    /// The one that goes with a media type; `None` for types that are none of them, as pictures.
    ///
    /// ```
    /// use gmkit_mask::Format;
    ///
    /// assert_eq!(Format::of_media_type("application/problem+json; charset=utf-8"), Some(Format::Json));
    /// assert_eq!(Format::of_media_type("text/csv"), Some(Format::Text));
    /// assert_eq!(Format::of_media_type("image/png"), None);
    /// assert_eq!(Format::of_media_type("text/plain; charset=gbk"), None, "not UTF-8");
    /// assert_eq!(Format::of_media_type("text/html, application/json"), None, "two");
    /// ```
    #[must_use]
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        let mut parts = media_type.split(';');
        let essence = parts.next()?.trim().to_ascii_lowercase();
        if !is_media_type(&essence) {
            return None;
        }
        let other_charset = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or_default();
            let value = value.trim().trim_matches('"').to_ascii_lowercase();
            name.trim().eq_ignore_ascii_case("charset")
                && !matches!(&*value, "utf-8" | "utf8" | "us-ascii")
        };
        if parts.any(other_charset) {
            return None;
        }
        match &*essence {
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines" => Some(Self::JsonLines),
            "text/event-stream" => Some(Self::Events),
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "application/json" | "text/json" => Some(Self::Json),
            "application/xml" => Some(Self::Text),
            essence if essence.ends_with("+json") => Some(Self::Json),
            essence if essence.ends_with("+xml") && essence != "image/svg+xml" => Some(Self::Text),
            essence if essence.starts_with("text/") => Some(Self::Text),
            _ => None,
        }
    }
}

/// Whether it is one type and one subtype, and nothing else (RFC 9110, 8.3.1).
pub(crate) fn is_media_type(essence: &str) -> bool {
    let token = |part: &str| {
        let own = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
        !part.is_empty() && part.bytes().all(own)
    };
    essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

/// Masks a body of any of the formats, which comes in pieces.
///
/// ```
/// use gmkit_mask::{BodyStream, Format, Policy};
///
/// let policy = Policy::new();
/// let (mut stream, mut out) = (BodyStream::new(&policy, Format::JsonLines), Vec::new());
/// stream.push(b"[]\n[\"alice@example.com\"]\n", &mut out)?;
/// stream.finish(&mut out)?;
/// assert_eq!(out, b"[]\n[\"****@example.com\"]\n");
/// # Ok::<(), gmkit_mask::Error>(())
/// ```
#[derive(Debug)]
pub struct BodyStream<P>(Stream<P>);

#[derive(Debug)]
enum Stream<P> {
    Json(Box<JsonStream<P>>),
    Text(TextStream<P>),
    Events(SseStream<P>),
    Form(FormStream<P>),
}

impl<P: Deref<Target = Policy>> BodyStream<P> {
    /// One for a body of this format.
    pub fn new(policy: P, format: Format) -> Self {
        Self(match format {
            Format::Json => Stream::Json(Box::new(JsonStream::new(policy))),
            Format::JsonLines => Stream::Json(Box::new(JsonStream::lines(policy))),
            Format::Text => Stream::Text(TextStream::new(policy)),
            Format::Events => Stream::Events(SseStream::new(policy)),
            Format::Form => Stream::Form(FormStream::new(policy)),
        })
    }

    /// Takes the next piece, and adds to `out` what is decided.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Limit`], [`Error::Key`]; [`Error::Closed`] after one of these. What has come out is
    /// then only the beginning of a body.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        match &mut self.0 {
            Stream::Json(stream) => stream.push(piece, out),
            Stream::Text(stream) => stream.push(piece, out),
            Stream::Events(stream) => stream.push(piece, out),
            Stream::Form(stream) => stream.push(piece, out),
        }
    }

    /// There is nothing more.
    ///
    /// # Errors
    /// As [`BodyStream::push`].
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        match &mut self.0 {
            Stream::Json(stream) => stream.finish(out),
            Stream::Text(stream) => stream.finish(out),
            Stream::Events(stream) => stream.finish(out),
            Stream::Form(stream) => stream.finish(out),
        }
    }
}
