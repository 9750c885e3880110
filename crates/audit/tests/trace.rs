//! Events of `tracing`.
#![cfg(feature = "tracing")]

mod support;

use std::sync::Arc;

use gmkit_audit::{Auditor, Event, Log, Outcome, TraceLayer};
use support::{KEY, options, sound};
use tracing_subscriber::layer::SubscriberExt;

#[test]
fn events_that_are_marked_are_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), options(), KEY.clone()).unwrap();
    let layer = TraceLayer::new(Arc::new(log)).with_service("api");
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        let reason = std::io::Error::other("no funds");
        tracing::info!(
            target: "audit", op_type = "pay", user = "alice", role = ?"teller", resource = %42, code = 402,
            outcome = "denied", amount = 5, share = 0.5, urgent = true, much = u64::MAX,
            reason = &reason as &dyn std::error::Error, "not {}", "paid"
        );
        tracing::error!(target: "audit", service = "other", "broken");
        tracing::info!(target: "audit", op_type = "gmkit.audit.prune", first = 7, outcome = "maybe");
        tracing::info!("not marked");
        tracing::info!(target: "auditor", "nor this");
    });
    assert_eq!(sound(dir.path()).gaps.events, 3);
    let mut events = Vec::new();
    Auditor::for_each_record(dir.path(), |_, line| {
        events.push(Event::from_json(line)?);
        Ok(())
    })
    .unwrap();
    let [_, pay, broken, own] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&*pay.op_type, pay.service.as_deref()), ("pay", Some("api")));
    assert_eq!(pay.actor.user.as_deref(), Some("alice"));
    assert_eq!(pay.actor.role.as_deref(), Some("\"teller\""));
    assert_eq!(pay.resource.as_deref(), Some("42"));
    assert_eq!(pay.result, Outcome::denied().code("402"));
    let expected = Event::new("pay", Outcome::denied())
        .with("amount", 5)
        .with("share", 0.5)
        .with("urgent", true)
        .with("much", u64::MAX.to_string())
        .with("reason", "no funds")
        .with("message", "not paid");
    assert_eq!(pay.attributes, expected.attributes);
    assert_eq!((&*broken.op_type, broken.service.as_deref()), ("log", Some("other")));
    assert_eq!(broken.result, Outcome::failed());
    assert_eq!((&*own.op_type, &own.result), ("log", &Outcome::allowed()));
    assert_eq!(own.attributes["outcome"], "maybe".into());
}
