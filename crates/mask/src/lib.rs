//! Masking of personal data and secrets.
//!
//! - [`Finder`] finds them in texts: identity numbers, telephones, cards, addresses, names, tokens, by shape, check digits
//!   and the words around them, through the disguises that Unicode offers.
//! - [`mask()`] is the conventional mask of each [`Kind`]; a [`Strategy`] is what else can be put in a value's place.
//! - A [`Policy`] says what is masked and how: rules for places in JSON, detectors for everything else.
//! - [`BodyStream`] rewrites bodies as they stream by, however they are cut into pieces: JSON ([`JsonStream`]), text
//!   ([`TextStream`]), events ([`SseStream`]) and forms ([`FormStream`]).
//!
//! ```
//! use gmkit_mask::{Policy, json};
//!
//! let body = br#"{ "order": "20240101", "buyer": {"phone": "138-0013-8000"} }"#;
//! let masked = json(&Policy::new(), body)?;
//! assert_eq!(masked, br#"{ "order": "20240101", "buyer": {"phone": "138-****-**00"} }"#);
//! # Ok::<(), gmkit_mask::Error>(())
//! ```
//!
//! A mask makes data less telling, not anonymous: of a resident's number of which only the birthday is hidden, some 3,300
//! are left. [`Style::Strict`], the default, shows less than is usual.

mod body;
mod candidates;
mod check;
mod error;
mod find;
mod fold;
mod form;
mod hit;
mod json;
mod kind;
#[cfg(feature = "tracing")]
mod logs;
mod mask;
mod policy;
#[cfg(feature = "protobuf")]
mod proto;
mod region;
mod scopes;
mod sse;
mod strategy;
mod text;
#[cfg(feature = "derive")]
mod typed;
#[cfg(feature = "tower")]
mod web;

pub use body::{BodyStream, Format};
pub use candidates::candidates;
pub use error::Error;
pub use find::{Detector, Finder};
pub use form::FormStream;
#[cfg(feature = "derive")]
pub use gmkit_mask_derive::Mask;
pub use hit::{Confidence, Hit};
pub use json::{JsonStream, json};
pub use kind::{Kind, OwnKind};
#[cfg(feature = "tracing")]
pub use logs::{MaskedEvent, MaskedLogs};
pub use mask::{Style, mask};
pub use policy::{Action, Decision, Keys, Limits, Observer, OnLimit, Path, Policy};
#[cfg(feature = "protobuf")]
pub use proto::{Descriptors, protobuf};
pub use scopes::{Caller, CurrentPolicies, Direction, Passage, Policies, Scope};
pub use sse::SseStream;
pub use strategy::{Digits, Sealing, Strategy, Tokens};
pub use text::{TextStream, text};
#[cfg(feature = "derive")]
pub use typed::{Mask, MaskRule, Maskable, Masked, derived, rules_to_toml};
#[cfg(feature = "tower")]
pub use web::{MaskBody, MaskLayer, MaskService};
