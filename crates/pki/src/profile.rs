//! What certificates are issued for.

use der::Tag;
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName,
    ExtendedKeyUsagePurpose as Extended, IsCa, KeyUsagePurpose as Usage,
};

use crate::{
    Error, GeneralName, Request, parts,
    subject_text::san_of,
    validity::{DAY, date, now},
};

/// id-pkix-ocsp-nocheck: a responder's own certificate is not asked about.
const NO_CHECK: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 48, 1, 5];

/// id-kp-documentSigning (RFC 9336).
const DOCUMENTS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 36];

/// authorityInfoAccess.
const ACCESS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];

/// id-ad-ocsp, 1.3.6.1.5.5.7.48.1, in DER.
const OCSP: &[u8] = &[6, 8, 0x2b, 6, 1, 5, 5, 7, 48, 1];

/// What a certificate is for, which decides its usages. They satisfy Tongsuo and GmSSL both. What signs or
/// decrypts documents says so in its extended key usages, so that nobody takes it for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// An authority: signs certificates and revocation lists.
    Ca,
    /// Encrypts: the second certificate of a national pair.
    Encrypt,
    /// Signs OCSP responses.
    Ocsp,
    /// Signs documents.
    Sign,
    /// A client in TLS and TLCP.
    TlsClient,
    /// A server in TLS and TLCP.
    TlsServer,
}

impl Profile {
    /// Parameters for a certificate that begins now.
    ///
    /// # Errors
    /// [`Error::Request`] for days that no certificate can have: none, or beyond the year 9999.
    pub fn params(self, subject: DistinguishedName, days: u32) -> Result<CertificateParams, Error> {
        let begin = now();
        let wrong = Error::Request {
            reason: "a certificate lives for at least a day, and ends before 10000",
        };
        let end = date(begin + i64::from(days) * DAY).filter(|_| days > 0).ok_or(wrong)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = subject;
        params.not_before = date(begin).ok_or(Error::Request { reason: "the clock is wrong" })?;
        params.not_after = end;
        self.apply(&mut params);
        Ok(params)
    }

    /// The same for a request: with those alternative names that it asks for and that go with the profile:
    /// all for servers and clients, none that name a host for documents, none at all for authorities and
    /// responders. Subject and key come from the request when it is issued; whatever else it asks for is the
    /// authority's to decide.
    ///
    /// # Errors
    /// As [`Profile::params`]; and for an alternative name of a kind that is not issued here.
    pub fn params_for(self, request: &Request, days: u32) -> Result<CertificateParams, Error> {
        let mut params = self.params(DistinguishedName::new(), days)?;
        let asked = request.extensions().subject_alt_names.iter().filter(|name| self.grants(name));
        let names = asked.map(san_of).collect::<Result<_, _>>();
        params.subject_alt_names = names.map_err(|reason| Error::Request { reason })?;
        Ok(params)
    }

    fn grants(self, name: &GeneralName) -> bool {
        let host = matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_));
        match self {
            Self::TlsServer | Self::TlsClient => true,
            Self::Sign | Self::Encrypt => !host,
            Self::Ca | Self::Ocsp => false,
        }
    }

    /// Sets the usages of the profile.
    pub fn apply(self, params: &mut CertificateParams) {
        let documents = || vec![Extended::EmailProtection, Extended::Other(DOCUMENTS.to_vec())];
        params.is_ca = IsCa::NoCa;
        (params.key_usages, params.extended_key_usages) = match self {
            Self::Ca => {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                (vec![Usage::KeyCertSign, Usage::CrlSign], Vec::new())
            }
            Self::Encrypt => (Self::encryption_usages(), vec![Extended::EmailProtection]),
            Self::Ocsp => {
                let no_check = CustomExtension::from_oid_content(NO_CHECK, vec![5, 0]);
                params.custom_extensions.push(no_check);
                (vec![Usage::DigitalSignature], vec![Extended::OcspSigning])
            }
            Self::Sign => (vec![Usage::DigitalSignature, Usage::ContentCommitment], documents()),
            Self::TlsClient => (vec![Usage::DigitalSignature], vec![Extended::ClientAuth]),
            Self::TlsServer => (vec![Usage::DigitalSignature], vec![Extended::ServerAuth]),
        };
    }

    /// Turns the parameters of a signing certificate into those of its twin that encrypts: everything is
    /// the same but the usages of the key.
    #[must_use]
    pub fn encryption_twin(signing: &CertificateParams) -> CertificateParams {
        let mut params = signing.clone();
        params.serial_number = None;
        params.is_ca = IsCa::NoCa;
        params.key_usages = Self::encryption_usages();
        params
    }

    fn encryption_usages() -> Vec<Usage> {
        vec![Usage::KeyEncipherment, Usage::DataEncipherment, Usage::KeyAgreement]
    }
}

/// Says in a certificate where its authority's revocation list is published.
///
/// # Errors
/// [`Error::Text`] when it is not a URL.
pub fn publish_crl_at(params: &mut CertificateParams, url: &str) -> Result<(), Error> {
    check_url(url)?;
    params.crl_distribution_points.push(CrlDistributionPoint { uris: vec![url.to_owned()] });
    Ok(())
}

/// Says in a certificate where OCSP is spoken about it.
///
/// # Errors
/// [`Error::Text`] when it is not a URL.
pub fn answer_ocsp_at(params: &mut CertificateParams, url: &str) -> Result<(), Error> {
    check_url(url)?;
    let uri = Tag::ContextSpecific { constructed: false, number: der::TagNumber(6) };
    let description = parts::sequence(&[OCSP, &parts::tagged(uri, &[url.as_bytes()])]);
    let content = parts::sequence(&[&description]);
    params.custom_extensions.push(CustomExtension::from_oid_content(ACCESS, content));
    Ok(())
}

fn check_url(url: &str) -> Result<(), Error> {
    let good = url.bytes().all(|byte| byte.is_ascii_graphic())
        && ["http://", "https://", "ldap://"].iter().any(|scheme| url.starts_with(scheme));
    let part = url.to_owned();
    good.then_some(()).ok_or(Error::Text { part, reason: "not an http, https or ldap URL" })
}
