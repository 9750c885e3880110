//! Compressed bodies, read as they stream by.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use flate2::write::{MultiGzDecoder, ZlibDecoder};
use http::{
    HeaderMap, HeaderValue,
    header::{self, GetAll},
};

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Deflate,
}

impl Encoding {
    /// As a head says; `None` if that is not known here.
    pub(super) fn of(head: &HeaderMap) -> Option<Self> {
        Self::named(head.get_all(header::CONTENT_ENCODING))
    }

    /// As the values of a header say.
    pub(super) fn named(values: GetAll<'_, HeaderValue>) -> Option<Self> {
        let mut values = values.iter();
        let Some(value) = values.next() else { return Some(Self::Identity) };
        if values.next().is_some() {
            return None;
        }
        match &*value.to_str().ok()?.trim().to_ascii_lowercase() {
            "identity" | "" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            _ => None,
        }
    }
}

/// Undoes it.
pub(super) enum Decoder {
    Identity,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Deflate(Box<ZlibDecoder<Vec<u8>>>),
}

impl Decoder {
    pub(super) fn new(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Identity => Self::Identity,
            Encoding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            Encoding::Deflate => Self::Deflate(Box::new(ZlibDecoder::new(Vec::new()))),
        }
    }

    /// How many bytes are taken at once: a thousand times as many may come out of them.
    pub(super) fn most(&self) -> usize {
        if matches!(self, Self::Identity) { 64 << 10 } else { 512 }
    }

    /// What a piece becomes.
    pub(super) fn decode<'t>(&mut self, piece: &'t [u8]) -> io::Result<Cow<'t, [u8]>> {
        Ok(match self {
            Self::Identity => Cow::Borrowed(piece),
            Self::Gzip(gzip) => {
                gzip.write_all(piece)?;
                gzip.flush()?;
                Cow::Owned(std::mem::take(gzip.get_mut()))
            }
            Self::Deflate(deflate) => {
                deflate.write_all(piece)?;
                deflate.flush()?;
                Cow::Owned(std::mem::take(deflate.get_mut()))
            }
        })
    }

    /// What is left at the end, which must be one.
    pub(super) fn finish(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(Vec::new()),
            Self::Gzip(gzip) => {
                gzip.try_finish()?;
                Ok(std::mem::take(gzip.get_mut()))
            }
            Self::Deflate(deflate) => {
                deflate.try_finish()?;
                Ok(std::mem::take(deflate.get_mut()))
            }
        }
    }
}
