//! What can be changed while requests pass.

use std::sync::{Arc, PoisonError, RwLock};

/// Keys or clients that can be changed at any time: what is under way ends with those with which it began.
///
/// ```
/// use gmkit_seal::{Current, SealKeys};
///
/// let current = Current::new(SealKeys::none());
/// current.set(SealKeys::none());
/// # let _ = current.get();
/// ```
#[derive(Debug)]
pub struct Current<T>(RwLock<Arc<T>>);

impl<T> Current<T> {
    /// Begins with these.
    #[must_use]
    pub fn new(first: T) -> Self {
        Self(RwLock::new(Arc::new(first)))
    }

    /// Those of now.
    #[must_use]
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Others from now on.
    pub fn set(&self, next: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }
}
