//! An event that was admitted before it was known.

use std::sync::Arc;

use super::{Receipt, queue::Queue};
use crate::{Error, Event};

/// Room for one event, which is counted as offered already. It is recorded with [`Permit::submit`], and counted
/// as dropped if that is not called; if the process ends before, as lost.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path().join("log");
/// use std::sync::Arc;
/// use gmkit_audit::{Event, Log, Options, Outcome, WhenFull};
/// use gmkit_keys::SoftwareKey;
///
/// let log = Log::open(&dir, Options::new("bank.example/log")?, Arc::new(SoftwareKey::generate()?))?;
/// let permit = log.admit(WhenFull::Refuse)?;
/// // ... do what the event is about ...
/// let index = permit.submit(&Event::new("transfer", Outcome::allowed()))?.wait()?;
/// # assert_eq!(index, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Permit {
    queue: Arc<Queue>,
    used: bool,
}

impl Permit {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue, used: false }
    }

    /// Hands the event over. That never waits.
    ///
    /// # Errors
    /// [`Error::Event`], and it is counted as dropped; [`Error::Closed`], and it is counted as lost.
    pub fn submit(mut self, event: &Event) -> Result<Receipt, Error> {
        let line = event.to_line()?;
        self.used = true;
        self.queue.fill(line).map(Receipt)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.used {
            self.queue.give_up();
        }
    }
}
