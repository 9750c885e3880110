//! Why there is no connection.

use std::{fmt, io};

use rustls::CertificateError;

use crate::NotNational;

/// Why a handshake ended without a connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum HandshakeError {
    /// It was not done in time: the other side was slow, or the private key, or all threads were taken.
    Deadline,
    /// The network's fault.
    Io(io::Error),
    /// TLS's: what the other side did, or said in an alert; or what one's own key did not do.
    Tls(rustls::Error),
    /// What was agreed on is not national.
    NotNational(NotNational),
}

impl HandshakeError {
    /// Whether the fault is on this side: the private key did not sign, whatever holds it, or there
    /// were no random numbers. rustls has no alert for that. What it finds in peers, certificates too,
    /// has other names.
    #[must_use]
    pub fn is_local(&self) -> bool {
        use rustls::Error as E;
        matches!(self, Self::Tls(E::Other(_) | E::FailedToGetRandomBytes))
    }

    /// What one's own key said, where it is one of `gmkit_keys`.
    #[must_use]
    pub fn key_error(&self) -> Option<&gmkit_keys::Error> {
        match self {
            Self::Tls(rustls::Error::Other(inner)) => inner.0.downcast_ref(),
            _ => None,
        }
    }

    /// Why the other side's certificate is not trusted, if it is that.
    #[must_use]
    pub fn untrusted(&self) -> Option<String> {
        match self {
            // The words of `pki`, where rustls has none of its own.
            Self::Tls(rustls::Error::InvalidCertificate(CertificateError::Other(inner))) => {
                Some(inner.to_string())
            }
            Self::Tls(error @ rustls::Error::InvalidCertificate(_)) => Some(error.to_string()),
            _ => None,
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline => f.write_str("the handshake was not done in time"),
            Self::Io(error) => error.fmt(f),
            Self::Tls(error) => match self.untrusted() {
                Some(reason) => f.write_str(&reason),
                None => error.fmt(f),
            },
            Self::NotNational(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for HandshakeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Deadline => None,
            Self::Io(error) => Some(error),
            Self::Tls(error) => Some(error),
            Self::NotNational(error) => Some(error),
        }
    }
}

impl From<io::Error> for HandshakeError {
    /// TLS's error, where the other one carries it.
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(inner) => Self::Tls(inner.clone()),
            None => Self::Io(error),
        }
    }
}

impl From<rustls::Error> for HandshakeError {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error)
    }
}

impl From<NotNational> for HandshakeError {
    fn from(error: NotNational) -> Self {
        Self::NotNational(error)
    }
}

impl From<HandshakeError> for io::Error {
    fn from(error: HandshakeError) -> Self {
        match error {
            HandshakeError::Io(error) => error,
            HandshakeError::Deadline => Self::new(io::ErrorKind::TimedOut, error),
            error => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}
