//! Handles of keys: looked up once per connection, as they do not outlive it.

use std::sync::{Mutex, PoisonError};

use cryptoki::{object::ObjectHandle, session::Session};

use crate::{Error, Token};

/// The handle of a key, and the connection in which it was looked up.
#[derive(Default)]
pub(crate) struct Held(Mutex<Option<(u64, ObjectHandle)>>);

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
            let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let handle = match known {
                Some((of, handle)) if of == epoch => handle,
                _ => {
                    let handle = find(session)?;
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

    fn set(&self, value: Option<(u64, ObjectHandle)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }
}
