//! The Online Certificate Status Protocol (RFC 6960): requests and responses, made and checked. How they
//! travel is the caller's business.

mod cert_id;
mod extension;
mod request;
mod responder;
mod response;

pub use cert_id::{CertId, Hash};
pub use request::Request;
pub use responder::Responder;
pub use response::{Response, Single, Status};
