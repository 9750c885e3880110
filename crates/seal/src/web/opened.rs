//! The beginning of a sealed body, before anybody gets any of it.

use std::{future::poll_fn, pin::Pin};

use bytes::{Bytes, BytesMut};
use http_body::Body;

use super::{BoxError, SealBody};
use crate::{
    Error,
    frame::Opener,
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
    opener.take(&held);
    let first = loop {
        if let Some(first) = opener.next()? {
            break first;
        }
        opener.take(&next(&mut body).await?.ok_or(Error::CutOff)?);
    };
    Ok(Opened { head, bytes, body: SealBody::opening(body, opener, first) })
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
