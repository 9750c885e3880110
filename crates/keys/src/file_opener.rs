//! Keys in files.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use zeroize::Zeroizing;

use crate::{
    Error, KeyOpener, KeyUri, PassphraseSource, PrivateKey, SecretKey, SecretUse, SoftwareKey,
    SoftwareSecret,
};

/// Largest key file that is read, in bytes: room for any PEM with explanatory text.
pub const MAX_KEY_FILE: u64 = 1 << 20;

/// Opens `file:` URIs and plain paths.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileOpener;

impl FileOpener {
    /// Reads a whole key file into memory that is zeroized on drop.
    ///
    /// # Errors
    /// [`Error::Io`], also for a directory; [`Error::FileTooLarge`] above [`MAX_KEY_FILE`].
    pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
        let io = |source: io::Error| Error::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        // One allocation of the final size: a buffer that grows leaves copies behind. The size of
        // a pipe is not known, so it gets the most.
        let len = if metadata.is_file() { metadata.len().min(MAX_KEY_FILE) } else { MAX_KEY_FILE };
        let mut bytes = Zeroizing::new(Vec::with_capacity(len as usize + 1));
        let read = file.take(MAX_KEY_FILE + 1).read_to_end(&mut bytes).map_err(io)?;
        if read as u64 > MAX_KEY_FILE {
            return Err(Error::FileTooLarge { path: path.to_owned() });
        }
        Ok(bytes)
    }
}

impl KeyOpener for FileOpener {
    fn scheme(&self) -> &'static str {
        "file"
    }

    fn open_private(
        &self,
        uri: &KeyUri,
        passphrase: &dyn PassphraseSource,
    ) -> Result<Arc<dyn PrivateKey>, Error> {
        let path = uri.to_file_path()?;
        let bytes = Self::read(&path)?;
        let ask = || passphrase.passphrase(&path.display().to_string());
        Ok(Arc::new(SoftwareKey::from_file_bytes(&bytes, ask)?))
    }

    /// Raw bytes, or their hex digits ([`SoftwareSecret::decode_file_bytes`]).
    fn open_secret(
        &self,
        uri: &KeyUri,
        for_what: SecretUse,
        _passphrase: &dyn PassphraseSource,
    ) -> Result<Arc<dyn SecretKey>, Error> {
        let bytes = SoftwareSecret::decode_file_bytes(&Self::read(&uri.to_file_path()?)?);
        Ok(Arc::new(match for_what {
            SecretUse::Seal => SoftwareSecret::sm4(&bytes)?,
            SecretUse::Mac => SoftwareSecret::hmac_sm3(&bytes)?,
        }))
    }
}
