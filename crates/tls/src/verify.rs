//! SM2 signatures as webpki sees them: under the default ID in certificates, under the ID of TLS in
//! CertificateVerify. The two lists are apart, so that neither stands for the other.

use gmkit_keys::selftest;
use gmkit_sm2::{Id, PublicKey, Signature};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};

use crate::{SM2SIG_SM3, sign::TLS_ID};

/// ecPublicKey with the curve, without the outer SEQUENCE.
const EC_PUBLIC_KEY: AlgorithmIdentifier = AlgorithmIdentifier::from_slice(&[
    6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d,
]);
/// The curve twice (GM/T 0015-2023).
const CURVE_TWICE: AlgorithmIdentifier = AlgorithmIdentifier::from_slice(&[
    6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d, 6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82,
    0x2d,
]);
/// SM2 with SM3, without parameters, and with NULL.
const ABSENT: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(&[6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x75]);
const NULL: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(&[6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x75, 5, 0]);

#[derive(Debug)]
struct Sm2WithSm3 {
    id: &'static [u8],
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
}

const fn certificate(key: AlgorithmIdentifier, signature: AlgorithmIdentifier) -> Sm2WithSm3 {
    Sm2WithSm3 { id: b"1234567812345678", key, signature }
}

const fn handshake(key: AlgorithmIdentifier) -> Sm2WithSm3 {
    Sm2WithSm3 { id: TLS_ID, key, signature: ABSENT }
}

/// For rustls's own verifiers. Ours ([`crate::Client`], [`crate::Server`]) check more: key usages first
/// of all, which webpki does not look at.
pub(crate) const ALGORITHMS: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        &certificate(EC_PUBLIC_KEY, ABSENT),
        &certificate(EC_PUBLIC_KEY, NULL),
        &certificate(CURVE_TWICE, ABSENT),
        &certificate(CURVE_TWICE, NULL),
    ],
    mapping: &[(SM2SIG_SM3, &[&handshake(EC_PUBLIC_KEY), &handshake(CURVE_TWICE)])],
};

impl SignatureVerificationAlgorithm for Sm2WithSm3 {
    fn verify_signature(
        &self,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = PublicKey::from_sec1_bytes(key).map_err(|_| InvalidSignature)?;
        verify(self.id, &key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// Verifies CertificateVerify.
pub(crate) fn handshake_signature(
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), InvalidSignature> {
    verify(TLS_ID, key, message, signature)
}

fn verify(
    id: &[u8],
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), InvalidSignature> {
    selftest::require(selftest::Algorithm::Sm2Signature).map_err(|_| InvalidSignature)?;
    let id = Id::new(id).map_err(|_| InvalidSignature)?;
    let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
    key.verify(id, message, &signature).map_err(|_| InvalidSignature)
}
