//! Why a chain is not trusted, in words.

use std::fmt;

use rustls_pki_types::ServerName;

use crate::{Certificate, KeyUsage, rfc3339};

/// Why a chain is not trusted. Nothing here is secret: certificates are public.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Untrusted {
    /// An authority's certificate stands where an end entity's should.
    AuthorityAsEndEntity {
        /// Whose.
        subject: String,
    },
    /// A signature in the chain is not good.
    BadSignature,
    /// A critical extension is not understood.
    CriticalExtension {
        /// In whose certificate.
        subject: String,
        /// Its OID.
        oid: String,
    },
    /// A revocation list is too old to be used.
    CrlExpired,
    /// A revocation list is not signed by the authority, or not by one that may.
    CrlNotAuthentic,
    /// A certificate is over.
    Expired {
        /// Whose.
        subject: String,
        /// Since when, in seconds since 1970.
        not_after: i64,
    },
    /// The extended usages of a certificate do not permit the purpose.
    ExtendedKeyUsage,
    /// The key usages of a certificate do not permit what it is used for.
    KeyUsage {
        /// Whose.
        subject: String,
        /// What is needed.
        wanted: &'static str,
        /// What it has.
        found: KeyUsage,
    },
    /// An authority's name constraints do not permit a name.
    NameConstraints,
    /// A certificate does not say what its key may be used for.
    NoKeyUsage {
        /// Whose.
        subject: String,
    },
    /// A certificate that is no authority's has signed another.
    NotAnAuthority {
        /// Whose.
        subject: String,
    },
    /// A key or signature is not of SM2.
    NotNational {
        /// In whose certificate.
        subject: String,
    },
    /// A certificate has not begun.
    NotYetValid {
        /// Whose.
        subject: String,
        /// When it does, in seconds since 1970.
        not_before: i64,
    },
    /// An OCSP response is not signed by the authority, or not by one that may.
    OcspNotAuthentic,
    /// The chain is longer than an authority permits.
    PathLength,
    /// A certificate was revoked.
    Revoked,
    /// No revocation list or OCSP response says whether a certificate was revoked.
    RevocationUnknown,
    /// There are too many ways to build a chain from these certificates.
    TooComplex,
    /// Nobody who is trusted has issued it, directly or through the certificates given.
    UnknownIssuer {
        /// Who has, by what the certificate says.
        issuer: String,
    },
    /// The certificate is not for this host.
    WrongName {
        /// Which host was asked for.
        wanted: String,
        /// What the certificate has.
        found: Vec<String>,
    },
    /// Something else that webpki does not accept.
    Other {
        /// Its own words.
        reason: String,
    },
}

impl Untrusted {
    pub(super) fn from_webpki(
        error: webpki::Error,
        leaf: &Certificate,
        name: Option<&ServerName<'_>>,
    ) -> Self {
        use webpki::Error as E;
        match error {
            E::CertRevoked => Self::Revoked,
            E::CertNotValidForName(_) => Self::WrongName {
                wanted: name.map(|name| name.to_str().into_owned()).unwrap_or_default(),
                found: leaf
                    .extensions()
                    .subject_alt_names
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            },
            E::CrlExpired { .. } => Self::CrlExpired,
            E::InvalidCrlSignatureForPublicKey
            | E::IssuerNotCrlSigner
            | E::UnsupportedCrlSignatureAlgorithmContext(_)
            | E::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => Self::CrlNotAuthentic,
            E::InvalidSignatureForPublicKey => Self::BadSignature,
            E::MaximumNameConstraintComparisonsExceeded
            | E::MaximumPathBuildCallsExceeded
            | E::MaximumPathDepthExceeded
            | E::MaximumSignatureChecksExceeded => Self::TooComplex,
            E::NameConstraintViolation => Self::NameConstraints,
            E::PathLenConstraintViolated => Self::PathLength,
            E::RequiredEkuNotFoundContext(_) | E::EmptyEkuExtension => Self::ExtendedKeyUsage,
            E::UnknownIssuer => Self::UnknownIssuer { issuer: leaf.issuer().to_string() },
            E::UnknownRevocationStatus => Self::RevocationUnknown,
            error => Self::Other { reason: error.to_string() },
        }
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AuthorityAsEndEntity { subject } => {
                write!(f, "{subject} is an authority, not an end entity")
            }
            Self::BadSignature => f.write_str("a signature in the chain is not good"),
            Self::CriticalExtension { subject, oid } => {
                write!(
                    f,
                    "the certificate of {subject} has a critical extension that is not understood: {oid}"
                )
            }
            Self::CrlExpired => f.write_str("the revocation list is too old"),
            Self::CrlNotAuthentic => {
                f.write_str("the revocation list is not signed by the authority")
            }
            Self::Expired { subject, not_after } => {
                write!(f, "the certificate of {subject} has expired on {}", rfc3339(*not_after))
            }
            Self::ExtendedKeyUsage => {
                f.write_str("the extended key usages of a certificate do not permit this purpose")
            }
            Self::KeyUsage { subject, wanted, found } => {
                write!(f, "the key of {subject} may be used for {found}, and not for {wanted}")
            }
            Self::NameConstraints => {
                f.write_str("an authority's name constraints do not permit a name")
            }
            Self::NoKeyUsage { subject } => {
                write!(f, "the certificate of {subject} does not say what its key may be used for")
            }
            Self::NotAnAuthority { subject } => write!(f, "{subject} is not an authority"),
            Self::NotNational { subject } => {
                write!(f, "key or signature of the certificate of {subject} is not of SM2")
            }
            Self::NotYetValid { subject, not_before } => {
                write!(f, "the certificate of {subject} begins on {}", rfc3339(*not_before))
            }
            Self::OcspNotAuthentic => {
                f.write_str("the OCSP response is not signed by the authority")
            }
            Self::PathLength => f.write_str("the chain is longer than an authority permits"),
            Self::Revoked => f.write_str("a certificate of the chain was revoked"),
            Self::RevocationUnknown => {
                f.write_str("nothing says whether a certificate was revoked")
            }
            Self::TooComplex => f.write_str("too many ways to build a chain"),
            Self::UnknownIssuer { issuer } => {
                write!(f, "nobody who is trusted vouches for the issuer {issuer}")
            }
            Self::WrongName { wanted, found } => {
                write!(f, "the certificate is not for {wanted}, but for {}", found.join(", "))
            }
            Self::Other { reason } => f.write_str(reason),
        }
    }
}

impl std::error::Error for Untrusted {}
