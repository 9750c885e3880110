//! Keys in DER: ECPrivateKey (RFC 5915), and the fixed forms that are written.

use der::{
    Decode, SliceReader, Tag, TagNumber,
    asn1::{AnyRef, ObjectIdentifier},
};
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use crate::{DerFault, EC_PUBLIC_KEY_OID, Error, PublicKey, SM2_OID, SecretKey, der_value};

/// SEQUENCE { OID id-ecPublicKey, OID sm2p256v1 }.
const ALGORITHM: &[u8; 21] =
    b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d";
/// \[0\] { OID sm2p256v1 }, as an ECPrivateKey names its curve.
const EC_PARAMETERS: &[u8; 12] = b"\xa0\x0a\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d";

const CONTEXT_0: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
const CONTEXT_1: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(1) };

/// Accepts id-ecPublicKey with the SM2 curve, and SM2's own OID twice.
pub(crate) fn check_algorithm(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<(), Error> {
    if algorithm.oid != EC_PUBLIC_KEY_OID && algorithm.oid != SM2_OID {
        return Err(Error::ForeignAlgorithm);
    }
    check_curve(algorithm.parameters.ok_or(Error::CurveMissing)?)
}

fn check_curve(parameters: AnyRef<'_>) -> Result<(), Error> {
    use der::Tagged;
    match parameters.tag() {
        Tag::ObjectIdentifier if parameters.decode_as::<ObjectIdentifier>()? == SM2_OID => Ok(()),
        Tag::ObjectIdentifier => Err(Error::ForeignCurve),
        Tag::Sequence => Err(Error::ExplicitCurve),
        _ => Err(Error::Der(DerFault::Tag)),
    }
}

/// Whether an ECPrivateKey has to name its curve itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    /// It stands alone.
    FromKey,
    /// What surrounds it has named it.
    Known,
}

/// ECPrivateKey { version 1, privateKey OCTET STRING, \[0\] parameters, \[1\] publicKey }, the
/// last two optional. A public key that is given must belong to the private key.
pub(crate) fn read_ec_private_key(bytes: &[u8], curve: Curve) -> Result<SecretKey, Error> {
    der_value::read_sequence(bytes, |reader| {
        if der_value::next(reader, Tag::Integer)? != [1] {
            return Err(Error::Der(DerFault::Value));
        }
        let d = der_value::next(reader, Tag::OctetString)?;
        let d = d.try_into().map_err(|_| Error::PrivateKeyRange)?;
        match der_value::optional(reader, CONTEXT_0)? {
            Some(parameters) => check_curve(AnyRef::from_der(parameters)?)?,
            None if curve == Curve::FromKey => return Err(Error::CurveMissing),
            None => {}
        }
        let key = SecretKey::from_bytes(d)?;
        if let Some(public) = der_value::optional(reader, CONTEXT_1)? {
            check_public_key(&key, public)?;
        }
        Ok(key)
    })
}

fn check_public_key(key: &SecretKey, bit_string: &[u8]) -> Result<(), Error> {
    compare_public_key(key, der_value::any(bit_string, Tag::BitString)?.value())
}

/// The content of a BIT STRING: a count of unused bits, which is 0, and the point.
fn compare_public_key(key: &SecretKey, bits: &[u8]) -> Result<(), Error> {
    let Some((0, point)) = bits.split_first() else {
        return Err(Error::Der(DerFault::Value));
    };
    if PublicKey::from_sec1_bytes(point)? == *key.public_key() {
        Ok(())
    } else {
        Err(Error::PublicKeyMismatch)
    }
}

impl SecretKey {
    /// Reads a DER ECPrivateKey (RFC 5915, "EC PRIVATE KEY" in PEM), which must name the SM2
    /// curve.
    ///
    /// # Errors
    /// [`Error::Der`], [`Error::CurveMissing`], [`Error::ForeignCurve`], [`Error::ExplicitCurve`],
    /// [`Error::PrivateKeyRange`], [`Error::PublicKeyMismatch`].
    pub fn from_sec1_der(bytes: &[u8]) -> Result<Self, Error> {
        read_ec_private_key(bytes, Curve::FromKey)
    }

    /// Reads a DER PrivateKeyInfo (PKCS#8, RFC 5208 and 5958) whose algorithm is id-ecPublicKey
    /// with the SM2 curve, or SM2's own OID twice.
    ///
    /// # Errors
    /// As [`SecretKey::from_sec1_der`], and [`Error::ForeignAlgorithm`].
    pub fn from_private_key_info(bytes: &[u8]) -> Result<Self, Error> {
        der_value::read_sequence(bytes, |reader| {
            let version = der_value::next(reader, Tag::Integer)?;
            if !matches!(version, [0 | 1]) {
                return Err(Error::Der(DerFault::Value));
            }
            check_algorithm(&AlgorithmIdentifierRef::decode(reader)?)?;
            let key =
                read_ec_private_key(der_value::next(reader, Tag::OctetString)?, Curve::Known)?;
            read_pkcs8_tail(reader, &key, version == [1])?;
            Ok(key)
        })
    }

    /// Writes a DER PrivateKeyInfo as OpenSSL does: the ECPrivateKey inside has the public key,
    /// and leaves the curve to the algorithm outside.
    #[must_use]
    pub fn to_private_key_info(&self) -> Zeroizing<[u8; 138]> {
        let (d, public) = (self.to_bytes(), self.public_key().to_sec1_bytes());
        concat([
            b"\x30\x81\x87\x02\x01\x00",
            ALGORITHM,
            b"\x04\x6d\x30\x6b\x02\x01\x01\x04\x20",
            &*d,
            b"\xa1\x44\x03\x42\x00",
            &public,
        ])
    }

    /// The same with the curve named inside too, which GmSSL 3.1 insists on.
    #[must_use]
    pub fn to_private_key_info_with_curve(&self) -> Zeroizing<[u8; 150]> {
        let (d, public) = (self.to_bytes(), self.public_key().to_sec1_bytes());
        concat([
            b"\x30\x81\x93\x02\x01\x00",
            ALGORITHM,
            b"\x04\x79\x30\x77\x02\x01\x01\x04\x20",
            &*d,
            EC_PARAMETERS,
            b"\xa1\x44\x03\x42\x00",
            &public,
        ])
    }
}

/// \[0\] attributes of PKCS#8, which an SM2 key has no use for, and \[1\] publicKey, which only
/// version 1 has (RFC 5958) and which must belong to the key.
fn read_pkcs8_tail(
    reader: &mut SliceReader<'_>,
    key: &SecretKey,
    is_version_1: bool,
) -> Result<(), Error> {
    const PUBLIC_KEY: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber(1) };
    der_value::optional(reader, CONTEXT_0)?;
    match der_value::optional(reader, PUBLIC_KEY)? {
        Some(bits) if is_version_1 => compare_public_key(key, bits),
        Some(_) => Err(Error::Der(DerFault::Value)),
        None => Ok(()),
    }
}

/// SubjectPublicKeyInfo with the uncompressed point.
#[cfg(feature = "alloc")]
pub(crate) fn public_key_info(key: &PublicKey) -> Zeroizing<[u8; 91]> {
    concat([b"\x30\x59", ALGORITHM, b"\x03\x42\x00", &key.to_sec1_bytes()])
}

/// Joins parts whose lengths add up to `N`: every integer of these forms has a fixed size.
fn concat<const N: usize, const PARTS: usize>(parts: [&[u8]; PARTS]) -> Zeroizing<[u8; N]> {
    let mut out = Zeroizing::new([0; N]);
    let mut rest = &mut out[..];
    for part in parts {
        let (head, tail) = rest.split_at_mut(part.len());
        head.copy_from_slice(part);
        rest = tail;
    }
    debug_assert!(rest.is_empty());
    out
}
