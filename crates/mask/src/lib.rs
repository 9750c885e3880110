//! Personal data and secrets in texts: found, checked and masked.

mod check;
mod find;
mod fold;
mod hit;
mod kind;

pub use find::Finder;
pub use hit::{Confidence, Hit};
pub use kind::Kind;
