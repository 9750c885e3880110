//! The cores beside RustCrypto's crates. Compare within one run only: the machine's load and clock
//! are the same for both then.

#![allow(missing_docs, reason = "criterion's macros define public functions")]

use std::hint::black_box;

use cipher::{KeyIvInit, StreamCipher};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gmkit_sm2::{Id, SecretKey, SigningKey};
use gmkit_sm4::{cbc, ctr::Ctr, gcm::Gcm};
use rand::rngs::SysRng;
use rc_sm2::dsa::signature::{RandomizedSigner, Verifier};

const SIZES: [usize; 5] = [64, 256, 1024, 16 * 1024, 1024 * 1024];

fn sm3(c: &mut Criterion) {
    let mut group = c.benchmark_group("SM3");
    for size in SIZES {
        let data = vec![7; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("gmkit/{size}"), |b| {
            b.iter(|| gmkit_sm3::digest(&[black_box(&data)]));
        });
        group.bench_function(format!("rustcrypto/{size}"), |b| {
            b.iter(|| <rc_sm3::Sm3 as rc_sm3::Digest>::digest(black_box(&data)));
        });
    }
}

fn sm4(c: &mut Criterion) {
    let (key, iv) = ([1; 16], [2; 16]);
    let mut group = c.benchmark_group("SM4-CTR");
    for size in SIZES {
        let mut data = vec![7; size];
        group.throughput(Throughput::Bytes(size as u64));
        let mut ours = Ctr::new(&key, &iv);
        group.bench_function(format!("gmkit/{size}"), |b| {
            b.iter(|| ours.apply_keystream(black_box(&mut data)));
        });
        let mut theirs = ctr::Ctr128BE::<rc_sm4::Sm4>::new(&key.into(), &iv.into());
        group.bench_function(format!("rustcrypto/{size}"), |b| {
            b.iter(|| theirs.apply_keystream(black_box(&mut data)));
        });
    }
    group.finish();

    let mut group = c.benchmark_group("SM4 modes");
    let mut data = vec![7; 16 * 1024];
    group.throughput(Throughput::Bytes(data.len() as u64));
    let gcm = Gcm::new(&key);
    group.bench_function("GCM seal/gmkit/16384", |b| {
        b.iter(|| gcm.seal(&[0; 12], b"", black_box(&mut data)));
    });
    let ciphertext = cbc::encrypt(&key, &iv, &data);
    group.bench_function("CBC encrypt/gmkit/16384", |b| {
        b.iter(|| cbc::encrypt(&key, &iv, black_box(&data)));
    });
    group.bench_function("CBC decrypt/gmkit/16384", |b| {
        b.iter(|| cbc::decrypt(&key, &iv, black_box(&ciphertext)));
    });
}

fn sm2(c: &mut Criterion) {
    let message = b"a message of ordinary length, as it occurs in a protocol";
    let mut rng = SysRng;
    let ours = SecretKey::generate(&mut rng).expect("the system's generator works");
    let theirs = rc_sm2::SecretKey::from_slice(&*ours.to_bytes()).expect("a key in range");
    let id = "1234567812345678";
    let their_signing = rc_sm2::dsa::SigningKey::new(id, &theirs).expect("an ID of 16 bytes");
    let their_verifying = their_signing.verifying_key().clone();

    // Both sides have Z ready: it belongs to the key and the ID, not to the message.
    let signing = SecretKey::from_bytes(&ours.to_bytes()).expect("a key in range");
    let signing = SigningKey::new(signing, Id::DEFAULT);
    let mut group = c.benchmark_group("SM2");
    group.bench_function("sign/gmkit", |b| {
        b.iter(|| signing.sign(&mut rng, black_box(message)));
    });
    group.bench_function("sign/rustcrypto", |b| {
        b.iter(|| -> rc_sm2::dsa::Signature {
            their_signing.try_sign_with_rng(&mut rng, black_box(message)).expect("signs")
        });
    });
    let signature = signing.sign(&mut rng, message).expect("signs");
    let verifying = rc_sm2::dsa::signature::Keypair::verifying_key(&signing);
    group.bench_function("verify/gmkit", |b| {
        b.iter(|| verifying.verify(black_box(message), &signature));
    });
    let their_signature =
        rc_sm2::dsa::Signature::from_slice(&signature.to_raw()).expect("64 bytes");
    group.bench_function("verify/rustcrypto", |b| {
        b.iter(|| their_verifying.verify(black_box(message), &their_signature));
    });
    let sent = ours.public_key().encrypt(&mut rng, message).expect("encrypts");
    group.bench_function("encrypt/gmkit", |b| {
        b.iter(|| ours.public_key().encrypt(&mut rng, black_box(message)));
    });
    group.bench_function("decrypt/gmkit", |b| b.iter(|| ours.decrypt(black_box(&sent))));
    let decrypting = rc_sm2::pke::DecryptingKey::new(theirs);
    let raw = sent.to_c1c3c2();
    group.bench_function("decrypt/rustcrypto", |b| b.iter(|| decrypting.decrypt(black_box(&raw))));
}

criterion_group!(benches, sm3, sm4, sm2);
criterion_main!(benches);
