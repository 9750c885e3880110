//! The beginning of a sealed body, before anybody gets any of it.

use std::{future::poll_fn, pin::Pin};

use base64ct::{Base64UrlUnpadded, Encoding};
use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use http_body::Body;

use super::{BoxError, SealBody};
use crate::{
    Error,
    frame::{LONGEST as CHUNK, Opener, Sealer},
    head::{Head, LONGEST},
};

/// A body whose head and first chunk have come, and are authentic.
pub(super) struct Opened<B> {
    pub(super) head: Head,
    /// As it came.
    pub(super) bytes: Vec<u8>,
    pub(super) body: SealBody<B>,
}

/// Reads as far as that. `opener` looks at the head, and finds the key and the context.
pub(super) async fn open<B: Body<Data = Bytes, Error: Into<BoxError>>>(
    body: B,
    opener: impl FnOnce(&Head, &[u8]) -> Result<Opener, Error>,
) -> Result<Opened<B>, BoxError> {
    let mut body = Box::pin(body);
    let mut held = BytesMut::new();
    let (head, len) = loop {
        if let Some(found) = Head::from_bytes(&held)? {
            break found;
        }
        debug_assert!(held.len() <= LONGEST);
        let piece = next(&mut body).await?.ok_or(Error::CutOff)?;
        held.extend_from_slice(&piece);
    };
    let bytes = held.split_to(len).to_vec();
    let mut opener = opener(&head, &bytes)?;
    let mut input = held.freeze();
    let first = loop {
        if let Some(first) = opener.next()? {
            break first;
        }
        if input.is_empty() {
            input = next(&mut body).await?.ok_or(Error::CutOff)?;
        }
        let piece = input.split_to(input.len().min(CHUNK));
        opener.take(&piece);
    };
    Ok(Opened { head, bytes, body: SealBody::opening(body, opener, first, input) })
}

/// Of a message that is one chunk, and that one empty: its head, and that as it came.
pub(super) fn open_empty(
    text: &str,
    opener: impl FnOnce(&Head, &[u8]) -> Result<Opener, Error>,
) -> Result<(Head, Vec<u8>), Error> {
    let all = Base64UrlUnpadded::decode_vec(text.trim());
    let all = all.map_err(|_| Error::Malformed("its header is not base64url"))?;
    let (head, len) = Head::from_bytes(&all)?.ok_or(Error::CutOff)?;
    let mut opener = opener(&head, &all[..len])?;
    opener.take(&all[len..]);
    let only = opener.next()?.ok_or(Error::CutOff)?;
    if !opener.ended() || opener.next()?.is_some() || !only.is_empty() {
        return Err(Error::Malformed("its header holds more than a head"));
    }
    Ok((head, all[..len].to_vec()))
}

/// Such a message, for a header.
pub(super) fn seal_empty(mut sealer: Sealer, head: &[u8]) -> Result<HeaderValue, Error> {
    let all = [head, &sealer.seal(b"", true)?].concat();
    let value = HeaderValue::from_str(&Base64UrlUnpadded::encode_string(&all));
    value.map_err(|_| Error::Malformed("base64url is text"))
}

/// The next data; not trailers.
async fn next<B: Body<Data = Bytes, Error: Into<BoxError>>>(
    body: &mut Pin<Box<B>>,
) -> Result<Option<Bytes>, BoxError> {
    loop {
        let frame = poll_fn(|context| body.as_mut().poll_frame(context)).await;
        match frame.transpose().map_err(Into::into)? {
            None => return Ok(None),
            Some(frame) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
