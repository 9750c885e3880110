//! How a log is written.

use std::time::Duration;

use crate::{Error, note};

/// Longest time that anything waits.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Most events that may wait.
const MOST: usize = 1 << 24;

/// How a log is written.
#[derive(Clone, Debug)]
pub struct Options {
    pub(super) origin: String,
    pub(super) batch: usize,
    pub(super) delay: Duration,
    pub(super) queue: usize,
    pub(super) checkpoint_every: Duration,
    pub(super) most_unsigned: u64,
    pub(super) segment_bytes: u64,
}

impl Options {
    /// The defaults, for a log of this name: a URL without its scheme, as `bank.example/payments`. The name
    /// stands in each checkpoint, and stays.
    ///
    /// # Errors
    /// [`Error::Options`] for a name that is empty or has spaces, plus signs or control characters.
    pub fn new(origin: &str) -> Result<Self, Error> {
        if !note::is_name(origin) {
            let reason = "a log's name has no spaces, plus signs or control characters";
            return Err(Error::Options { reason });
        }
        Ok(Self {
            origin: origin.to_owned(),
            batch: 50,
            delay: Duration::from_millis(200),
            queue: 1024,
            checkpoint_every: Duration::from_secs(1),
            most_unsigned: 100_000,
            segment_bytes: 64 << 20,
        })
    }

    /// Records are made durable when there are so many (50), or the oldest has waited so long (200 ms).
    #[must_use]
    pub fn with_batch(mut self, records: usize, delay: Duration) -> Self {
        (self.batch, self.delay) = (records.max(1), delay.min(LONGEST));
        self
    }

    /// How many events may wait (1024; 16,777,216 at most). They are written when as many do.
    #[must_use]
    pub fn with_queue(mut self, events: usize) -> Self {
        self.queue = events.clamp(1, MOST);
        self
    }

    /// How long a record may be without a signature (1 s), and how many may be while the key is away
    /// (100,000,
    /// and what is queued by then). Then nothing is taken any more.
    #[must_use]
    pub fn with_checkpoints(mut self, every: Duration, most_unsigned: u64) -> Self {
        (self.checkpoint_every, self.most_unsigned) = (every.min(LONGEST), most_unsigned);
        self
    }

    /// How long a segment gets, in bytes (64 MiB); a day of age closes one, too.
    #[must_use]
    pub fn with_segments(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self
    }
}
