//! Who brings a log's records to a sink.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use gmkit_sm2::PublicKey;

use super::{Last, Sink};
use crate::{
    Auditor, Checkpoint, Error, Follow, Hash, disk, growth, layout::Layout, leaf_hash,
    verify_consistency,
};

/// How many records go together at most, and how many bytes of them, more or less.
const RECORDS: usize = 256;
const BYTES: usize = 1 << 20;

/// How often it looks for new records.
const LOOK: Duration = Duration::from_millis(500);

/// How long it waits before it asks a sink again that was away: first, and at most.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Brings the records of a log to a [`Sink`], in their order, as far as they are signed; none is left out, and whether
/// one can come twice is the sink's to say.
///
/// What it has brought already, the sink is asked: nothing is kept here that could be lost or disagree, and one that
/// was killed goes on where it was. It reads the log's files, beside its writer, in the
/// same process or in another.
///
/// ```
/// # use gmkit_audit::{Error, Event, Forwarder, Last, Log, Options, Outcome, Sink};
/// # use gmkit_keys::{PrivateKey, SoftwareKey};
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path().join("log");
/// # let key = std::sync::Arc::new(SoftwareKey::generate()?);
/// # let log = Log::open(&dir, Options::new("bank.example/payments")?, key.clone())?;
/// # log.append(&Event::new("transfer.create", Outcome::denied()))?;
/// # log.close()?;
/// /// Keeps copies where they do not help much.
/// struct Memory(Vec<Vec<u8>>);
///
/// impl Sink for Memory {
///     fn last(&mut self) -> Result<Option<Last>, Error> {
///         Ok(self.0.last().map(|last| Last::new(self.0.len() as u64 - 1, last)))
///     }
///     fn send(&mut self, _: u64, records: &[Vec<u8>]) -> Result<(), Error> {
///         self.0.extend_from_slice(records);
///         Ok(())
///     }
/// }
///
/// let mut forwarder = Forwarder::new(&dir, key.public_key(), Memory(Vec::new()));
/// assert_eq!(forwarder.forward()?.next, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Forwarder<S> {
    layout: Layout,
    key: PublicKey,
    sink: S,
    /// Where it is in the log; `None` until the sink has said what it has.
    follow: Option<Follow>,
    /// The latest checkpoint that was seen: what follows must have grown from it.
    seen: Option<Checkpoint>,
    skipped: u64,
    /// The records before this one were pruned, as the log's key has signed.
    pruned: u64,
    /// The record with which it went on behind those that were skipped.
    begun: u64,
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forwarded {
    /// The index behind the last record that the sink keeps.
    pub next: u64,
    /// How many records were pruned before they were copied, since this forwarder began.
    pub skipped: u64,
}

impl<S: Sink> Forwarder<S> {
    /// From the log in a folder, whose checkpoints this key signs.
    pub fn new(dir: &Path, key: &PublicKey, sink: S) -> Self {
        Self {
            layout: Layout::new(dir),
            key: *key,
            sink,
            follow: None,
            seen: None,
            skipped: 0,
            pruned: 0,
            begun: 0,
        }
    }

    /// Brings everything that is signed. What goes is what stands in the files: whether that is what was signed is
    /// found out when it is read back ([`crate::Log::prune_copied`]), or by an [`Auditor`].
    ///
    /// # Errors
    /// [`Error::Sink`]: called again, it goes on. [`Error::OtherCopy`] for a copy of something else, and for a log
    /// that was rolled back. [`Error::Rejected`] for a checkpoint that the key has not signed;
    /// [`Error::Damaged`] for records that are not there, though nobody has pruned them; [`Error::Io`].
    pub fn forward(&mut self) -> Result<Forwarded, Error> {
        let signed = self.grown()?;
        // After an error it is gone, and the sink is asked again.
        let (mut follow, skipped) = match self.follow.take() {
            Some(follow) => (follow, 0),
            None => self.begin(signed)?,
        };
        let begun = follow.index();
        while follow.index() < signed {
            let first = follow.index();
            let records = self.together(&mut follow, signed)?;
            self.sink.send(first, &records)?;
        }
        follow.look_again()?;
        if skipped > 0 {
            self.skipped += skipped;
            self.begun = begun;
        }
        let next = follow.index();
        self.follow = Some(follow);
        Ok(Forwarded { next, skipped: self.skipped })
    }

    /// Brings records as they come, until it is told to stop. When the sink is away it tells so, waits and asks
    /// again, every half minute in the end; and it tells when records were pruned before they were copied
    /// ([`Error::Pruned`]).
    ///
    /// # Errors
    /// As [`Forwarder::forward`], but for [`Error::Sink`], which `tell` is told.
    pub fn follow(&mut self, stop: &AtomicBool, mut tell: impl FnMut(&Error)) -> Result<(), Error> {
        let mut patience = PATIENCE.0;
        let mut skipped = 0;
        while !stop.load(Ordering::Relaxed) {
            let result = self.forward();
            if self.skipped > std::mem::replace(&mut skipped, self.skipped) {
                tell(&Error::Pruned { first: self.begun });
            }
            let wait = match result {
                Ok(_) => {
                    patience = PATIENCE.0;
                    LOOK
                }
                Err(error @ Error::Sink { .. }) => {
                    tell(&error);
                    let wait = patience;
                    patience = (patience * 2).min(PATIENCE.1);
                    wait
                }
                Err(error) => return Err(error),
            };
            sleep(wait, stop);
        }
        Ok(())
    }

    /// What keeps the copies.
    pub fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Where the sink's copy ends, and how many records behind that are gone.
    fn begin(&mut self, signed: u64) -> Result<(Follow, u64), Error> {
        let last = self.sink.last()?;
        let next = last.map_or(0, |last| last.index.saturating_add(1));
        // Somebody else may have brought more, meanwhile signed.
        if next > signed && next > self.grown()? {
            let reason = format!("the copy has {next} records, and the log has signed {signed}");
            return Err(Error::OtherCopy { reason });
        }
        last.map_or(Ok(()), |last| check_last(&self.layout, &last))?;
        let follow = Follow::new(self.layout.dir(), next).map_err(pruned_meanwhile)?;
        let first = follow.index();
        if first > next && self.pruned < first {
            check_pruned(&self.layout, &self.key, first)?;
            self.pruned = first;
        }
        Ok((follow, first.saturating_sub(next)))
    }

    /// What goes together; all before `signed` must be there.
    fn together(&self, follow: &mut Follow, signed: u64) -> Result<Vec<Vec<u8>>, Error> {
        let (mut records, mut size) = (Vec::new(), 0);
        while follow.index() < signed && records.len() < RECORDS && size < BYTES {
            let record = follow.read().map_err(pruned_meanwhile)?;
            let path = self.layout.segment(follow.index());
            let reason = "a record that was signed is not there";
            let record = record.ok_or(Error::Damaged { path, reason })?;
            size += record.len();
            records.push(record);
        }
        Ok(records)
    }

    /// Tiles at the right edge may be gone when they are looked for, and then there is a newer checkpoint.
    fn growth(&self, before: u64) -> Result<(String, Checkpoint, Vec<Hash>), Error> {
        for _ in 0..8 {
            match growth(self.layout.dir(), before, &self.key) {
                Err(error) if disk::is_missing(&error) && self.layout.checkpoint().exists() => {}
                grown => return grown,
            }
        }
        growth(self.layout.dir(), before, &self.key)
    }

    /// How many records are signed: no fewer than were, and behind those the same ones.
    fn grown(&mut self) -> Result<u64, Error> {
        let other = |reason: &str| Error::OtherCopy { reason: reason.to_owned() };
        let before = self.seen.as_ref().map_or(0, |seen| seen.size);
        let (note, new, proof) = match self.growth(before) {
            Err(Error::Damaged { .. }) if before > 0 => {
                return Err(other("the log was rolled back"));
            }
            // It has not looked for as long as records are kept.
            Err(Error::Pruned { .. }) => self.growth(0)?,
            grown => grown?,
        };
        drop(note);
        if let Some(seen) = self.seen.as_ref().filter(|_| !proof.is_empty() || before == new.size) {
            let grown =
                verify_consistency(seen.size, &seen.root, new.size, &new.root, &proof).is_ok();
            if !grown || seen.origin != new.origin {
                return Err(other("the log is not any more what it was"));
            }
        }
        let signed = new.size;
        self.seen = Some(new);
        Ok(signed)
    }
}

/// What was pruned before it was copied the next attempt finds signed.
fn pruned_meanwhile(error: Error) -> Error {
    match error {
        Error::Pruned { .. } => Error::Sink { reason: "the log was pruned meanwhile".to_owned() },
        error => error,
    }
}

/// The last record that the sink keeps is one of this log, and not of one that was there before it.
fn check_last(layout: &Layout, last: &Last) -> Result<(), Error> {
    match Auditor::record(layout.dir(), last.index)? {
        Some(own) if leaf_hash(&own) != last.hash => {
            let reason = format!("record {} is not the one that the log has", last.index);
            Err(Error::OtherCopy { reason })
        }
        _ => Ok(()),
    }
}

/// The records before the first that is there were pruned, as the log's key has signed. All of the log is read for
/// that, which is seldom.
fn check_pruned(layout: &Layout, key: &PublicKey, first: u64) -> Result<(), Error> {
    let report = Auditor::new(layout.dir(), key).run()?;
    match report.findings.first() {
        None if report.first >= first => Ok(()),
        None => Err(pruned_meanwhile(Error::Pruned { first })),
        Some(finding) => Err(Error::OtherCopy { reason: finding.to_string() }),
    }
}

/// Sleeps, and wakes up soon when it is told to stop.
fn sleep(time: Duration, stop: &AtomicBool) {
    let until = Instant::now() + time;
    while !stop.load(Ordering::Relaxed) {
        let Some(left) = until.checked_duration_since(Instant::now()) else { return };
        thread::sleep(left.min(Duration::from_millis(100)));
    }
}
