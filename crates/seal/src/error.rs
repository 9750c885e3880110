//! What can go wrong.

use std::fmt;

/// Why a body was not opened, or not sealed. Nothing of what is in it stands in here.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// It is not sealed, where that is asked for.
    NotSealed,
    /// What came back is not sealed: a refusal, or not from the service. This is its status.
    Refused(u16),
    /// It is not in the format.
    Malformed(&'static str),
    /// It is sealed under a key that is not known here, or that the other side was not asked to use.
    UnknownKey,
    /// It was sealed too long ago, or will be: the clocks differ by more than is allowed, or it was held back.
    Time,
    /// It came before.
    Replayed,
    /// So many came within the allowed time that no more can be remembered.
    Busy,
    /// It is not authentic: changed, for another route, out of order, or under another key. Deliberately not more precise.
    Rejected,
    /// It ends before its end.
    CutOff,
    /// A key, or the random number generator, failed.
    Key(gmkit_keys::Error),
    /// A name of a key or a client is 1 to 64 printable characters of ASCII, and no two are the same.
    KeyName,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSealed => "the body is not sealed",
            Self::Refused(status) => return write!(f, "the answer is not sealed: status {status}"),
            Self::Malformed(reason) => return write!(f, "the sealed body: {reason}"),
            Self::UnknownKey => "the body is sealed under a key that is not known",
            Self::Time => "the body was sealed too long ago, or the clocks differ",
            Self::Replayed => "the body came before",
            Self::Busy => "too many sealed bodies in too short a time",
            Self::Rejected => "the sealed body is rejected",
            Self::CutOff => "the sealed body ends before its end",
            Self::Key(_) => "a key failed",
            Self::KeyName => {
                "a key, or a client, has a name of its own, of 1 to 64 printable characters"
            }
        })
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

impl From<gmkit_keys::Error> for Error {
    fn from(error: gmkit_keys::Error) -> Self {
        match error {
            gmkit_keys::Error::Rejected => Self::Rejected,
            error => Self::Key(error),
        }
    }
}
