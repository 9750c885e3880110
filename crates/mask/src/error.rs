//! What can go wrong.

use std::fmt;

/// Why a text was not rewritten, or a policy not read. Nothing of what is masked stands in it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The body is not what it was said to be. What came before this place was rewritten, the rest must not be sent.
    Malformed {
        /// Where, in bytes from its beginning.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// A value is longer than is looked at, or nested deeper, and the policy refuses that.
    Limit {
        /// Where the value began, in bytes from the beginning of the body.
        offset: u64,
        /// What there is too much of.
        reason: &'static str,
    },
    /// The policy is none.
    Policy {
        /// Line of the policy, from 1; 0 if it is about all of it.
        line: usize,
        /// Character of that line, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// The policy names a key that the service has not given.
    NoKey {
        /// Its name.
        name: String,
    },
    /// A key failed: a token could not be made.
    Key(gmkit_keys::Error),
    /// Something failed before: nothing more is taken.
    Closed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { offset, reason } => write!(f, "byte {offset}: {reason}"),
            Self::Limit { offset, reason } => {
                write!(f, "byte {offset}: {reason} than the policy lets pass")
            }
            Self::Policy { line: 0, reason, .. } => write!(f, "the policy: {reason}"),
            Self::Policy { line, column, reason } => {
                write!(f, "line {line}, column {column}: {reason}")
            }
            Self::NoKey { name } => write!(f, "the policy wants a key named {name:?}"),
            Self::Key(_) => f.write_str("a token cannot be made"),
            Self::Closed => f.write_str("masking has failed before"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Key(error) => Some(error),
            _ => None,
        }
    }
}
