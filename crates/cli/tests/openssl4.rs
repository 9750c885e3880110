//! With OpenSSL 4, which PyPI's `cryptography` carries; `cargo xtask test` installs it into
//! `target/peers`. OpenSSL 4 brings SM4-GCM and reads keys protected by HMAC-SM3.

mod support;

use support::Lab;

fn python(lab: &Lab, part: &str) -> String {
    let here = env!("CARGO_MANIFEST_DIR");
    let python = format!("{here}/../../target/peers/bin/python");
    assert!(
        std::path::Path::new(&python).exists(),
        "these tests need OpenSSL 4 in target/peers: `cargo xtask test` puts it there"
    );
    lab.peer(&format!("{python} {here}/tests/openssl4.py {part}"))
}

#[test]
fn encrypted_keys() {
    let lab = Lab::empty();
    lab.write("pass", "secret\n");
    for format in ["compat", "openssl4"] {
        lab.ok(&format!(
            "keygen -o {format}.pem -p {format}.pub --passphrase-file pass --key-format {format}"
        ));
    }
    python(&lab, "keys");
    let read_back = lab.ok("pubkey -k theirs.pem --passphrase-file pass");
    assert_eq!(read_back.as_bytes(), lab.read("openssl4.pub"));
}

#[test]
fn sm4_gcm() {
    let lab = Lab::empty();
    lab.write("k", "0123456789abcdeffedcba9876543210");
    for size in [0, 1, 16, 17, 1_000_000] {
        lab.sparse("m", size);
        lab.ok("cipher -K k --encrypt -o sealed m");
        python(&lab, "gcm");
        lab.ok("cipher -K k --decrypt -o back theirs");
        lab.peer("cmp m back");
    }
}

#[test]
fn digests_and_macs() {
    let lab = Lab::empty();
    lab.write("mac.key", [0x5a; 40]);
    for size in [0, 1, 1_000_000] {
        lab.sparse("m", size);
        let theirs = python(&lab, "digests");
        let (digest, mac) = theirs.trim().split_once(' ').unwrap();
        assert_eq!(lab.ok("hash m").split(' ').next(), Some(digest));
        assert_eq!(lab.ok("mac -K mac.key m").split(' ').next(), Some(mac));
    }
}
