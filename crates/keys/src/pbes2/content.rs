//! The same protection for other things than a key: PBES2 and PBKDF2 (RFC 8018) by their AlgorithmIdentifiers,
//! for PKCS#12.

use der::Decode;
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use super::{Encrypted, KeyFormat, encrypt_parts, kdf::Kdf, tested};
use crate::{Error, Passphrase, error::der_fault};

/// Encrypts with a fresh salt and IV: the AlgorithmIdentifier of PBES2 in DER, and the ciphertext.
///
/// ```
/// use gmkit_keys::{KeyFormat, Passphrase, content};
///
/// let passphrase = Passphrase::new("correct horse");
/// let (algorithm, data) = content::encrypt(b"secret", &passphrase, KeyFormat::Compat)?;
/// assert_eq!(*content::decrypt(&algorithm, &data, &passphrase)?, b"secret");
/// # Ok::<(), gmkit_keys::Error>(())
/// ```
///
/// # Errors
/// [`Error::Rng`], [`Error::SelfTest`].
pub fn encrypt(
    plain: &[u8],
    passphrase: &Passphrase,
    format: KeyFormat,
) -> Result<(Vec<u8>, Vec<u8>), Error> {
    encrypt_parts(plain, passphrase, format)
}

/// Decrypts what was encrypted as an AlgorithmIdentifier in DER says. Nothing protects the content against
/// changes.
///
/// # Errors
/// [`Error::Encryption`] for what is not supported or beyond the limits; [`Error::Key`] for what is not DER;
/// [`Error::WrongPassphrase`].
pub fn decrypt(
    algorithm: &[u8],
    data: &[u8],
    passphrase: &Passphrase,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let algorithm = AlgorithmIdentifierRef::from_der(algorithm).map_err(der_fault)?;
    Encrypted::new(&algorithm, data)?.decrypt(passphrase)
}

/// Derives `len` bytes as an AlgorithmIdentifier of PBKDF2 or scrypt in DER says.
///
/// # Errors
/// [`Error::Encryption`], [`Error::Key`], [`Error::SelfTest`].
pub fn derive(
    algorithm: &[u8],
    passphrase: &Passphrase,
    len: usize,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    tested()?;
    let algorithm = AlgorithmIdentifierRef::from_der(algorithm).map_err(der_fault)?;
    Kdf::parse(&algorithm, len)?.derive(passphrase.as_bytes(), len)
}
