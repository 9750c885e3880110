//! An authority in memory, and whom it vouches for. A service reads these from files, or its key from a
//! device.

use std::{error::Error, sync::Arc};

use gmkit_keys::{PrivateKey, SoftwareKey};
use gmkit_pki::{Anchor, Certificate, Issuer, Profile, Purpose, Verifier, san, subject};

/// What an example may fail of.
pub(crate) type Fault = Box<dyn Error + Send + Sync>;

/// Vouches for those who take part.
pub(crate) struct Authority(Issuer);

impl Authority {
    /// A new one.
    pub(crate) fn new() -> Result<Self, Fault> {
        let params = Profile::Ca.params(subject("CN=Example Root,C=CN")?, 30)?;
        Ok(Self(Issuer::self_signed(params, Arc::new(SoftwareKey::generate()?))?))
    }

    /// A key, and a certificate for it.
    pub(crate) fn identity(
        &self,
        profile: Profile,
        name: &str,
    ) -> Result<(Vec<Certificate>, Arc<SoftwareKey>), Fault> {
        let key = Arc::new(SoftwareKey::generate()?);
        let mut params = profile.params(subject(&format!("CN={name},C=CN"))?, 20)?;
        params.subject_alt_names = san(&format!("DNS:{name}"))?;
        let certificate = self.0.issue(params, key.public_key())?;
        Ok((vec![certificate], key))
    }

    /// What others trust.
    pub(crate) fn anchor(&self) -> Anchor {
        Anchor::new(self.0.certificate().clone())
    }

    /// Trust in this authority alone.
    pub(crate) fn trust(&self) -> Verifier {
        Verifier::new(vec![self.anchor()], Purpose::TlsServer)
    }
}
