//! What can go wrong, and whose fault it is.

use std::{fmt, io, path::PathBuf, sync::Arc};

/// Error of an operation on an audit log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// An event cannot become a record: the caller's mistake.
    Event {
        /// Why.
        reason: String,
    },
    /// Options or a name that cannot be used: the caller's mistake.
    Options {
        /// Why.
        reason: &'static str,
    },
    /// Another process writes this log.
    Locked {
        /// The log's folder.
        dir: PathBuf,
    },
    /// A file could not be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: Arc<io::Error>,
    },
    /// A key did not do its work: the one that signs, or the one that seals.
    Key(Arc<gmkit_keys::Error>),
    /// The queue is full, and the caller does not want to wait; it is counted in a gap record.
    Full,
    /// Too many records wait for a signature: nothing is taken until the key is back.
    Unsigned {
        /// So many.
        records: u64,
    },
    /// The log is closed, or stopped after an error of the disk that leaves its state unknown.
    Closed,
    /// What is on disk is not what this log has written. Nothing is written to it any more.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Something needs records that were pruned.
    Pruned {
        /// The first record that is still there.
        first: u64,
    },
    /// What keeps copies is away, or refuses.
    Sink {
        /// What it said.
        reason: String,
    },
    /// A copy is not one of this log, or the log is not any more what its copy is of: for a person to look into.
    OtherCopy {
        /// What differs.
        reason: String,
    },
    /// Records are not to be pruned, as what is read back of their copy is not what was signed.
    NotCopied {
        /// Not before this one.
        first: u64,
        /// Before this one.
        end: u64,
    },
    /// A note, checkpoint or proof is malformed.
    Malformed {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A signature or a proof does not hold. Deliberately not more precise.
    Rejected,
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Io { path, source: Arc::new(source) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event { reason } => write!(f, "not an event: {reason}"),
            Self::Options { reason } => f.write_str(reason),
            Self::Locked { dir } => write!(f, "{}: another process writes this log", dir.display()),
            Self::Io { path, .. } => write!(f, "{}", path.display()),
            Self::Key(_) => f.write_str("a key"),
            Self::Full => f.write_str("the log's queue is full"),
            Self::Unsigned { records } => {
                write!(f, "{records} records wait for the signing key, and no more are taken")
            }
            Self::Closed => f.write_str("the log is closed"),
            Self::Damaged { path, reason } => write!(f, "{}: {reason}", path.display()),
            Self::Pruned { first } => write!(f, "the records before {first} were pruned"),
            Self::Sink { reason } => write!(f, "the log's copy: {reason}"),
            Self::OtherCopy { reason } => write!(f, "the log and its copy differ: {reason}"),
            Self::NotCopied { first, end } => write!(
                f,
                "among records {first} to {} the log's copy is not what was signed",
                end.saturating_sub(1)
            ),
            Self::Malformed { reason } => f.write_str(reason),
            Self::Rejected => f.write_str("a signature or a proof does not hold"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(&**source),
            Self::Key(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<gmkit_keys::Error> for Error {
    fn from(error: gmkit_keys::Error) -> Self {
        Self::Key(Arc::new(error))
    }
}
