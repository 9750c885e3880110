//! How a program says which kinds of keys it can open.

use std::{fmt, sync::Arc};

use crate::{Error, KeyUri, Origin, PassphraseSource, PrivateKey, SecretKey};

/// What a secret key is opened for: a file of bytes does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretUse {
    /// An SM4 key, that seals and opens.
    Seal,
    /// An HMAC-SM3 key, that authenticates.
    Mac,
}

/// Opens keys of one URI scheme. `keys` knows no device: whoever starts the program (CLI, C ABI,
/// service) registers the openers it wants.
pub trait KeyOpener: Send + Sync {
    /// The scheme, in lower case: `file`, `pkcs11`.
    fn scheme(&self) -> &'static str;

    /// Whether URIs of [`Origin::Untrusted`] may reach this opener. The registry stops them otherwise. An opener that says yes must itself make sure that such a URI names
    /// no file and loads no module but those on its allow-list.
    fn accepts_untrusted(&self) -> bool {
        false
    }

    /// Opens a private key.
    ///
    /// # Errors
    /// Any [`Error`].
    fn open_private(
        &self,
        uri: &KeyUri,
        passphrase: &dyn PassphraseSource,
    ) -> Result<Arc<dyn PrivateKey>, Error>;

    /// Opens a secret key.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::Unsupported`] from an opener that has none.
    fn open_secret(
        &self,
        _uri: &KeyUri,
        _for_what: SecretUse,
        _passphrase: &dyn PassphraseSource,
    ) -> Result<Arc<dyn SecretKey>, Error> {
        Err(Error::Unsupported { operation: "open secret keys" })
    }
}

/// The openers of a program.
///
/// ```no_run
/// use gmkit_keys::{FileOpener, KeyRegistry, KeyUri, Origin, Passphrase};
///
/// let keys = KeyRegistry::new().with(FileOpener);
/// let uri = KeyUri::parse("file:signer.pem", Origin::Operator)?;
/// let key = keys.open_private(&uri, &|_: &str| Ok(Passphrase::new("from a vault")))?;
/// println!("{:?}", key.public_key());
/// # Ok::<(), gmkit_keys::Error>(())
/// ```
#[derive(Default)]
pub struct KeyRegistry {
    openers: Vec<Box<dyn KeyOpener>>,
}

impl KeyRegistry {
    /// A registry that can open nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an opener; it goes before earlier ones of the same scheme.
    #[must_use]
    pub fn with(mut self, opener: impl KeyOpener + 'static) -> Self {
        self.openers.insert(0, Box::new(opener));
        self
    }

    /// Opens the private key that `uri` names.
    ///
    /// # Errors
    /// [`Error::UnknownScheme`], [`Error::UntrustedUri`], and what the opener says.
    pub fn open_private(
        &self,
        uri: &KeyUri,
        passphrase: &dyn PassphraseSource,
    ) -> Result<Arc<dyn PrivateKey>, Error> {
        self.opener(uri)?.open_private(uri, passphrase)
    }

    /// Opens the secret key that `uri` names.
    ///
    /// # Errors
    /// As [`KeyRegistry::open_private`].
    pub fn open_secret(
        &self,
        uri: &KeyUri,
        for_what: SecretUse,
        passphrase: &dyn PassphraseSource,
    ) -> Result<Arc<dyn SecretKey>, Error> {
        self.opener(uri)?.open_secret(uri, for_what, passphrase)
    }

    /// The opener of a URI's scheme, if that URI may reach it.
    fn opener(&self, uri: &KeyUri) -> Result<&dyn KeyOpener, Error> {
        let opener = self.openers.iter().find(|opener| opener.scheme() == uri.scheme());
        let opener =
            opener.ok_or_else(|| Error::UnknownScheme { scheme: uri.scheme().to_owned() })?;
        if uri.origin() == Origin::Untrusted && !opener.accepts_untrusted() {
            return Err(Error::UntrustedUri);
        }
        Ok(&**opener)
    }
}

impl fmt::Debug for KeyRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.openers.iter().map(|opener| opener.scheme())).finish()
    }
}
