//! What messages are called: the OIDs of RFC 5652 and those of GB/T 35275 (GM/T 0010).

use std::fmt;

use der::{Decode, Encode, asn1::ObjectIdentifier};

use super::source::fault;
use crate::{Error, parts, strict::Fault};

/// Which family of content types a message uses. The grammar is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// 1.2.840.113549.1.7.x: what OpenSSL, Tongsuo and Java read.
    #[default]
    Rfc5652,
    /// 1.2.156.10197.6.1.4.2.x, of GB/T 35275 (GM/T 0010): what GmSSL, gmsm and CFCA read.
    Gmt0010,
}

/// What is in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Signed.
    SignedData,
    /// Encrypted, and not protected against changes.
    EnvelopedData,
    /// Encrypted and protected (RFC 5083).
    AuthEnvelopedData,
    /// Signed, then encrypted, in one structure (PKCS#7 1.5, GB/T 35275).
    SignedAndEnvelopedData,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignedData => "SignedData",
            Self::EnvelopedData => "EnvelopedData",
            Self::AuthEnvelopedData => "AuthEnvelopedData",
            Self::SignedAndEnvelopedData => "SignedAndEnvelopedData",
        })
    }
}

const RFC_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const GM_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.6.1.4.2.1");

/// RFC 5083 has no twin in GB/T 35275.
const AUTH_ENVELOPED: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.23");

const KINDS: [(ObjectIdentifier, Dialect, Kind); 7] = [
    (oid("1.2.840.113549.1.7.2"), Dialect::Rfc5652, Kind::SignedData),
    (oid("1.2.840.113549.1.7.3"), Dialect::Rfc5652, Kind::EnvelopedData),
    (oid("1.2.840.113549.1.7.4"), Dialect::Rfc5652, Kind::SignedAndEnvelopedData),
    (AUTH_ENVELOPED, Dialect::Rfc5652, Kind::AuthEnvelopedData),
    (oid("1.2.156.10197.6.1.4.2.2"), Dialect::Gmt0010, Kind::SignedData),
    (oid("1.2.156.10197.6.1.4.2.3"), Dialect::Gmt0010, Kind::EnvelopedData),
    (oid("1.2.156.10197.6.1.4.2.4"), Dialect::Gmt0010, Kind::SignedAndEnvelopedData),
];

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

impl Dialect {
    /// The type of content that is only bytes.
    pub(super) const fn data(self) -> ObjectIdentifier {
        match self {
            Self::Rfc5652 => RFC_DATA,
            Self::Gmt0010 => GM_DATA,
        }
    }

    /// The OID of a kind of message. AuthEnvelopedData has one in RFC 5083 only.
    pub(super) fn oid(self, kind: Kind) -> Vec<u8> {
        let named = |dialect| {
            KINDS.iter().find(|known| (known.1, known.2) == (dialect, kind)).map(|known| known.0)
        };
        let oid = named(self).or_else(|| named(Self::Rfc5652)).expect("every kind has an OID");
        oid.to_der().expect("an OID encodes")
    }
}

/// Which kind of message an OID stands for.
pub(super) fn of_message(oid: &[u8]) -> Result<(Dialect, Kind), Error> {
    let oid = read_oid(oid).map_err(fault)?;
    let known = KINDS.iter().find(|known| known.0 == oid);
    known.map(|known| (known.1, known.2)).ok_or(fault("a kind of message that is not read"))
}

pub(super) fn is_data(oid: ObjectIdentifier) -> bool {
    oid == RFC_DATA || oid == GM_DATA
}

pub(super) fn read_oid(der: &[u8]) -> Result<ObjectIdentifier, Fault> {
    ObjectIdentifier::from_der(der).map_err(|_| "not an object identifier")
}

/// The OID of an AlgorithmIdentifier, and its parameters, with NULL and none being the same.
pub(crate) fn algorithm(der: &[u8]) -> Result<(ObjectIdentifier, Option<&[u8]>), Fault> {
    match *parts::members(der)? {
        [oid] | [oid, [5, 0]] => Ok((read_oid(oid)?, None)),
        [oid, parameters] => Ok((read_oid(oid)?, Some(parameters))),
        _ => Err("not an algorithm identifier"),
    }
}

/// An AlgorithmIdentifier without parameters, or with these.
pub(super) fn write_algorithm(oid: ObjectIdentifier, parameters: &[u8]) -> Vec<u8> {
    parts::sequence(&[&oid.to_der().expect("an OID encodes"), parameters])
}
