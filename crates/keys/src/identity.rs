//! A private key together with the certificates that speak for it.

use std::{fmt, sync::Arc};

use der::{Decode, Reader, SliceReader, Tag, Tagged, asn1::AnyRef};
use gmkit_sm2::PublicKey;

use crate::{Error, PrivateKey, error::der_fault};

/// A certificate chain, leaf first, and the private key of the leaf. That they belong together is
/// checked when the value is made; whether the chain is trusted is not its business.
#[derive(Clone)]
pub struct Credential {
    chain: Vec<Vec<u8>>,
    key: Arc<dyn PrivateKey>,
}

impl Credential {
    /// Joins a chain of DER certificates, leaf first, with the leaf's key.
    ///
    /// # Errors
    /// [`Error::CertificateMismatch`] when the leaf has another public key or there is no leaf;
    /// [`Error::Key`] when the leaf is not a certificate with an SM2 key.
    pub fn new(chain: Vec<Vec<u8>>, key: Arc<dyn PrivateKey>) -> Result<Self, Error> {
        let leaf = chain.first().ok_or(Error::CertificateMismatch)?;
        if certificate_public_key(leaf)? != *key.public_key() {
            return Err(Error::CertificateMismatch);
        }
        Ok(Self { chain, key })
    }

    /// The certificates in DER, leaf first.
    #[must_use]
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// The leaf's private key.
    #[must_use]
    pub fn key(&self) -> &Arc<dyn PrivateKey> {
        &self.key
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({} certificates, {:?})", self.chain.len(), self.key)
    }
}

/// Who signs: one credential, or the two of a national dual-certificate deployment (GB/T 38636),
/// where encryption has a key of its own that an escrow authority may hold.
#[derive(Clone, Debug)]
pub struct Identity {
    sign: Credential,
    encrypt: Option<Credential>,
}

impl Identity {
    /// One credential for everything.
    #[must_use]
    pub fn single(credential: Credential) -> Self {
        Self { sign: credential, encrypt: None }
    }

    /// One credential to sign, another to encrypt.
    #[must_use]
    pub fn dual(sign: Credential, encrypt: Credential) -> Self {
        Self { sign, encrypt: Some(encrypt) }
    }

    /// The credential that signs.
    #[must_use]
    pub fn signing(&self) -> &Credential {
        &self.sign
    }

    /// The credential that decrypts.
    #[must_use]
    pub fn encryption(&self) -> &Credential {
        self.encrypt.as_ref().unwrap_or(&self.sign)
    }
}

/// The public key of a DER certificate: subjectPublicKeyInfo of TBSCertificate (RFC 5280, 4.1).
/// Nothing else of the certificate is looked at.
fn certificate_public_key(certificate: &[u8]) -> Result<PublicKey, Error> {
    let outer = sequence(AnyRef::from_der(certificate))?;
    let mut outer = SliceReader::new(outer.value()).map_err(der_fault)?;
    let tbs = sequence(outer.decode())?;
    let mut fields = SliceReader::new(tbs.value()).map_err(der_fault)?;
    // version is optional; then serialNumber, signature, issuer, validity, subject.
    let versioned = matches!(Tag::peek(&fields), Ok(Tag::ContextSpecific { .. }));
    for _ in 0..5 + usize::from(versioned) {
        fields.decode::<AnyRef<'_>>().map_err(der_fault)?;
    }
    let spki = fields.tlv_bytes().map_err(der_fault)?;
    Ok(PublicKey::from_spki_der(spki)?)
}

fn sequence(value: der::Result<AnyRef<'_>>) -> Result<AnyRef<'_>, Error> {
    let value = value.map_err(der_fault)?;
    value.tag().assert_eq(Tag::Sequence).map_err(der_fault)?;
    Ok(value)
}
