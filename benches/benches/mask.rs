//! Masking of JSON bodies beside parsing and writing them with `serde_json`.

#![allow(missing_docs, reason = "criterion's macros define public functions")]

use std::{fmt::Write as _, hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gmkit::mask::{Finder, Keys, Policy, TextStream, json};

/// Orders of a shop: names, addresses, numbers of every kind, and what is nobody's.
fn body() -> String {
    let mut text = String::from("[\n");
    for n in 0..1000 {
        let phone = 13_800_138_000_u64 + n;
        let id = 1_000_000_000_000_000_000_u64 + n * 7919;
        let _ = writeln!(
            text,
            r#"  {{"id": {id}, "created": "2026-11-23T08:{:02}:{:02}Z", "status": "shipped", "buyer": {{"name": "张伟", "phone": "{phone}", "email": "user{n}@example.com", "address": "北京市朝阳区示例路{n}号"}}, "items": [{{"sku": "AB-{n:06}", "title": "Widget with a rather long description, blue, 10 pcs", "price": 12.50, "qty": 3}}], "note": "请在周末送货，谢谢", "trace": "4bf92f3577b34da6a3ce929d0e0e{n:04x}", "total": 37.5, "paid": true}},"#,
            n % 60,
            n % 59,
        );
    }
    text.push_str("  null\n]\n");
    text
}

const RULES: &str = r#"
version = 1
style = "usual"
[[rule]]
path = "**.phone"
kind = "mobile"
[[rule]]
path = "[*].buyer.name"
kind = "name"
[[rule]]
path = "[*].buyer.email"
kind = "email"
[[rule]]
path = "[*].buyer.address"
kind = "address"
"#;

/// What gives the detectors the most to do.
const HOSTILE: &[(&str, &str)] = &[
    ("digits", "1 "),
    ("dots", "1."),
    ("colons", "a:"),
    ("ats", "a@"),
    ("mobiles", "13800138000 "),
    ("addresses", "市区路1"),
    ("labels", "password="),
];

fn masking(criterion: &mut Criterion) {
    let body = body();
    let mut group = criterion.benchmark_group("mask");
    group.throughput(Throughput::Bytes(body.len() as u64)).measurement_time(Duration::from_secs(3));
    group.bench_function("serde_json, parsed and written", |bench| {
        bench.iter(|| {
            let value: serde_json::Value = serde_json::from_str(black_box(&body)).unwrap();
            serde_json::to_vec(&value).unwrap()
        });
    });
    let rules = Policy::from_toml(RULES, &Keys::new()).unwrap();
    group.bench_function("rules", |bench| {
        bench.iter(|| json(&rules, black_box(body.as_bytes())).unwrap());
    });
    let all = rules.with_finder(Some(Finder::new()));
    group.bench_function("rules and detectors", |bench| {
        bench.iter(|| json(&all, black_box(body.as_bytes())).unwrap());
    });
    group.bench_function("detectors, as text", |bench| {
        bench.iter(|| {
            let (mut stream, mut out) = (TextStream::new(&all), Vec::new());
            stream.push(black_box(body.as_bytes()), &mut out).unwrap();
            stream.finish(&mut out).unwrap();
            out
        });
    });
    for (name, unit) in HOSTILE {
        let text = format!("[\"{}\"]", unit.repeat(60_000 / unit.len()));
        let many = format!("[{}]", vec![text; 10].join(","));
        group.throughput(Throughput::Bytes(many.len() as u64));
        group.bench_function(format!("hostile, {name}"), |bench| {
            bench.iter(|| json(&all, black_box(many.as_bytes())).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, masking);
criterion_main!(benches);
