//! Certificates with SM2 (GB/T 20518, RFC 5280): read, issued, revoked, and chains of them checked.
//!
//! - [`Certificate`], [`Request`] (PKCS#10) and [`Crl`] are read strictly: DER has one form.
//! - [`Issuer`] signs certificates and revocation lists with any [`gmkit_keys::PrivateKey`]; what goes
//!   into them is described by `rcgen`'s parameters, or by a [`Profile`].
//! - [`Database`]: what a small authority has issued and revoked, in a folder.
//! - [`cms`]: signed and encrypted messages.
//! - [`Pkcs12`] and [`read_cfca`]: keys with their certificates, in one file.
//! - [`ocsp`]: requests and responses of RFC 6960.
//! - [`Verifier`] builds and checks chains: paths by `rustls-webpki`, key usages, national algorithms,
//!   revocation and names on top.
//!
//! ```
//! use std::sync::Arc;
//! use gmkit_keys::{PrivateKey, SoftwareKey};
//! use gmkit_pki::{Anchor, Issuer, Profile, Purpose, Verifier, san, subject};
//!
//! let (root_key, server_key) = (Arc::new(SoftwareKey::generate()?), SoftwareKey::generate()?);
//! let root = Issuer::self_signed(Profile::Ca.params(subject("CN=Root,C=CN")?, 3650)?, root_key)?;
//!
//! let mut params = Profile::TlsServer.params(subject("CN=server,C=CN")?, 90)?;
//! params.subject_alt_names = san("DNS:a.example")?;
//! let server = root.issue(params, server_key.public_key())?;
//!
//! let verifier = Verifier::new(vec![Anchor::new(root.certificate().clone())], Purpose::TlsServer);
//! verifier.named("a.example")?.verify(&server)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod certificate;
mod cfca;
pub mod cms;
mod crl;
mod database;
mod error;
mod extensions;
mod general_name;
#[cfg(test)]
mod hostile;
mod issuer;
mod key_usage;
mod name;
pub mod ocsp;
mod parts;
mod pem;
mod pkcs12;
mod profile;
mod request;
mod serial;
mod signed;
mod strict;
mod subject_text;
mod unsigned;
mod validity;
mod verifier;

pub use certificate::{Certificate, SubjectKey};
pub use cfca::read_cfca;
pub use crl::{Crl, Revoked};
pub use database::{Database, Reason, Record, State};
pub use error::{Error, Form};
pub use extensions::{BasicConstraints, ExtendedKeyUsage, Extensions};
pub use general_name::GeneralName;
pub use issuer::Issuer;
pub use key_usage::KeyUsage;
pub use name::Name;
pub use pkcs12::Pkcs12;
pub use profile::{Profile, answer_ocsp_at, publish_crl_at};
pub use request::Request;
pub use serial::Serial;
pub use subject_text::{san, subject, subtrees};
pub use validity::{Validity, now, parse_rfc3339, rfc3339};
pub use verifier::{Anchor, Chain, Purpose, Untrusted, Verifier};

pub use rcgen;
