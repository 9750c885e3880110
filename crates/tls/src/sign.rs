//! CertificateVerify: signatures under the ID of TLS, by any [`PrivateKey`].

use std::{fmt, sync::Arc};

use gmkit_keys::{PrivateKey, SoftwareKey};
use gmkit_sm2::{Id, spki::EncodePublicKey};
use rustls::{
    Error, OtherError, SignatureAlgorithm, SignatureScheme,
    crypto::KeyProvider,
    pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer},
    sign::{Signer, SigningKey},
};

use crate::SM2SIG_SM3;

/// The ID under which CertificateVerify is signed (RFC 8998, 3.2.1). Certificates are signed under
/// another one, the default ID: what was signed for one is nothing to the other.
pub(crate) const TLS_ID: &[u8] = b"TLSv1.3+GM+Cipher+Suite";

/// An SM2 key as rustls wants it: in memory, or in a device. rustls signs on the thread that drives
/// the handshake.
#[derive(Clone)]
pub struct NationalSigningKey(Arc<dyn PrivateKey>);

impl NationalSigningKey {
    /// Takes a key that can sign under any ID.
    #[must_use]
    pub fn new(key: Arc<dyn PrivateKey>) -> Self {
        Self(key)
    }
}

impl fmt::Debug for NationalSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NationalSigningKey({:?})", self.0)
    }
}

impl SigningKey for NationalSigningKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SM2SIG_SM3).then(|| Box::new(self.clone()) as _)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        let der = self.0.public_key().to_public_key_der().ok()?;
        Some(SubjectPublicKeyInfoDer::from(der.into_vec()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        // No name in rustls; this also keeps the key out of suites of TLS 1.2.
        SignatureAlgorithm::Unknown(0)
    }
}

impl Signer for NationalSigningKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signed = Id::new(TLS_ID).map_err(gmkit_keys::Error::from);
        let signature = signed.and_then(|id| self.0.sign(id, message)).map_err(|error| {
            tracing::warn!(%error, "the private key did not sign a handshake");
            Error::Other(OtherError(Arc::new(error)))
        })?;
        Ok(signature.to_der().as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SM2SIG_SM3
    }
}

/// Loads keys for `with_single_cert` and its like.
#[derive(Debug)]
pub(crate) struct Keys;

impl KeyProvider for Keys {
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        let key = SoftwareKey::from_file_bytes(key.secret_der(), || {
            Err(gmkit_keys::Error::PassphraseNeeded)
        });
        let key = key.map_err(|error| Error::Other(OtherError(Arc::new(error))))?;
        Ok(Arc::new(NationalSigningKey::new(Arc::new(key))))
    }
}
