//! What can go wrong with keys, and whose fault it is.

use std::{fmt, io, path::PathBuf};

use der::asn1::ObjectIdentifier;

/// Error of an operation on keys. Never contains key bytes or a passphrase.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The file is neither PEM nor DER of a key.
    NotAKey,
    /// The PEM armour is damaged.
    Pem(pem_rfc7468::Error),
    /// The PEM file holds something else, as its label says.
    PemLabel {
        /// The label, as `CERTIFICATE`.
        found: String,
        /// What was looked for.
        expected: &'static str,
    },
    /// The key itself is damaged, on another curve, or out of range.
    Key(gmkit_sm2::Error),
    /// The key is encrypted in a way that is not supported, or beyond the limits.
    Encryption(EncryptionFault),
    /// The key is encrypted, and no passphrase was given.
    PassphraseNeeded,
    /// The passphrase is wrong, or the encrypted key is damaged: CBC cannot tell one from the
    /// other.
    WrongPassphrase,
    /// A secret key has the wrong length, in bytes.
    SecretLength {
        /// Length found.
        found: usize,
    },
    /// A file could not be read.
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file is larger than any key.
    FileTooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A key URI is malformed.
    Uri {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No opener is registered for the scheme of a key URI.
    UnknownScheme {
        /// The scheme.
        scheme: String,
    },
    /// A key URI comes from a source that must not name files or load modules.
    UntrustedUri,
    /// This key cannot do what was asked.
    Unsupported {
        /// The operation.
        operation: &'static str,
    },
    /// The certificate does not belong to the private key.
    CertificateMismatch,
    /// A self-test failed. The algorithm is out of service in this process.
    SelfTest {
        /// The test that failed.
        test: &'static str,
    },
    /// A signature, tag or ciphertext was rejected. Deliberately not more precise.
    Rejected,
    /// The random number generator failed.
    Rng,
    /// A message is longer than the mode allows.
    MessageTooLong,
    /// FF1 takes 6 to 4096 decimal digits, and nothing else.
    Digits,
    /// A device, or the way to it, says no.
    Device(Box<dyn std::error::Error + Send + Sync>),
}

/// Why an encrypted key is not decrypted, before any passphrase is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptionFault {
    /// Not PBES2.
    Scheme(ObjectIdentifier),
    /// Neither PBKDF2 nor scrypt.
    Kdf(ObjectIdentifier),
    /// Not one of the HMACs that are supported.
    Prf(ObjectIdentifier),
    /// Not one of the ciphers that are supported.
    Cipher(ObjectIdentifier),
    /// More PBKDF2 iterations than [`crate::MAX_ITERATIONS`]: days of work, by mistake or malice.
    Iterations(u64),
    /// More memory for scrypt than [`crate::MAX_SCRYPT_MEMORY`], or parameters without meaning.
    ScryptCost,
    /// The parameters do not fit together, as a key length that is not the cipher's.
    Parameters,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAKey => f.write_str("neither PEM nor DER of a key"),
            Self::Pem(_) => f.write_str("damaged PEM"),
            Self::PemLabel { found, expected } => {
                write!(f, "PEM label is \"{found}\", expected {expected}")
            }
            Self::Key(_) => f.write_str("unusable key"),
            Self::Encryption(fault) => write!(f, "encrypted key: {fault}"),
            Self::PassphraseNeeded => f.write_str("key is encrypted and no passphrase was given"),
            Self::WrongPassphrase => f.write_str("wrong passphrase, or the key file is damaged"),
            Self::SecretLength { found } => write!(f, "secret key has {found} bytes"),
            Self::Io { path, .. } => write!(f, "cannot read {}", path.display()),
            Self::FileTooLarge { path } => {
                write!(f, "{} is larger than any key file", path.display())
            }
            Self::Uri { reason } => write!(f, "key URI: {reason}"),
            Self::UnknownScheme { scheme } => write!(
                f,
                "no way to open \"{scheme}:\" keys here (for a file of that name write ./{scheme}:...)"
            ),
            Self::UntrustedUri => f.write_str("this source must not name keys by URI"),
            Self::Unsupported { operation } => write!(f, "this key cannot {operation}"),
            Self::CertificateMismatch => {
                f.write_str("certificate does not belong to the private key")
            }
            Self::SelfTest { test } => write!(f, "self-test failed: {test}"),
            Self::Rejected => f.write_str("rejected"),
            Self::Rng => f.write_str("the random number generator failed"),
            Self::MessageTooLong => f.write_str("message too long"),
            Self::Digits => f.write_str("not 6 to 4096 decimal digits"),
            Self::Device(error) => write!(f, "device: {error}"),
        }
    }
}

impl fmt::Display for EncryptionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme(oid) => write!(f, "scheme {oid} is not PBES2"),
            Self::Kdf(oid) => write!(f, "key derivation {oid} is not supported"),
            Self::Prf(oid) => write!(f, "PBKDF2 with {oid} is not supported"),
            Self::Cipher(oid) => write!(f, "cipher {oid} is not supported"),
            Self::Iterations(n) => {
                write!(f, "{n} iterations are outside 1 to {}", crate::MAX_ITERATIONS)
            }
            Self::ScryptCost => f.write_str("scrypt parameters are beyond the limits"),
            Self::Parameters => f.write_str("parameters do not fit together"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Pem(error) => Some(error),
            Self::Key(error) => Some(error),
            Self::Io { source, .. } => Some(source),
            Self::Device(error) => error.source(),
            _ => None,
        }
    }
}

impl From<gmkit_sm2::Error> for Error {
    fn from(error: gmkit_sm2::Error) -> Self {
        match error {
            gmkit_sm2::Error::Rejected => Self::Rejected,
            gmkit_sm2::Error::Rng => Self::Rng,
            error => Self::Key(error),
        }
    }
}

impl From<gmkit_sm4::Error> for Error {
    fn from(error: gmkit_sm4::Error) -> Self {
        match error {
            gmkit_sm4::Error::MessageTooLong => Self::MessageTooLong,
            _ => Self::Rejected,
        }
    }
}

impl From<EncryptionFault> for Error {
    fn from(fault: EncryptionFault) -> Self {
        Self::Encryption(fault)
    }
}

/// DER faults of the structures around a key.
pub(crate) fn der_fault(error: der::Error) -> Error {
    Error::Key(error.into())
}
