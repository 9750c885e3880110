//! What the device layer costs per call: the software token called through `cryptoki`, through a key
//! of the layer, from two threads, and through a key that several devices could hold.

#![allow(missing_docs, reason = "criterion's macros define public functions")]

use std::{
    env,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use cryptoki::{
    context::Pkcs11,
    mechanism::{Mechanism, MechanismType, vendor_defined::VendorDefinedMechanism},
    object::{Attribute, ObjectClass},
};
use gmkit::{
    hsm::{Checks, DeviceKey, KeyName, Opener, SharedKey, Token, Uri},
    keys::{Passphrase, PrivateKey, SoftwareKey},
};

const DIRECTORY: &str = "GMKIT_TOKEN_DIR";
const MODULE: &str = "GMKIT_PKCS11_MODULE";

/// The token's module, as it is released.
fn module() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let build = Command::new(env!("CARGO"))
        .args(["build", "--release", "--package", "gmkit-token"])
        .current_dir(&root)
        .status();
    assert!(build.unwrap().success());
    root.join("target/release/libgmkit_token.so")
}

/// The module takes its folder from the environment: this program starts itself with one.
fn in_a_folder() {
    if env::var_os(DIRECTORY).is_none() {
        let dir = tempfile::tempdir().unwrap().keep();
        let error = Command::new(env::current_exe().unwrap())
            .args(env::args_os().skip(1))
            .env(DIRECTORY, dir.join("token"))
            .env(MODULE, module())
            .exec();
        panic!("{error}");
    }
}

fn token() -> Arc<Token> {
    let pin = Passphrase::new("87654321");
    let opener = Opener::new();
    let module = opener.module(&Uri::default()).unwrap();
    module.init_token(None, "bench", &Passphrase::new("12345678"), &pin).unwrap();
    opener.token(&Uri::default(), &|_: &str| Ok(pin.clone())).unwrap()
}

/// How long so many signatures take two threads.
fn two_threads(key: &DeviceKey, rounds: u64) -> Duration {
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..rounds.div_ceil(2) {
                    key.as_sign_e().unwrap().sign_e(&[7; 32]).unwrap();
                }
            });
        }
    });
    started.elapsed()
}

fn devices(c: &mut Criterion) {
    in_a_folder();
    let token = token();
    let name = KeyName { label: Some("key".to_owned()), id: None };
    token.generate_sm2(&name).unwrap();
    let software = SoftwareKey::generate().unwrap();
    let key = DeviceKey::open(&token, name.clone()).unwrap();
    let believed = DeviceKey::open_with(&token, name.clone(), Checks::AtOpening).unwrap();
    let shared = SharedKey::open(&[Arc::clone(&token)], &name).unwrap();

    let pkcs11 = Pkcs11::new(env::var_os(MODULE).unwrap()).unwrap();
    let slot = pkcs11.get_all_slots().unwrap()[0];
    let session = pkcs11.open_ro_session(slot).unwrap();
    let handle = session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)]).unwrap()[0];
    let code = token.module().profile().sm2.as_ref().unwrap().sign_e[0];
    let code = MechanismType::new_vendor_defined(code).unwrap();
    let mechanism = Mechanism::VendorDefined(VendorDefinedMechanism::new(code, None::<&()>));

    let mut group = c.benchmark_group("SM2 sign 32 bytes");
    let e = [7; 32];
    group.bench_function("in memory", |b| {
        b.iter(|| software.as_sign_e().unwrap().sign_e(&e).unwrap());
    });
    group.bench_function("token, cryptoki", |b| {
        b.iter(|| session.sign(&mechanism, handle, &e).unwrap());
    });
    group.bench_function("token, layer", |b| {
        b.iter(|| key.as_sign_e().unwrap().sign_e(&e).unwrap());
    });
    group.bench_function("token, layer, checked at opening only", |b| {
        b.iter(|| believed.as_sign_e().unwrap().sign_e(&e).unwrap());
    });
    for (what, key) in [("checked", &key), ("checked at opening only", &believed)] {
        group.bench_function(format!("token, layer, 2 threads, {what}"), |b| {
            b.iter_custom(|rounds| two_threads(key, rounds));
        });
    }
    group.bench_function("token, layer, failover", |b| {
        b.iter(|| shared.as_sign_e().unwrap().sign_e(&e).unwrap());
    });
    group.finish();
}

criterion_group!(benches, devices);
criterion_main!(benches);
