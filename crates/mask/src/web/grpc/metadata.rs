//! Metadata: headers and trailers.

use std::sync::Arc;

use base64ct::{Base64, Base64Unpadded, Encoding};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};

use crate::{
    Action, Descriptors, Error, Policy,
    json::{Down, Name, Places, Raw, Rewriter},
    policy::fold_name,
    proto::{self, Names},
};

/// Without which the protocol does not work: nothing is done with it.
const OF_THE_PROTOCOL: [&str; 15] = [
    "connection",
    "content-encoding",
    "content-type",
    "grpc-accept-encoding",
    "grpc-encoding",
    "grpc-message-type",
    "grpc-previous-rpc-attempts",
    "grpc-retry-pushback-ms",
    "grpc-status",
    "grpc-timeout",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
];

/// What says who calls, and from where: it goes where there is a rule for it, and nothing is looked for in it.
const OF_THE_CALLER: [&str; 11] = [
    "accept",
    "accept-encoding",
    "authorization",
    "cookie",
    "date",
    "proxy-authorization",
    "server",
    "traceparent",
    "tracestate",
    "user-agent",
    "via",
];

const MESSAGE: &str = "grpc-message";
const DETAILS: &str = "grpc-status-details-bin";

/// What is not written as it is in `grpc-message`.
const NOT_PLAIN: AsciiSet = CONTROLS.add(b'%');

/// Masks what a service says beside its messages. Binary metadata keeps its bytes, but for the details of an error,
/// which are a message, and what a rule is for, which goes.
pub(super) fn mask(
    head: &mut HeaderMap,
    policy: &Policy,
    descriptors: &Descriptors,
) -> Result<(), Error> {
    let names: Vec<HeaderName> = head.keys().cloned().collect();
    for name in names {
        if OF_THE_PROTOCOL.contains(&name.as_str()) {
            continue;
        }
        let values: Vec<HeaderValue> = head.get_all(&name).iter().cloned().collect();
        let one = One { policy, descriptors, name: name.as_str() };
        let masked: Vec<Option<HeaderValue>> =
            values.iter().map(|value| one.masked(value)).collect::<Result<_, _>>()?;
        if masked.iter().zip(&values).all(|(masked, value)| masked.as_ref() == Some(value)) {
            continue;
        }
        head.remove(&name);
        for value in masked.into_iter().flatten() {
            head.append(&name, value);
        }
    }
    Ok(())
}

/// The values of one name.
struct One<'t> {
    policy: &'t Policy,
    descriptors: &'t Descriptors,
    name: &'t str,
}

impl One<'_> {
    /// `None` if nothing is left of a value.
    fn masked(&self, value: &HeaderValue) -> Result<Option<HeaderValue>, Error> {
        let rule = self.rule();
        let action = rule.map(|rule| &self.policy.rules[rule].action);
        match (self.name, action) {
            (_, Some(Action::Opaque)) => return Ok(Some(value.clone())),
            (DETAILS, None) => return self.details(value),
            (name, None) if name.ends_with("-bin") => return Ok(Some(value.clone())),
            (name, Some(_)) if name.ends_with("-bin") => return Ok(None),
            (name, None) if OF_THE_CALLER.contains(&name) => return Ok(Some(value.clone())),
            _ => {}
        }
        // What is no text is no metadata, and nobody can look into it.
        let Ok(text) = std::str::from_utf8(value.as_bytes()) else { return Ok(None) };
        if text.len() > self.policy.limits.max_inspect {
            return Err(Error::Limit { offset: 0, reason: "longer metadata" });
        }
        let name = Arc::new(Name::new(Raw::plain(self.name), self.policy.finder.as_ref()));
        if !name.is_clean() {
            return Ok(None);
        }
        let rewriter = Rewriter::new(self.policy);
        if self.name == MESSAGE {
            let Ok(text) = percent_decode(text.as_bytes()).decode_utf8() else { return Ok(None) };
            let masked = rewriter.text(&name, &text, rule)?;
            return Ok(match masked {
                None => Some(value.clone()),
                Some(masked) => {
                    HeaderValue::from_str(&utf8_percent_encode(&masked, &NOT_PLAIN).to_string())
                        .ok()
                }
            });
        }
        Ok(match rewriter.text(&name, text, rule)? {
            None => Some(value.clone()),
            Some(masked) if masked.is_empty() => None,
            Some(masked) => HeaderValue::from_str(&masked).ok(),
        })
    }

    /// The first rule for `metadata.NAME`.
    fn rule(&self) -> Option<usize> {
        let rules = &self.policy.rules;
        let (mut places, mut folded) = (Places::default(), String::new());
        fold_name(self.name, &mut folded);
        places.down(rules, None);
        let outer = places.found(rules, Down::Member("metadata"));
        places.down(rules, Some(Down::Member("metadata")));
        let own = places.found(rules, Down::Member(&folded));
        [outer, own].into_iter().flatten().min()
    }

    /// A `google.rpc.Status`. One that cannot be looked into goes: code and message stand beside it.
    fn details(&self, value: &HeaderValue) -> Result<Option<HeaderValue>, Error> {
        let encoded = value.as_bytes();
        let padded = encoded.ends_with(b"=");
        let text = std::str::from_utf8(encoded).unwrap_or("?");
        let decoded =
            if padded { Base64::decode_vec(text) } else { Base64Unpadded::decode_vec(text) };
        let (Ok(decoded), Some(status)) = (decoded, self.descriptors.find("google.rpc.Status"))
        else {
            return Ok(None);
        };
        let mut names = Names::new();
        let masked = proto::masked(self.policy, self.descriptors, &mut names, status, &decoded);
        Ok(match masked {
            Ok(masked) if masked == decoded => Some(value.clone()),
            Ok(masked) => HeaderValue::from_str(&Base64Unpadded::encode_string(&masked)).ok(),
            Err(Error::Malformed { .. } | Error::Limit { .. }) => None,
            Err(error) => return Err(error),
        })
    }
}
