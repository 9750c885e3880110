//! The public half of a classic key, as a device shows it.

use cryptoki::{
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session,
};
use der::{
    Decode, Encode,
    asn1::{ObjectIdentifier, OctetStringRef, UintRef},
};
use rustls::{
    SignatureAlgorithm,
    pki_types::{AlgorithmIdentifier, SubjectPublicKeyInfoDer, alg_id},
    sign::public_key_to_spki,
};

use crate::{
    Error, KeyName,
    objects::{attribute, named, search},
};

pub(crate) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
pub(crate) const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// What kind of key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    P256,
    P384,
    Rsa,
}

impl Kind {
    pub(crate) fn algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::Rsa => SignatureAlgorithm::RSA,
            Self::P256 | Self::P384 => SignatureAlgorithm::ECDSA,
        }
    }

    fn identifier(self) -> &'static AlgorithmIdentifier {
        match self {
            Self::P256 => &alg_id::ECDSA_P256,
            Self::P384 => &alg_id::ECDSA_P384,
            Self::Rsa => &alg_id::RSA_ENCRYPTION,
        }
    }
}

/// A public key.
pub(crate) struct Public {
    pub(crate) kind: Kind,
    /// A point of SEC 1, or an RSAPublicKey in DER.
    pub(crate) bytes: Vec<u8>,
}

impl Public {
    pub(crate) fn spki(&self) -> SubjectPublicKeyInfoDer<'static> {
        public_key_to_spki(self.kind.identifier(), &self.bytes)
    }
}

/// The public key of a private one: what the device keeps with it, or under the same id or name.
pub(crate) fn of(
    session: &Session,
    private: ObjectHandle,
    name: &KeyName,
) -> Result<Public, Error> {
    let id = value(session, private, AttributeType::Id)?.filter(|id| !id.is_empty());
    let by_id = id.map(|id| KeyName { label: None, id: Some(id) });
    let mut halves = Vec::new();
    for name in by_id.iter().chain([name]) {
        halves.extend(search(session, &named(ObjectClass::PUBLIC_KEY, name))?);
    }
    halves.push(private);
    for half in halves {
        if let Some(public) = read(session, half)? {
            return Ok(public);
        }
    }
    Err(Error::NotFound { what: "public key" })
}

pub(crate) fn read(session: &Session, object: ObjectHandle) -> Result<Option<Public>, Error> {
    let Some(Attribute::KeyType(kind)) = attribute(session, object, AttributeType::KeyType)? else {
        return Ok(None);
    };
    let read = |kind| value(session, object, kind);
    Ok(match kind {
        KeyType::RSA => {
            let (n, e) = (read(AttributeType::Modulus)?, read(AttributeType::PublicExponent)?);
            n.zip(e).and_then(|(n, e)| rsa(&n, &e))
        }
        KeyType::EC => {
            let (curve, point) = (read(AttributeType::EcParams)?, read(AttributeType::EcPoint)?);
            curve.zip(point).and_then(|(curve, point)| elliptic(&curve, &point))
        }
        _ => None,
    })
}

fn rsa(n: &[u8], e: &[u8]) -> Option<Public> {
    let bytes = vec![UintRef::new(n).ok()?, UintRef::new(e).ok()?].to_der().ok()?;
    Some(Public { kind: Kind::Rsa, bytes })
}

/// A point in an OCTET STRING as the standard has it, or bare.
fn elliptic(curve: &[u8], point: &[u8]) -> Option<Public> {
    let (kind, size) = match ObjectIdentifier::from_der(curve).ok()? {
        P256 => (Kind::P256, 65),
        P384 => (Kind::P384, 97),
        _ => return None,
    };
    let bytes = match <&OctetStringRef>::from_der(point) {
        Ok(inner) if point.len() != size => inner.as_bytes(),
        _ => point,
    };
    (bytes.len() == size).then(|| Public { kind, bytes: bytes.to_vec() })
}

fn value(
    session: &Session,
    object: ObjectHandle,
    kind: AttributeType,
) -> Result<Option<Vec<u8>>, Error> {
    Ok(match attribute(session, object, kind)? {
        Some(
            Attribute::Id(bytes)
            | Attribute::EcParams(bytes)
            | Attribute::EcPoint(bytes)
            | Attribute::Modulus(bytes)
            | Attribute::PublicExponent(bytes),
        ) => Some(bytes),
        _ => None,
    })
}
