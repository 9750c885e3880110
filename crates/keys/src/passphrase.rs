//! Passphrases.

use std::fmt;

use zeroize::Zeroizing;

use crate::Error;

/// A passphrase, zeroized on drop and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Takes the bytes as they are; text is UTF-8.
    #[must_use]
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self(Zeroizing::new(bytes.as_ref().to_vec()))
    }

    /// The content of a passphrase file: its first line, without the line's end.
    #[must_use]
    pub fn from_file_bytes(bytes: &[u8]) -> Self {
        let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
        Self::new(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Whether it has no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// Where a passphrase comes from when a key turns out to need one: a file, a prompt.
pub trait PassphraseSource {
    /// Gets the passphrase for the key named `key`.
    ///
    /// # Errors
    /// [`Error::PassphraseNeeded`] when there is none to be had; [`Error::Io`].
    fn passphrase(&self, key: &str) -> Result<Passphrase, Error>;
}

impl<F: Fn(&str) -> Result<Passphrase, Error>> PassphraseSource for F {
    fn passphrase(&self, key: &str) -> Result<Passphrase, Error> {
        self(key)
    }
}
