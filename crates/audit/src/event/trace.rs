//! W3C Trace Context.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Error;

/// The header `traceparent` of version 00: `00-<trace id>-<parent id>-<flags>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceParent(String);

impl TraceParent {
    /// As it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The trace's ID, the span's, and the flags.
    #[cfg(feature = "otlp")]
    pub(crate) fn ids(&self) -> (Vec<u8>, Vec<u8>, u32) {
        let parts: Vec<_> = self.0.split('-').collect();
        let bytes = |part: usize| parts.get(part).and_then(|hex| hex::decode(hex).ok());
        let flags = bytes(3).and_then(|flags| flags.first().copied()).unwrap_or_default();
        (bytes(1).unwrap_or_default(), bytes(2).unwrap_or_default(), flags.into())
    }
}

impl TryFrom<String> for TraceParent {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        let parts: Vec<_> = text.split('-').collect();
        let hex = |part: &str, len: usize| {
            part.len() == len
                && part.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
        };
        let id = |part: &str, len| hex(part, len) && part.bytes().any(|byte| byte != b'0');
        match *parts {
            ["00", trace, parent, flags] if id(trace, 32) && id(parent, 16) && hex(flags, 2) => {
                Ok(Self(text))
            }
            _ => Err(Error::Event { reason: "trace is no traceparent of version 00".to_owned() }),
        }
    }
}

impl FromStr for TraceParent {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.to_owned().try_into()
    }
}

impl From<TraceParent> for String {
    fn from(trace: TraceParent) -> Self {
        trace.0
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
