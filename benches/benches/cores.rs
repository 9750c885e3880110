//! The cores beside RustCrypto's crates. Compare within one run only: the machine's load and clock
//! are the same for both then.

#![allow(missing_docs, reason = "criterion's macros define public functions")]

use std::hint::black_box;

use cipher::{KeyIvInit, StreamCipher};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gmkit_sm2::{Id, PreparedKey, SecretKey, SigningKey, batch as sm2_batch};
use gmkit_sm4::{
    Cmac, Sm4,
    batch::{self, CbcMessage},
    cbc,
    cmac::{KeyInit as _, Mac},
    ctr::Ctr,
    ff1::Ff1,
    gcm::Gcm,
};
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

/// Sixty-four messages of one kilobyte each: one after the other, and at once.
fn many(c: &mut Criterion) {
    const COUNT: usize = 64;
    let cipher = Sm4::new(&[1; 16]);
    let mut blocks = vec![[[7; 16]; 64]; COUNT];
    let mut group = c.benchmark_group("64 messages of 1 KiB");
    group.throughput(Throughput::Bytes(COUNT as u64 * 1024));
    group.bench_function("CBC encrypt/at once", |b| {
        b.iter(|| {
            let mut messages: Vec<_> =
                blocks.iter_mut().map(|blocks| CbcMessage { iv: [2; 16], blocks }).collect();
            batch::cbc_encrypt(&cipher, black_box(&mut messages));
        });
    });
    group.bench_function("CBC encrypt/one by one", |b| {
        b.iter(|| {
            for blocks in &mut blocks {
                let mut message = [CbcMessage { iv: [2; 16], blocks }];
                batch::cbc_encrypt(&cipher, black_box(&mut message));
            }
        });
    });
    let bytes = vec![[7_u8; 1024]; COUNT];
    let messages: Vec<&[u8]> = bytes.iter().map(|message| &message[..]).collect();
    let mut tags = [[0; 16]; COUNT];
    group.bench_function("CMAC/at once", |b| {
        b.iter(|| batch::cmac(&cipher, black_box(&messages), &mut tags));
    });
    group.bench_function("CMAC/one by one", |b| {
        b.iter(|| {
            for message in &messages {
                black_box(Cmac::new(&[1; 16].into()).chain_update(black_box(message)).finalize());
            }
        });
    });
    group.finish();

    let ff1 = Ff1::new(&[1; 16], 10).expect("a radix");
    let mut numerals = [1; 16];
    let mut group = c.benchmark_group("FF1, 16 digits");
    group.bench_function("gmkit", |b| b.iter(|| ff1.encrypt(b"tweak", black_box(&mut numerals))));
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
    let prepared = PreparedKey::new(ours.public_key(), Id::DEFAULT);
    group.bench_function("verify prepared/gmkit", |b| {
        b.iter(|| prepared.verify(black_box(message), &signature));
    });
    group.bench_function("prepare/gmkit", |b| {
        b.iter(|| PreparedKey::new(black_box(ours.public_key()), Id::DEFAULT));
    });
    let messages: [&[u8]; 64] = [message; 64];
    group.bench_function("sign 64 at once/gmkit", |b| {
        b.iter(|| sm2_batch::sign(&mut rng, &ours, Id::DEFAULT, black_box(&messages)));
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

criterion_group!(benches, sm3, sm4, many, sm2);
criterion_main!(benches);
