//! Threads that make a device's calls, so that a call which never returns holds up nobody but them.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

/// Most threads per device: as many as it has sessions in the pool.
const MOST: usize = 16;

/// How long a job waits for a thread.
const PATIENCE: Duration = Duration::from_secs(30);

type Job = Box<dyn FnOnce() + Send>;

/// The threads of one device. They end when it is dropped, each after its call.
pub(crate) struct Workers {
    jobs: Sender<Job>,
    queue: Arc<Mutex<Receiver<Job>>>,
    threads: AtomicUsize,
    /// Jobs under way.
    busy: Arc<AtomicUsize>,
    /// Jobs that wait or are under way: so many threads it takes, as some may never come back.
    wanted: Arc<AtomicUsize>,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoResult {
    /// The call has not come back in time. It goes on, and what comes of it is dropped.
    Hangs,
    /// No thread became free: the device may be well, and has much to do.
    Busy,
}

enum Progress<T> {
    Begun,
    Done(T),
}

impl Workers {
    pub(crate) fn new() -> Self {
        let (jobs, queue) = mpsc::channel();
        Self {
            jobs,
            queue: Arc::new(Mutex::new(queue)),
            threads: AtomicUsize::new(0),
            busy: Arc::default(),
            wanted: Arc::default(),
        }
    }

    /// Whether a call is under way.
    pub(crate) fn are_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire) > 0
    }

    /// Runs `job` in one of the threads. `deadline` counts from when it begins. One whose caller has
    /// given up before that is not begun.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        deadline: Duration,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NoResult> {
        let (sender, progress) = mpsc::sync_channel(2);
        let given_up = Arc::new(AtomicBool::new(false));
        let (busy, late) = (Arc::clone(&self.busy), Arc::clone(&given_up));
        let wanted = Counted::new(&self.wanted);
        self.start_if_needed();
        let sent = self.jobs.send(Box::new(move || {
            let _wanted = wanted;
            if late.load(Ordering::Acquire) || sender.send(Progress::Begun).is_err() {
                return;
            }
            let under_way = Counted::new(&busy);
            let value = job();
            drop(under_way);
            // Nobody may be waiting any more.
            let _ = sender.send(Progress::Done(value));
        }));
        sent.map_err(|_| NoResult::Busy)?;
        if progress.recv_timeout(PATIENCE).is_err() {
            given_up.store(true, Ordering::Release);
            return Err(NoResult::Busy);
        }
        match progress.recv_timeout(deadline) {
            Ok(Progress::Done(value)) => Ok(value),
            // Neither has a job that panicked a result.
            Ok(Progress::Begun) | Err(_) => Err(NoResult::Hangs),
        }
    }

    fn start_if_needed(&self) {
        let wanted = self.wanted.load(Ordering::Acquire).min(MOST);
        let one_more = |threads| (threads < wanted).then_some(threads + 1);
        if self.threads.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_err() {
            return;
        }
        let queue = Arc::clone(&self.queue);
        let work = move || {
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(job) = next else { return };
                // A bug of ours must not cost the device a thread; whoever waits gets no answer.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        };
        if thread::Builder::new().name("gmkit-hsm".to_owned()).spawn(work).is_err() {
            // Without one more the others take longer.
            self.threads.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Counts as long as it lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(counter))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_job_that_hangs_holds_up_nobody() {
        let workers = Workers::new();
        let (release, wait) = mpsc::channel::<()>();
        let hung = workers.run(Duration::from_millis(20), move || wait.recv());
        assert_eq!(hung, Err(NoResult::Hangs));
        assert!(workers.are_busy());
        // The thread that hangs is not counted on.
        let free = thread::scope(|scope| {
            let jobs: Vec<_> = (0..2)
                .map(|n| {
                    scope.spawn({
                        let workers = &workers;
                        move || workers.run(LONG, move || n)
                    })
                })
                .collect();
            jobs.into_iter().map(|job| job.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(free, [Ok(0), Ok(1)]);
        release.send(()).unwrap();
        assert_eq!(workers.run(LONG, || -> u8 { panic!("planted") }), Err(NoResult::Hangs));
        while workers.are_busy() {
            thread::yield_now();
        }
    }

    /// More jobs than threads wait for their turn, and none of them hangs.
    #[test]
    fn a_queue_is_not_a_hang() {
        let workers = Workers::new();
        let answers = thread::scope(|scope| {
            let jobs: Vec<_> = (0..40)
                .map(|_| {
                    let nap = || thread::sleep(Duration::from_millis(40));
                    let workers = &workers;
                    scope.spawn(move || workers.run(Duration::from_millis(400), nap))
                })
                .collect();
            jobs.into_iter().map(|job| job.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(answers.iter().all(|answer| *answer == Ok(())));
        assert!(workers.threads.load(Ordering::Acquire) <= MOST);
    }
}
