//! A layer for `tracing` that records the events which are marked for the audit log.

use std::{fmt, sync::Arc};

use tracing::{
    Level, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

use crate::{Attribute, Event, Log, Outcome, WhenFull};

/// The target that marks an event of `tracing` for the audit log.
pub const TARGET: &str = "audit";

/// Records the events of `tracing` whose target is `audit`, and no others.
///
/// Their fields `op_type`, `user`, `role`, `resource`, `outcome` (`allowed`, `denied`, `failed`), `code` and
/// `service` have their places in the record; the message and all others become attributes. Without an
/// `op_type` it is `log`; without an `outcome`, what is an error has failed.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path().join("log");
/// use std::sync::Arc;
/// use gmkit_audit::{Log, Options, TraceLayer};
/// use gmkit_keys::SoftwareKey;
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let log = Log::open(&dir, Options::new("bank.example/log")?, Arc::new(SoftwareKey::generate()?))?;
/// let subscriber = tracing_subscriber::registry().with(TraceLayer::new(Arc::new(log)));
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info!(target: "audit", op_type = "limit.raise", user = "alice", limit = 5000);
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TraceLayer {
    log: Arc<Log>,
    service: Option<String>,
    when_full: WhenFull,
}

impl TraceLayer {
    /// Records to a log. When that is full an event is dropped, which is counted: nobody waits for `tracing`.
    #[must_use]
    pub fn new(log: Arc<Log>) -> Self {
        Self { log, service: None, when_full: WhenFull::Drop }
    }

    /// The service's name, for records that say none.
    #[must_use]
    pub fn with_service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// What is done when the log is full: whoever tells an event then waits with [`WhenFull::Block`].
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }
}

impl<S: Subscriber> Layer<S> for TraceLayer {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != TARGET {
            return;
        }
        let mut record = Record::new(event.metadata());
        event.record(&mut record);
        let mut event = record.event;
        event.service = event.service.or_else(|| self.service.clone());
        // The log counts what it does not take; what is said about it here would come back here.
        drop(self.log.submit(&event, self.when_full));
    }
}

/// An event of the log, made of fields.
struct Record {
    event: Event,
}

impl Record {
    fn new(metadata: &Metadata<'_>) -> Self {
        let failed = *metadata.level() == Level::ERROR;
        let outcome = if failed { Outcome::failed() } else { Outcome::allowed() };
        Self { event: Event::new("log", outcome) }
    }

    fn text(&mut self, field: &Field, value: String) {
        let Event { actor, op_type, resource, result, service, .. } = &mut self.event;
        match field.name() {
            // What is the log's own nobody else says.
            "op_type" if !value.is_empty() && !value.starts_with("gmkit.audit.") => {
                *op_type = value;
            }
            "user" => actor.user = Some(value),
            "role" => actor.role = Some(value),
            "resource" => *resource = Some(value),
            "service" => *service = Some(value),
            "code" => result.code = Some(value),
            "outcome" => match Outcome::named(&value) {
                Some(outcome) => result.outcome = outcome.outcome,
                None => self.attribute(field, value),
            },
            _ => self.attribute(field, value),
        }
    }

    fn attribute(&mut self, field: &Field, value: impl Into<Attribute>) {
        self.event.attributes.insert(field.name().to_owned(), value.into());
    }

    /// A number that is none of the members, which are text.
    fn number(&mut self, field: &Field, text: String, value: impl Into<Attribute>) {
        const MEMBERS: &[&str] =
            &["op_type", "user", "role", "resource", "service", "code", "outcome"];
        match MEMBERS.contains(&field.name()) {
            true => self.text(field, text),
            false => self.attribute(field, value),
        }
    }
}

impl Visit for Record {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value.to_string(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.text(field, value.to_string()),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.number(field, value.to_string(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, value.to_string(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.text(field, value.to_string());
    }
}
