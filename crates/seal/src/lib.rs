//! Bodies of requests and responses, sealed with SM4-GCM: for what must not be read where TLS ends.
//!
//! [`SealLayer`] opens what a service is sent and seals what it answers; [`SealClientLayer`] does the same the other way
//! round. A body is sealed in chunks, each of which is authentic by itself, stands at its place, and belongs to its audience,
//! method, path and, of a response, to its request and status: nothing is released unchecked, and a body of any length needs
//! one chunk of memory. `docs/src/en/sealed-bodies.md` has the format.
//!
//! What is in heads, and the length of bodies, is not hidden, and but for the media type and encoding heads are not
//! authentic. One key seals 2^32 chunks at most (NIST SP 800-38D, 8.3), which nothing here counts: change keys in time, or let
//! clients draw their own ([`Sessions`], [`ClientSession`]).

mod current;
mod error;
mod frame;
mod head;
mod keys;
mod replay;
mod session;
mod web;

pub use current::Current;
pub use error::Error;
pub use keys::{CurrentSealKeys, SealKeys};
pub use session::{ClientSession, CurrentSessions, SEALED_KEY, SealedBy, Sessions};
pub use web::{MEDIA_TYPE, SEALED, SealBody, SealClient, SealClientLayer, SealLayer, SealService};
