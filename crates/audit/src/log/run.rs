//! What the writing thread does, from the first batch to the last checkpoint.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    counters::Counts,
    options::Options,
    own_record::Gap,
    queue::{Batch, Own, Pending, Queue},
    segment::Failed,
    signer::Signer,
    writer::Writer,
};
use crate::Error;

/// How long the thread waits while something is left to be done: to write again, to sign.
const RETRY: Duration = Duration::from_millis(50);

/// How often a gap is recorded at most in the space that is held for it: it lasts for some hundred.
const RESERVE_EVERY: Duration = Duration::from_secs(10);

/// How long a checkpoint is waited for then, and where too many records wait for it.
const SIGNATURE: Duration = Duration::from_secs(1);

/// How long it waits at most while there is nothing: an event wakes it.
const IDLE: Duration = Duration::from_secs(60);

pub(super) struct Run {
    queue: Arc<Queue>,
    signer: Arc<Signer>,
    writer: Writer,
    options: Options,
    /// What was found to be lost, until it is recorded.
    lost: Gap,
    /// What could not be written lately, and may be another time.
    undone: Option<Error>,
    next_checkpoint: Instant,
    asked: u64,
    /// Whether all of the reserve is held.
    reserve: bool,
    /// When it was used.
    reserve_since: Instant,
    refusing: bool,
}

impl Run {
    pub(super) fn new(
        queue: Arc<Queue>,
        signer: Arc<Signer>,
        writer: Writer,
        options: Options,
        lost: Gap,
    ) -> Self {
        let asked = signer.signed();
        let next_checkpoint = Instant::now();
        let (reserve, refusing) = (false, false);
        // Long ago, as far as this clock goes.
        let reserve_since = next_checkpoint.checked_sub(RESERVE_EVERY).unwrap_or(next_checkpoint);
        Self {
            queue,
            signer,
            writer,
            options,
            lost,
            undone: None,
            next_checkpoint,
            asked,
            reserve,
            reserve_since,
            refusing,
        }
    }

    pub(super) fn all(mut self) -> Result<(), Error> {
        loop {
            let Options { delay, .. } = self.options;
            let until = Instant::now() + if self.is_settled() { IDLE } else { RETRY };
            let batch = self.queue.take(delay, until);
            let closing = batch.closing;
            if let Err(error) = self.turn(batch) {
                // What the disk has is not known: nothing is written to it any more.
                self.queue.refuse(Some(error.clone()));
                if !closing {
                    self.refuse_until_closed();
                }
                return Err(error);
            }
            if closing {
                self.writer.write_tiles()?;
                self.ask(false);
                if let Some(error) = self.undone.take() {
                    return Err(error);
                }
                return self.queue.finish();
            }
        }
    }

    fn is_settled(&self) -> bool {
        self.lost.is_empty() && !self.refusing && self.asked == self.writer.edge().size()
    }

    /// Writes a batch. An error means that the log cannot go on.
    fn turn(&mut self, batch: Batch) -> Result<(), Error> {
        if !self.reserve {
            self.reserve = self.writer.hold_reserve();
        }
        self.record_gap(batch.counts)?;
        self.write(batch.pending)?;
        let urgent = !batch.own.is_empty();
        self.write_own(batch.own)?;
        if let Err(error) = self.writer.write_tiles() {
            tracing::warn!(%error, "a tile of the audit log has to wait");
        }
        let unsigned = self.unsigned();
        let over = unsigned > self.options.most_unsigned;
        self.refusing = over;
        self.queue.refuse(over.then_some(Error::Unsigned { records: unsigned }));
        // Where records come fast, a checkpoint comes before too many wait for it: the key is not away.
        let soon = unsigned > self.options.most_unsigned / 2 && self.asked <= self.signer.signed();
        if urgent || soon || Instant::now() >= self.next_checkpoint {
            self.ask(urgent);
            self.next_checkpoint = Instant::now() + self.options.checkpoint_every;
        }
        Ok(())
    }

    /// How many records wait for a signature. A key that is there and slow is waited for, before that is too many.
    fn unsigned(&self) -> u64 {
        let unsigned = || self.writer.edge().size() - self.signer.signed();
        if unsigned() > self.options.most_unsigned && self.signer.is_at_work() {
            self.signer.wait_for(self.asked, SIGNATURE);
        }
        unsigned()
    }

    fn ask(&mut self, urgent: bool) {
        if !self.writer.has_all_tiles() {
            return;
        }
        let edge = self.writer.edge();
        if edge.size() > self.signer.signed() {
            self.signer.ask(edge, urgent);
        }
        self.asked = edge.size();
    }

    /// Tells of events that were refused or dropped since the last time, or lost before that.
    fn record_gap(&mut self, counts: Counts) -> Result<(), Error> {
        let told = self.writer.totals();
        let gap = Gap {
            refused: counts.refused.saturating_sub(told.refused),
            dropped: counts.dropped.saturating_sub(told.dropped),
            lost: self.lost.lost,
            exact: self.lost.lost == 0 || self.lost.exact,
        };
        if gap.is_empty() {
            return Ok(());
        }
        let recorded = match self.writer.append_gap(&gap) {
            Err(Failed::Undone(_)) if self.reserve_since.elapsed() >= RESERVE_EVERY => {
                self.append_gap_to_full_disk(&gap)
            }
            other => other,
        };
        match recorded {
            Ok(()) => {
                self.undone = None;
                if self.lost.lost > 0 {
                    self.lost = Gap::default();
                    self.queue.settle()?;
                }
            }
            Err(Failed::Undone(error)) => {
                tracing::warn!(%error, "a gap of the audit log has to wait");
                self.undone = Some(error);
            }
            Err(Failed::Unknown(error)) => return Err(error),
        }
        Ok(())
    }

    /// There is space that is held for this, and for the checkpoint that signs it.
    fn append_gap_to_full_disk(&mut self, gap: &Gap) -> Result<(), Failed> {
        self.writer.release_reserve();
        let recorded = self.writer.append_gap(gap);
        if recorded.is_ok() && self.writer.write_tiles().is_ok() {
            self.ask(true);
            self.signer.wait_for(self.writer.edge().size(), SIGNATURE);
        }
        self.reserve = self.writer.hold_reserve();
        self.reserve_since = Instant::now();
        recorded
    }

    fn write(&mut self, pending: Vec<Pending>) -> Result<(), Error> {
        let (lines, answers): (Vec<_>, Vec<_>) =
            pending.into_iter().map(|one| (one.line, one.answer)).unzip();
        let mut written = 0;
        let result = self.writer.append(&lines, |index| {
            // Who does not wait for it does not hear of it.
            drop(answers[written].send(Ok(index)));
            written += 1;
        });
        let Err((done, failed)) = result else { return Ok(()) };
        let (Failed::Undone(error) | Failed::Unknown(error)) = &failed;
        for answer in &answers[done..] {
            drop(answer.send(Err(error.clone())));
        }
        match failed {
            Failed::Undone(error) => {
                tracing::warn!(%error, "records of the audit log could not be written");
                self.queue.count_refused((answers.len() - done) as u64);
                self.undone = Some(error);
                Ok(())
            }
            // They may be there: what is not is counted as lost when the log is opened again.
            Failed::Unknown(error) => Err(error),
        }
    }

    /// Writes records of the log's own. Who asked for one waits for its signature, too.
    fn write_own(&mut self, own: Vec<Own>) -> Result<(), Error> {
        for Own { record, answer } in own {
            let mut written = self.writer.append_own(&record);
            if matches!(written, Err(Failed::Undone(_))) {
                // What makes room on a full disk must not fail for the lack of it.
                self.writer.release_reserve();
                written = self.writer.append_own(&record);
                self.reserve = false;
            }
            let (said, result) = match written {
                Ok(index) => (Ok(index), Ok(())),
                Err(Failed::Undone(error)) => (Err(error), Ok(())),
                Err(Failed::Unknown(error)) => (Err(error.clone()), Err(error)),
            };
            drop(answer.send(said));
            result?;
        }
        Ok(())
    }

    /// Answers those who were waiting already, and keeps the lock.
    fn refuse_until_closed(&self) {
        loop {
            let batch = self.queue.take(Duration::ZERO, Instant::now() + RETRY);
            self.queue.count_refused(batch.pending.len() as u64);
            if batch.closing {
                return;
            }
        }
    }
}
