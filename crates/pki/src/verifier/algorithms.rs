//! SM2 as webpki sees an algorithm: a pair of identifiers, and a check.

use std::sync::Arc;

use gmkit_keys::selftest::{self, Algorithm};
use gmkit_sm2::{Id, PublicKey, Signature};
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};

use super::anchor::{self, Anchor};
use crate::signed;

/// What stands in a SubjectPublicKeyInfo, without the outer SEQUENCE: ecPublicKey and the curve, or the
/// curve twice (GM/T 0015-2023).
const KEYS: [&[u8]; 2] = [
    &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d],
    &[
        6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d, 6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1,
        0x82, 0x2d,
    ],
];

/// Parameters absent, or NULL.
const SIGNATURES: [&[u8]; 2] =
    [signed::ALGORITHM.split_at(2).1, signed::ALGORITHM_NULL.split_at(2).1];

#[derive(Debug)]
struct Sm2WithSm3 {
    id: Arc<[u8]>,
    anchors: Arc<[Anchor]>,
    key: &'static [u8],
    signature: &'static [u8],
}

impl SignatureVerificationAlgorithm for Sm2WithSm3 {
    fn verify_signature(
        &self,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        selftest::require(Algorithm::Sm2Signature).map_err(|_| InvalidSignature)?;
        let id = Id::new(&self.id).map_err(|_| InvalidSignature)?;
        let key = PublicKey::from_sec1_bytes(key).map_err(|_| InvalidSignature)?;
        let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        anchor::verify(&self.anchors, &key, id, message, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(self.key)
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(self.signature)
    }
}

/// A boxed one of ours, or a borrowed one of webpki's.
pub(super) enum Any {
    Own(Box<dyn SignatureVerificationAlgorithm>),
    Classic(&'static dyn SignatureVerificationAlgorithm),
}

impl AsRef<dyn SignatureVerificationAlgorithm> for Any {
    fn as_ref(&self) -> &(dyn SignatureVerificationAlgorithm + 'static) {
        match self {
            Self::Own(algorithm) => &**algorithm,
            Self::Classic(algorithm) => *algorithm,
        }
    }
}

/// SM2 under an ID, faster where it is an anchor that signed, and the others where they are allowed.
pub(super) fn all(id: &[u8], anchors: &[&Anchor], classic: bool) -> Vec<Any> {
    let id: Arc<[u8]> = id.into();
    let anchors: Arc<[Anchor]> = anchors.iter().copied().cloned().collect();
    let mut all = Vec::new();
    for key in KEYS {
        for signature in SIGNATURES {
            let (id, anchors) = (Arc::clone(&id), Arc::clone(&anchors));
            all.push(Any::Own(Box::new(Sm2WithSm3 { id, anchors, key, signature })));
        }
    }
    if classic {
        // Empty without the feature.
        all.extend(webpki::ALL_VERIFICATION_ALGS.iter().map(|&algorithm| Any::Classic(algorithm)));
    }
    all
}
