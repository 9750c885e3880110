//! Who signs certificates and revocation lists.

use std::{fmt, sync::Arc};

use gmkit_keys::PrivateKey;
use gmkit_sm2::{Id, PublicKey, spki::EncodePublicKey};
use rcgen::{BasicConstraints, CertificateParams, CertificateRevocationListParams, IsCa};

use crate::{
    Anchor, Certificate, Crl, Error, KeyUsage, Name, Purpose, Request, Serial, Validity, Verifier,
    signed, unsigned, validity::date,
};

/// An authority: its certificate, and the private key that belongs to it.
///
/// See the crate's front page for an example.
#[derive(Clone)]
pub struct Issuer {
    certificate: Certificate,
    key: Arc<dyn PrivateKey>,
    id: Vec<u8>,
}

impl Issuer {
    /// Joins an authority's certificate and key.
    ///
    /// # Errors
    /// [`Error::Key`] when they do not belong together; [`Error::NotSm2`]; [`Error::Request`] when the
    /// certificate may not sign others.
    pub fn new(certificate: Certificate, key: Arc<dyn PrivateKey>) -> Result<Self, Error> {
        if certificate.public_key()? != key.public_key() {
            return Err(gmkit_keys::Error::CertificateMismatch.into());
        }
        if !certificate.extensions().is_ca() || !may(&certificate, KeyUsage::KEY_CERT_SIGN) {
            return Err(Error::Request {
                reason: "the issuer's certificate may not sign certificates",
            });
        }
        Ok(Self { certificate, key, id: Id::DEFAULT.as_bytes().to_vec() })
    }

    /// Makes the certificate of a root: it is signed with its own key. A serial number is chosen unless
    /// the parameters have one.
    ///
    /// # Errors
    /// [`Error::Request`] when the parameters are not an authority's; [`Error::Params`]; [`Error::Key`].
    pub fn self_signed(
        mut params: CertificateParams,
        key: Arc<dyn PrivateKey>,
    ) -> Result<Self, Error> {
        params.use_authority_key_identifier_extension = false;
        let spki = spki(key.public_key());
        let key_id = key_id(key.public_key());
        with_serial(&mut params)?;
        let fields = unsigned::Fields {
            issuer: None,
            issuer_key_id: &key_id,
            subject: None,
            subject_key_id: &key_id,
            spki: &spki,
            extensions: None,
        };
        let tbs = unsigned::certificate(params, &fields)?;
        let certificate = Certificate::from_der(&signed::sign(&tbs, &*key, Id::DEFAULT)?)?;
        certificate.verify_signature(key.public_key(), Id::DEFAULT)?;
        if certificate.subject().is_empty() {
            return Err(Error::Request { reason: "an issuer has a name" });
        }
        Self::new(certificate, key)
    }

    /// Signs under another ID than the default one. Those who check must know it: see
    /// [`Anchor::with_id`].
    #[must_use]
    pub fn with_id(mut self, id: Id<'_>) -> Self {
        self.id = id.as_bytes().to_vec();
        self
    }

    /// The authority's certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The ID that it signs under.
    ///
    /// # Panics
    /// Never: it was an ID when it came in.
    #[must_use]
    pub fn id(&self) -> Id<'_> {
        Id::new(&self.id).expect("it was an ID")
    }

    /// Issues a certificate for a key. A serial number is chosen unless the parameters have one; key
    /// identifiers are set; what comes out is checked against the authority's own certificate.
    ///
    /// # Errors
    /// [`Error::Request`] when it would outlive the authority's certificate, has no subject, or is an
    /// authority where none may follow; [`Error::Untrusted`] when the authority's name constraints do
    /// not permit it; [`Error::Params`]; [`Error::Key`].
    pub fn issue(&self, params: CertificateParams, key: &PublicKey) -> Result<Certificate, Error> {
        self.make(params, None, &spki(key), &key_id(key), None)
    }

    /// Issues a certificate for a key and the name of a request or another certificate, byte for byte.
    ///
    /// # Errors
    /// As [`Issuer::issue`].
    pub fn issue_named(
        &self,
        params: CertificateParams,
        subject: &Name,
        key: &PublicKey,
    ) -> Result<Certificate, Error> {
        self.make(params, Some(subject.as_der()), &spki(key), &key_id(key), None)
    }

    /// Issues a certificate again, with another serial number and validity, and all else the same.
    ///
    /// # Errors
    /// [`Error::Rejected`] when this authority has not issued it; and as [`Issuer::issue`].
    pub fn renew(&self, old: &Certificate, validity: Validity) -> Result<Certificate, Error> {
        if old.issuer() != self.certificate.subject() {
            return Err(Error::Rejected);
        }
        old.verify_signature(self.certificate.public_key()?, self.id())?;
        let wrong = || Error::Request { reason: "not a time that a certificate can have" };
        let mut params = CertificateParams::default();
        params.not_before = date(validity.not_before).ok_or_else(wrong)?;
        params.not_after = date(validity.not_after).ok_or_else(wrong)?;
        let extensions = old.extensions_der()?;
        self.make(params, Some(old.subject().as_der()), old.spki_der(), &[], extensions.as_deref())
    }

    /// Issues a revocation list. The authority's key identifier is set.
    ///
    /// # Errors
    /// [`Error::Request`] when the authority's certificate may not sign lists; [`Error::Params`], as for a
    /// next update that is before this one; [`Error::Key`].
    pub fn crl(&self, params: CertificateRevocationListParams) -> Result<Crl, Error> {
        if !may(&self.certificate, KeyUsage::CRL_SIGN) {
            return Err(Error::Request {
                reason: "the issuer's certificate may not sign revocation lists",
            });
        }
        let tbs = unsigned::crl(params, self.certificate.subject().as_der(), &self.key_id())?;
        let crl = Crl::from_der(&signed::sign(&tbs, &*self.key, self.id())?)?;
        crl.verify_signature(self.certificate.public_key()?, self.id())?;
        Ok(crl)
    }

    fn make(
        &self,
        mut params: CertificateParams,
        subject: Option<&[u8]>,
        spki: &[u8],
        subject_key_id: &[u8],
        extensions: Option<&[u8]>,
    ) -> Result<Certificate, Error> {
        params.use_authority_key_identifier_extension = true;
        with_serial(&mut params)?;
        self.limit_path(&mut params)?;
        let fields = unsigned::Fields {
            issuer: Some(self.certificate.subject().as_der()),
            issuer_key_id: &self.key_id(),
            subject,
            subject_key_id,
            spki,
            extensions,
        };
        let tbs = unsigned::certificate(params, &fields)?;
        let certificate = Certificate::from_der(&signed::sign(&tbs, &*self.key, self.id())?)?;
        self.check(&certificate)?;
        Ok(certificate)
    }

    /// An authority below this one has one less below itself.
    fn limit_path(&self, params: &mut CertificateParams) -> Result<(), Error> {
        let limit =
            self.certificate.extensions().basic_constraints.and_then(|limits| limits.path_len);
        let (IsCa::Ca(wanted), Some(limit)) = (&params.is_ca, limit) else { return Ok(()) };
        let below = limit.checked_sub(1).map(|below| u8::try_from(below).unwrap_or(u8::MAX));
        let below = below
            .ok_or(Error::Request { reason: "no authority may follow this one: path length 0" })?;
        match *wanted {
            BasicConstraints::Constrained(wanted) if wanted > below => Err(Error::Request {
                reason: "a longer path than the issuer's certificate permits",
            }),
            BasicConstraints::Constrained(_) => Ok(()),
            BasicConstraints::Unconstrained => {
                params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
                Ok(())
            }
        }
    }

    /// What was issued must be one that others accept, and signed well: a fault in the computation would
    /// show here.
    fn check(&self, made: &Certificate) -> Result<(), Error> {
        let (own, its) = (self.certificate.validity(), made.validity());
        if !own.contains(its.not_before) || !own.contains(its.not_after) {
            return Err(Error::Request {
                reason: "not within the life of the issuer's certificate",
            });
        }
        if made.subject().is_empty() || made.subject() == self.certificate.subject() {
            return Err(Error::Request { reason: "a subject has a name, and not the issuer's" });
        }
        made.verify_signature(self.certificate.public_key()?, self.id())?;
        self.check_authority(made)?;
        if !made.extensions().is_ca() {
            let anchor = Anchor::new(self.certificate.clone()).with_id(self.id());
            Verifier::new(vec![anchor], Purpose::Any).at(its.not_before).verify(made)?;
        }
        Ok(())
    }

    /// An authority below this one can sign, and has less below it than this one.
    fn check_authority(&self, made: &Certificate) -> Result<(), Error> {
        if !made.extensions().is_ca() {
            return Ok(());
        }
        if !may(made, KeyUsage::KEY_CERT_SIGN) {
            return Err(Error::Request {
                reason: "an authority whose key may not sign certificates",
            });
        }
        let limit =
            |of: &Certificate| of.extensions().basic_constraints.and_then(|limits| limits.path_len);
        match (limit(&self.certificate), limit(made)) {
            (Some(own), below) if below.is_none_or(|below| below >= own) => Err(Error::Request {
                reason: "a longer path than the issuer's certificate permits",
            }),
            _ => Ok(()),
        }
    }

    /// What the authority's certificate says, or else what it would.
    pub(crate) fn key_id(&self) -> Vec<u8> {
        let said = self.certificate.extensions().subject_key_id.clone();
        said.unwrap_or_else(|| key_id(self.key.public_key()))
    }
}

impl Request {
    /// Makes a request for a key, signed with it under the default ID. Of the parameters, subject,
    /// alternative names and usages are asked for.
    ///
    /// # Errors
    /// [`Error::Params`] for what a request cannot have; [`Error::Key`].
    pub fn make(params: &CertificateParams, key: &dyn PrivateKey) -> Result<Self, Error> {
        let tbs = unsigned::request(params, &spki(key.public_key()))?;
        Self::from_der(&signed::sign(&tbs, key, Id::DEFAULT)?)
    }
}

/// Whether a certificate says that its key may be used so.
pub(crate) fn may(certificate: &Certificate, usage: KeyUsage) -> bool {
    certificate.extensions().key_usage.is_some_and(|found| found.any_of(usage))
}

fn with_serial(params: &mut CertificateParams) -> Result<(), Error> {
    if params.serial_number.is_none() {
        params.serial_number = Some(Serial::random()?.to_rcgen());
    }
    Ok(())
}

fn spki(key: &PublicKey) -> Vec<u8> {
    key.to_public_key_der().expect("91 bytes of DER").into_vec()
}

/// The first 20 bytes of SM3 over the key: RFC 7093, 2, method 1, with the national hash.
pub(crate) fn key_id(key: &PublicKey) -> Vec<u8> {
    gmkit_sm3::digest(&[&key.to_sec1_bytes()])[..20].to_vec()
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({:?})", self.certificate)
    }
}
