//! One signer of a message (RFC 5652, 5.3).

use der::{Tag, asn1::ObjectIdentifier};

use super::{
    attributes::{SM3, SignedAttributes, octets},
    kind,
};
use crate::{Certificate, Name, Serial, issuer::key_id, parts, strict::Fault};

/// How signers and recipients are named.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntityId {
    /// By who has issued the certificate, a name in DER, and its serial number.
    IssuerAndSerial(Vec<u8>, Serial),
    /// By the identifier of the key.
    KeyId(Vec<u8>),
}

impl EntityId {
    pub(super) fn of(certificate: &Certificate) -> Self {
        let issuer = certificate.issuer().as_der().to_vec();
        Self::IssuerAndSerial(issuer, certificate.serial().clone())
    }

    /// Reads SignerIdentifier or RecipientIdentifier.
    pub(super) fn read(der: &[u8]) -> Result<Self, Fault> {
        match der.first() {
            Some(0x30) => match *parts::members(der)? {
                [issuer @ [0x30, ..], serial @ [0x02, ..]] => {
                    let serial = Serial::from_integer(parts::content(serial)?);
                    let serial = serial.ok_or("a serial number that is none")?;
                    Ok(Self::IssuerAndSerial(issuer.to_vec(), serial))
                }
                _ => Err("not an issuer and a serial number"),
            },
            Some(0x80) => Ok(Self::KeyId(parts::content(der)?.to_vec())),
            _ => Err("a signer or recipient who is not named"),
        }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        match self {
            Self::IssuerAndSerial(issuer, serial) => {
                let serial = parts::tagged(Tag::Integer, &[&serial.to_integer()]);
                parts::sequence(&[issuer, &serial])
            }
            Self::KeyId(id) => super::frame::wrap(0x80, &[id]),
        }
    }

    /// Whether a certificate is the one that is meant.
    #[must_use]
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial(issuer, serial) => {
                certificate.issuer().as_der() == issuer && certificate.serial() == serial
            }
            Self::KeyId(id) => match &certificate.extensions().subject_key_id {
                Some(own) => own == id,
                None => certificate.public_key().is_ok_and(|key| key_id(key) == *id),
            },
        }
    }
}

impl std::fmt::Display for EntityId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::IssuerAndSerial(issuer, serial) => {
                let issuer = Name::from_der(issuer);
                let issuer = issuer.map_or_else(|_| "?".to_owned(), |name| name.to_string());
                write!(f, "certificate {serial} of {issuer}")
            }
            Self::KeyId(id) => write!(f, "key {}", base16ct::lower::encode_string(id)),
        }
    }
}

/// A signer, as far as it can be read without knowing the content or the certificate.
#[derive(Clone)]
pub(super) struct SignerInfo {
    pub(super) der: Vec<u8>,
    pub(super) id: EntityId,
    pub(super) digest: ObjectIdentifier,
    /// Whether the algorithms are SM3 and SM2.
    pub(super) national: bool,
    /// `None`: the signature is over the content alone.
    pub(super) attributes: Option<Result<SignedAttributes, Fault>>,
    pub(super) signature: Vec<u8>,
    /// Attributes that nobody has signed.
    pub(super) unsigned: Vec<Vec<u8>>,
}

/// SM3 under the OID of the hash; others are of the hash without a key, and of the signature.
const DIGESTS: [ObjectIdentifier; 3] = [
    SM3,
    ObjectIdentifier::new_unwrap("1.2.156.10197.1.401.1"),
    ObjectIdentifier::new_unwrap("1.2.156.10197.1.501"),
];

/// SM2 with SM3, the SM2 signature algorithm, SM2.
const SIGNATURES: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.2.156.10197.1.501"),
    ObjectIdentifier::new_unwrap("1.2.156.10197.1.301.1"),
    ObjectIdentifier::new_unwrap("1.2.156.10197.1.301"),
];

impl SignerInfo {
    pub(super) fn read(der: &[u8]) -> Result<Self, Fault> {
        let members = parts::members(der)?;
        let (head, rest) = members.split_at_checked(3).ok_or("not a signer")?;
        let (attributes, rest) = match rest {
            [attributes @ [0xa0, ..], rest @ ..] => (Some(*attributes), rest),
            rest => (None, rest),
        };
        let (signature_algorithm, signature, unsigned) = match *rest {
            [algorithm, signature] => (algorithm, signature, None),
            [algorithm, signature, unsigned @ [0xa1, ..]] => (algorithm, signature, Some(unsigned)),
            _ => return Err("not a signer"),
        };
        let ([0x02, ..], id, digest) = (head[0], head[1], head[2]) else {
            return Err("not a signer");
        };
        let (digest, digest_parameters) = kind::algorithm(digest)?;
        let (algorithm, parameters) = kind::algorithm(signature_algorithm)?;
        let unsigned =
            unsigned.map(|set| parts::members_within(parts::content(set)?)).transpose()?;
        Ok(Self {
            der: der.to_vec(),
            id: EntityId::read(id)?,
            digest,
            national: DIGESTS.contains(&digest)
                && SIGNATURES.contains(&algorithm)
                && digest_parameters.is_none()
                && parameters.is_none(),
            attributes: attributes.map(SignedAttributes::read),
            signature: octets(signature)?.to_vec(),
            unsigned: unsigned.into_iter().flatten().map(<[u8]>::to_vec).collect(),
        })
    }
}
