//! Certificates that nobody here would issue: made without the checks, or taken apart and signed again.

mod certificates;
mod chains;
mod lists;
mod ocsp;

use std::sync::Arc;

use gmkit_keys::{PrivateKey, SoftwareKey};
use gmkit_sm2::{Id, spki::EncodePublicKey};
use rcgen::CertificateParams;

use crate::{Anchor, Certificate, Issuer, Profile, Purpose, Verifier, signed, subject, unsigned};

/// An authority that signs whatever it is told to.
struct Careless {
    key: Arc<SoftwareKey>,
    certificate: Certificate,
}

impl Careless {
    fn new(name: &str) -> Self {
        let key = Arc::new(SoftwareKey::generate().unwrap());
        let params = Profile::Ca.params(subject(name).unwrap(), 100).unwrap();
        let certificate = Issuer::self_signed(params, key.clone()).unwrap().certificate().clone();
        Self { key, certificate }
    }

    /// TBSCertificate of what is described.
    fn tbs(&self, mut params: CertificateParams, key: &SoftwareKey) -> Vec<u8> {
        params.serial_number = Some(crate::Serial::random().unwrap().to_rcgen());
        params.use_authority_key_identifier_extension = true;
        let spki = key.public_key().to_public_key_der().unwrap();
        let id = self.certificate.extensions().subject_key_id.clone().unwrap();
        let fields = unsigned::Fields {
            issuer: Some(self.certificate.subject().as_der()),
            issuer_key_id: &id,
            subject: None,
            subject_key_id: &id,
            spki: spki.as_bytes(),
            extensions: None,
        };
        unsigned::certificate(params, &fields).unwrap()
    }

    fn sign(&self, tbs: &[u8]) -> Vec<u8> {
        signed::sign(tbs, &*self.key, Id::DEFAULT).unwrap()
    }

    fn issue(&self, params: CertificateParams) -> (Certificate, SoftwareKey) {
        let key = SoftwareKey::generate().unwrap();
        let der = self.sign(&self.tbs(params, &key));
        (Certificate::from_der(&der).unwrap(), key)
    }

    /// An authority below this one.
    fn below(&self, params: CertificateParams) -> Self {
        let (certificate, key) = self.issue(params);
        Self { certificate, key: Arc::new(key) }
    }

    /// The same authority, with the checks.
    fn issuer(&self) -> Issuer {
        Issuer::new(self.certificate.clone(), self.key.clone()).unwrap()
    }

    fn verifier(&self, purpose: Purpose) -> Verifier {
        Verifier::new(vec![Anchor::new(self.certificate.clone())], purpose)
    }
}

fn params(profile: Profile) -> CertificateParams {
    profile.params(subject("CN=leaf,C=CN").unwrap(), 10).unwrap()
}

fn ca_params(name: &str) -> CertificateParams {
    Profile::Ca.params(subject(name).unwrap(), 20).unwrap()
}
