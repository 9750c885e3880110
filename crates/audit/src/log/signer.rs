//! The thread that signs checkpoints: a key that is slow or away keeps no record from the disk.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use gmkit_keys::PrivateKey;

use super::options::Options;
use crate::{Checkpoint, Error, disk, layout::Layout, merkle::Edge};

/// How long it waits at most before it tries again.
const RETRY: Duration = Duration::from_secs(5);

/// What is to be signed next, for the thread and for who asks it.
#[derive(Debug)]
pub(super) struct Signer {
    layout: Layout,
    origin: String,
    /// Without one nothing is signed.
    key: Option<Arc<dyn PrivateKey>>,
    retry: Duration,
    state: Mutex<State>,
    changed: Condvar,
    signed: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    next: Option<Edge>,
    /// Whether it is worth trying at once, whatever failed before.
    urgent: bool,
    closing: bool,
    failed: Option<Error>,
}

impl Signer {
    pub(super) fn new(
        layout: Layout,
        options: &Options,
        key: Option<Arc<dyn PrivateKey>>,
        signed: u64,
    ) -> Self {
        let (state, changed) = (Mutex::default(), Condvar::new());
        let (origin, retry) = (options.origin.clone(), options.checkpoint_every.min(RETRY));
        Self { layout, origin, key, retry, state, changed, signed: AtomicU64::new(signed) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many records the latest checkpoint covers.
    pub(super) fn signed(&self) -> u64 {
        self.signed.load(Ordering::Acquire)
    }

    pub(super) fn key(&self) -> Option<&dyn PrivateKey> {
        self.key.as_deref()
    }

    /// Whether it signs, as far as is known.
    pub(super) fn is_at_work(&self) -> bool {
        self.key.is_some() && self.state().failed.is_none()
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Asks for a checkpoint of this tree, in the place of one that was asked for before and not begun.
    pub(super) fn ask(&self, edge: &Edge, urgent: bool) {
        let mut state = self.state();
        state.next = Some(edge.clone());
        state.urgent |= urgent;
        self.changed.notify_all();
    }

    /// Waits until so many records are signed, but not long.
    pub(super) fn wait_for(&self, size: u64, at_most: Duration) -> bool {
        let state = self.state();
        let waited = self.changed.wait_timeout_while(state, at_most, |_| self.signed() < size);
        drop(waited);
        self.signed() >= size
    }

    /// No more will be asked for.
    pub(super) fn close(&self) {
        self.state().closing = true;
        self.changed.notify_all();
    }

    /// Signs until it is closed; then one last time. The error of that.
    pub(super) fn run(&self) -> Option<Error> {
        let mut partial = Partial::default();
        let mut state = self.state();
        loop {
            let closing = state.closing;
            if let Some(edge) = state.next.take() {
                state.urgent = false;
                drop(state);
                let failed = self.sign(&edge, &mut partial).err();
                state = self.state();
                if let Some(error) = &failed {
                    tracing::warn!(%error, "no checkpoint of the audit log");
                    // Unless there is a newer one by now, it is tried again.
                    state.next.get_or_insert(edge);
                    state.failed = failed;
                    if !closing {
                        state = self.pause(state);
                        continue;
                    }
                } else {
                    state.failed = None;
                    self.changed.notify_all();
                }
            }
            if closing {
                return state.failed.take();
            }
            if state.next.is_none() && !state.closing {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn pause<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        let waited = self
            .changed
            .wait_timeout_while(state, self.retry, |state| !state.closing && !state.urgent);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn sign(&self, edge: &Edge, partial: &mut Partial) -> Result<(), Error> {
        let Some(key) = &self.key else { return Ok(()) };
        let checkpoint =
            Checkpoint { origin: self.origin.clone(), size: edge.size(), root: edge.root() };
        // Who sees a checkpoint finds the tiles that it needs.
        let mut paths = Vec::new();
        for tile in edge.partial_tiles() {
            let path = self.layout.partial_tile(tile.level, tile.index, tile.hashes.len());
            match write_partial(&path, tile.hashes.as_flattened()) {
                // It has become full meanwhile, and the folder for its partial forms is gone.
                Err(_) if self.layout.tile(tile.level, tile.index).exists() => {}
                written => {
                    written?;
                    paths.push(path);
                }
            }
        }
        let note = checkpoint.sign(&**key)?;
        disk::replace(&self.layout.checkpoint(), note.as_bytes(), true)?;
        self.signed.store(edge.size(), Ordering::Release);
        partial.replace(paths);
        Ok(())
    }
}

fn write_partial(path: &Path, hashes: &[u8]) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    disk::replace(path, hashes, false)
}

/// The partial tiles of the latest two checkpoints: who has read the one before still finds them.
#[derive(Debug, Default)]
struct Partial {
    latest: Vec<PathBuf>,
    before: Vec<PathBuf>,
}

impl Partial {
    fn replace(&mut self, latest: Vec<PathBuf>) {
        let before = std::mem::replace(&mut self.latest, latest);
        let old = std::mem::replace(&mut self.before, before);
        for path in old {
            if !self.latest.contains(&path) && !self.before.contains(&path) {
                // It may have gone with the full tile.
                drop(fs::remove_file(path));
            }
        }
    }
}
