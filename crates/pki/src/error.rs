//! What can go wrong with certificates, and whose fault it is.

use std::fmt;

use crate::{Serial, Untrusted, strict::Fault};

/// Error of an operation on certificates.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The PEM armour is damaged.
    Pem,
    /// There is nothing of the kind in the file.
    NotFound(Form),
    /// What was read does not have the form it should have.
    Malformed {
        /// What was read.
        form: Form,
        /// What is wrong with it.
        reason: Fault,
    },
    /// A key was refused, or could not do its work.
    Key(gmkit_keys::Error),
    /// The public key is not of SM2.
    NotSm2,
    /// A signature is not that of the key it should be of. Deliberately not more precise.
    Rejected,
    /// A message cannot be decrypted with this key, or was changed. Deliberately not more precise.
    NotDecrypted,
    /// What is to be issued or written cannot be: the caller's mistake.
    Request {
        /// Why.
        reason: &'static str,
    },
    /// A text that describes a subject or a name is malformed.
    Text {
        /// The part that is not understood.
        part: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What is to be issued cannot be written.
    Params(rcgen::Error),
    /// A chain is not trusted.
    Untrusted(Untrusted),
    /// The database has no such certificate.
    UnknownSerial(Serial),
    /// The certificate is revoked already, or not to be renewed for that.
    AlreadyRevoked(Serial),
    /// The database is damaged.
    Database {
        /// The line of the index, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A message could not be read or written: what it comes from or goes to failed.
    Stream(std::io::Error),
    /// A file of the database could not be read or written.
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}

/// The kinds of things that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// A certificate.
    Certificate,
    /// A certification request (PKCS#10).
    Request,
    /// A certificate revocation list.
    Crl,
    /// An OCSP request.
    OcspRequest,
    /// An OCSP response.
    OcspResponse,
    /// A CMS message.
    Message,
    /// A PKCS#12 file.
    Pkcs12,
    /// A `.sm2` file of CFCA.
    Cfca,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Request => "certification request",
            Self::Crl => "revocation list",
            Self::OcspRequest => "OCSP request",
            Self::OcspResponse => "OCSP response",
            Self::Message => "CMS message",
            Self::Pkcs12 => "PKCS#12 file",
            Self::Cfca => "CFCA .sm2 file",
        })
    }
}

impl Form {
    pub(crate) fn fault(self) -> impl Fn(Fault) -> Error {
        move |reason| Error::Malformed { form: self, reason }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem => f.write_str("damaged PEM"),
            Self::NotFound(form) => write!(f, "there is no {form} in it"),
            Self::Malformed { form, reason } => write!(f, "malformed {form}: {reason}"),
            Self::Key(error) => error.fmt(f),
            Self::NotSm2 => f.write_str("the public key is not an SM2 key"),
            Self::Rejected => f.write_str("the signature is not good"),
            Self::NotDecrypted => {
                f.write_str("not decrypted: it is not for this key, or it was changed on its way")
            }
            Self::Request { reason } => f.write_str(reason),
            Self::Text { part, reason } => write!(f, "\"{part}\": {reason}"),
            Self::Params(error) => error.fmt(f),
            Self::Untrusted(reason) => write!(f, "not trusted: {reason}"),
            Self::UnknownSerial(serial) => write!(f, "no certificate {serial} was issued here"),
            Self::AlreadyRevoked(serial) => write!(f, "certificate {serial} is revoked"),
            Self::Database { line, reason } => write!(f, "index, line {line}: {reason}"),
            Self::Stream(_) => f.write_str("the message could not be read or written"),
            Self::Io { path, .. } => write!(f, "cannot use {}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Key(error) => error.source(),
            Self::Io { source, .. } | Self::Stream(source) => Some(source),
            _ => None,
        }
    }
}

impl From<gmkit_keys::Error> for Error {
    fn from(error: gmkit_keys::Error) -> Self {
        Self::Key(error)
    }
}

impl From<gmkit_sm2::Error> for Error {
    fn from(error: gmkit_sm2::Error) -> Self {
        match error {
            gmkit_sm2::Error::Rejected => Self::Rejected,
            error => Self::Key(error.into()),
        }
    }
}

impl From<rcgen::Error> for Error {
    fn from(error: rcgen::Error) -> Self {
        Self::Params(error)
    }
}

impl From<Untrusted> for Error {
    fn from(reason: Untrusted) -> Self {
        Self::Untrusted(reason)
    }
}
