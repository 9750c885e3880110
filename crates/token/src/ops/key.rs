//! Keys as the algorithms need them, from the attributes of an object.

use cryptoki_sys::*;
use der::{
    Decode, Encode,
    asn1::{ObjectIdentifier, OctetStringRef},
};
use zeroize::Zeroizing;

use crate::{
    attributes::Attributes,
    codes::{Curve, SecretKind},
    persona,
    rv::{Result, Rv, ensure, fail},
};

const P256_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// Key material.
pub(crate) enum Key {
    Sm2Private(gmkit_sm2::SecretKey),
    Sm2Public(gmkit_sm2::PublicKey),
    P256Private(p256::SecretKey),
    P256Public(p256::PublicKey),
    Secret(SecretKind, Zeroizing<Vec<u8>>),
}

impl Key {
    /// Reads the key of an object, whose attributes may come from a template: everything is
    /// checked.
    pub(crate) fn from_attributes(attributes: &Attributes) -> Result<Self> {
        let key_type = attributes.required(CKA_KEY_TYPE)?;
        match attributes.class() {
            Some(CKO_SECRET_KEY) => secret(key_type, attributes),
            Some(CKO_PRIVATE_KEY) => private(check_curve(key_type, attributes)?, attributes),
            Some(CKO_PUBLIC_KEY) => public(check_curve(key_type, attributes)?, attributes),
            _ => fail(CKR_KEY_HANDLE_INVALID),
        }
    }

    /// DER of the parameters of a curve.
    pub(crate) fn parameters(curve: Curve) -> Vec<u8> {
        let oid = match curve {
            Curve::Sm2 => gmkit_sm2::SM2_OID,
            Curve::P256 => P256_OID,
        };
        oid.to_der().unwrap_or_default()
    }
}

/// The key type of a curve's keys.
pub(super) fn key_type(curve: Curve) -> CK_KEY_TYPE {
    match curve {
        Curve::Sm2 => persona::current().sm2_key_type,
        Curve::P256 => CKK_EC,
    }
}

pub(super) fn secret_key_type(kind: SecretKind) -> CK_KEY_TYPE {
    match kind {
        SecretKind::Sm4 => persona::current().sm4_key_type,
        SecretKind::Aes => CKK_AES,
        SecretKind::Generic => CKK_GENERIC_SECRET,
    }
}

/// The curve of a key: SM2 keys need not name theirs.
pub(super) fn check_curve(key_type: CK_KEY_TYPE, attributes: &Attributes) -> Result<Curve> {
    let curve = match key_type {
        kind if kind == persona::current().sm2_key_type => Curve::Sm2,
        CKK_EC => Curve::P256,
        _ => return fail(CKR_ATTRIBUTE_VALUE_INVALID),
    };
    match attributes.get(CKA_EC_PARAMS) {
        None if curve == Curve::Sm2 => Ok(curve),
        None => fail(CKR_TEMPLATE_INCOMPLETE),
        Some(parameters) => {
            ensure(parameters == Key::parameters(curve), CKR_CURVE_NOT_SUPPORTED)?;
            Ok(curve)
        }
    }
}

fn secret(key_type: CK_KEY_TYPE, attributes: &Attributes) -> Result<Key> {
    let value = attributes.get(CKA_VALUE).ok_or(Rv(CKR_TEMPLATE_INCOMPLETE))?;
    let (kind, fits) = match key_type {
        kind if kind == persona::current().sm4_key_type => (SecretKind::Sm4, value.len() == 16),
        CKK_AES => (SecretKind::Aes, matches!(value.len(), 16 | 24 | 32)),
        CKK_GENERIC_SECRET => (SecretKind::Generic, (1..=512).contains(&value.len())),
        _ => return fail(CKR_ATTRIBUTE_VALUE_INVALID),
    };
    ensure(fits, CKR_ATTRIBUTE_VALUE_INVALID)?;
    if let Some(len) = attributes.number(CKA_VALUE_LEN) {
        ensure(len == value.len() as CK_ULONG, CKR_TEMPLATE_INCONSISTENT)?;
    }
    Ok(Key::Secret(kind, Zeroizing::new(value.to_vec())))
}

fn private(curve: Curve, attributes: &Attributes) -> Result<Key> {
    let value = attributes.get(CKA_VALUE).ok_or(Rv(CKR_TEMPLATE_INCOMPLETE))?;
    // Big integers may come without their leading zeros, or with one more.
    let mut scalar = Zeroizing::new([0; 32]);
    let digits = value.strip_prefix(&[0]).filter(|rest| rest.len() == 32).unwrap_or(value);
    ensure((1..=32).contains(&digits.len()), CKR_ATTRIBUTE_VALUE_INVALID)?;
    scalar[32 - digits.len()..].copy_from_slice(digits);
    let invalid = Rv(CKR_ATTRIBUTE_VALUE_INVALID);
    let key = match curve {
        Curve::Sm2 => {
            gmkit_sm2::SecretKey::from_bytes(&scalar).map(Key::Sm2Private).or(Err(invalid))
        }
        Curve::P256 => p256::SecretKey::from_slice(&*scalar).map(Key::P256Private).or(Err(invalid)),
    }?;
    // Some clients send the point with a private key: it must be the right one.
    if let Some(point) = attributes.get(CKA_EC_POINT) {
        ensure(point_of(&key).as_deref() == Some(bare_point(point)), CKR_ATTRIBUTE_VALUE_INVALID)?;
    }
    Ok(key)
}

/// X9.62, uncompressed.
pub(super) fn point_of(key: &Key) -> Option<Vec<u8>> {
    match key {
        Key::Sm2Private(key) => Some(key.public_key().to_sec1_bytes().to_vec()),
        Key::Sm2Public(key) => Some(key.to_sec1_bytes().to_vec()),
        Key::P256Private(key) => Some(key.public_key().to_sec1_bytes().to_vec()),
        Key::P256Public(key) => Some(key.to_sec1_bytes().to_vec()),
        Key::Secret(..) => None,
    }
}

/// The value of CKA_EC_POINT: the point in a DER OCTET STRING.
pub(crate) fn point_attribute(key: &Key) -> Result<Vec<u8>> {
    let point = point_of(key).ok_or(Rv(CKR_KEY_TYPE_INCONSISTENT))?;
    Ok(OctetStringRef::new(&point)?.to_der()?)
}

/// A point in its OCTET STRING, or without, as many clients send it.
fn bare_point(value: &[u8]) -> &[u8] {
    match (value.len(), value) {
        // A point whose second byte looks like a length is a point all the same.
        (65, [4, ..]) | (33, [2 | 3, ..]) => value,
        _ => <&OctetStringRef>::from_der(value).map_or(value, OctetStringRef::as_bytes),
    }
}

fn public(curve: Curve, attributes: &Attributes) -> Result<Key> {
    let value = attributes.get(CKA_EC_POINT).ok_or(Rv(CKR_TEMPLATE_INCOMPLETE))?;
    public_from_point(curve, value).or(fail(CKR_ATTRIBUTE_VALUE_INVALID))
}

/// A public key from a point in either form.
pub(super) fn public_from_point(curve: Curve, point: &[u8]) -> Result<Key> {
    let invalid = Rv(CKR_DATA_INVALID);
    let point = bare_point(point);
    match curve {
        Curve::Sm2 => {
            gmkit_sm2::PublicKey::from_sec1_bytes(point).map(Key::Sm2Public).or(Err(invalid))
        }
        Curve::P256 => {
            p256::PublicKey::from_sec1_bytes(point).map(Key::P256Public).or(Err(invalid))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 04 3f begins a bare point, and an OCTET STRING of 63 bytes.
    #[test]
    fn a_point_that_looks_like_der() {
        for n in 1..2000_u32 {
            let mut scalar = [0; 32];
            scalar[28..].copy_from_slice(&n.to_be_bytes());
            let key = gmkit_sm2::SecretKey::from_bytes(&scalar).unwrap();
            let point = key.public_key().to_sec1_bytes();
            if point[1] != 63 {
                continue;
            }
            let der = OctetStringRef::new(&point).unwrap().to_der().unwrap();
            for form in [&point[..], &der, &key.public_key().to_compressed_bytes()] {
                let Ok(Key::Sm2Public(read)) = public_from_point(Curve::Sm2, form) else {
                    panic!()
                };
                assert_eq!(read, *key.public_key());
            }
            return;
        }
        panic!("none of 2000 points begins with 3f");
    }
}
