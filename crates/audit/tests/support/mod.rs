//! A key, events, and logs of them.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::{
    ops::Range,
    path::Path,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gmkit_audit::{Auditor, Event, Log, Options, Outcome, Report, WhenFull};
use gmkit_keys::{PrivateKey, SigningContext, SoftwareKey};
use gmkit_sm2::{Ciphertext, Id, PublicKey};
use zeroize::Zeroizing;

pub(crate) const ORIGIN: &str = "bank.example/payments";

pub(crate) static KEY: LazyLock<Arc<SoftwareKey>> =
    LazyLock::new(|| Arc::new(SoftwareKey::generate().unwrap()));

/// Written quickly, signed often.
pub(crate) fn options() -> Options {
    let options = Options::new(ORIGIN).unwrap().with_batch(50, Duration::from_millis(5));
    options.with_checkpoints(Duration::from_millis(20), 1 << 20)
}

pub(crate) fn event(n: u64) -> Event {
    let ip = [192, 0, 2, n as u8].into();
    let event = Event::new("transfer.create", Outcome::allowed().code("200"));
    event.by(format!("user{}", n % 7), Some("teller"), Some(ip)).on(format!("account/{n}"))
}

/// Opens a log, records events, and closes it.
pub(crate) fn write(dir: &Path, events: Range<u64>, options: Options) {
    let log = Log::open(dir, options, KEY.clone()).unwrap();
    let receipts: Vec<_> =
        events.map(|n| log.submit(&event(n), WhenFull::Block).unwrap()).collect();
    let indices: Vec<_> = receipts.into_iter().map(|receipt| receipt.wait().unwrap()).collect();
    assert!(indices.is_sorted());
    log.close().unwrap();
}

/// Checks a log that is right.
pub(crate) fn sound(dir: &Path) -> Report {
    let report = Auditor::new(dir, KEY.public_key()).with_origin(ORIGIN).run().unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    report
}

/// A key that can be away.
#[derive(Debug)]
pub(crate) struct Away(pub(crate) Arc<AtomicBool>);

impl PrivateKey for Away {
    fn public_key(&self) -> &PublicKey {
        KEY.public_key()
    }

    fn start_signing(&self, id: Id<'_>) -> Result<Box<dyn SigningContext + '_>, gmkit_keys::Error> {
        match self.0.load(Ordering::Relaxed) {
            true => Err(gmkit_keys::Error::Unsupported { operation: "sign while it is away" }),
            false => KEY.start_signing(id),
        }
    }

    fn decrypt(&self, _: &Ciphertext) -> Result<Zeroizing<Vec<u8>>, gmkit_keys::Error> {
        Err(gmkit_keys::Error::Rejected)
    }
}

/// All records of a log, in their order.
pub(crate) fn records(dir: &Path) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    Auditor::for_each_record(dir, |_, record| {
        records.push(record.to_vec());
        Ok(())
    })
    .unwrap();
    records
}
