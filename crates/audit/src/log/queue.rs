//! The bounded queue between those who tell events and the thread that writes them.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    time::{Duration, Instant},
};

use super::{
    counters::{Counters, Counts},
    own_record::OwnRecord,
};
use crate::Error;

/// What is done with an event when the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Wait for room.
    Block,
    /// Give [`Error::Full`]: what it is about is not to be done. It is counted as refused.
    Refuse,
    /// Give [`Error::Full`]: what it is about will be done all the same. It is counted as dropped.
    Drop,
}

/// An event that waits.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) line: Vec<u8>,
    pub(super) since: Instant,
    pub(super) answer: mpsc::Sender<Result<u64, Error>>,
}

/// A record of the log's own that waits.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) record: OwnRecord,
    pub(super) answer: mpsc::Sender<Result<u64, Error>>,
}

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// For the writer: something is to be done.
    work: Condvar,
    /// For who waits to put something in.
    room: Condvar,
    capacity: usize,
    /// How many are written together.
    batch: usize,
    /// How often the writer looks at least, where that is often enough to see by itself how long the first of a
    /// batch has waited. Else it is woken for that one.
    look: Option<Duration>,
}

/// How often the writer looks at most while there is nothing.
const LOOK: Duration = Duration::from_millis(50);

#[derive(Debug)]
struct State {
    pending: Vec<Pending>,
    own: Vec<Own>,
    counters: Counters,
    /// Why nothing is taken.
    refusing: Option<Error>,
    closing: bool,
    /// Nobody writes any more.
    over: bool,
}

/// What the writer gets.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) pending: Vec<Pending>,
    pub(super) own: Vec<Own>,
    pub(super) counts: Counts,
    pub(super) closing: bool,
}

impl Queue {
    pub(super) fn new(counters: Counters, capacity: usize, batch: usize, delay: Duration) -> Self {
        let (pending, own) = (Vec::new(), Vec::new());
        let (refusing, closing, over) = (None, false, false);
        let state = State { pending, own, counters, refusing, closing, over };
        Self {
            state: Mutex::new(state),
            work: Condvar::new(),
            room: Condvar::new(),
            capacity,
            batch: batch.min(capacity),
            look: (delay >= LOOK).then_some(delay),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(
        &self,
        line: Vec<u8>,
        when_full: WhenFull,
    ) -> Result<mpsc::Receiver<Result<u64, Error>>, Error> {
        let mut state = self.offer(when_full)?;
        Ok(self.put(&mut state, line))
    }

    /// Offers an event, and finds room for it.
    fn offer(&self, when_full: WhenFull) -> Result<MutexGuard<'_, State>, Error> {
        self.offer_in(self.state(), when_full)
    }

    fn offer_in<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        when_full: WhenFull,
    ) -> Result<MutexGuard<'s, State>, Error> {
        if state.closing {
            return Err(Error::Closed);
        }
        state.counters.offer()?;
        loop {
            if let Some(reason) = state.why_not() {
                state.counters.refuse(1)?;
                return Err(reason);
            }
            if state.pending.len() < self.capacity {
                return Ok(state);
            }
            match when_full {
                WhenFull::Block => {
                    state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
                WhenFull::Refuse => state.counters.refuse(1)?,
                WhenFull::Drop => state.counters.drop_one()?,
            }
            return Err(Error::Full);
        }
    }

    fn put(&self, state: &mut State, line: Vec<u8>) -> mpsc::Receiver<Result<u64, Error>> {
        let (answer, receiver) = mpsc::channel();
        state.pending.push(Pending { line, since: Instant::now(), answer });
        // Waking somebody takes longer than all the rest here.
        let waiting = state.pending.len();
        if waiting == self.batch || waiting == 1 && self.look.is_none() {
            self.work.notify_one();
        }
        receiver
    }

    /// Offers an event that is not known yet. It will be taken when it is, whatever waits by then.
    pub(super) fn admit(&self, when_full: WhenFull) -> Result<(), Error> {
        self.offer(when_full).map(drop)
    }

    /// The same, unless that would have to wait; nothing is counted then. Whether it was admitted.
    pub(super) fn try_admit(&self) -> Result<bool, Error> {
        let state = self.state();
        let takes = !state.closing && state.refusing.is_none();
        if takes && state.pending.len() >= self.capacity {
            return Ok(false);
        }
        self.offer_in(state, WhenFull::Refuse).map(|_| true)
    }

    /// Puts in an event that was admitted.
    pub(super) fn fill(&self, line: Vec<u8>) -> Result<mpsc::Receiver<Result<u64, Error>>, Error> {
        let mut state = self.state();
        // What was offered and comes too late is told as lost when the log is opened again.
        if state.closing || state.over {
            return Err(Error::Closed);
        }
        Ok(self.put(&mut state, line))
    }

    /// An event that was admitted will not come: it is dropped.
    pub(super) fn give_up(&self) {
        let mut state = self.state();
        if !state.closing
            && !state.over
            && let Err(error) = state.counters.drop_one()
        {
            tracing::error!(%error, "a dropped event of the audit log is counted as lost");
        }
    }

    /// Hands over a record of the log's own: it counts as no event, and waits for no batch.
    pub(super) fn push_own(
        &self,
        record: OwnRecord,
    ) -> Result<mpsc::Receiver<Result<u64, Error>>, Error> {
        let mut state = self.state();
        if let Some(reason) = state.why_not() {
            return Err(reason);
        }
        let (answer, receiver) = mpsc::channel();
        state.own.push(Own { record, answer });
        self.work.notify_one();
        Ok(receiver)
    }

    /// Waits until there are as many events as are written together, the oldest has waited for `delay`, `until`
    /// has come, or the end.
    pub(super) fn take(&self, delay: Duration, until: Instant) -> Batch {
        // Before an event has waited for too long this comes by, without being told of it.
        let until = self.look.map_or(until, |look| until.min(Instant::now() + look));
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let due = state.pending.first().map_or(until, |oldest| until.min(oldest.since + delay));
            let enough = state.pending.len() >= self.batch || !state.own.is_empty();
            if state.closing || enough || due <= now {
                break;
            }
            let waited = self.work.wait_timeout(state, due - now);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let batch = Batch {
            pending: std::mem::take(&mut state.pending),
            own: std::mem::take(&mut state.own),
            counts: state.counters.counts(),
            closing: state.closing,
        };
        self.room.notify_all();
        batch
    }

    /// Takes nothing any more, or takes again.
    pub(super) fn refuse(&self, reason: Option<Error>) {
        self.state().refusing = reason;
        self.room.notify_all();
    }

    /// Counts events that were in the queue and cannot be written.
    pub(super) fn count_refused(&self, n: u64) {
        if let Err(error) = self.state().counters.refuse(n) {
            tracing::error!(%error, "refused events of the audit log are counted as lost");
        }
    }

    /// The numbers are exact from now on.
    pub(super) fn settle(&self) -> Result<(), Error> {
        let mut state = self.state();
        let counts = state.counters.counts();
        state.counters.settle(counts)
    }

    /// Nothing more will be offered.
    pub(super) fn finish(&self) -> Result<(), Error> {
        self.state().counters.finish()
    }

    pub(super) fn close(&self) {
        self.state().closing = true;
        self.work.notify_all();
        self.room.notify_all();
    }
}

/// Held by the thread that writes: nobody waits for what will not come.
#[derive(Debug)]
pub(super) struct Over(pub(super) Arc<Queue>);

impl Drop for Over {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.refusing.get_or_insert(Error::Closed);
        state.over = true;
        // Their receipts say that it is closed.
        state.pending.clear();
        state.own.clear();
        drop(state);
        self.0.room.notify_all();
    }
}

impl State {
    fn why_not(&self) -> Option<Error> {
        self.refusing.clone().or_else(|| self.closing.then_some(Error::Closed))
    }
}
