//! The audit log beside JSON lines written through `tracing-appender`: the same events of some 400 bytes.

#![allow(missing_docs, reason = "criterion's macros define public functions")]

use std::{
    fs::File,
    hint::black_box,
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gmkit::{
    audit::{Auditor, Event, Log, Options, Outcome, Proof, WhenFull},
    keys::{PrivateKey, SoftwareKey},
};
use tracing::{Dispatch, dispatcher::with_default};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt;

/// Both queues: neither is full while it is measured.
const QUEUE: usize = 1 << 17;

/// Events for which each is told how long it took.
const TOLD: usize = 50_000;

/// Records in the log that is checked and proven from. `GMKIT_AUDIT_RECORDS` says another number.
const RECORDS: u64 = 200_000;

const DETAIL: &str = "transfer to account 6222021234567890123 at branch 0451, reference 20261123-000042, by way of \
                      the counter, in the presence of the customer";

fn event(n: u64) -> Event {
    Event::new("transfer.create", Outcome::allowed().code("200"))
        .by("teller0042", Some("teller"), Some([192, 0, 2, 7].into()))
        .on("account/6222021234567890123")
        .with("sequence", n as i64)
        .with("detail", DETAIL)
}

/// The same through `tracing`.
fn tell(n: u64) {
    tracing::info!(
        event_id = "019ab000-0000-7000-8000-000000000000",
        user = "teller0042",
        role = "teller",
        ip = "192.0.2.7",
        op_type = "transfer.create",
        resource = "account/6222021234567890123",
        outcome = "allowed",
        code = "200",
        sequence = n,
        detail = DETAIL,
    );
}

fn options() -> Options {
    Options::new("bench.example/log").unwrap().with_queue(QUEUE)
}

fn open(dir: &Path, options: Options, key: &Arc<SoftwareKey>) -> Log {
    Log::open(dir, options, Arc::clone(key) as Arc<dyn PrivateKey>).unwrap()
}

fn appender(dir: &Path) -> (NonBlocking, WorkerGuard) {
    let file = File::create(dir.join("rival.jsonl")).unwrap();
    NonBlockingBuilder::default().buffered_lines_limit(QUEUE).lossy(false).finish(file)
}

/// How long each took, in bursts with pauses in which both catch up: the median, and 99 of 100.
fn told(mut tell: impl FnMut(u64)) -> (Duration, Duration) {
    let mut times = Vec::with_capacity(TOLD);
    for n in 0..TOLD as u64 {
        if n.is_multiple_of(500) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let start = Instant::now();
        tell(n);
        times.push(start.elapsed());
    }
    times.sort_unstable();
    (times[TOLD / 2], times[TOLD * 99 / 100])
}

fn emit(criterion: &mut Criterion) {
    let key = Arc::new(SoftwareKey::generate().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let log = open(&dir.path().join("log"), options(), &key);
    let (writer, guard) = appender(dir.path());
    let rival = Dispatch::new(fmt().json().with_writer(writer).finish());

    let submit = |n| drop(log.submit(&event(n), WhenFull::Drop));
    let (p50, p99) = told(submit);
    let (rival_p50, rival_p99) = with_default(&rival, || told(tell));
    let ratio = |one: Duration, other: Duration| one.as_secs_f64() / other.as_secs_f64();
    println!(
        "emit: gmkit p50 {p50:?} p99 {p99:?}; tracing-appender p50 {rival_p50:?} p99 {rival_p99:?}; \
         ratios {:.2} and {:.2}",
        ratio(p50, rival_p50),
        ratio(p99, rival_p99)
    );

    let mut group = criterion.benchmark_group("audit/emit");
    group.bench_function("gmkit", |b| b.iter(|| log.submit(&event(black_box(7)), WhenFull::Block)));
    with_default(&rival, || {
        group.bench_function("tracing-appender", |b| b.iter(|| tell(black_box(7))));
    });
    group.finish();
    drop(guard);
}

/// Fifty at a time, each fifty on the disk before the next; and five thousand on their way at once.
fn durable(criterion: &mut Criterion) {
    const BATCH: u64 = 50;
    const STREAM: u64 = 5000;
    let key = Arc::new(SoftwareKey::generate().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let mut group = criterion.benchmark_group("audit/durable");
    group.sample_size(50);
    let log = open(&dir.path().join("log"), options(), &key);
    for (name, events) in [("in turn", BATCH), ("stream", STREAM)] {
        group.throughput(Throughput::Elements(events));
        group.bench_function(format!("gmkit, {name}"), |b| b.iter(|| record(&log, events)));
    }
    let mut file = File::create(dir.path().join("plain.jsonl")).unwrap();
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function("plain JSON lines", |b| b.iter(|| write(&mut file, BATCH)));
    group.finish();
}

/// Records events, and waits until the last of them is on the disk.
fn record(log: &Log, events: u64) {
    let receipts: Vec<_> =
        (0..events).map(|n| log.submit(&event(n), WhenFull::Block).unwrap()).collect();
    for receipt in receipts {
        receipt.wait().unwrap();
    }
}

fn write(file: &mut File, events: u64) {
    let mut lines = Vec::new();
    for n in 0..events {
        lines.append(&mut event(n).to_line().unwrap());
        lines.push(b'\n');
    }
    file.write_all(&lines).unwrap();
    file.sync_data().unwrap();
}

fn check(criterion: &mut Criterion) {
    let records = std::env::var("GMKIT_AUDIT_RECORDS").ok().and_then(|n| n.parse().ok());
    let records: u64 = records.unwrap_or(RECORDS);
    let key = Arc::new(SoftwareKey::generate().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let log = open(
        dir.path(),
        options()
            .with_batch(4096, Duration::from_millis(50))
            .with_checkpoints(Duration::from_secs(1), u64::MAX),
        &key,
    );
    for n in 0..records {
        log.submit(&event(n), WhenFull::Block).unwrap();
    }
    log.close().unwrap();
    let length = Auditor::record(dir.path(), 7).unwrap().unwrap().len();
    println!("a record has {length} bytes; {}", memory());

    let mut group = criterion.benchmark_group("audit/check");
    group.sample_size(10).throughput(Throughput::Elements(records));
    let auditor = Auditor::new(dir.path(), key.public_key());
    group.bench_function("verify", |b| b.iter(|| assert!(auditor.run().unwrap().is_sound())));
    group.finish();

    let index = records - 1000;
    let proof = Proof::make(dir.path(), index).unwrap().to_string();
    println!(
        "a proof in {records} records has {} bytes, the record in it {length}; {}",
        proof.len(),
        memory()
    );
    let mut group = criterion.benchmark_group("audit/proof");
    group.bench_function("make", |b| b.iter(|| Proof::make(dir.path(), black_box(index)).unwrap()));
    group.bench_function("verify", |b| {
        b.iter(|| Proof::verify(black_box(proof.as_bytes()), key.public_key()).unwrap());
    });
    group.finish();
}

/// The most memory that this process has had.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

criterion_group!(benches, emit, durable, check);
criterion_main!(benches);
