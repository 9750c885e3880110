//! Where keys live. Everything in gmkit that signs, decrypts, seals or authenticates does so
//! through the traits here, so that a key may be a file today and sit in a device tomorrow.
//!
//! - [`PrivateKey`]: an SM2 key that signs messages and decrypts. Signing a bare `e` is a separate
//!   capability, [`hazmat::SignE`].
//! - [`SecretKey`]: an SM4 or HMAC key that seals, opens and authenticates.
//! - [`FieldKey`]: an SM4 key for single values, of which equal ones stay equal.
//! - [`Identity`]: a private key with its certificate chain, or two of them (sign and encrypt).
//! - [`KeyUri`] names a key; a [`KeyRegistry`] holds the [`KeyOpener`]s that a program has chosen,
//!   one per scheme. [`FileOpener`] is the one for files.
//! - [`SoftwareKey`] reads and writes PKCS#8, encrypted or not, SEC1 and SubjectPublicKeyInfo, in
//!   the forms that OpenSSL, Tongsuo and GmSSL write for SM2 keys.
//! - [`content`]: PBES2 for other things than keys.
//! - [`EnvelopedKey`]: a private key on its way to its owner (GB/T 35276).
//! - [`selftest`]: known-answer tests, run before the first use of each algorithm, and a pairwise
//!   test of each generated key.
//!
//! ```
//! use gmkit_keys::{KeyFormat, Passphrase, PrivateKey, SoftwareKey};
//! use gmkit_sm2::Id;
//!
//! let key = SoftwareKey::generate()?;
//! let signature = key.sign(Id::DEFAULT, b"message")?;
//!
//! let passphrase = Passphrase::new("correct horse");
//! let pem = key.to_encrypted_pem(&passphrase, KeyFormat::Compat)?;
//! let again = SoftwareKey::from_file_bytes(pem.as_bytes(), || Ok(passphrase.clone()))?;
//! again.public_key().verify(Id::DEFAULT, b"message", &signature)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod enveloped_key;
mod error;
mod field_key;
mod file_opener;
pub mod hazmat;
mod identity;
mod opener;
mod passphrase;
mod pbes2;
mod pem;
mod private_key;
mod public_file;
mod secret_key;
pub mod selftest;
mod software_key;
mod software_secret;
mod uri;

pub use enveloped_key::EnvelopedKey;
pub use error::{EncryptionFault, Error};
pub use field_key::SoftwareFieldKey;
pub use file_opener::{FileOpener, MAX_KEY_FILE};
pub use identity::{Credential, Identity};
pub use opener::{KeyOpener, KeyRegistry, SecretUse};
pub use passphrase::{Passphrase, PassphraseSource};
pub use pbes2::{KeyFormat, MAX_ITERATIONS, MAX_SCRYPT_MEMORY, content};
pub use private_key::{ExchangeContext, PrivateKey, SigningContext};
pub use public_file::{public_key_from_file_bytes, public_key_to_pem};
pub use secret_key::{FieldKey, MacContext, OpeningContext, SealingContext, SecretKey};
pub use software_key::SoftwareKey;
pub use software_secret::SoftwareSecret;
pub use uri::{KeyUri, Origin};

/// The operating system's random number generator.
pub use getrandom::SysRng;
