//! Signed and encrypted messages: the Cryptographic Message Syntax of RFC 5652, and of GB/T 35275 (GM/T 0010),
//! which has the same grammar under OIDs of its own.
//!
//! - [`Signing`] says who signs; [`SignedWriter`] and [`DetachedSigner`] do it.
//! - [`SignedReader`] reads content of any length, then the signers; [`SignedMessage::verify`] checks them
//!   as a [`Policy`] says.
//! - [`Encrypting`] says to whom; [`EncryptedWriter`] does it. [`EncryptedReader`] finds the recipient, and
//!   [`ContentReader`] decrypts.

mod attributes;
mod content;
mod content_cipher;
mod encrypted_reader;
mod encrypted_writer;
mod encrypting;
mod frame;
#[cfg(test)]
mod hostile;
mod kind;
mod message;
mod policy;
mod recipient;
mod signed_reader;
mod signed_writer;
mod signer_info;
mod signing;
mod source;
mod time_stamp;
mod verdict;
mod verify;

pub use content::{ContentDigest, ContentHasher, can_be_signed_attributes};
pub use encrypted_reader::{ContentReader, EncryptedReader, Opened};
pub use encrypted_writer::EncryptedWriter;
pub use encrypting::Encrypting;
pub(crate) use kind::algorithm;
pub use kind::{Dialect, Kind};
pub use message::SignedMessage;
pub use policy::Policy;
pub use recipient::Recipient;
pub use signed_reader::SignedReader;
pub use signed_writer::SignedWriter;
pub use signer_info::EntityId;
pub use signing::{DetachedSigner, Signing};
pub use verdict::{Form, Refusal, Report, Signer, TimeStamp, Trusted};
