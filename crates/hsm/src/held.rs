//! Handles of keys: looked up once per connection, as they do not outlive it.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use cryptoki::{object::ObjectHandle, session::Session};

use crate::{Error, Token};

/// The handle of a key, and the connection in which it was looked up.
#[derive(Default)]
pub(crate) struct Held {
    known: Mutex<Option<(u64, ObjectHandle)>>,
    /// It was looked up, by its name, and has not shown since that it is the key it was.
    unproven: AtomicBool,
}

impl Held {
    /// Runs `call` in a session with the key's handle. `find` looks it up again after a session was
    /// lost, and must make sure that what it finds is still the same key.
    pub(crate) fn with<T>(
        &self,
        token: &Token,
        find: impl Fn(&Session) -> Result<ObjectHandle, Error>,
        call: impl Fn(&Session, ObjectHandle) -> Result<T, Error>,
    ) -> Result<T, Error> {
        token.with_session(|session, epoch| {
            let known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let handle = match known {
                Some((of, handle)) if of == epoch => handle,
                _ => {
                    let handle = find(session)?;
                    self.unproven.store(true, Ordering::Release);
                    self.set(Some((epoch, handle)));
                    handle
                }
            };
            call(session, handle)
        })
    }

    /// Has it looked up anew by the next call.
    pub(crate) fn forget(&self) {
        self.set(None);
    }

    /// Whether the key has still to show which one it is; whoever asks must see to it.
    pub(crate) fn take_unproven(&self) -> bool {
        self.unproven.swap(false, Ordering::AcqRel)
    }

    fn set(&self, value: Option<(u64, ObjectHandle)>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }
}
