//! What checking a log has found.

use std::{fmt, path::PathBuf};

use crate::Hash;

/// What checking a log has found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The name of the log, as its checkpoint says.
    pub origin: Option<String>,
    /// The first record that is there: those before it were pruned.
    pub first: u64,
    /// For how many days pruned records were kept, at least, as the log says where it says that they are gone.
    pub kept_days: Option<u64>,
    /// How many records the latest checkpoint covers.
    pub size: u64,
    /// How many more there are: nothing is proven about them yet.
    pub tail: u64,
    /// How many bytes stand behind the last line: half a record, which is being written, or was when the
    /// writer was killed.
    pub unfinished: u64,
    /// The root over the records that the checkpoint covers, if there are as many.
    pub root: Option<Hash>,
    /// What the log says about events that did not become records.
    pub gaps: Gaps,
    /// What is wrong, the first record first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// What those records that are there and that the checkpoint covers say of events that did not become records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gaps {
    /// Records of events.
    pub events: u64,
    /// Gap records.
    pub gaps: u64,
    /// Events that were refused to who told them.
    pub refused: u64,
    /// Events that were dropped while the queue was full.
    pub dropped: u64,
    /// Events that were lost with a process that ended without closing the log.
    pub lost: u64,
    /// Whether `lost` is an upper bound, as the system itself went down.
    pub at_most: bool,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The checkpoint is not signed by the log's key, or is no checkpoint.
    CheckpointNotSigned,
    /// There is no checkpoint, which every log has from its first moment on.
    NoCheckpoint,
    /// A checkpoint is of a log with another name.
    OtherLog {
        /// This one.
        origin: String,
    },
    /// A record is not what it was.
    Changed {
        /// Which.
        index: u64,
    },
    /// A record is not there any more.
    TakenOut {
        /// Which.
        index: u64,
    },
    /// There is a record that was not there.
    PutIn {
        /// Which.
        index: u64,
    },
    /// Records are in another order, from one on.
    Moved {
        /// From which on.
        index: u64,
    },
    /// Records that the checkpoint covers are not there.
    Truncated {
        /// From which on.
        index: u64,
    },
    /// A line is longer than any record.
    TooLong {
        /// Which.
        index: u64,
    },
    /// A segment that is not the last ends with half a line.
    Unfinished {
        /// The first record of the next segment.
        index: u64,
    },
    /// The files of segments do not follow each other.
    Segments {
        /// At which record.
        index: u64,
        /// Where the next segment begins instead.
        found: u64,
    },
    /// Records among these, and the tiles with them, are not what was signed.
    Somewhere {
        /// Not before this one.
        first: u64,
        /// Before this one.
        end: u64,
    },
    /// A tile is not what the records make, and those are what was signed.
    Tile {
        /// Its file.
        path: PathBuf,
        /// The first record below it.
        first: u64,
    },
    /// The log has fewer records than when a kept checkpoint was made.
    RolledBack {
        /// How many are signed now.
        size: u64,
        /// How many were signed then.
        kept: u64,
    },
    /// The log does not begin with what it was when a kept checkpoint was made.
    OtherHistory {
        /// How many were signed then.
        kept: u64,
    },
    /// A kept checkpoint cannot be compared with any more: the last records that it covers were pruned.
    TooOld {
        /// How many were signed then.
        kept: u64,
        /// The first record that is there.
        first: u64,
    },
    /// The witness does not say that it has seen it.
    NotWitnessed,
}

impl Finding {
    /// The first record that is concerned, where it is about records.
    #[must_use]
    pub fn index(&self) -> Option<u64> {
        match self {
            Self::Changed { index }
            | Self::TakenOut { index }
            | Self::PutIn { index }
            | Self::Moved { index }
            | Self::Truncated { index }
            | Self::TooLong { index }
            | Self::Unfinished { index }
            | Self::Segments { index, .. }
            | Self::Somewhere { first: index, .. }
            | Self::Tile { first: index, .. }
            | Self::RolledBack { size: index, .. } => Some(*index),
            _ => None,
        }
    }

    /// A name for programs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::CheckpointNotSigned => "checkpoint-not-signed",
            Self::NoCheckpoint => "no-checkpoint",
            Self::OtherLog { .. } => "other-log",
            Self::Changed { .. } => "changed",
            Self::TakenOut { .. } => "taken-out",
            Self::PutIn { .. } => "put-in",
            Self::Moved { .. } => "moved",
            Self::Truncated { .. } => "truncated",
            Self::TooLong { .. } => "too-long",
            Self::Unfinished { .. } => "unfinished",
            Self::Segments { .. } => "segments",
            Self::Somewhere { .. } => "somewhere",
            Self::Tile { .. } => "tile",
            Self::RolledBack { .. } => "rolled-back",
            Self::OtherHistory { .. } => "other-history",
            Self::TooOld { .. } => "too-old",
            Self::NotWitnessed => "not-witnessed",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CheckpointNotSigned => f.write_str("the checkpoint is not signed by this key"),
            Self::NoCheckpoint => f.write_str("there is no checkpoint"),
            Self::OtherLog { origin } => write!(f, "a checkpoint of another log: {origin}"),
            Self::Changed { index } => write!(f, "record {index} was changed"),
            Self::TakenOut { index } => write!(f, "record {index} was taken out"),
            Self::PutIn { index } => write!(f, "record {index} was put in"),
            Self::Moved { index } => write!(f, "from record {index} on the order was changed"),
            Self::Truncated { index } => write!(f, "from record {index} on all are missing"),
            Self::TooLong { index } => write!(f, "record {index} is longer than any record"),
            Self::Unfinished { index } => {
                write!(f, "half a line stands before record {index}, which begins a segment")
            }
            Self::Segments { index, found } => {
                write!(f, "record {index} is missing: the next segment begins with {found}")
            }
            Self::Somewhere { first, end } => {
                write!(
                    f,
                    "among records {first} to {} some were changed, with their tiles",
                    end.saturating_sub(1)
                )
            }
            Self::Tile { path, first } => write!(
                f,
                "{} is not, or no more, the tile of the records from {first} on",
                path.display()
            ),
            Self::RolledBack { size, kept } => write!(
                f,
                "rolled back to {size} records: a kept checkpoint has {kept}, from record {size} on \
                 they are missing"
            ),
            Self::OtherHistory { kept } => {
                write!(f, "the first {kept} records are not those of a kept checkpoint")
            }
            Self::TooOld { kept, first } => write!(
                f,
                "a kept checkpoint of {kept} records cannot be compared with: those before {first} \
                 were pruned"
            ),
            Self::NotWitnessed => f.write_str("the witness has not seen the checkpoint"),
        }
    }
}
