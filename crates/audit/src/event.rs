//! What happened: the event that a service tells, and its form on disk.

pub(crate) mod attribute;
mod personal;
mod trace;

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use uuid::Uuid;

pub use attribute::Attribute;
pub use personal::{Personal, Sealed};
pub use trace::TraceParent;

use crate::Error;

/// Longest record, in bytes without the end of its line: what C2SP's entry bundles take.
pub const MAX_RECORD: usize = 65_535;

/// What only the log itself records begins so.
pub(crate) const RESERVED: &str = "gmkit.audit.";

/// Who did what, to what, when, and how it ended (GB/T 22239-2019, 8.1.4.3 b).
///
/// Its form on disk is one line of JSON, version 1 of the schema in the book. Everything is text that a
/// person reads; what is too long for a record goes in by its [`Attribute::digest`].
///
/// ```
/// use gmkit_audit::{Attribute, Event, Outcome};
///
/// let event = Event::new("transfer.create", Outcome::allowed())
///     .by("alice", Some("teller"), Some([192, 0, 2, 7].into()))
///     .on("account/42")
///     .with("amount", 100);
/// let line = String::from_utf8(event.to_line()?)?;
/// assert!(line.contains(r#""op_type":"transfer.create""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Event {
    #[serde(default)]
    v: Version,
    /// Its own number (UUID of version 7), by which a copy that comes twice is known.
    #[serde(default = "Uuid::now_v7", deserialize_with = "version_7")]
    pub event_id: Uuid,
    /// When: UTC, in nanoseconds.
    #[serde(default = "OffsetDateTime::now_utc", with = "utc")]
    pub time: OffsetDateTime,
    /// Who.
    #[serde(default, skip_serializing_if = "Actor::is_nobody")]
    pub actor: Actor,
    /// What: a name of the service's own, as `transfer.create`. Names that begin with `gmkit.audit.` are the
    /// log's.
    pub op_type: String,
    /// To what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// How it ended.
    pub result: Outcome,
    /// Which service says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The request that it was part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceParent>,
    /// Why it was allowed or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorisation: Option<Authorisation>,
    /// What else is to be known, in alphabetical order.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "attribute::each_once"
    )]
    pub attributes: BTreeMap<String, Attribute>,
    /// What is about persons, where it was sealed: see [`crate::Subjects`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub personal: Vec<Personal>,
}

impl Event {
    /// An event of now, with a number of its own.
    #[must_use]
    pub fn new(op_type: impl Into<String>, result: Outcome) -> Self {
        Self {
            v: Version,
            event_id: Uuid::now_v7(),
            time: OffsetDateTime::now_utc(),
            actor: Actor::default(),
            op_type: op_type.into(),
            resource: None,
            result,
            service: None,
            trace: None,
            authorisation: None,
            attributes: BTreeMap::new(),
            personal: Vec::new(),
        }
    }

    /// Says who it was, in which role, and from where.
    #[must_use]
    pub fn by(mut self, user: impl Into<String>, role: Option<&str>, ip: Option<IpAddr>) -> Self {
        self.actor = Actor { user: Some(user.into()), role: role.map(str::to_owned), ip };
        self
    }

    /// Says what it was done to.
    #[must_use]
    pub fn on(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Attribute>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// Reads an event: a record, or what is to become one, whose version, number and time may be missing. A
    /// number is made and the time is now then.
    ///
    /// # Errors
    /// [`Error::Event`]: not JSON, a member that is missing, unknown or there twice, a value of another kind.
    pub fn from_json(line: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(line)
            .map_err(|error| Error::Event { reason: without_values(&error) })
    }

    /// The record: one line of JSON, without its end.
    ///
    /// # Errors
    /// [`Error::Event`]: longer than [`MAX_RECORD`], without a name for what was done or with one of the log's
    /// own, with a number that is none, or a time that RFC 3339 cannot tell.
    pub fn to_line(&self) -> Result<Vec<u8>, Error> {
        let fault = |reason: &str| Err(Error::Event { reason: reason.to_owned() });
        if self.op_type.is_empty() {
            return fault("op_type is empty");
        }
        if self.op_type.starts_with(RESERVED) {
            return fault("op_type is one of the log's own");
        }
        if !self.attributes.values().all(Attribute::reads_back) {
            return fault("an attribute is a number that JSON has not got, or no digest");
        }
        if self.event_id.get_version_num() != 7 {
            return fault("event_id is no UUID of version 7");
        }
        let line = self.encode()?;
        match line.len() <= MAX_RECORD {
            true => Ok(line),
            false => fault("longer than 65,535 bytes: long bodies go in by their digest"),
        }
    }

    /// What the log itself has to say, too.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|error| Error::Event { reason: error.to_string() })
    }
}

/// What is wrong with an event, without what stands in it: that may be about a person, and errors end up
/// where nobody erases them.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let names_a_value =
        ["invalid ", "unknown variant "].iter().any(|start| text.starts_with(start));
    match text.rsplit_once(", expected ") {
        Some((_, expected)) if names_a_value => {
            format!("another kind of value, expected {expected}")
        }
        _ => text,
    }
}

/// Who did something, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The name or number of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// In which role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
}

impl Actor {
    fn is_nobody(&self) -> bool {
        *self == Self::default()
    }
}

/// How something ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// In one word.
    pub outcome: Verdict,
    /// The service's own code, as `403`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl Outcome {
    /// It was done.
    #[must_use]
    pub fn allowed() -> Self {
        Self { outcome: Verdict::Allowed, code: None }
    }

    /// It was refused.
    #[must_use]
    pub fn denied() -> Self {
        Self { outcome: Verdict::Denied, code: None }
    }

    /// It was allowed and did not work.
    #[must_use]
    pub fn failed() -> Self {
        Self { outcome: Verdict::Failed, code: None }
    }

    /// By its name: `allowed`, `denied` or `failed`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::allowed(), Self::denied(), Self::failed()];
        all.into_iter().find(|one| one.outcome.as_str() == name)
    }

    /// Adds the service's own code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
}

/// How something ended, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It was done.
    Allowed,
    /// It was refused.
    Denied,
    /// It was allowed and did not work.
    Failed,
}

impl Verdict {
    /// As it stands in a record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// Why something was allowed or not: what a policy engine has answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorisation {
    /// Who was asked about. There is none in a record where that is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The policy that decided.
    pub policy: String,
    /// Its rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// What it said.
    pub effect: Effect,
    /// Whether the answer was remembered from before.
    #[serde(default)]
    pub cache_hit: bool,
}

/// What a policy said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Yes.
    Permit,
    /// No.
    Deny,
}

/// Times in UTC, whatever they come in.
mod utc {
    use serde::{Deserializer, Serializer, de::Error as _, ser::Error as _};
    use time::{OffsetDateTime, UtcOffset, serde::rfc3339};

    pub(super) fn serialize<S: Serializer>(
        time: &OffsetDateTime,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        // At the ends of time there may be none in UTC.
        let time = time.checked_to_offset(UtcOffset::UTC);
        rfc3339::serialize(&time.ok_or(S::Error::custom("a time beyond all years"))?, serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<OffsetDateTime, D::Error> {
        let time = rfc3339::deserialize(deserializer)?.checked_to_offset(UtcOffset::UTC);
        time.ok_or(D::Error::custom("a time beyond all years"))
    }
}

fn version_7<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    let id = Uuid::deserialize(deserializer)?;
    match id.get_version_num() {
        7 => Ok(id),
        other => Err(de::Error::custom(format_args!("event_id is a UUID of version {other}"))),
    }
}

/// The version of the schema, 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(1)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            1 => Ok(Self),
            other => Err(de::Error::custom(format_args!("version {other} of the schema"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_do_not_say_what_stands_in_an_event() {
        for (event, said) in [
            (r#"{"op_type":"a","result":{"outcome":"SECRET"}}"#, "expected "),
            (r#"{"op_type":"a","result":"SECRET"}"#, "expected "),
            (
                r#"{"op_type":"a","result":{"outcome":"denied"},"attributes":"SECRET, expected x"}"#,
                "expected ",
            ),
            (
                r#"{"op_type":"a","result":{"outcome":"denied"},"actor":{"ip":"SECRET"}}"#,
                "IP address",
            ),
            (r#"{"op_type":"a","result":{"outcome":"denied"},"time":"SECRET"}"#, ""),
            (r#"{"op_type":"a","result":{"outcome":"denied"},"event_id":"SECRET"}"#, ""),
            (r#"{"op_type":"a","result":{"outcome":"denied"},"trace":"SECRET"}"#, ""),
            (r#"{"op_type":"a"}"#, "missing field `result`"),
        ] {
            let error = Event::from_json(event.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains("SECRET"), "{error}");
        }
    }

    #[test]
    fn a_record_reads_back() {
        let mut event = Event::new("a.b", Outcome::failed().code("500"))
            .by("李雷", Some("admin"), Some("2001:db8::1".parse().unwrap()))
            .on("file\nwith a line break")
            .with("count", 7)
            .with("ratio", 0.5)
            .with("flag", true)
            .with("text", "\"op_type\":\"gmkit.audit.gap\"")
            .with("body", Attribute::digest(b"long"));
        event.service = Some("demo".into());
        event.trace =
            Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap());
        event.authorisation = Some(Authorisation {
            principal: Some("user:李雷".into()),
            policy: "files".into(),
            rule_id: Some("r7".into()),
            effect: Effect::Permit,
            cache_hit: true,
        });
        let line = event.to_line().unwrap();
        assert!(line.starts_with(br#"{"v":1,"event_id":""#) && !line.contains(&b'\n'));
        assert_eq!(Event::from_json(&line).unwrap(), event);
        assert_eq!(event.event_id.get_version_num(), 7);
    }

    #[test]
    fn what_is_missing_is_made() {
        let line = br#"{"op_type":"login","result":{"outcome":"denied"}}"#;
        let (one, other) = (Event::from_json(line).unwrap(), Event::from_json(line).unwrap());
        assert!(one.event_id < other.event_id && one.time <= other.time);
    }

    #[test]
    fn times_are_in_utc() {
        let line =
            br#"{"op_type":"x","result":{"outcome":"denied"},"time":"2026-11-23T08:00:00+08:00"}"#;
        let line = Event::from_json(line).unwrap().to_line().unwrap();
        assert!(String::from_utf8(line).unwrap().contains(r#""time":"2026-11-23T00:00:00Z""#));
    }

    #[test]
    fn bad_events_are_refused() {
        for line in [
            "",
            "[]",
            r#"{"op_type":"x"}"#,
            r#"{"op_type":"x","result":{"outcome":"maybe"}}"#,
            r#"{"op_type":"x","op_type":"y","result":{"outcome":"denied"}}"#,
            r#"{"v":2,"op_type":"x","result":{"outcome":"denied"}}"#,
            r#"{"op_type":"x","result":{"outcome":"denied"},"extra":1}"#,
            r#"{"op_type":"x","result":{"outcome":"denied"},"time":"yesterday"}"#,
            r#"{"op_type":"x","result":{"outcome":"denied"},"time":"9999-12-31T23:59:59-23:59"}"#,
            r#"{"op_type":"x","result":{"outcome":"denied"},"trace":"00-00-00-00"}"#,
            r#"{"op_type":"x","result":{"outcome":"denied"},"attributes":{"a":[1]}}"#,
            r#"{"op_type":"x","result":{"outcome":"denied"},"attributes":{"a":1,"a":2}}"#,
            r#"{"op_type":"x","result":{"outcome":"denied"},"attributes":{"a":9223372036854775808}}"#,
            r#"{"op_type":"x","result":{"outcome":"denied"},"attributes":{"a":1e999}}"#,
            r#"{"op_type":"x","result":{"outcome":"denied"},"attributes":{"a":{"sm3":"00","bytes":1}}}"#,
            r#"{"op_type":"x","result":{"outcome":"denied"},"event_id":"67e55044-10b1-426f-9247-bb680e5fe0c8"}"#,
            r#"{"op_type":"x","result":{"outcome":"denied"},"personal":[{"subject":"67e55044-10b1-426f-9247-bb680e5fe0c8","sealed":"AAAA"}]}"#,
            r#"{"op_type":"x","result":{"outcome":"denied"},"personal":[{"subject":"alice","sealed":""}]}"#,
            r#"{"op_type":"x","result":{"outcome":"denied"}} {}"#,
        ] {
            assert!(Event::from_json(line.as_bytes()).is_err(), "{line}");
        }
        assert!(Event::new("", Outcome::allowed()).to_line().is_err());
        assert!(Event::new("gmkit.audit.gap", Outcome::allowed()).to_line().is_err());
        let number = |n| Event::new("x", Outcome::allowed()).with("a", Attribute::Number(n));
        assert!(number(f64::NAN).to_line().is_err() && number(0.5).to_line().is_ok());
        let mut event = Event::new("x", Outcome::allowed());
        event.time = event.time.replace_year(-1).unwrap();
        assert!(event.to_line().is_err());
        let long = |n| Event::new("x", Outcome::allowed()).with("a", "b".repeat(n)).to_line();
        let overhead = long(0).unwrap().len();
        // The time of another event may be shorter: zeros at its end are left out.
        assert!(long(MAX_RECORD - overhead - 10).is_ok());
        assert!(long(MAX_RECORD).is_err());
    }
}
