//! What can be wrong with a configuration, in words.

use std::fmt;

use gmkit_pki::Untrusted;

/// Why there is no configuration. Faults of peers and of handshakes are rustls's.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no certificate.
    NoCertificate,
    /// The private key is not the certificate's.
    KeyMismatch {
        /// The certificate's subject.
        subject: String,
    },
    /// The certificate cannot be used for this.
    Certificate {
        /// The certificate's subject.
        subject: String,
        /// Why not.
        reason: Untrusted,
    },
    /// The key signs under one ID only, or not at all.
    Key(gmkit_keys::Error),
    /// What rustls says.
    Tls(rustls::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate => f.write_str("there is no certificate"),
            Self::KeyMismatch { subject } => {
                write!(f, "the private key is not that of the certificate of {subject}")
            }
            Self::Certificate { subject, reason } => {
                write!(f, "the certificate of {subject} is not for this: {reason}")
            }
            Self::Key(error) => write!(f, "the private key: {error}"),
            Self::Tls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Certificate { reason, .. } => Some(reason),
            Self::Key(error) => Some(error),
            Self::Tls(error) => Some(error),
            Self::NoCertificate | Self::KeyMismatch { .. } => None,
        }
    }
}

impl From<rustls::Error> for Error {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error)
    }
}

impl From<gmkit_keys::Error> for Error {
    fn from(error: gmkit_keys::Error) -> Self {
        Self::Key(error)
    }
}
