//! What the events add up to.

use std::collections::BTreeMap;

use super::event::{Event, Reason};
use crate::{Certificate, Error, Serial};

/// What is known of an authority's certificates.
#[derive(Clone, Debug, Default)]
pub struct State {
    authority: Option<String>,
    records: BTreeMap<Serial, Record>,
    last_crl: u64,
    last_crl_time: i64,
}

/// What is known of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Whose.
    pub subject: String,
    /// When it was issued, in seconds since 1970.
    pub issued: i64,
    /// When it ends, in seconds since 1970.
    pub not_after: i64,
    /// SM3 over its DER, in hexadecimal.
    pub sm3: String,
    revoked: Option<(i64, Reason)>,
}

impl Record {
    /// When and why it was revoked.
    #[must_use]
    pub fn revoked(&self) -> Option<(i64, Reason)> {
        self.revoked
    }
}

impl State {
    /// What is known of a certificate.
    ///
    /// # Errors
    /// [`Error::UnknownSerial`].
    pub fn record(&self, serial: &Serial) -> Result<&Record, Error> {
        self.records.get(serial).ok_or_else(|| Error::UnknownSerial(serial.clone()))
    }

    /// All certificates, by serial number.
    pub fn records(&self) -> impl ExactSizeIterator<Item = (&Serial, &Record)> {
        self.records.iter()
    }

    /// The number of the last revocation list; 0 before the first.
    #[must_use]
    pub fn last_crl(&self) -> u64 {
        self.last_crl
    }

    /// The number of the next list.
    pub(super) fn next_crl(&self) -> Result<u64, Error> {
        let reason = "there are no numbers left for lists";
        self.last_crl.checked_add(1).ok_or(Error::Database { line: 0, reason })
    }

    /// Whether it is this authority's.
    pub(super) fn check_authority(&self, authority: &Certificate) -> Result<(), Error> {
        let reason = match self.authority() {
            Some(known) if known == Event::authority(authority).key() => return Ok(()),
            Some(_) => "it is the database of another authority",
            None => "it does not say whose database it is",
        };
        Err(Error::Database { line: 1, reason })
    }

    /// SM3 of the authority's key.
    pub(super) fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// What belongs into a list that is made at `time`: everything revoked, but for what has been on a list
    /// after its end. A list that was made by a clock ahead of its time takes nothing away.
    pub(super) fn to_be_listed(&self, time: i64) -> impl Iterator<Item = (&Serial, i64, Reason)> {
        let over = self.last_crl_time.min(time);
        self.records.iter().filter_map(move |(serial, record)| {
            let (time, reason) = record.revoked?;
            (record.not_after >= over).then_some((serial, time, reason))
        })
    }

    pub(super) fn apply(&mut self, event: Event) -> Result<(), &'static str> {
        match event {
            Event::Authority { .. } if self.authority.is_some() => {
                return Err("a second authority");
            }
            Event::Authority { spki_sm3, .. } => self.authority = Some(spki_sm3),
            Event::Issued { serial, .. } if self.records.contains_key(&serial) => {
                return Err("a serial number used twice");
            }
            Event::Issued { time, serial, subject, not_after, sm3 } => {
                let record = Record { subject, issued: time, not_after, sm3, revoked: None };
                self.records.insert(serial, record);
            }
            Event::Revoked { time, serial, reason } => {
                let record = self.records.get_mut(&serial).ok_or("revokes what was not issued")?;
                if record.revoked.is_some() {
                    return Err("revoked twice");
                }
                record.revoked = Some((time, reason));
            }
            Event::Crl { number, .. } if number <= self.last_crl => {
                return Err("a list's number used twice");
            }
            Event::Crl { number, time } => (self.last_crl, self.last_crl_time) = (number, time),
        }
        Ok(())
    }
}
