//! Session keys: drawn by a client, enveloped for a service with SM2, signed by the client.

mod client;
mod offer;
mod server;

use std::sync::Arc;

use gmkit_keys::SecretKey;

pub use client::ClientSession;
pub use server::{CurrentSessions, Sessions};

/// The header with the offer of a session, in base64url.
pub const SEALED_KEY: &str = "sealed-key";

/// How long a session is used, in milliseconds: an hour.
const LIFETIME: u64 = 3_600_000;

/// A key that both have.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Who has drawn it.
    pub(crate) client: String,
    /// What heads of bodies call it: the digest of its offer.
    pub(crate) name: String,
    pub(crate) key: Arc<dyn SecretKey>,
}

/// Who has sealed a request: an extension of those that were sealed under a session key.
///
/// ```
/// use axum::Extension;
/// use gmkit_seal::SealedBy;
///
/// async fn handler(Extension(by): Extension<SealedBy>) -> String {
///     format!("hello {}", by.client())
/// }
/// # let _ = handler;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBy(pub(crate) String);

impl SealedBy {
    /// The client's name.
    #[must_use]
    pub fn client(&self) -> &str {
        &self.0
    }
}
