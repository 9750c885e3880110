//! Both ways with the system's OpenSSL 3, for files of 0 bytes, 1 byte and many. OpenSSL 3 has an
//! empty default ID, so the ID is always given.

mod support;

use support::{Lab, big};

const DISTID: &str = "-pkeyopt distid:1234567812345678";
fn sizes() -> [u64; 4] {
    [0, 1, 1_000_000, big()]
}

#[test]
fn signatures() {
    let lab = Lab::new();
    lab.peer("openssl genpkey -algorithm EC -pkeyopt group:SM2 -out their.pem");
    lab.peer("openssl pkey -in their.pem -pubout -out their.pub");
    for size in sizes() {
        lab.sparse("m", size);
        lab.ok("sign -k key.pem -o ours.sig m");
        lab.peer("openssl dgst -sm3 -verify pub.pem -sigopt distid:1234567812345678 -signature ours.sig m");
        lab.peer(
            "openssl dgst -sm3 -sign their.pem -sigopt distid:1234567812345678 -out their.sig m",
        );
        lab.ok("verify -p their.pub -s their.sig m");
        // The same with the keys exchanged.
        lab.ok("sign -k their.pem -o ours.sig m");
        lab.ok("verify -p their.pub -s ours.sig m");
    }
    lab.write("m", "x");
    lab.peer(&format!(
        "openssl pkeyutl -sign -inkey key.pem -rawin -digest sm3 {DISTID} -in m -out s"
    ));
    lab.ok("verify -p pub.pem -s s m");
    lab.fails(1, "verify -p pub.pem --id other -s s m");
    lab.peer("openssl pkeyutl -sign -inkey key.pem -rawin -digest sm3 -pkeyopt distid:alice@example -in m -out s");
    lab.ok("verify -p pub.pem --id alice@example -s s m");
    // What OpenSSL 3 does by default: the empty ID.
    lab.peer("openssl pkeyutl -sign -inkey key.pem -rawin -digest sm3 -in m -out s");
    let done = lab.gmkit_with(["verify", "-p", "pub.pem", "--id", "", "-s", "s", "m"], b"");
    assert_eq!(done.code, 0, "{}", done.stderr);
}

#[test]
fn digests_and_macs() {
    let lab = Lab::empty();
    lab.write("k", [0x5a; 20]);
    for size in sizes() {
        lab.sparse("m", size);
        let theirs = lab.peer("openssl dgst -sm3 -r m");
        assert_eq!(lab.ok("hash m").split(' ').next(), theirs.split(' ').next());
        let hexkey = "5a".repeat(20);
        let theirs =
            lab.peer(&format!("openssl mac -digest SM3 -macopt hexkey:{hexkey} -in m HMAC"));
        assert_eq!(
            lab.ok("mac -K k m").split(' ').next(),
            Some(theirs.trim().to_lowercase().as_str())
        );
    }
}

#[test]
fn sm4_modes() {
    let lab = Lab::empty();
    let (key, iv) = ("0123456789abcdeffedcba9876543210", "fffffffffffffffffffffffffffffffe");
    lab.write("k", key);
    for size in sizes() {
        lab.sparse("m", size);
        for mode in ["ctr", "cbc"] {
            lab.ok(&format!("cipher -m {mode} -K k --iv {iv} --encrypt -o ours m"));
            lab.peer(&format!("openssl enc -sm4-{mode} -d -K {key} -iv {iv} -in ours -out back"));
            lab.peer("cmp m back");
            lab.peer(&format!("openssl enc -sm4-{mode} -e -K {key} -iv {iv} -in m -out theirs"));
            lab.peer("cmp ours theirs");
            lab.ok(&format!("cipher -m {mode} -K k --iv {iv} --decrypt -o back theirs"));
            lab.peer("cmp m back");
        }
    }
}

/// Modes that work on one block at a time; sizes around a block's end.
#[test]
fn feedback_modes_and_cmac() {
    let lab = Lab::empty();
    let (key, iv) = ("0123456789abcdeffedcba9876543210", "fffffffffffffffffffffffffffffffe");
    lab.write("k", key);
    for size in [0, 1, 15, 16, 17, 4096, 1_000_001] {
        lab.write("m", (0..size).map(|i| (i * 7 % 251) as u8).collect::<Vec<_>>());
        for mode in ["cfb", "ofb"] {
            lab.ok(&format!("cipher -m {mode} -K k --iv {iv} --encrypt -o ours m"));
            lab.peer(&format!("openssl enc -sm4-{mode} -e -K {key} -iv {iv} -in m -out theirs"));
            lab.peer("cmp ours theirs");
            lab.ok(&format!("cipher -m {mode} -K k --iv {iv} --decrypt -o back theirs"));
            lab.peer("cmp m back");
        }
        let ours = lab.ok("mac -K k --algorithm cmac-sm4 m");
        let theirs =
            lab.peer(&format!("openssl mac -cipher SM4-CBC -macopt hexkey:{key} -in m CMAC"));
        assert_eq!(ours.split(' ').next(), Some(theirs.trim().to_lowercase().as_str()));
    }
}

#[test]
fn sm2_ciphertexts() {
    let lab = Lab::new();
    for size in [1, 31, 32, 33, 1000, 100_000] {
        lab.sparse("m", size);
        lab.ok("encrypt -r pub.pem -f sm2 -o ours m");
        lab.peer("openssl pkeyutl -decrypt -inkey key.pem -in ours -out back");
        lab.peer("cmp m back");
        lab.peer("openssl pkeyutl -encrypt -pubin -inkey pub.pem -in m -out theirs");
        lab.ok("decrypt -k key.pem -o back theirs");
        lab.peer("cmp m back");
    }
}

#[test]
fn key_files() {
    let lab = Lab::empty();
    lab.write("pass", "秘密 secret\n");
    // One file for both would be read line by line: the old passphrase, then the new.
    lab.write("pass2", "another\n");
    lab.write("m", "message");
    lab.ok("keygen -o key.pem -p pub.pem --passphrase-file pass");
    lab.peer("openssl pkey -in key.pem -passin file:pass -pubout -out their.pub");
    assert_eq!(lab.read("their.pub"), lab.read("pub.pem"));
    lab.peer("openssl pkey -in key.pem -passin file:pass -check -noout");
    lab.peer("openssl pkcs8 -topk8 -in key.pem -passin file:pass -v2 aes-256-cbc -v2prf hmacWithSHA512 -passout file:pass2 -out again.pem");
    lab.ok("sign -k again.pem --passphrase-file pass2 -o sig m");
    lab.ok("verify -p pub.pem -s sig m");
    lab.peer("openssl ec -in key.pem -passin file:pass -out sec1.pem");
    assert_eq!(lab.ok("pubkey -k sec1.pem").as_bytes(), lab.read("pub.pem"));
}
