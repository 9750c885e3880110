//! An audit log that proves itself: records of who did what, one line of JSON each, in a Merkle tree over
//! SM3 whose root is signed with SM2 once a second. What was recorded cannot be changed, taken out, put in or
//! put in another order without that being seen, at which record it was.
//!
//! - [`Log`] writes: [`Event`]s go in, and are on the disk when it says so.
//! - [`Auditor`] reads and checks, with nothing of what writes.
//! - [`Subjects`] seals what is about a person, so that it can be erased.
//! - `AuditLayer` (feature `tower`) records the requests that a service answers.
//! - `TraceLayer` (feature `tracing`) records the events of `tracing` that are marked for it.
//! - [`Forwarder`] brings copies to a [`Sink`], as `Nats` (feature `nats`).
//! - [`Proof`] shows to somebody else that one record is in a log; [`Checkpoint`] is what a log signs.
//!
//! What is proven against whom, and the formats, stand in the book: "The audit log".
//!
//! See [`Log`] for an example.
#![cfg(unix)]

mod auditor;
mod checkpoint;
mod disk;
mod error;
mod event;
mod layout;
mod log;
mod merkle;
mod note;
mod proof;
mod pruning;
mod sink;
mod subjects;
mod tiles;
#[cfg(feature = "tracing")]
mod trace;
#[cfg(feature = "tower")]
mod web;

pub use auditor::{Auditor, Finding, Follow, Gaps, Report};
pub use checkpoint::Checkpoint;
pub use error::Error;
pub use event::{
    Actor, Attribute, Authorisation, Effect, Event, MAX_RECORD, Outcome, Personal, Sealed,
    TraceParent, Verdict,
};
pub use log::{Log, Options, Permit, Pruned, Receipt, Retention, WhenFull};
pub use merkle::{Hash, empty_root, leaf_hash, node_hash, verify_consistency, verify_inclusion};
pub use proof::{Proof, Prover, growth};
pub use sink::{Forwarded, Forwarder, Last, ReadBack, Sink};
#[cfg(feature = "kafka")]
pub use sink::{Kafka, KafkaOptions};
#[cfg(feature = "nats")]
pub use sink::{Nats, NatsOptions};
#[cfg(feature = "otlp")]
pub use sink::{Otlp, OtlpOptions};
#[cfg(feature = "syslog")]
pub use sink::{Syslog, SyslogOptions};
pub use subjects::{Fields, Subject, Subjects};
#[cfg(feature = "tracing")]
pub use trace::{TARGET, TraceLayer};
#[cfg(feature = "tower")]
pub use web::{
    AuditLayer, AuditService, Level, Policy, RequestBody, ResponseBody, Rule, TrustedProxies,
};
