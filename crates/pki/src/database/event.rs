//! The lines of the index.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Certificate, Serial, parse_rfc3339, rfc3339};

/// What has happened. JSON Lines: one object to a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Event {
    /// Whose database it is: the first line.
    Authority { subject: String, spki_sm3: String },
    /// A certificate was issued.
    Issued {
        #[serde(with = "seconds")]
        time: i64,
        #[serde(with = "hexadecimal")]
        serial: Serial,
        subject: String,
        #[serde(with = "seconds")]
        not_after: i64,
        sm3: String,
    },
    /// A certificate was revoked.
    Revoked {
        #[serde(with = "seconds")]
        time: i64,
        #[serde(with = "hexadecimal")]
        serial: Serial,
        reason: Reason,
    },
    /// A revocation list was about to be made.
    Crl {
        #[serde(with = "seconds")]
        time: i64,
        number: u64,
    },
}

impl Event {
    pub(crate) fn authority(certificate: &Certificate) -> Self {
        Self::Authority {
            subject: certificate.subject().to_string(),
            spki_sm3: hex(&gmkit_sm3::digest(&[certificate.spki_der()])),
        }
    }

    pub(crate) fn issued(certificate: &Certificate) -> Self {
        let validity = certificate.validity();
        Self::Issued {
            time: crate::now(),
            serial: certificate.serial().clone(),
            subject: certificate.subject().to_string(),
            not_after: validity.not_after,
            sm3: hex(&certificate.fingerprint_sm3()),
        }
    }

    /// The authority's key, by its digest; empty for other events.
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Authority { spki_sm3, .. } => spki_sm3,
            _ => "",
        }
    }
}

/// Why a certificate was revoked (RFC 5280, 5.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Reason {
    /// No reason is given.
    #[default]
    Unspecified,
    /// The private key is, or may be, known to others.
    KeyCompromise,
    /// The same of an authority's.
    #[serde(rename = "cACompromise")]
    CaCompromise,
    /// Names or other things in the certificate are not true any more.
    AffiliationChanged,
    /// There is another certificate in its place.
    Superseded,
    /// It is not needed any more.
    CessationOfOperation,
    /// It must not be used for now.
    CertificateHold,
    /// What it permitted is not permitted any more.
    PrivilegeWithdrawn,
}

impl Reason {
    /// The name that the standard has.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
        }
    }

    /// CRLReason's number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::PrivilegeWithdrawn => 9,
        }
    }

    /// In a list "unspecified" is not written (RFC 5280, 5.3.1).
    pub(crate) fn to_rcgen(self) -> Option<rcgen::RevocationReason> {
        use rcgen::RevocationReason as R;
        Some(match self {
            Self::Unspecified => return None,
            Self::KeyCompromise => R::KeyCompromise,
            Self::CaCompromise => R::CaCompromise,
            Self::AffiliationChanged => R::AffiliationChanged,
            Self::Superseded => R::Superseded,
            Self::CessationOfOperation => R::CessationOfOperation,
            Self::CertificateHold => R::CertificateHold,
            Self::PrivilegeWithdrawn => R::PrivilegeWithdrawn,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

/// Seconds since 1970, written as people read them.
mod seconds {
    use super::*;

    pub(super) fn serialize<S: Serializer>(time: &i64, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&rfc3339(*time))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<i64, D::Error> {
        parse_rfc3339(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

mod hexadecimal {
    use super::*;

    pub(super) fn serialize<S: Serializer>(serial: &Serial, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(serial)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Serial, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
