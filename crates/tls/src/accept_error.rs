//! Why there is no connection with a client.

use std::{fmt, io};

use crate::NotNational;

/// Why [`crate::GmAcceptor`] has no connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum AcceptError {
    /// It was not done in time: the client was slow, or the private key, or all threads were taken.
    Deadline,
    /// The network's fault, or TLS's: then there is a [`rustls::Error`] within.
    Io(io::Error),
    /// What was agreed on is not national.
    NotNational(NotNational),
}

impl AcceptError {
    /// What TLS failed of, where it is that.
    #[must_use]
    pub fn tls(&self) -> Option<&rustls::Error> {
        match self {
            Self::Io(error) => error.get_ref()?.downcast_ref(),
            _ => None,
        }
    }
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline => f.write_str("the handshake was not done in time"),
            Self::Io(error) => error.fmt(f),
            Self::NotNational(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AcceptError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Deadline => None,
            Self::Io(error) => Some(error),
            Self::NotNational(error) => Some(error),
        }
    }
}

impl From<io::Error> for AcceptError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<NotNational> for AcceptError {
    fn from(error: NotNational) -> Self {
        Self::NotNational(error)
    }
}
