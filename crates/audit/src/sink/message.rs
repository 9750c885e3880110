//! What a message says about the record that it has.

use crate::{Error, Event};

/// Headers: the log that it is of, and the index of its record.
#[cfg(any(feature = "kafka", feature = "nats"))]
pub(super) const LOG: &str = "Gmkit-Log";
#[cfg(any(feature = "kafka", feature = "nats"))]
pub(super) const INDEX: &str = "Gmkit-Index";

/// An event's number is whatever its teller says: with its index it is one of its own.
#[cfg(any(feature = "kafka", feature = "nats"))]
pub(super) fn message_id(record: &[u8], index: u64) -> Result<String, Error> {
    event(record, index).map(|event| format!("{index}-{}", event.event_id))
}

/// What a record says. One that cannot be read was not written by the log.
pub(super) fn event(record: &[u8], index: u64) -> Result<Event, Error> {
    let reason = |_| Error::OtherCopy { reason: format!("record {index} of the log is none") };
    Event::from_json(record).map_err(reason)
}
