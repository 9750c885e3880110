//! What can go wrong with a generator.

use std::fmt;

/// Error of a [`crate::Drng`]. After all but [`Error::TooLong`] the generator gives nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The entropy source failed.
    Entropy,
    /// The entropy source failed a health test: what it gives is not random.
    Health,
    /// The generator did not give the known answer.
    SelfTest,
    /// Personalization or additional input is longer than [`crate::MAX_INPUT`].
    TooLong,
    /// An earlier error has put this generator out of service.
    OutOfService,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Entropy => "the entropy source failed",
            Self::Health => "the entropy source failed a health test",
            Self::SelfTest => "the generator's self-test failed",
            Self::TooLong => "input for the generator is longer than 64 KiB",
            Self::OutOfService => "the generator is out of service after an earlier error",
        })
    }
}

impl std::error::Error for Error {}
