//! The keys under which bodies are sealed.

use std::{collections::BTreeMap, sync::Arc};

use gmkit_keys::SecretKey;

use crate::{Current, Error};

/// SM4 keys by name, one of which is current: new bodies are sealed under that one, and those under the others are still
/// opened.
///
/// ```
/// use std::sync::Arc;
/// use gmkit_keys::SoftwareSecret;
/// use gmkit_seal::{CurrentSealKeys, SealKeys};
///
/// let key = |byte| Ok::<_, gmkit_keys::Error>(Arc::new(SoftwareSecret::sm4(&[byte; 16])?));
/// let keys = CurrentSealKeys::new(SealKeys::new("2026-11", key(1)?)?);
/// // A new one, while the old one is still in use by some:
/// keys.set(SealKeys::new("2026-12", key(2)?)?.with("2026-11", key(1)?)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SealKeys {
    keys: BTreeMap<String, Arc<dyn SecretKey>>,
    current: String,
}

impl SealKeys {
    /// With this one, which is current.
    ///
    /// # Errors
    /// [`Error::KeyName`].
    pub fn new(name: &str, key: Arc<dyn SecretKey>) -> Result<Self, Error> {
        Self { keys: BTreeMap::new(), current: name.to_owned() }.with(name, key)
    }

    /// None: all clients draw their own ([`crate::Sessions`]).
    #[must_use]
    pub fn none() -> Self {
        Self { keys: BTreeMap::new(), current: String::new() }
    }

    /// With another one, to open with.
    ///
    /// # Errors
    /// [`Error::KeyName`].
    pub fn with(mut self, name: &str, key: Arc<dyn SecretKey>) -> Result<Self, Error> {
        check_name(name)?;
        match self.keys.insert(name.to_owned(), key) {
            None => Ok(self),
            // Which of the two was meant nobody can tell.
            Some(_) => Err(Error::KeyName),
        }
    }

    pub(crate) fn current(&self) -> Result<(&str, &Arc<dyn SecretKey>), Error> {
        let key = self.keys.get(&self.current).ok_or(Error::KeyName)?;
        Ok((&self.current, key))
    }

    pub(crate) fn get(&self, name: &str) -> Result<&Arc<dyn SecretKey>, Error> {
        self.keys.get(name).ok_or(Error::UnknownKey)
    }
}

/// Whether a key, or a client, may have this name.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let right = (1..=64).contains(&name.len()) && name.bytes().all(|c| c.is_ascii_graphic());
    if right { Ok(()) } else { Err(Error::KeyName) }
}

/// Keys that can be changed while bodies pass: each exchange ends with the keys with which it began.
pub type CurrentSealKeys = Current<SealKeys>;
