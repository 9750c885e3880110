//! What heads say of their bodies.

use http::{HeaderMap, HeaderName, header};

use super::grpc;
use super::{Settings, decode::Encoding};
use crate::{Format, Policy, body::is_media_type};

/// What is true of a body only as long as nobody changes it.
const OF_THE_BODY: [HeaderName; 5] = [
    header::CONTENT_LENGTH,
    header::ETAG,
    header::ACCEPT_RANGES,
    header::CONTENT_ENCODING,
    header::TRAILER,
];
const DIGESTS: [&str; 4] = ["digest", "content-digest", "repr-digest", "content-md5"];

/// What is done with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Pass,
    Mask(Format, Encoding),
    /// Messages of gRPC.
    Messages(Encoding),
    /// It cannot be masked, for this reason.
    Refuse(&'static str),
    /// Not even its head, for this reason.
    RefuseAll(&'static str),
}

impl Plan {
    /// For a body with this head.
    pub(super) fn new(head: &HeaderMap, policy: &Policy, settings: &Settings) -> Self {
        if head.get_all(header::CONTENT_TYPE).iter().count() > 1 {
            return Self::Refuse("it has more than one media type");
        }
        let text = |name| head.get(name).map(|value| value.to_str().unwrap_or_default());
        let media_type = text(header::CONTENT_TYPE).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let passes = |own: &String| match own.strip_suffix('*') {
            Some(begin) => essence.starts_with(begin),
            None => essence == *own,
        };
        if is_media_type(&essence) && settings.passing.iter().any(passes) {
            return Self::Pass;
        }
        if grpc::is_any(head, &essence) {
            return match grpc::encoding(head).filter(|_| grpc::is_known(&essence)) {
                Some(encoding) if settings.grpc.is_some() => Self::Messages(encoding),
                Some(_) => Self::RefuseAll("there are no descriptors of its messages"),
                None => Self::RefuseAll("it is of gRPC in a form that is not known here"),
            };
        }
        let Some(format) = Format::of_media_type(media_type) else {
            return Self::Refuse("its media type is none that can be masked");
        };
        if format == Format::Text && !policy.has_detectors() {
            return Self::Refuse("it is a text, for which the policy has no detectors");
        }
        if head.contains_key(header::CONTENT_RANGE) {
            return Self::Refuse("it is a part of a body");
        }
        match Encoding::of(head) {
            Some(encoding) => Self::Mask(format, encoding),
            None => Self::Refuse("it is compressed in a way that is not known here"),
        }
    }
}

/// Takes out what is not true of a body that was masked.
pub(super) fn clean(head: &mut HeaderMap) {
    for name in OF_THE_BODY {
        head.remove(name);
    }
    for name in DIGESTS {
        head.remove(name);
    }
}
