//! The lab build of the token as a device, in a process of its own for each persona.

#![allow(dead_code, reason = "each test program uses some of it")]

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
};

use gmkit_hsm::{KeyName, Opener, Token, Uri};
use gmkit_keys::{KeyUri, Origin, Passphrase};
use gmkit_sm2::PublicKey;

/// `libgmkit_token_lab.so`, built once, away from what is released.
pub(crate) fn module() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let target = root.join("target/lab");
        let line = "build --package gmkit-token --features lab --example gmkit_token_lab";
        let done = Command::new(env!("CARGO"))
            .args(line.split(' '))
            .arg("--target-dir")
            .arg(&target)
            .current_dir(root)
            .status()
            .unwrap();
        assert!(done.success());
        target.join("debug/examples/libgmkit_token_lab.so")
    };
    BUILT.get_or_init(build).clone()
}

pub(crate) const DIRECTORY: &str = "GMKIT_TOKEN_DIR";

/// Runs `body` in a process of its own, as a module takes its persona from the environment.
pub(crate) fn as_persona(test: &str, persona: &str, body: fn(&Path)) {
    if let Some(dirs) = env::var_os(DIRECTORY) {
        return body(env::split_paths(&dirs).next().unwrap().parent().unwrap());
    }
    let lab = tempfile::tempdir().unwrap();
    let done = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--include-ignored"])
        .env(
            DIRECTORY,
            env::join_paths(["token", "other"].map(|name| lab.path().join(name))).unwrap(),
        )
        .env("GMKIT_LAB_PERSONA", persona)
        .env("GMKIT_LAB_FAULTS", lab.path().join("faults"))
        .env("GMKIT_PKCS11_MODULE", module())
        .output()
        .unwrap();
    let [out, err] = [&done.stdout, &done.stderr].map(|text| String::from_utf8_lossy(text));
    // A name that is none would be a success, too.
    assert!(done.status.success() && out.contains("1 passed"), "{persona}: {out}{err}");
    // Figures, for whoever runs this with --nocapture.
    print!("{out}");
}

pub(crate) fn uri(text: &str) -> Uri {
    Uri::parse(&KeyUri::parse(text, Origin::Operator).unwrap()).unwrap()
}

pub(crate) fn right_pin(_: &str) -> Result<Passphrase, gmkit_keys::Error> {
    Ok(Passphrase::new("87654321"))
}

/// A token, made and logged in to, and a key on it.
pub(crate) fn device() -> (Arc<Token>, PublicKey) {
    let module = Opener::new().module(&Uri::default()).unwrap();
    let pin = right_pin("").unwrap();
    module.init_token(None, "lab", &Passphrase::new("12345678"), &pin).unwrap();
    let uri = uri("pkcs11:token=lab");
    let token = Opener::new().token(&uri, &right_pin).unwrap();
    let key = token.generate_sm2(&name()).unwrap();
    (token, key)
}

pub(crate) fn name() -> KeyName {
    KeyName { label: Some("key".to_owned()), id: Some(vec![1, 2]) }
}
