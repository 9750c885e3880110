//! The module between C_Initialize and C_Finalize.

use std::{
    path::PathBuf,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use cryptoki_sys::*;
use gmkit_keys::selftest;

use crate::{
    rv::{Result, Rv, ensure},
    session::Sessions,
    slot::Slot,
};

/// The one module of this process. No lock: a child of fork() may find any lock taken by a thread
/// that it does not have.
static MODULE: ArcSwapOption<Module> = ArcSwapOption::const_empty();

/// Names the directories of the tokens, with `:` between them.
pub(crate) const DIRECTORIES: &str = "GMKIT_TOKEN_DIR";

/// Slots, sessions, and the numbers of their handles.
pub(crate) struct Module {
    process: u32,
    slots: Vec<Slot>,
    pub(crate) sessions: Sessions,
    handles: AtomicU64,
}

impl Module {
    fn new() -> Self {
        let list = std::env::var_os(DIRECTORIES).unwrap_or_default();
        let directories = std::env::split_paths(&list).filter(|dir| *dir != PathBuf::new());
        Self {
            process: process::id(),
            // A program may change its folder later.
            slots: directories
                .map(|dir| Slot::new(&std::path::absolute(&dir).unwrap_or(dir)))
                .collect(),
            sessions: Sessions::default(),
            handles: AtomicU64::new(1),
        }
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    pub(crate) fn slot(&self, id: CK_SLOT_ID) -> Result<&Slot> {
        let index = usize::try_from(id).map_err(|_| Rv(CKR_SLOT_ID_INVALID))?;
        self.slots.get(index).ok_or(Rv(CKR_SLOT_ID_INVALID))
    }

    /// A handle of a session that was never given out before. Objects are numbered by their slot.
    pub(crate) fn new_handle(&self) -> CK_ULONG {
        self.handles.fetch_add(1, Ordering::Relaxed) as CK_ULONG
    }
}

/// The module, if this very process has initialised it: what a child has of its parent's is of no
/// use (PKCS#11 2.40, 5.4).
pub(crate) fn current() -> Result<Arc<Module>> {
    MODULE
        .load_full()
        .filter(|module| module.process == process::id())
        .ok_or(Rv(CKR_CRYPTOKI_NOT_INITIALIZED))
}

pub(crate) fn initialise() -> Result {
    let before = MODULE.load_full();
    ensure(
        before.as_ref().is_none_or(|module| module.process != process::id()),
        CKR_CRYPTOKI_ALREADY_INITIALIZED,
    )?;
    // As a module does: nothing is used that has not shown that it computes rightly.
    for algorithm in selftest::Algorithm::ALL {
        selftest::require(algorithm)?;
    }
    let found = MODULE.compare_and_swap(&before, Some(Arc::new(Module::new())));
    let same = match (&before, &*found) {
        (None, None) => true,
        (Some(before), Some(found)) => Arc::ptr_eq(before, found),
        _ => false,
    };
    ensure(same, CKR_CRYPTOKI_ALREADY_INITIALIZED)?;
    // The parent's: its locks may be held for ever, so it is not even dropped.
    std::mem::forget(before);
    Ok(())
}

/// Calls under way keep the module until they end.
pub(crate) fn finalise() -> Result {
    current()?;
    MODULE.store(None);
    Ok(())
}
