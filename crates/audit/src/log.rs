//! The log as a service writes it.

mod counters;
mod options;
pub(crate) mod own_record;
mod permit;
mod queue;
mod recovery;
mod retention;
mod run;
mod segment;
mod signer;
mod writer;

use std::{
    fmt,
    fs::{self, File, TryLockError},
    path::Path,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use gmkit_keys::PrivateKey;
use gmkit_sm2::PublicKey;

use self::{
    counters::Counters, own_record::OwnRecord, queue::Queue, retention::Plan, run::Run,
    signer::Signer, writer::Writer,
};
pub use self::{
    options::Options,
    permit::Permit,
    queue::WhenFull,
    retention::{Pruned, Retention},
};
use crate::{
    Checkpoint, Error, Event, ReadBack, disk, empty_root, layout::Layout, pruning::Pruning,
};

/// How long the signature of something is waited for that must not be done before.
const SIGNATURE: Duration = Duration::from_secs(60);

/// An audit log that is written.
///
/// [`Log::append`] returns when the record is on the disk. Records are written in batches by a thread of the
/// log's own, and signed by another: once in a while a checkpoint is made, never for each record. Nobody else
/// writes to the same folder meanwhile. Dropping the log closes it, as [`Log::close`] does.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path().join("log");
/// use std::sync::Arc;
/// use gmkit_audit::{Auditor, Event, Log, Options, Outcome};
/// use gmkit_keys::{PrivateKey, SoftwareKey};
///
/// let key = Arc::new(SoftwareKey::generate()?);
/// let log = Log::open(&dir, Options::new("bank.example/payments")?, key.clone())?;
/// let event = Event::new("transfer.create", Outcome::denied()).by("alice", None, None);
/// let index = log.append(&event)?;
/// log.close()?;
///
/// let report = Auditor::new(&dir, key.public_key()).run()?;
/// assert!(report.is_sound() && report.size == index + 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Log {
    layout: Layout,
    queue: Arc<Queue>,
    signer: Arc<Signer>,
    writing: Option<JoinHandle<Result<(), Error>>>,
    signing: Option<JoinHandle<Option<Error>>>,
    /// Held until both threads have ended.
    _lock: Lock,
}

/// The answer to an event that was submitted.
#[derive(Debug)]
pub struct Receipt(mpsc::Receiver<Result<u64, Error>>);

impl Receipt {
    /// Waits until the record is on the disk; its index.
    ///
    /// # Errors
    /// [`Error::Io`] when it could not be written, [`Error::Closed`].
    pub fn wait(self) -> Result<u64, Error> {
        self.0.recv().unwrap_or(Err(Error::Closed))
    }
}

impl Log {
    /// Opens a log, or makes it; the key signs its checkpoints.
    ///
    /// What a process that was killed has left is put in order: half a record goes, and what was offered to it
    /// and did not become a record is told in a gap record.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process, or this one, writes it. [`Error::Damaged`] when its records do
    /// not agree with its latest checkpoint, or that is gone: then nothing is written. Only the last segment
    /// is read for that; all of them are [`crate::Auditor`]'s work. [`Error::Io`]; [`Error::Key`] for a new log.
    pub fn open(dir: &Path, options: Options, key: Arc<dyn PrivateKey>) -> Result<Self, Error> {
        Self::open_with(dir, options, Some(key))
    }

    /// As [`Log::open`], for a log that is there, without its key: records wait for their signature until it
    /// is opened with one, and no more are taken than may be unsigned. Whose the checkpoint is cannot be checked.
    ///
    /// # Errors
    /// As [`Log::open`]; [`Error::Options`] for a new log, whose first checkpoint needs the key.
    pub fn open_unsigned(dir: &Path, options: Options) -> Result<Self, Error> {
        Self::open_with(dir, options, None)
    }

    fn open_with(
        dir: &Path,
        options: Options,
        key: Option<Arc<dyn PrivateKey>>,
    ) -> Result<Self, Error> {
        let layout = Layout::new(dir);
        let lock = lock(&layout)?;
        let mut left = recovery::read(&layout)?;
        left.check(&layout, &options.origin, key.as_deref().map(PrivateKey::public_key))?;
        let (mut counters, found) = Counters::open(&layout.counters())?;
        let gap = left.account(&layout, &mut counters, found)?;
        if left.is_new() {
            first_checkpoint(&layout, &options.origin, key.as_deref())?;
        }
        let recovered = left.put_in_order(&layout)?;
        let signer = Signer::new(layout.clone(), &options, key, recovered.signed);
        let queue = Queue::new(counters, options.queue, options.batch, options.delay);
        let (signer, queue) = (Arc::new(signer), Arc::new(queue));
        let writer = Writer::new(layout.clone(), options.segment_bytes, recovered);
        let run = Run::new(Arc::clone(&queue), Arc::clone(&signer), writer, options, gap);
        let signing = {
            let signer = Arc::clone(&signer);
            spawn("gmkit-audit-sign", move || signer.run())?
        };
        let writing = {
            let over = queue::Over(Arc::clone(&queue));
            spawn("gmkit-audit-write", move || {
                // Whatever ends this thread, nobody waits for it any more.
                let _over = over;
                run.all()
            })
        };
        let writing = writing.inspect_err(|_| signer.close())?;
        let (writing, signing) = (Some(writing), Some(signing));
        Ok(Self { layout, queue, signer, writing, signing, _lock: lock })
    }

    /// Records an event, waiting for room in the queue and until the record is on the disk; its index.
    ///
    /// # Errors
    /// [`Error::Event`] and [`Error::Closed`], and the event does not count; [`Error::Unsigned`] and
    /// [`Error::Io`], and it is counted as refused, or as lost where nobody knows what the disk has.
    pub fn append(&self, event: &Event) -> Result<u64, Error> {
        self.submit(event, WhenFull::Block)?.wait()
    }

    /// Hands an event over. It is on the disk when the receipt says so, and will be without anybody asking.
    ///
    /// # Errors
    /// As [`Log::append`]; [`Error::Full`] as `when_full` says.
    pub fn submit(&self, event: &Event, when_full: WhenFull) -> Result<Receipt, Error> {
        self.queue.push(event.to_line()?, when_full).map(Receipt)
    }

    /// Offers an event that is not known yet, as that of a request which is about to be served: what is full
    /// or stopped is seen before, and not after.
    ///
    /// # Errors
    /// As [`Log::submit`].
    pub fn admit(&self, when_full: WhenFull) -> Result<Permit, Error> {
        self.queue.admit(when_full)?;
        Ok(Permit::new(Arc::clone(&self.queue)))
    }

    /// The same without ever waiting: `None` when the queue is full, and nothing is counted then.
    ///
    /// # Errors
    /// [`Error::Unsigned`], [`Error::Closed`], [`Error::Io`].
    pub fn try_admit(&self) -> Result<Option<Permit>, Error> {
        let admitted = self.queue.try_admit()?;
        Ok(admitted.then(|| Permit::new(Arc::clone(&self.queue))))
    }

    /// Deletes the segments whose records are all older than the retention says: first that is recorded and
    /// signed, then they go, the oldest first. What proves the others stays. The last segment never goes.
    ///
    /// # Errors
    /// [`Error::Options`] without the log's key, [`Error::Key`] and [`Error::Unsigned`] when that is away,
    /// [`Error::Damaged`] when what would be left does not prove what goes: nothing is deleted then.
    /// [`Error::Io`]: what was deleted stays so, and the rest goes the next time.
    pub fn prune(&self, retention: Retention) -> Result<Pruned, Error> {
        self.prune_if(retention, |_, _| Ok(()))
    }

    /// The same for a log that is not to be the only one: before anything goes, its copy is read back, and
    /// must make the root that was signed.
    ///
    /// # Errors
    /// As [`Log::prune`]; [`Error::NotCopied`], and [`Error::Sink`] when it cannot be read: nothing is deleted.
    pub fn prune_copied(
        &self,
        retention: Retention,
        sink: &mut dyn ReadBack,
    ) -> Result<Pruned, Error> {
        self.prune_if(retention, |plan, key| plan.check_copy(&self.layout, key, sink))
    }

    fn prune_if(
        &self,
        retention: Retention,
        may: impl FnOnce(&Plan, &PublicKey) -> Result<(), Error>,
    ) -> Result<Pruned, Error> {
        let key = self.key()?;
        let plan = Plan::new(&self.layout, retention, key.public_key())?;
        may(&plan, key.public_key())?;
        if let Some(first) = plan.first() {
            let (origin, days) = (self.signer.origin().to_owned(), retention.days());
            let note = Pruning { origin, first, days }.sign(key)?;
            self.record_signed(OwnRecord::Prune { first, days, note })?;
        }
        plan.carry_out(&self.layout)
    }

    /// Records something of the log's own, and waits until that is signed.
    pub(crate) fn record_signed(&self, record: OwnRecord) -> Result<(), Error> {
        self.key()?;
        let index = self.queue.push_own(record)?.recv().unwrap_or(Err(Error::Closed))?;
        match self.signer.wait_for(index + 1, SIGNATURE) {
            true => Ok(()),
            false => Err(Error::Unsigned { records: (index + 1).saturating_sub(self.signed()) }),
        }
    }

    fn key(&self) -> Result<&dyn PrivateKey, Error> {
        self.signer.key().ok_or(Error::Options { reason: "that needs the log's key" })
    }

    /// How many records the latest checkpoint covers.
    #[must_use]
    pub fn signed(&self) -> u64 {
        self.signer.signed()
    }

    /// Writes what is queued, makes a last checkpoint, and says whether all of that worked.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Key`] when the last records are on the disk and not signed: that will be done
    /// when the log is opened again.
    pub fn close(mut self) -> Result<(), Error> {
        self.end()
    }

    fn end(&mut self) -> Result<(), Error> {
        self.queue.close();
        let written = self.writing.take().map(|thread| thread.join().unwrap_or(Err(Error::Closed)));
        self.signer.close();
        let signed = self.signing.take().map(|thread| thread.join().unwrap_or(Some(Error::Closed)));
        written.unwrap_or(Ok(()))?;
        signed.flatten().map_or(Ok(()), Err)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "the audit log did not close well");
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("signed", &self.signed()).finish_non_exhaustive()
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Error> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map_err(Error::io(name))
}

/// A log has a checkpoint before it has a record: where there are records and no checkpoint, it was taken away.
fn first_checkpoint(
    layout: &Layout,
    origin: &str,
    key: Option<&dyn PrivateKey>,
) -> Result<(), Error> {
    let reason = "a new log needs its key, for its first checkpoint";
    let key = key.ok_or(Error::Options { reason })?;
    let checkpoint = Checkpoint { origin: origin.to_owned(), size: 0, root: empty_root() };
    disk::replace(&layout.checkpoint(), checkpoint.sign(key)?.as_bytes(), true)
}

/// What says that a log is being written. Let go by name: a process that is being started has the file open for a
/// moment, too.
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the lock of the audit log goes with its file");
        }
    }
}

/// Makes the folders, and takes the lock.
fn lock(layout: &Layout) -> Result<Lock, Error> {
    let segments = layout.segments();
    let new = !segments.exists();
    fs::create_dir_all(&segments).map_err(Error::io(&segments))?;
    if new {
        disk::sync_folder(layout.dir())?;
        let above = layout.dir().parent().filter(|above| !above.as_os_str().is_empty());
        disk::sync_folder(above.unwrap_or(Path::new(".")))?;
    }
    let path = layout.lock();
    let file = File::create(&path).map_err(Error::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { dir: layout.dir().to_owned() }),
        Err(TryLockError::Error(error)) => Err(Error::io(path)(error)),
    }
}
