//! Opening the keys that a command line names.

use std::{fs::OpenOptions, path::Path, sync::Arc};

use gmkit::{
    hsm::Opener,
    keys::{
        Error, FileOpener, KeyRegistry, KeyUri, MAX_KEY_FILE, Origin, Passphrase, PassphraseSource,
        PrivateKey, SecretKey, SecretUse, SoftwareKey, public_key_from_file_bytes,
    },
    pki::{self, Certificate, Purpose, now},
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
    let source = FileOrPrompt { file: passphrase_file };
    if key == "-" {
        return Ok(Arc::new(software(Path::new(key), &source)?));
    }
    let uri = KeyUri::parse(key, Origin::Operator)?;
    tracing::debug!(scheme = uri.scheme(), "opening private key");
    registry().open_private(&uri, &source).map_err(|error| failure(&uri, key, error))
}

fn registry() -> KeyRegistry {
    KeyRegistry::new().with(FileOpener).with(Opener::new())
}

/// Names the key that cannot be opened.
fn failure(uri: &KeyUri, key: &str, error: Error) -> Failure {
    match error {
        // These name the file already.
        Error::Io { .. } | Error::FileTooLarge { .. } => error.into(),
        error if uri.scheme() == "file" => Failure::about(key, error),
        // The rest of such a URI may hold a PIN.
        error => Failure::about(format!("{}: key", uri.scheme()), error),
    }
}

/// Opens a secret key in a device; `None` where a file is named, whose bytes are the key.
pub(crate) fn open_device_secret(
    key: &Path,
    for_what: SecretUse,
    pin_file: Option<&Path>,
) -> Result<Option<Arc<dyn SecretKey>>, Failure> {
    let Some(key) = key.to_str().filter(|key| key.starts_with("pkcs11:")) else {
        return match pin_file {
            None => Ok(None),
            Some(_) => Err(Failure::input("only a key in a device has a --passphrase-file here")),
        };
    };
    let uri = KeyUri::parse(key, Origin::Operator)?;
    let opened = registry().open_secret(&uri, for_what, &FileOrPrompt { file: pin_file });
    opened.map(Some).map_err(|error| failure(&uri, key, error))
}

/// Opens a private key that is to leave the program: a file, not a device's.
pub(crate) fn open_software(
    key: &str,
    passphrase_file: Option<&Path>,
) -> Result<SoftwareKey, Failure> {
    let source = FileOrPrompt { file: passphrase_file };
    if key == "-" {
        return software(Path::new(key), &source);
    }
    let uri = KeyUri::parse(key, Origin::Operator)?;
    if uri.scheme() != "file" {
        let reason = Error::Unsupported { operation: "leave its device" };
        return Err(Failure::about(format!("{}: key", uri.scheme()), reason));
    }
    let path = uri.to_file_path()?;
    software(&path, &source).about(&path)
}

fn software(path: &Path, source: &FileOrPrompt<'_>) -> Result<SoftwareKey, Failure> {
    let bytes = read_secret(path)?;
    let name = match path.as_os_str() == "-" {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    };
    Ok(SoftwareKey::from_file_bytes(&bytes, || source.passphrase(&name))?)
}

/// Reads a file that holds a key or a passphrase; `-` is standard input.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if path.as_os_str() == "-" {
        return Input::open(path)?.read_all(MAX_KEY_FILE as usize);
    }
    Ok(FileOpener::read(path)?)
}

/// Reads a public key file; `-` is standard input.
pub(crate) fn read_public(path: &Path) -> Result<PublicKey, Failure> {
    let bytes = Input::open(path)?.read_all(1 << 20)?;
    public_key_from_file_bytes(&bytes).about(path)
}

/// Whoever is encrypted to.
pub(crate) enum ToWhom {
    Key(PublicKey),
    Certificate(Box<Certificate>),
}

/// Reads whoever is encrypted to: a public key, or a certificate that permits it by what it says itself.
pub(crate) fn read_recipient(path: &Path) -> Result<ToWhom, Failure> {
    let bytes = Input::open(path)?.read_all(1 << 20)?;
    let key = public_key_from_file_bytes(&bytes);
    let certificate = match Certificate::all_from_file_bytes(&bytes) {
        Ok(mut certificates) => certificates.swap_remove(0),
        // Neither in PEM; or a key in DER, which begins as a certificate does.
        Err(pki::Error::NotFound(_)) => return key.map(ToWhom::Key).about(path),
        Err(_) if key.is_ok() => return key.map(ToWhom::Key).about(path),
        Err(error) => return Err(Failure::about(path.display(), error)),
    };
    Purpose::Encrypt.check(&certificate, now()).map_err(pki::Error::from).about(path)?;
    Ok(ToWhom::Certificate(Box::new(certificate)))
}

/// SM3 over the SubjectPublicKeyInfo: how gmkit names a public key to people.
pub(crate) fn fingerprint(key: &PublicKey) -> String {
    let der = key.to_public_key_der().expect("91 bytes of DER");
    hex::encode(gmkit::sm3::digest(&[der.as_bytes()]))
}

pub(crate) struct FileOrPrompt<'p> {
    pub(crate) file: Option<&'p Path>,
}

impl PassphraseSource for FileOrPrompt<'_> {
    fn passphrase(&self, key: &str) -> Result<Passphrase, Error> {
        match self.file {
            Some(path) if path.as_os_str() == "-" => {
                let bytes = read_secret(path).map_err(|_| Error::PassphraseNeeded)?;
                Ok(Passphrase::from_file_bytes(&bytes))
            }
            Some(path) => Ok(Passphrase::from_file_bytes(&FileOpener::read(path)?)),
            None => prompt(&format!("Passphrase for {key}: ")),
        }
    }
}

/// The password of a file: from a file, or asked for.
pub(crate) fn existing_password(file: Option<&Path>, of: &Path) -> Result<Passphrase, Failure> {
    Ok(FileOrPrompt { file }.passphrase(&of.display().to_string())?)
}

/// The passphrase for a new key: from a file, which `option` names, or asked for twice.
pub(crate) fn new_passphrase(file: Option<&Path>, option: &str) -> Result<Passphrase, Failure> {
    let passphrase = match file {
        Some(_) => FileOrPrompt { file }.passphrase("")?,
        None => {
            let first = prompt("Passphrase for the new key: ").map_err(|_| {
                Failure::input(format!(
                    "no terminal to ask for a passphrase: give {option} or --no-passphrase"
                ))
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
    // The terminal is asked even where standard input is a pipe: that is the message.
    if OpenOptions::new().read(true).write(true).open("/dev/tty").is_err() {
        return Err(Error::PassphraseNeeded);
    }
    let line = rpassword::prompt_password(text).map_err(|_| Error::PassphraseNeeded)?;
    Ok(Passphrase::new(&*Zeroizing::new(line)))
}
