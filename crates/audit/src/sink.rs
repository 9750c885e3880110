//! Copies of a log outside of it.
//!
//! They are made of the log's own files, never instead of them: what keeps copies may be away for as long as it
//! likes, and gets what it has missed when it is back. Nothing leaves the log before it is signed, so that no
//! copy ever has a record that the log itself has not.

mod copied;
#[cfg(any(feature = "otlp", feature = "syslog"))]
mod cursor;
mod forwarder;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(any(feature = "kafka", feature = "nats", feature = "otlp", feature = "syslog"))]
mod message;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(feature = "syslog")]
mod syslog;
#[cfg(any(feature = "kafka", feature = "nats", feature = "otlp", feature = "syslog"))]
mod tls;

pub(crate) use copied::check_copy;
pub use forwarder::{Forwarded, Forwarder};
#[cfg(feature = "kafka")]
pub use kafka::{Kafka, KafkaOptions};
#[cfg(feature = "nats")]
pub use nats::{Nats, NatsOptions};
#[cfg(feature = "otlp")]
pub use otlp::{Otlp, OtlpOptions};
#[cfg(feature = "syslog")]
pub use syslog::{Syslog, SyslogOptions};

use crate::{Error, Hash, leaf_hash};

/// Where copies of a log's records go.
///
/// Its functions may wait, as long as they give up at some time. After an error it is asked for
/// [`Sink::last`] again before it is sent anything.
pub trait Sink {
    /// The last record of this log that it has; `None` when it has none.
    ///
    /// # Errors
    /// [`Error::Sink`] when it is away; [`Error::OtherCopy`] when it has something else.
    fn last(&mut self) -> Result<Option<Last>, Error>;

    /// Takes records, the first of which has the index `first`, and returns when it has all of them.
    ///
    /// # Errors
    /// As [`Sink::last`]; it may have taken some of them then.
    fn send(&mut self, first: u64, records: &[Vec<u8>]) -> Result<(), Error>;
}

/// What keeps copies, and gives them back: with one of these, records can be pruned that are known to be kept
/// elsewhere ([`crate::Log::prune_copied`]).
pub trait ReadBack: Sink {
    /// Gives back what it keeps: `count` records from `first` on, or fewer where it has no more.
    ///
    /// # Errors
    /// As [`Sink::last`].
    fn read(&mut self, first: u64, count: usize) -> Result<Vec<Vec<u8>>, Error>;
}

impl<S: Sink + ?Sized> Sink for Box<S> {
    fn last(&mut self) -> Result<Option<Last>, Error> {
        (**self).last()
    }

    fn send(&mut self, first: u64, records: &[Vec<u8>]) -> Result<(), Error> {
        (**self).send(first, records)
    }
}

/// The last record that a sink has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Last {
    /// Its index in the log.
    pub index: u64,
    /// Its leaf hash: that it is this log's record, and not that of one that was there before.
    pub hash: Hash,
}

impl Last {
    /// A record with this index.
    #[must_use]
    pub fn new(index: u64, record: &[u8]) -> Self {
        Self { index, hash: leaf_hash(record) }
    }
}

/// What the kernel calls this machine.
#[cfg(any(feature = "otlp", feature = "syslog"))]
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim_end().to_owned()
}

/// A server's address, unless there is a user in it, which is refused: there may be a password, too.
#[cfg(any(feature = "kafka", feature = "nats", feature = "otlp", feature = "syslog"))]
fn shown(address: &str) -> &str {
    if address.contains('@') { "with a user, which it must not have" } else { address }
}
