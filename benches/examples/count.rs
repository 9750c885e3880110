//! One operation, so many times, for callgrind to count its instructions: `count OPERATION BACKEND
//! TIMES`. `count list` prints the operations with the backends that the CPU has.

use std::{hint::black_box, process::ExitCode};

use gmkit_sm2::{Id, SecretKey};
use gmkit_sm4::{cbc, ctr::Ctr, gcm::Gcm, xts::Xts};
use rand::{SeedableRng, rngs::StdRng};

type Names = fn() -> Vec<(&'static str, bool)>;

/// Its name, and what does it so many times.
type Operation = (&'static str, fn(u32));

struct Core {
    backends: Names,
    prefer: fn(Option<&str>) -> bool,
    operations: &'static [Operation],
}

const CORES: &[Core] = &[
    Core {
        backends: || gmkit_sm4::backends().collect(),
        prefer: gmkit_sm4::prefer_backend,
        operations: &[
            ("sm4-ctr-4096", ctr),
            ("sm4-gcm-4096", |times| gcm(times, 4096)),
            ("sm4-gcm-64", |times| gcm(times, 64)),
            ("sm4-xts-4096", xts),
            ("sm4-cbc-1024", cbc_encrypt),
        ],
    },
    Core {
        backends: || gmkit_sm3::backends().collect(),
        prefer: gmkit_sm3::prefer_backend,
        operations: &[("sm3-4096", hash), ("sm3-many-16x1024", hash_many)],
    },
    Core {
        backends: || gmkit_sm2::backends().collect(),
        prefer: gmkit_sm2::prefer_backend,
        operations: &[("sm2-sign", sign), ("sm2-verify", verify), ("sm2-decrypt", decrypt)],
    },
];

const KEY: [u8; 16] = [1; 16];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => list(),
        [operation, backend, times] if run(operation, backend, times).is_some() => {}
        _ => {
            eprintln!("count list | OPERATION BACKEND TIMES");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn list() {
    for core in CORES {
        for (name, _) in core.operations {
            for (backend, has) in (core.backends)() {
                if has {
                    println!("{name} {backend}");
                }
            }
        }
    }
}

fn run(operation: &str, backend: &str, times: &str) -> Option<()> {
    let has = |core: &&Core| core.operations.iter().any(|(name, _)| *name == operation);
    let core = CORES.iter().find(has)?;
    let (_, work) = core.operations.iter().find(|(name, _)| *name == operation)?;
    (core.prefer)(Some(backend)).then_some(())?;
    work(times.parse().ok()?);
    Some(())
}

fn repeat(times: u32, mut work: impl FnMut()) {
    (0..times).for_each(|_| work());
}

fn ctr(times: u32) {
    let (mut ctr, mut data) = (Ctr::new(&KEY, &[2; 16]), [7; 4096]);
    repeat(times, || ctr.apply_keystream(black_box(&mut data)));
}

/// One nonce for all: nothing of this is sent anywhere.
fn gcm(times: u32, len: usize) {
    let (gcm, mut data) = (Gcm::new(&KEY), vec![7; len]);
    repeat(times, || {
        black_box(gcm.seal(&[0; 12], b"", black_box(&mut data)).is_ok());
    });
}

fn xts(times: u32) {
    let key = core::array::from_fn(|i| i as u8);
    let (xts, mut data) = (Xts::gb(&key).expect("different halves"), [7; 4096]);
    repeat(times, || {
        black_box(xts.encrypt(&[0; 16], black_box(&mut data)).is_ok());
    });
}

fn cbc_encrypt(times: u32) {
    repeat(times, || drop(black_box(cbc::encrypt(&KEY, &[2; 16], black_box(&[7; 1024])))));
}

fn hash(times: u32) {
    repeat(times, || {
        black_box(gmkit_sm3::digest(&[black_box(&[7; 4096])]));
    });
}

fn hash_many(times: u32) {
    let (data, mut digests) = ([7; 16 * 1024], [[0; 32]; 16]);
    let messages: Vec<&[u8]> = data.chunks(1024).collect();
    repeat(times, || gmkit_sm3::hash_many(black_box(&messages), &mut digests));
}

/// The same numbers in each run: how long verification takes depends on the signature.
fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

fn key() -> SecretKey {
    SecretKey::from_bytes(&[7; 32]).expect("in range")
}

fn sign(times: u32) {
    let (key, mut rng) = (key(), rng());
    repeat(times, || {
        black_box(key.sign(&mut rng, Id::DEFAULT, b"message").is_ok());
    });
}

fn verify(times: u32) {
    let key = key();
    let signature = key.sign(&mut rng(), Id::DEFAULT, b"message").expect("random numbers");
    repeat(times, || {
        let verified = key.public_key().verify(Id::DEFAULT, b"message", &signature);
        black_box(verified.is_ok());
    });
}

fn decrypt(times: u32) {
    let key = key();
    let sent = key.public_key().encrypt(&mut rng(), &[7; 16]).expect("random numbers");
    repeat(times, || drop(black_box(key.decrypt(&sent))));
}
