//! gRPC: messages behind their lengths, and metadata.

mod metadata;

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};

use super::decode::{Decoder, Encoding};
use crate::{
    Descriptors, Error, Policy,
    proto::{self, Names},
};

/// What knows the messages of services.
#[derive(Clone, Debug)]
pub(super) struct Grpc {
    pub(super) descriptors: Arc<Descriptors>,
    /// The longest message, in bytes.
    pub(super) most: usize,
}

/// How gRPC compresses what it marks as compressed; `None` if that is not known here.
pub(super) fn encoding(head: &HeaderMap) -> Option<Encoding> {
    Encoding::named(head.get_all("grpc-encoding"))
}

/// Whether it is a body of gRPC with messages of protobuf.
pub(super) fn is_known(essence: &str) -> bool {
    matches!(essence, "application/grpc" | "application/grpc+proto")
}

/// Whether it is of gRPC in any form, or its head has an error of it.
pub(super) fn is_any(head: &HeaderMap, essence: &str) -> bool {
    essence.starts_with("application/grpc") || head.contains_key("grpc-status")
}

impl Grpc {
    /// Masks the metadata of a head, whose messages go on uncompressed.
    pub(super) fn head(&self, head: &mut HeaderMap, policy: &Policy) -> Result<(), Error> {
        head.remove(header::CONTENT_LENGTH);
        head.remove("grpc-encoding");
        metadata::mask(head, policy, &self.descriptors)
    }
}

/// Bodies that are masked message by message.
pub(super) struct Messages {
    grpc: Grpc,
    policy: Arc<Policy>,
    names: Names,
    /// The type of the messages; `None` if the method is not known.
    message: Option<usize>,
    encoding: Encoding,
    held: Vec<u8>,
    offset: u64,
    failed: bool,
    /// Whether an error is said in the trailers, as a service does.
    pub(super) answers: bool,
}

/// In front of each message: whether it is compressed, and its length.
const PREFIX: usize = 5;

impl Messages {
    pub(super) fn new(
        grpc: Grpc,
        policy: Arc<Policy>,
        message: Option<usize>,
        encoding: Encoding,
        answers: bool,
    ) -> Self {
        let (names, held) = (Names::new(), Vec::new());
        Self { grpc, policy, names, message, encoding, held, offset: 0, failed: false, answers }
    }

    pub(super) fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(Error::Closed);
        }
        self.held.extend_from_slice(piece);
        let held = std::mem::take(&mut self.held);
        let mut rest = &held[..];
        while let Some((prefix, behind)) = rest.split_first_chunk::<PREFIX>() {
            let [compressed, len @ ..] = *prefix;
            let len = usize::try_from(u32::from_be_bytes(len)).unwrap_or(usize::MAX);
            if len > self.grpc.most {
                return Err(self.too_long());
            }
            let Some((message, behind)) = behind.split_at_checked(len) else { break };
            self.message(compressed, message, out)?;
            self.offset += (PREFIX + len) as u64;
            rest = behind;
        }
        let taken = held.len() - rest.len();
        self.held = held;
        self.held.drain(..taken);
        // Whatever ended it, also a panic, it stays closed.
        self.failed = false;
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(Error::Closed);
        }
        if self.held.is_empty() { Ok(()) } else { Err(self.malformed("it ends too early")) }
    }

    pub(super) fn trailers(&self, mut trailers: HeaderMap) -> Result<HeaderMap, Error> {
        metadata::mask(&mut trailers, &self.policy, &self.grpc.descriptors)?;
        Ok(trailers)
    }

    fn message(&mut self, compressed: u8, message: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let Some(of) = self.message else {
            return Err(self.malformed("a message of a method that the descriptors do not know"));
        };
        let (policy, descriptors) = (&self.policy, &self.grpc.descriptors);
        let masked = match compressed {
            0 => proto::masked(policy, descriptors, &mut self.names, of, message),
            1 => {
                let plain = self.decompressed(message)?;
                proto::masked(policy, descriptors, &mut self.names, of, &plain)
            }
            _ => Err(self.malformed("no message of gRPC")),
        };
        let masked = masked.map_err(|error| self.placed(error))?;
        let len = u32::try_from(masked.len()).map_err(|_| self.too_long())?;
        out.push(0);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(&masked);
        Ok(())
    }

    fn decompressed(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        if self.encoding == Encoding::Identity {
            return Err(self.malformed("a compressed message, and the head does not say how"));
        }
        let damaged = |_| self.malformed("a message that cannot be decompressed");
        let (mut decoder, mut plain) = (Decoder::new(self.encoding), Vec::new());
        for piece in message.chunks(decoder.most()) {
            plain.extend_from_slice(&decoder.decode(piece).map_err(damaged)?);
            if plain.len() > self.grpc.most {
                return Err(self.too_long());
            }
        }
        plain.extend_from_slice(&decoder.finish().map_err(damaged)?);
        if plain.len() > self.grpc.most { Err(self.too_long()) } else { Ok(plain) }
    }

    fn malformed(&self, reason: &'static str) -> Error {
        Error::Malformed { offset: self.offset, reason }
    }

    fn too_long(&self) -> Error {
        Error::Limit { offset: self.offset, reason: "a longer message" }
    }

    /// Within the body.
    fn placed(&self, error: Error) -> Error {
        let before = self.offset + PREFIX as u64;
        match error {
            Error::Malformed { offset, reason } => {
                Error::Malformed { offset: before + offset, reason }
            }
            Error::Limit { offset, reason } => Error::Limit { offset: before + offset, reason },
            error => error,
        }
    }
}

/// What a body ends with that cannot be masked: INTERNAL, which is 13.
pub(super) fn internal() -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("13"));
    let reason = HeaderValue::from_static("the response cannot be masked");
    trailers.insert("grpc-message", reason);
    trailers
}
