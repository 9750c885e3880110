//! The signature schemes of TLS, and the mechanisms that do them.

use cryptoki_sys::{
    CKG_MGF1_SHA256, CKG_MGF1_SHA384, CKG_MGF1_SHA512, CKM_ECDSA, CKM_SHA256, CKM_SHA256_RSA_PKCS,
    CKM_SHA256_RSA_PKCS_PSS, CKM_SHA384, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS, CKM_SHA512,
    CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS,
};
use der::{Encode, asn1::UintRef};
use ring::{digest, signature as verify};
use rustls::SignatureScheme as Name;

use super::public::Kind;
use crate::{
    encoding::sequence_of_two,
    raw::{Call, Parameter},
};

/// One scheme.
pub(crate) struct Scheme {
    /// What people call it.
    pub(crate) what: &'static str,
    pub(crate) scheme: Name,
    pub(crate) kind: Kind,
    /// CKM.
    pub(crate) code: u64,
    parameter: Parameter<'static>,
    /// For a mechanism that signs a digest.
    hash: Option<&'static digest::Algorithm>,
    verification: &'static (dyn verify::VerificationAlgorithm + Sync),
}

const fn pss(hash: u64, mgf: u64, salt: usize) -> Parameter<'static> {
    Parameter::Pss { hash, mgf, salt }
}

const fn rsa(
    what: &'static str,
    scheme: Name,
    code: u64,
    parameter: Parameter<'static>,
    verification: &'static (dyn verify::VerificationAlgorithm + Sync),
) -> Scheme {
    Scheme { what, scheme, kind: Kind::Rsa, code, parameter, hash: None, verification }
}

/// All of them, in rustls's order of preference.
pub(crate) static SCHEMES: [Scheme; 8] = [
    Scheme {
        what: "ECDSA P-256",
        scheme: Name::ECDSA_NISTP256_SHA256,
        kind: Kind::P256,
        code: CKM_ECDSA,
        parameter: Parameter::None,
        hash: Some(&digest::SHA256),
        verification: &verify::ECDSA_P256_SHA256_ASN1,
    },
    Scheme {
        what: "ECDSA P-384",
        scheme: Name::ECDSA_NISTP384_SHA384,
        kind: Kind::P384,
        code: CKM_ECDSA,
        parameter: Parameter::None,
        hash: Some(&digest::SHA384),
        verification: &verify::ECDSA_P384_SHA384_ASN1,
    },
    rsa(
        "RSA 2048 PSS SHA-512",
        Name::RSA_PSS_SHA512,
        CKM_SHA512_RSA_PKCS_PSS,
        pss(CKM_SHA512, CKG_MGF1_SHA512, 64),
        &verify::RSA_PSS_2048_8192_SHA512,
    ),
    rsa(
        "RSA 2048 PSS SHA-384",
        Name::RSA_PSS_SHA384,
        CKM_SHA384_RSA_PKCS_PSS,
        pss(CKM_SHA384, CKG_MGF1_SHA384, 48),
        &verify::RSA_PSS_2048_8192_SHA384,
    ),
    rsa(
        "RSA 2048 PSS SHA-256",
        Name::RSA_PSS_SHA256,
        CKM_SHA256_RSA_PKCS_PSS,
        pss(CKM_SHA256, CKG_MGF1_SHA256, 32),
        &verify::RSA_PSS_2048_8192_SHA256,
    ),
    rsa(
        "RSA 2048 PKCS#1 SHA-512",
        Name::RSA_PKCS1_SHA512,
        CKM_SHA512_RSA_PKCS,
        Parameter::None,
        &verify::RSA_PKCS1_2048_8192_SHA512,
    ),
    rsa(
        "RSA 2048 PKCS#1 SHA-384",
        Name::RSA_PKCS1_SHA384,
        CKM_SHA384_RSA_PKCS,
        Parameter::None,
        &verify::RSA_PKCS1_2048_8192_SHA384,
    ),
    rsa(
        "RSA 2048 PKCS#1 SHA-256",
        Name::RSA_PKCS1_SHA256,
        CKM_SHA256_RSA_PKCS,
        Parameter::None,
        &verify::RSA_PKCS1_2048_8192_SHA256,
    ),
];

impl Scheme {
    pub(crate) fn call(&self) -> Call<'static> {
        Call { code: self.code, parameter: self.parameter }
    }

    /// What the device is given of a message: all of it, or its digest.
    pub(crate) fn input(&self, message: &[u8]) -> Vec<u8> {
        match self.hash {
            Some(hash) => digest::digest(hash, message).as_ref().to_vec(),
            None => message.to_vec(),
        }
    }

    /// What a device's signature may be, as TLS has it: ECDSA comes as r ‖ s, or in DER of some
    /// kind; which of them it was, verification tells.
    pub(crate) fn readings(&self, signature: &[u8]) -> Vec<Vec<u8>> {
        if self.kind == Kind::Rsa {
            return vec![signature.to_vec()];
        }
        let middle = signature.len() / 2;
        let raw = signature.len().is_multiple_of(2).then(|| signature.split_at(middle));
        let halves = [raw, sequence_of_two(signature)];
        halves.into_iter().flatten().filter_map(|(r, s)| ecdsa_der(r, s)).collect()
    }

    pub(crate) fn verifies(&self, public: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let key = verify::UnparsedPublicKey::new(self.verification, public);
        key.verify(message, signature).is_ok()
    }
}

fn ecdsa_der(r: &[u8], s: &[u8]) -> Option<Vec<u8>> {
    vec![UintRef::new(r).ok()?, UintRef::new(s).ok()?].to_der().ok()
}
