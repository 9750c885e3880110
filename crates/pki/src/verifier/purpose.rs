//! What a certificate is to be used for.

use webpki::{Error, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter};

use super::{Untrusted, check_time};
use crate::{Certificate, ExtendedKeyUsage, KeyUsage};

/// id-kp-OCSPSigning, 1.3.6.1.5.5.7.3.9.
const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];

/// id-kp-timeStamping, 1.3.6.1.5.5.7.3.8.
const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];

/// documentSigning, emailProtection, codeSigning, anyExtendedKeyUsage.
const DOCUMENTS: [&[u8]; 4] = [
    &[0x2b, 6, 1, 5, 5, 7, 3, 36],
    &[0x2b, 6, 1, 5, 5, 7, 3, 4],
    &[0x2b, 6, 1, 5, 5, 7, 3, 3],
    &[0x55, 0x1d, 0x25, 0],
];

/// What an end entity's certificate is to be used for: decides which usages it must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// Nothing in particular: only who it is.
    Any,
    /// To encrypt to it: any of keyEncipherment, dataEncipherment, keyAgreement.
    Encrypt,
    /// To sign OCSP responses: digitalSignature, and OCSPSigning, which must be there.
    OcspSigning,
    /// To sign documents: digitalSignature or nonRepudiation; and if there are extended usages, any of
    /// documentSigning, emailProtection, codeSigning and anyExtendedKeyUsage.
    Sign,
    /// To sign time stamps (RFC 3161): digitalSignature or nonRepudiation, and timeStamping, which must be
    /// there.
    TimeStamping,
    /// As a client of TLS: digitalSignature, and clientAuth if there are extended usages.
    TlsClient,
    /// As a server of TLS: digitalSignature, and serverAuth if there are extended usages.
    TlsServer,
}

impl Purpose {
    /// Whether a certificate permits this, by what it says itself: algorithms, dates, critical extensions and
    /// usages. Nobody is asked whether it is genuine: that is [`crate::Verifier`]'s work.
    ///
    /// # Errors
    /// [`Untrusted`], with the reason.
    pub fn check(self, certificate: &Certificate, time: i64) -> Result<(), Untrusted> {
        if !certificate.is_national() {
            return Err(Untrusted::NotNational { subject: certificate.subject().to_string() });
        }
        self.check_usages(certificate, time)?;
        use ExtendedKeyUsage as E;
        let purposes = certificate.extensions().extended_key_usage.as_deref();
        let has =
            |wanted: &[E]| purposes.is_none_or(|all| all.iter().any(|one| wanted.contains(one)));
        let permitted = match self {
            Self::Any | Self::Encrypt => true,
            Self::OcspSigning => purposes.is_some() && has(&[E::OcspSigning]),
            Self::Sign => {
                let documents = E::Other("1.3.6.1.5.5.7.3.36".to_owned());
                has(&[E::Any, E::EmailProtection, E::CodeSigning, documents])
            }
            Self::TimeStamping => purposes.is_some() && has(&[E::TimeStamping]),
            Self::TlsClient => has(&[E::ClientAuth]),
            Self::TlsServer => has(&[E::ServerAuth]),
        };
        if permitted { Ok(()) } else { Err(Untrusted::ExtendedKeyUsage) }
    }

    pub(super) fn check_usages(self, leaf: &Certificate, time: i64) -> Result<(), Untrusted> {
        let subject = || leaf.subject().to_string();
        let extensions = leaf.extensions();
        if let Some(oid) = extensions.unknown_critical().next() {
            return Err(Untrusted::CriticalExtension { subject: subject(), oid: oid.to_owned() });
        }
        if extensions.is_ca() {
            return Err(Untrusted::AuthorityAsEndEntity { subject: subject() });
        }
        check_time(leaf, time)?;
        let usage =
            extensions.key_usage.ok_or_else(|| Untrusted::NoKeyUsage { subject: subject() })?;
        match self.key_usage() {
            Some((wanted, name)) if !usage.any_of(wanted) => {
                Err(Untrusted::KeyUsage { subject: subject(), wanted: name, found: usage })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn key_usage(self) -> Option<(KeyUsage, &'static str)> {
        let signature = (KeyUsage::DIGITAL_SIGNATURE, "digitalSignature");
        match self {
            Self::Any => None,
            Self::Encrypt => {
                Some((KeyUsage::ENCRYPTION, "keyEncipherment, dataEncipherment or keyAgreement"))
            }
            Self::Sign | Self::TimeStamping => {
                Some((KeyUsage::SIGNING, "digitalSignature or nonRepudiation"))
            }
            Self::OcspSigning | Self::TlsClient | Self::TlsServer => Some(signature),
        }
    }

    pub(super) fn extended(self) -> Extended {
        match self {
            Self::Any | Self::Encrypt => Extended::Free,
            Self::Sign => Extended::OneOf(&DOCUMENTS),
            Self::OcspSigning => Extended::As(webpki::KeyUsage::required(OCSP_SIGNING)),
            Self::TimeStamping => Extended::As(webpki::KeyUsage::required(TIME_STAMPING)),
            Self::TlsClient => Extended::As(webpki::KeyUsage::client_auth()),
            Self::TlsServer => Extended::As(webpki::KeyUsage::server_auth()),
        }
    }
}

/// The extended usages that are asked for.
pub(super) enum Extended {
    /// None, as long as they can be read.
    Free,
    /// If there are any, one of these.
    OneOf(&'static [&'static [u8]]),
    /// What webpki asks for.
    As(webpki::KeyUsage),
}

impl ExtendedKeyUsageValidator for Extended {
    fn validate(&self, mut purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        match self {
            Self::As(wanted) => wanted.validate(purposes),
            Self::Free => purposes.try_for_each(|purpose| purpose.map(drop)),
            Self::OneOf(wanted) => {
                let found = purposes.collect::<Result<Vec<_>, _>>()?;
                let good =
                    |purpose| wanted.iter().any(|wanted| KeyPurposeId::new(wanted) == purpose);
                match found.is_empty() || found.into_iter().any(good) {
                    true => Ok(()),
                    false => Err(Error::EmptyEkuExtension),
                }
            }
        }
    }
}
