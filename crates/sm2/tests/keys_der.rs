//! Keys in DER: every form read, and what is refused.

use der::Encode;
use gmkit_sm2::{DerFault, Error, PublicKey, SecretKey, spki::EncodePublicKey};
use pkcs8::{DecodePrivateKey, EncodePrivateKey};
use spki::DecodePublicKey;

const EC: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01";
const SM2: &[u8] = b"\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d";
const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    out.extend(der::Length::try_from(content.len()).unwrap().to_der().unwrap());
    out.extend(content);
    out
}

fn key() -> SecretKey {
    SecretKey::from_bytes(&[0x21; 32]).unwrap()
}

fn ec_private_key(params: Option<&[u8]>, public: Option<&[u8]>) -> Vec<u8> {
    let mut parts = vec![vec![2, 1, 1], tlv(4, &[&[0x21; 32]])];
    parts.extend(params.map(|p| tlv(0xa0, &[p])));
    parts.extend(public.map(|p| tlv(0xa1, &[&tlv(3, &[&[0], p])])));
    tlv(0x30, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn pkcs8(algorithm: &[&[u8]], inner: &[u8], version: u8, tail: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&[2, 1, version], &tlv(0x30, algorithm), &tlv(4, &[inner]), tail])
}

#[test]
fn written_forms_are_read_back() {
    let key = key();
    for der in [&key.to_private_key_info()[..], &key.to_private_key_info_with_curve()[..]] {
        let back = SecretKey::from_private_key_info(der).unwrap();
        assert_eq!(back.to_bytes(), key.to_bytes());
        assert_eq!(SecretKey::from_pkcs8_der(der).unwrap().to_bytes(), key.to_bytes());
    }
    assert_eq!(key.to_pkcs8_der().unwrap().as_bytes(), &key.to_private_key_info()[..]);
    let spki = key.public_key().to_public_key_der().unwrap();
    assert_eq!(PublicKey::from_spki_der(spki.as_bytes()).unwrap(), *key.public_key());
    assert_eq!(PublicKey::from_public_key_der(spki.as_bytes()).unwrap(), *key.public_key());
}

#[test]
fn every_form_of_the_field_is_read() {
    let public = key().public_key().to_sec1_bytes();
    for params in [None, Some(SM2)] {
        for public in [None, Some(&public[..])] {
            for algorithm in [[EC, SM2], [SM2, SM2]] {
                let der = pkcs8(&algorithm, &ec_private_key(params, public), 0, &[]);
                SecretKey::from_private_key_info(&der).unwrap();
            }
        }
    }
    SecretKey::from_sec1_der(&ec_private_key(Some(SM2), None)).unwrap();
    let attributes = pkcs8(&[EC, SM2], &ec_private_key(None, None), 0, &tlv(0xa0, &[]));
    SecretKey::from_private_key_info(&attributes).unwrap();

    let compressed = key().public_key().to_compressed_bytes();
    for point in [&public[..], &compressed] {
        for algorithm in [[EC, SM2], [SM2, SM2]] {
            let der = tlv(0x30, &[&tlv(0x30, &algorithm), &tlv(3, &[&[0], point])]);
            assert_eq!(PublicKey::from_spki_der(&der).unwrap(), *key().public_key());
        }
    }
}

#[test]
fn foreign_and_damaged_keys_say_what_they_are() {
    let inner = ec_private_key(None, None);
    let fault = |der: &[u8]| SecretKey::from_private_key_info(der).unwrap_err();
    assert_eq!(fault(&pkcs8(&[EC, P256], &inner, 0, &[])), Error::ForeignCurve);
    assert_eq!(fault(&pkcs8(&[RSA, &[5, 0]], &inner, 0, &[])), Error::ForeignAlgorithm);
    assert_eq!(fault(&pkcs8(&[EC], &inner, 0, &[])), Error::CurveMissing);
    assert_eq!(fault(&pkcs8(&[EC, &tlv(0x30, &[])], &inner, 0, &[])), Error::ExplicitCurve);
    assert_eq!(fault(&pkcs8(&[EC, SM2], &inner, 2, &[])), Error::Der(DerFault::Value));
    assert_eq!(
        fault(&pkcs8(&[EC, SM2], &ec_private_key(Some(P256), None), 0, &[])),
        Error::ForeignCurve
    );
    let other = SecretKey::from_bytes(&[0x22; 32]).unwrap().public_key().to_sec1_bytes();
    assert_eq!(
        fault(&pkcs8(&[EC, SM2], &ec_private_key(None, Some(&other)), 0, &[])),
        Error::PublicKeyMismatch
    );
    // The public key that PKCS#8 itself may carry, in version 1 only.
    let own = [&[0][..], &key().public_key().to_sec1_bytes()].concat();
    let foreign = [&[0][..], &other].concat();
    SecretKey::from_private_key_info(&pkcs8(&[EC, SM2], &inner, 1, &tlv(0x81, &[&own]))).unwrap();
    assert_eq!(
        fault(&pkcs8(&[EC, SM2], &inner, 1, &tlv(0x81, &[&foreign]))),
        Error::PublicKeyMismatch
    );
    assert_eq!(
        fault(&pkcs8(&[EC, SM2], &inner, 0, &tlv(0x81, &[&own]))),
        Error::Der(DerFault::Value)
    );
    let good = pkcs8(&[EC, SM2], &inner, 0, &[]);
    for len in 0..good.len() {
        assert_eq!(fault(&good[..len]), Error::Der(DerFault::Truncated));
    }
    assert_eq!(fault(&[&good[..], &[0]].concat()), Error::Der(DerFault::TrailingData));

    let fault = |der: &[u8]| SecretKey::from_sec1_der(der).unwrap_err();
    assert_eq!(fault(&inner), Error::CurveMissing);
    let short = tlv(0x30, &[&[2, 1, 1], &tlv(4, &[&[0x21; 31]]), &tlv(0xa0, &[SM2])]);
    assert_eq!(fault(&short), Error::PrivateKeyRange);

    let spki = |algorithm: &[&[u8]], bits: &[u8]| {
        PublicKey::from_spki_der(&tlv(0x30, &[&tlv(0x30, algorithm), &tlv(3, &[bits])]))
            .unwrap_err()
    };
    let point = [&[0][..], &key().public_key().to_sec1_bytes()].concat();
    assert_eq!(spki(&[EC, P256], &point), Error::ForeignCurve);
    assert_eq!(spki(&[RSA, &[5, 0]], &point), Error::ForeignAlgorithm);
    assert_eq!(spki(&[EC, &tlv(0x30, &[])], &point), Error::ExplicitCurve);
    assert_eq!(spki(&[EC, SM2], &[0, 0]), Error::PointEncoding);
    assert_eq!(spki(&[EC, SM2], &[&[0, 4][..], &[9; 64]].concat()), Error::PointNotOnCurve);
}
