//! A bounded pool of sessions: a session is for one thread at a time. Whoever has waited longest is
//! next.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use cryptoki::session::Session;

use crate::Error;

/// Most sessions with one token.
const MOST: usize = 16;

/// How long a caller waits for one.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
struct State {
    idle: Vec<Session>,
    /// Sessions that exist, idle or not.
    open: usize,
    /// Who waits, in their order.
    queue: VecDeque<u64>,
    next: u64,
    /// Which connection to the device this is: sessions and handles of earlier ones are worth
    /// nothing.
    epoch: u64,
}

#[derive(Default)]
pub(crate) struct Pool {
    state: Mutex<State>,
    changed: Condvar,
}

impl Pool {
    /// Runs `body` in a session, an idle one or one that `open` makes, and tells it the epoch. A
    /// session that turns out bad, or is of an earlier epoch by then, is not used again.
    pub(crate) fn with<T>(
        &self,
        open: impl FnOnce() -> Result<Session, Error>,
        body: impl FnOnce(&Session, u64) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut place = self.take()?;
        let session = match place.session.take() {
            Some(session) => session,
            None => open()?,
        };
        let done = body(&session, place.epoch);
        // After any failure the device may still have an operation open in this session.
        place.session = done.is_ok().then_some(session);
        done
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.lock().epoch
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing here is left half changed by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Place<'_>, Error> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        let ticket = state.next;
        state.next += 1;
        state.queue.push_back(ticket);
        loop {
            let first = state.queue.front() == Some(&ticket);
            if first && (!state.idle.is_empty() || state.open < MOST) {
                state.queue.pop_front();
                let session = state.idle.pop();
                state.open += usize::from(session.is_none());
                let epoch = state.epoch;
                // The next one may find a session too.
                self.changed.notify_all();
                return Ok(Place { pool: self, session, epoch });
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.queue.retain(|other| *other != ticket);
                self.changed.notify_all();
                return Err(Error::Busy);
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Begins a new epoch, and gives the idle sessions, for the caller to close when it holds no
    /// lock: a device that is gone may be slow to say so.
    #[must_use]
    pub(crate) fn begin_epoch(&self) -> Vec<Session> {
        let mut state = self.lock();
        state.epoch += 1;
        let idle = std::mem::take(&mut state.idle);
        state.open -= idle.len();
        self.changed.notify_all();
        idle
    }
}

/// Leave to use a session; dropped, it goes to the next one, even after a panic.
struct Place<'p> {
    pool: &'p Pool,
    session: Option<Session>,
    epoch: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        let session = self.session.take();
        let stale = match session {
            Some(session) if self.epoch == state.epoch => {
                state.idle.push(session);
                None
            }
            other => {
                state.open -= 1;
                other
            }
        };
        self.pool.changed.notify_all();
        drop(state);
        drop(stale);
    }
}
