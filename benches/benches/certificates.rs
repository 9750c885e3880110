//! An authority with 10,000 certificates, half of them revoked: how fast it issues, how fast chains are
//! checked, and how long its database and its revocation list take to load.

#![allow(missing_docs, reason = "criterion's macros define public functions")]

use std::{hint::black_box, path::Path, sync::Arc, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use gmkit::{
    keys::{PrivateKey, SoftwareKey},
    pki::{
        Anchor, Certificate, Crl, Database, Issuer, Profile, Purpose, Reason, Verifier,
        rcgen::CertificateParams, san, subject,
    },
};

const CERTIFICATES: usize = 10_000;
const REVOKED: usize = 5_000;

fn params() -> CertificateParams {
    let mut params =
        Profile::TlsServer.params(subject("CN=a.example,O=t,C=CN").unwrap(), 90).unwrap();
    params.subject_alt_names = san("DNS:a.example").unwrap();
    params
}

/// A root and an authority below it.
fn authorities() -> (Certificate, Issuer) {
    let ca = |name| Profile::Ca.params(subject(name).unwrap(), 3650).unwrap();
    let root =
        Issuer::self_signed(ca("CN=root"), Arc::new(SoftwareKey::generate().unwrap())).unwrap();
    let key = Arc::new(SoftwareKey::generate().unwrap());
    let sub = root.issue(ca("CN=sub"), key.public_key()).unwrap();
    (root.certificate().clone(), Issuer::new(sub, key).unwrap())
}

/// All that it has issued, and its list.
fn filled(dir: &Path, sub: &Issuer, key: &SoftwareKey) -> (Certificate, Crl) {
    let mut database = Database::of(dir, sub.certificate()).unwrap();
    let mut last = None;
    for i in 0..CERTIFICATES {
        let made = database.issue(sub, params(), key.public_key()).unwrap();
        if i < REVOKED {
            database.revoke(made.serial(), Reason::Superseded).unwrap();
        }
        last = Some(made);
    }
    (last.unwrap(), database.crl(sub, 7).unwrap())
}

fn certificates(c: &mut Criterion) {
    let (root, sub) = authorities();
    let key = SoftwareKey::generate().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (leaf, crl) = filled(dir.path(), &sub, &key);
    let verifier = || {
        Verifier::new(vec![Anchor::new(root.clone())], Purpose::TlsServer)
            .with_intermediates([sub.certificate().clone()])
    };
    let plain = verifier();
    let with_list = verifier().with_crls([crl.clone()]).unwrap();

    let mut group = c.benchmark_group("certificates");
    group.bench_function("read", |b| {
        b.iter(|| Certificate::from_der(black_box(leaf.as_der())).unwrap());
    });
    group.bench_function("issue and check", |b| {
        b.iter(|| sub.issue(params(), key.public_key()).unwrap());
    });
    group.bench_function("verify a chain of three", |b| {
        b.iter(|| plain.verify(black_box(&leaf)).unwrap());
    });
    group.bench_function("the same with a list of 5,000", |b| {
        b.iter(|| with_list.verify(black_box(&leaf)).unwrap());
    });
    group.bench_function("load a list of 5,000", |b| {
        b.iter(|| verifier().with_crls([Crl::from_der(black_box(crl.as_der())).unwrap()]).unwrap());
    });
    group.bench_function("load a database of 10,000", |b| {
        b.iter(|| Database::open(dir.path()).unwrap());
    });
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    group.bench_function("make a list of 5,000", |b| {
        let mut database = Database::existing(dir.path(), sub.certificate()).unwrap();
        b.iter(|| database.crl(&sub, 7).unwrap());
    });
    group.bench_function("issue, check and record on disk", |b| {
        let mut database = Database::existing(dir.path(), sub.certificate()).unwrap();
        b.iter(|| database.issue(&sub, params(), key.public_key()).unwrap());
    });
}

criterion_group!(benches, certificates);
criterion_main!(benches);
