//! Opening the keys that a command line names.

use std::{
    io::{IsTerminal, stdin},
    path::Path,
    sync::Arc,
};

use gmkit::{
    keys::{
        Error, FileOpener, KeyRegistry, KeyUri, Origin, Passphrase, PassphraseSource, PrivateKey,
        public_key_from_file_bytes,
    },
    sm2::{PublicKey, spki::EncodePublicKey},
};
use zeroize::Zeroizing;

use crate::{
    failure::{Context, Failure},
    input::Input,
};

/// Opens a private key by file or URI.
pub(crate) fn open_private(
    key: &str,
    passphrase_file: Option<&Path>,
) -> Result<Arc<dyn PrivateKey>, Failure> {
    let uri = KeyUri::parse(key, Origin::Operator)?;
    let source = FileOrPrompt { file: passphrase_file };
    tracing::debug!(scheme = uri.scheme(), "opening private key");
    let opened = KeyRegistry::new().with(FileOpener).open_private(&uri, &source);
    opened.map_err(|error| match error {
        // These name the file already.
        Error::Io { .. } | Error::FileTooLarge { .. } => error.into(),
        error => Failure::about(key, error),
    })
}

/// Reads a public key file; `-` is standard input.
pub(crate) fn read_public(path: &Path) -> Result<PublicKey, Failure> {
    let bytes = Input::open(path)?.read_all(1 << 20)?;
    public_key_from_file_bytes(&bytes).about(path)
}

/// SM3 over the SubjectPublicKeyInfo: how gmkit names a public key to people.
pub(crate) fn fingerprint(key: &PublicKey) -> String {
    let der = key.to_public_key_der().expect("91 bytes of DER");
    hex::encode(gmkit::sm3::digest(&[der.as_bytes()]))
}

struct FileOrPrompt<'p> {
    file: Option<&'p Path>,
}

impl PassphraseSource for FileOrPrompt<'_> {
    fn passphrase(&self, key: &str) -> Result<Passphrase, Error> {
        match self.file {
            Some(path) => Ok(Passphrase::from_file_bytes(&FileOpener::read(path)?)),
            None => prompt(&format!("Passphrase for {key}: ")),
        }
    }
}

/// The passphrase for a new key: from a file, or asked for twice.
pub(crate) fn new_passphrase(file: Option<&Path>) -> Result<Passphrase, Failure> {
    let passphrase = match file {
        Some(_) => FileOrPrompt { file }.passphrase("")?,
        None => {
            let first = prompt("Passphrase for the new key: ").map_err(|_| {
                Failure::input(
                    "no terminal to ask for a passphrase: give --passphrase-file or --no-passphrase",
                )
            })?;
            if prompt("The same again: ")? != first {
                return Err(Failure::input("the two passphrases differ"));
            }
            first
        }
    };
    if passphrase.is_empty() {
        return Err(Failure::input("the passphrase is empty; --no-passphrase asks for none"));
    }
    Ok(passphrase)
}

fn prompt(text: &str) -> Result<Passphrase, Error> {
    if !stdin().is_terminal() {
        return Err(Error::PassphraseNeeded);
    }
    let line = rpassword::prompt_password(text).map_err(|_| Error::PassphraseNeeded)?;
    Ok(Passphrase::new(&*Zeroizing::new(line)))
}
