//! A process of its own for each test, with fresh token directories: a module is loaded once per
//! process, and takes its directories from the environment.

#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::{Mechanism, MechanismType, vendor_defined::VendorDefinedMechanism},
    object::{Attribute, AttributeType, KeyType, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};

pub(crate) const DIRECTORIES: &str = "GMKIT_TOKEN_DIR";
pub(crate) const SO_PIN: &str = "12345678";
pub(crate) const PIN: &str = "87654321";

/// The module, as cargo has built it for this test.
pub(crate) fn module() -> PathBuf {
    let path = env::current_exe().unwrap().with_file_name("libgmkit_token.so");
    assert!(path.exists(), "{}", path.display());
    path
}

/// Runs `body` in a process of its own, with a module of `tokens` slots. `test` is the path of the
/// test that calls this.
pub(crate) fn isolated(test: &str, tokens: usize, body: fn()) {
    if env::var_os(DIRECTORIES).is_some() {
        return body();
    }
    let lab = tempfile::tempdir().unwrap();
    let dirs = (0..tokens).map(|n| lab.path().join(format!("token-{n}")));
    let done = again(test).env(DIRECTORIES, env::join_paths(dirs).unwrap()).output().unwrap();
    assert!(done.status.success(), "{}", text(&done));
}

/// This test program, to run one of its tests.
pub(crate) fn again(test: &str) -> Command {
    let program = env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture", "--include-ignored", "--test-threads=1"]);
    command
}

pub(crate) fn text(done: &Output) -> String {
    let [out, err] = [&done.stdout, &done.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{}\n{out}\n{err}", done.status)
}

/// The directories of this process's tokens.
pub(crate) fn directories() -> Vec<PathBuf> {
    env::split_paths(&env::var_os(DIRECTORIES).unwrap()).collect()
}

/// Runs a shell line in `dir` and gives its output; it must succeed.
pub(crate) fn shell(dir: &Path, line: &str) -> String {
    let done = Command::new("bash").args(["-euc", line]).current_dir(dir).output().unwrap();
    assert!(done.status.success(), "{line}: {}", text(&done));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

pub(crate) fn only_owner(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn load() -> Pkcs11 {
    let pkcs11 = Pkcs11::new(module()).unwrap();
    pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    pkcs11
}

pub(crate) fn pin(text: &str) -> AuthPin {
    AuthPin::new(text.to_owned().into())
}

/// Makes a token in every slot, with both PINs.
pub(crate) fn fresh(pkcs11: &Pkcs11) -> Vec<Slot> {
    let slots = pkcs11.get_all_slots().unwrap();
    for slot in &slots {
        pkcs11.init_token(*slot, &pin(SO_PIN), "gmkit test").unwrap();
        let session = pkcs11.open_rw_session(*slot).unwrap();
        session.login(UserType::So, Some(&pin(SO_PIN))).unwrap();
        session.init_pin(&pin(PIN)).unwrap();
    }
    slots
}

/// A session that may do everything that the user may.
pub(crate) fn logged_in(pkcs11: &Pkcs11, slot: Slot) -> Session {
    let session = pkcs11.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&pin(PIN))).unwrap();
    session
}

/// One of the module's own mechanisms, without a parameter.
pub(crate) fn own(code: u64) -> Mechanism<'static> {
    let code = MechanismType::new_vendor_defined(code).unwrap();
    Mechanism::VendorDefined(VendorDefinedMechanism::new(code, None::<&()>))
}

/// The same with a parameter of fixed size.
pub(crate) fn own_with<T>(code: u64, parameter: &T) -> Mechanism<'_> {
    let code = MechanismType::new_vendor_defined(code).unwrap();
    Mechanism::VendorDefined(VendorDefinedMechanism::new(code, Some(parameter)))
}

pub(crate) fn own_key_type(code: u64) -> Attribute {
    Attribute::KeyType(KeyType::new_vendor_defined(code).unwrap())
}

/// The bytes of one attribute.
pub(crate) fn value(session: &Session, object: ObjectHandle, kind: AttributeType) -> Vec<u8> {
    match session.get_attributes(object, &[kind]).unwrap().pop() {
        Some(
            Attribute::EcPoint(bytes)
            | Attribute::Value(bytes)
            | Attribute::Label(bytes)
            | Attribute::Id(bytes),
        ) => bytes,
        other => panic!("{other:?}"),
    }
}
