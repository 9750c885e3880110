//! What a signer signs together with the hash of the content (RFC 5652, 11; RFC 5035).

use std::time::Duration;

use der::{
    Decode, Encode, Tag,
    asn1::{GeneralizedTime, ObjectIdentifier, UtcTime},
};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{frame, kind, source::SET};
use crate::{
    Certificate, parts,
    strict::{self, Fault},
};

const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
const SIGNING_CERTIFICATE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

/// Attributes with one value.
const SINGLE: [ObjectIdentifier; 5] =
    [CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME, SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2];

pub(super) const SM3: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.401");
pub(super) const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");

/// The first second of 2050, from which on UTCTime does not do (RFC 5652, 11.3).
const YEAR_2050: u64 = 2_524_608_000;

/// Signed attributes that have what they must have.
#[derive(Clone)]
pub(super) struct SignedAttributes {
    /// What is signed: the SET OF as it came, under its own tag.
    pub(super) der: Vec<u8>,
    pub(super) content_type: ObjectIdentifier,
    pub(super) message_digest: Vec<u8>,
    /// What the signer says the time was.
    pub(super) signing_time: Option<i64>,
    pub(super) certificates: Vec<CertificateHash>,
}

/// Which certificate the signer says is meant.
#[derive(Clone)]
pub(super) struct CertificateHash {
    algorithm: Option<ObjectIdentifier>,
    hash: Vec<u8>,
}

impl CertificateHash {
    pub(super) fn matches(&self, certificate: &Certificate) -> bool {
        let der = certificate.as_der();
        match self.algorithm {
            // The first version of the attribute has SHA-1. It is not what the signature rests on.
            None => self.hash == Sha1::digest(der).as_slice(),
            Some(SHA256) => self.hash == Sha256::digest(der).as_slice(),
            Some(SM3) => self.hash == gmkit_sm3::digest(&[der]),
            Some(_) => false,
        }
    }
}

/// An attribute's type and values.
pub(super) fn attribute(der: &[u8]) -> Result<(ObjectIdentifier, Vec<&[u8]>), Fault> {
    strict::check(der)?;
    match *parts::members(der)? {
        [oid, values @ [SET, ..]] => {
            Ok((kind::read_oid(oid)?, parts::members_within(parts::content(values)?)?))
        }
        _ => Err("not an attribute"),
    }
}

impl SignedAttributes {
    /// Reads `[0]` of a SignerInfo.
    pub(super) fn read(implicit: &[u8]) -> Result<Self, Fault> {
        let content = parts::content(implicit)?;
        let (mut seen, mut content_type, mut message_digest) = (Vec::new(), None, None);
        let (mut signing_time, mut certificates) = (None, Vec::new());
        for der in parts::members_within(content)? {
            let (oid, values) = attribute(der)?;
            if seen.contains(&oid) {
                return Err("a signed attribute that is there twice");
            }
            seen.push(oid);
            let value = match *values {
                [value] => value,
                // Others may have as many values as they like.
                _ if !SINGLE.contains(&oid) => continue,
                _ => return Err("a signed attribute without one value"),
            };
            match oid {
                CONTENT_TYPE => content_type = Some(kind::read_oid(value)?),
                MESSAGE_DIGEST => message_digest = Some(octets(value)?.to_vec()),
                SIGNING_TIME => signing_time = Some(time(value)?),
                SIGNING_CERTIFICATE => certificates.push(certificate_hash(value, false)?),
                SIGNING_CERTIFICATE_V2 => certificates.push(certificate_hash(value, true)?),
                _ => {}
            }
        }
        Ok(Self {
            der: frame::wrap(SET, &[content]),
            content_type: content_type.ok_or("no content type is signed")?,
            message_digest: message_digest.ok_or("no hash of the content is signed")?,
            signing_time,
            certificates,
        })
    }

    /// Writes the attributes, under the tag that is signed.
    pub(super) fn write(
        content_type: ObjectIdentifier,
        digest: &[u8; 32],
        time: i64,
        certificate: &Certificate,
    ) -> Vec<u8> {
        let hash = octet_string(&gmkit_sm3::digest(&[certificate.as_der()]));
        let id = parts::sequence(&[&kind::write_algorithm(SM3, &[]), &hash]);
        let signing_certificate = parts::sequence(&[&parts::sequence(&[&id])]);
        frame::set_of(
            SET,
            vec![
                write_attribute(CONTENT_TYPE, &content_type.to_der().expect("an OID encodes")),
                write_attribute(MESSAGE_DIGEST, &octet_string(digest)),
                write_attribute(SIGNING_TIME, &write_time(time)),
                write_attribute(SIGNING_CERTIFICATE_V2, &signing_certificate),
            ],
        )
    }
}

fn write_attribute(oid: ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    let oid = oid.to_der().expect("an OID encodes");
    parts::sequence(&[&oid, &frame::wrap(SET, &[value])])
}

pub(super) fn octet_string(content: &[u8]) -> Vec<u8> {
    parts::tagged(Tag::OctetString, &[content])
}

/// The content of an OCTET STRING.
pub(super) fn octets(der: &[u8]) -> Result<&[u8], Fault> {
    match der.first() {
        Some(4) => parts::content(der),
        _ => Err("not an octet string where one should be"),
    }
}

/// ESSCertID or ESSCertIDv2 of the signer's certificate, which comes first.
fn certificate_hash(value: &[u8], v2: bool) -> Result<CertificateHash, Fault> {
    let missing = "a signing certificate that is not named";
    let ids = parts::members(parts::members(value)?.first().ok_or(missing)?)?;
    let id = parts::members(ids.first().ok_or(missing)?)?;
    let (algorithm, hash) = match *id {
        [algorithm @ [0x30, ..], hash, ..] if v2 => (Some(kind::algorithm(algorithm)?.0), hash),
        [hash, ..] => (v2.then_some(SHA256), hash),
        [] => return Err(missing),
    };
    Ok(CertificateHash { algorithm, hash: octets(hash)?.to_vec() })
}

/// UTCTime or GeneralizedTime.
fn time(value: &[u8]) -> Result<i64, Fault> {
    let since = UtcTime::from_der(value)
        .map(|time| time.to_unix_duration())
        .or_else(|_| GeneralizedTime::from_der(value).map(|time| time.to_unix_duration()));
    let since = since.map_err(|_| "a time that is not one")?;
    i64::try_from(since.as_secs()).map_err(|_| "a time that is not one")
}

fn write_time(time: i64) -> Vec<u8> {
    let since = Duration::from_secs(u64::try_from(time).unwrap_or_default());
    let der = match since.as_secs() < YEAR_2050 {
        true => UtcTime::from_unix_duration(since).and_then(|time| time.to_der()),
        false => GeneralizedTime::from_unix_duration(since).and_then(|time| time.to_der()),
    };
    der.expect("a clock that does not go beyond the year 9999")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (seconds, der) in [
            (0, "170d3730303130313030303030305a"),
            (2_524_607_999, "170d3439313233313233353935395a"),
            (2_524_608_000, "180f32303530303130313030303030305a"),
        ] {
            assert_eq!(hex::encode(write_time(seconds)), der);
            assert_eq!(time(&hex::decode(der).unwrap()), Ok(seconds));
        }
        for der in ["", "170b3730303130313030303030", "0c0d3730303130313030303030305a"] {
            assert!(time(&hex::decode(der).unwrap()).is_err(), "{der}");
        }
    }
}
