//! Events of `tracing` that are masked before they are written.
#![cfg(feature = "tracing")]

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use gmkit_mask::{Action, Kind, Limits, MaskedLogs, Policy, Strategy, Style};
use tracing::{Subscriber, subscriber::with_default};

/// What was written, and in how many pieces.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<String>>>);

impl Write for Sink {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(String::from_utf8(piece.to_vec()).unwrap());
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    /// What events there are then.
    fn of<S: Subscriber + Send + Sync>(&self, subscriber: S, events: impl FnOnce()) -> Vec<String> {
        with_default(subscriber, events);
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn events() {
    let span = tracing::info_span!("order", buyer = "alice@example.com").entered();
    let error = io::Error::other("no account 6200000000000005");
    tracing::error!(
        phone = "13800138000",
        error = &error as &dyn std::error::Error,
        "call 138-0013-8000"
    );
    drop(span);
    tracing::info!("-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----\nfine");
    tracing::info!(password = "hunter2", count = 7, "done");
}

fn no_raw(written: &[String]) {
    for raw in ["alice", "0138000", "0013", "00000005", "MIGH", "hunter2"] {
        assert!(!written.iter().any(|event| event.contains(raw)), "{raw}: {written:?}");
    }
}

#[test]
fn texts_with_colours_or_without() {
    for ansi in [false, true] {
        let sink = Sink::default();
        let to = sink.clone();
        let logs = MaskedLogs::text(Policy::new(), move || to.clone());
        let subscriber =
            tracing_subscriber::fmt().with_ansi(ansi).with_writer(logs).without_time().finish();
        let written = sink.of(subscriber, events);
        no_raw(&written);
        assert_eq!(written.len(), 3, "an event is written at once: {written:?}");
        assert!(
            written[0].contains("call 138-****-**00") && written[0].contains("************0005")
        );
        assert!(written[1].ends_with("[REDACTED:private_key]\nfine\n"), "{written:?}");
        assert!(written[2].contains("count") && written[2].contains("done"));
        assert_eq!(written[2].contains("\x1b["), ansi, "what is not masked stays");
    }
}

#[test]
fn lines_of_json_have_places() {
    let sink = Sink::default();
    let to = sink.clone();
    let usual = Action::Replace(Some(Kind::Mobile), Strategy::Mask(Style::Usual));
    let policy = Policy::new().with_rule("fields.phone".parse().unwrap(), usual);
    let logs = MaskedLogs::json(policy, move || to.clone());
    let subscriber = tracing_subscriber::fmt().json().with_writer(logs).finish();
    let written = sink.of(subscriber, events);
    no_raw(&written);
    let first: serde_json::Value = serde_json::from_str(&written[0]).unwrap();
    assert_eq!(first["fields"]["phone"], "138****8000");
    assert_eq!(first["span"]["buyer"], "****@example.com");
    let last: serde_json::Value = serde_json::from_str(&written[2]).unwrap();
    assert_eq!(last["fields"]["count"], 7);
}

#[test]
fn what_cannot_be_masked_is_not_written() {
    let mut limits = Limits::default();
    limits.max_inspect = 100;
    for json in [false, true] {
        let sink = Sink::default();
        let to = sink.clone();
        let policy = Policy::new().with_limits(limits);
        let long = "alice ".repeat(100);
        let event = || tracing::info!("{long}");
        let written = if json {
            let logs = MaskedLogs::json(policy, move || to.clone());
            sink.of(tracing_subscriber::fmt().json().with_writer(logs).finish(), event)
        } else {
            let logs = MaskedLogs::text(policy, move || to.clone());
            sink.of(tracing_subscriber::fmt().with_writer(logs).finish(), event)
        };
        assert_eq!(written.len(), 1);
        assert!(written[0].contains("cannot_be_masked") && !written[0].contains("alice"));
        assert_eq!(json, serde_json::from_str::<serde_json::Value>(&written[0]).is_ok());
    }
}
