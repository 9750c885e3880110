//! SM2 keys in devices that speak PKCS#11.
//!
//! PKCS#11 has no numbers for SM2, SM3 and SM4, so each vendor takes its own, and encodings and the
//! handling of Z differ as well. Here a [`Profile`] says what a vendor does, as data; the first use
//! of a key finds out the rest. A key is named by a URI of RFC 7512 ([`Uri`]), and whatever takes a
//! [`gmkit_keys::PrivateKey`] works with it:
//!
//! ```no_run
//! use gmkit_hsm::Opener;
//! use gmkit_keys::{KeyRegistry, KeyUri, Origin, Passphrase};
//!
//! let keys = KeyRegistry::new().with(Opener::new());
//! let uri = "pkcs11:token=prod;object=ca?module-path=/opt/hsm/libpkcs11.so";
//! let uri = KeyUri::parse(uri, Origin::Operator)?;
//! let key = keys.open_private(&uri, &|_: &str| Ok(Passphrase::new("from a vault")))?;
//! # Ok::<(), gmkit_keys::Error>(())
//! ```
//!
//! **A URI can load code** (`module-path`): only one of [`gmkit_keys::Origin::Operator`] may, and
//! others do not even reach this crate, as the registry stops them. `pin-value` and commands as
//! `pin-source` are refused whoever says so.

mod calls;
mod checks;
#[cfg(feature = "rustls")]
mod classic;
mod conformance;
mod device_secret;
mod encoding;
mod error;
mod gathered;
mod held;
mod key;
mod module;
mod new_secret;
mod objects;
mod opener;
mod pool;
mod profile;
mod raw;
mod secret_lookup;
mod secret_type;
mod services;
mod shared_key;
mod token;
mod uri;
mod workers;

pub use calls::CallStatistics;
pub use checks::Checks;
#[cfg(feature = "rustls")]
pub use classic::ClassicKey;
pub use conformance::{Finding, Outcome};
pub use device_secret::{DeviceSecret, Mode};
pub use error::Error;
pub use key::DeviceKey;
pub use module::{Module, SlotInfo};
pub use new_secret::{Export, KeyUse};
pub use objects::{KeyClass, KeyInfo, KeyName};
pub use opener::Opener;
pub use profile::{Match, Profile, Profiles, SignMessage, Z};
pub use secret_type::SecretType;
pub use shared_key::SharedKey;
pub use token::Token;
pub use uri::{ObjectType, PinSource, Uri};
