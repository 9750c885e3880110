//! What certificates, requests, revocation lists and OCSP responses have in common: a part to be signed,
//! the algorithm, and the signature.

use der::Tag;
use gmkit_keys::{
    PrivateKey,
    selftest::{self, Algorithm},
};
use gmkit_sm2::{Id, PublicKey, Signature};

use crate::{
    Error, parts,
    strict::{self, Fault},
};

/// sm2-with-sm3, 1.2.156.10197.1.501, without parameters: what everybody writes.
pub(crate) const ALGORITHM: &[u8] = &[0x30, 10, 6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x75];

/// The same with NULL, which some old certificates have.
pub(crate) const ALGORITHM_NULL: &[u8] =
    &[0x30, 12, 6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x75, 5, 0];

/// Whether an AlgorithmIdentifier is one of the two.
pub(crate) fn is_sm2(algorithm: &[u8]) -> bool {
    algorithm == ALGORITHM || algorithm == ALGORITHM_NULL
}

/// The three parts of something signed.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) tbs: &'a [u8],
    pub(crate) algorithm: &'a [u8],
    /// DER of the signature's own form, in the bit string.
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Splits a value that is in strict DER.
    pub(crate) fn read(der: &'a [u8]) -> Result<Self, Fault> {
        strict::check(der)?;
        match *parts::members(der)? {
            [tbs @ [0x30, ..], algorithm @ [0x30, ..], signature @ [0x03, ..]] => {
                let bits = parts::content(signature)?;
                let signature =
                    bits.strip_prefix(&[0]).ok_or("a signature that is not whole bytes")?;
                Ok(Self { tbs, algorithm, signature })
            }
            _ => Err("not the three parts of something signed"),
        }
    }

    /// Checks the signature under `id`.
    pub(crate) fn verify(&self, key: &PublicKey, id: Id<'_>) -> Result<(), Error> {
        selftest::require(Algorithm::Sm2Signature)?;
        Ok(key.verify(id, self.tbs, &self.sm2_signature().ok_or(Error::Rejected)?)?)
    }

    /// Whether what is signed and its signature are what a check accepts.
    pub(crate) fn has_signature(&self, check: impl FnOnce(&[u8], &Signature) -> bool) -> bool {
        selftest::require(Algorithm::Sm2Signature).is_ok()
            && self.sm2_signature().is_some_and(|signature| check(self.tbs, &signature))
    }

    fn sm2_signature(&self) -> Option<Signature> {
        is_sm2(self.algorithm).then(|| Signature::from_der(self.signature).ok()).flatten()
    }
}

/// Signs the encoding of what is to be signed, and puts the parts together.
pub(crate) fn sign(tbs: &[u8], key: &dyn PrivateKey, id: Id<'_>) -> Result<Vec<u8>, Error> {
    let signature = key.sign(id, tbs)?;
    let bits = parts::tagged(Tag::BitString, &[&[0], signature.to_der().as_bytes()]);
    Ok(parts::sequence(&[tbs, ALGORITHM, &bits]))
}
