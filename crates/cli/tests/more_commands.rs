//! `kdf`, `random`, `envelope` and `doctor`.

mod support;

use std::os::unix::fs::PermissionsExt;

use support::Lab;

fn mode_of(lab: &Lab, name: &str) -> u32 {
    std::fs::metadata(lab.path(name)).unwrap().permissions().mode() & 0o777
}

#[test]
fn key_derivation() {
    let lab = Lab::empty();
    lab.write("ikm", [0x0b; 22]);
    let hkdf = "kdf hkdf -K ikm --salt 000102030405060708090a0b0c --info f0f1f2f3f4f5f6f7f8f9";
    let want =
        "c69fe91b7aaee2dd5718d72dcaee0cce93f1b8e41f792da51261b6a517e68b36ed2c595572b01dfa359b\n";
    assert_eq!(lab.ok(&format!("{hkdf} --len 42")), want);
    lab.ok(&format!("{hkdf} --len 42 -o okm"));
    assert_eq!((lab.read("okm"), mode_of(&lab, "okm")), (want.into(), 0o600));
    lab.fails(2, &format!("{hkdf} --len 42 -o okm")); // a key is not replaced
    lab.fails(2, &format!("{hkdf} --len 42 -o ikm"));

    // A password is the first line of its file, also when it looks like hexadecimal.
    lab.write("pw", "passwd\n");
    let pbkdf2 = "kdf pbkdf2 --salt 73616c74 --rounds 1 --len 64 -K";
    assert!(lab.ok(&format!("{pbkdf2} pw")).starts_with("30530b86537c85ea33fbe26ee0adea8d"));
    lab.write("hex", "00".repeat(16));
    lab.write("raw", [0; 16]);
    assert_ne!(lab.ok(&format!("{pbkdf2} hex")), lab.ok(&format!("{pbkdf2} raw")));

    lab.write("z", "0102");
    lab.write("z", [1, 2]);
    let sm2 = lab.ok("kdf sm2 -K z --len 32");
    assert_eq!(sm2, "02db73736665f3c8ec09887772c33da737047e7419ef8abd4d3c7d80019ff1ae\n");
    let seed = "b20653c9b35996333d8079cf401fe28791704502700584c4c6a0f04894597de1\
                d76e6bc156b1ba2a5cea6c251b6c2038e00cbd8194132bc33452e22e0f324f2d";
    lab.write("pre", "0101e582aac5064cf164dcac7a14bfec7bf30af646558dc7dc63cbc77265ede6e7721d2161fa098ef3ec41fecbfef107");
    let prf = [
        "kdf",
        "tls12-prf",
        "-K",
        "pre",
        "--label",
        "master secret",
        "--seed",
        seed,
        "--len",
        "48",
    ];
    assert!(lab.gmkit_with(prf, b"").stdout.starts_with("e64a628ecee2f1f1e2a3e1adfba7e4ae"));
    lab.write("s32", [7; 32]);
    assert_eq!(lab.ok("kdf tls13-expand-label -K s32 --label key --len 16").len(), 33);
}

#[test]
fn key_derivation_refuses() {
    let lab = Lab::empty();
    lab.write("k", [1; 32]);
    lab.write("empty", "");
    for args in [
        "kdf hkdf -K empty --len 16", // everybody can derive from nothing
        "kdf pbkdf2 -K empty --salt 00 --len 16",
        "kdf sm2 -K empty --len 16",
        "kdf hkdf -K missing --len 16",
        "kdf hkdf -K k --len 0",
        "kdf hkdf -K k --len 8161",
        "kdf hkdf -K k --len 16 --salt 0",
        "kdf hkdf -K k --len 16 --info zz",
        "kdf pbkdf2 -K k --len 16",
        "kdf pbkdf2 -K k --salt 00 --rounds 0 --len 16",
        "kdf tls13-expand-label -K empty --label key --len 16",
        "kdf",
    ] {
        lab.fails(2, args);
    }
    lab.write("short", [1; 31]);
    lab.fails(2, "kdf tls13-expand-label -K short --label key --len 16");
}

#[test]
fn random_bytes() {
    let lab = Lab::empty();
    for source in ["os", "sm3", "sm4"] {
        lab.ok(&format!("random --len 300000 --source {source} -o a-{source}"));
        let bytes = lab.read(&format!("a-{source}"));
        assert_eq!((bytes.len(), mode_of(&lab, &format!("a-{source}"))), (300_000, 0o600));
        let zeros = bytes.iter().filter(|byte| **byte == 0).count();
        assert!((900..1450).contains(&zeros), "{zeros} zero bytes"); // 1172, give or take 8 sigma
        let hex = lab.ok(&format!("random --len 20 --hex --source {source}"));
        assert_eq!(hex.len(), 41);
        assert_ne!(hex, lab.ok(&format!("random --len 20 --hex --source {source}")));
    }
    lab.write("key", "precious");
    lab.fails(2, "random --len 16 -o key");
    assert_eq!(lab.read("key"), b"precious");
    lab.ok("random --len 16 -o key --force");
    for args in ["random", "random --len 0", "random --len 1073741825", "random --len x"] {
        lab.fails(2, args);
    }
}

#[test]
fn a_key_travels_in_an_envelope() {
    let lab = Lab::new();
    lab.write("pass", "for the owner\n");
    lab.write("new-pass", "for the new key\n");
    lab.ok("keygen -o made.pem -p made.pub --no-passphrase");
    lab.ok("keygen -o owner.pem -p owner.pub --passphrase-file pass");
    lab.ok("envelope seal -k made.pem -r owner.pub -o env");
    let opened = "envelope open -k owner.pem --passphrase-file pass";
    lab.ok(&format!("{opened} -o received.pem --new-passphrase-file new-pass env"));
    assert_eq!(mode_of(&lab, "received.pem"), 0o600);
    let public = lab.ok("pubkey -k received.pem --passphrase-file new-pass");
    assert_eq!(public.as_bytes(), lab.read("made.pub"));

    // OpenSSL takes it apart: the SM4 key by SM2, the private key by SM4-ECB.
    let env = lab.read("env");
    let (cipher, d) = (&env[17..env.len() - 68 - 35], &env[env.len() - 32..]);
    lab.write("c", cipher);
    lab.write("d", d);
    lab.ok("envelope open -k owner.pem --passphrase-file pass -o plain.pem --no-passphrase env");
    lab.peer("openssl pkeyutl -decrypt -inkey owner.pem -passin file:pass -in c -out sm4.key");
    let key: String = lab.read("sm4.key").iter().map(|byte| format!("{byte:02x}")).collect();
    lab.peer(&format!("openssl enc -sm4-ecb -d -nopad -K {key} -in d -out d.plain"));
    let text = lab.peer("openssl pkey -in made.pem -noout -text");
    let want: String = lab.read("d.plain").iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(text.replace([':', ' ', '\n'], "").contains(&want));

    // Never over an existing file, never for somebody else, nothing from what was changed.
    lab.fails(2, &format!("{opened} -o received.pem --no-passphrase env"));
    lab.fails(1, "envelope open -k key.pem -o x --no-passphrase env");
    for at in [20, env.len() - 60, env.len() - 1] {
        let mut bad = env.clone();
        bad[at] ^= 1;
        lab.write("bad", &bad);
        let done = lab.gmkit(&format!("{opened} -o x --no-passphrase bad"));
        assert!([1, 2].contains(&done.code) && !lab.path("x").exists(), "byte {at}");
    }
    lab.write("bad", &env[..env.len() - 1]);
    lab.fails(2, &format!("{opened} -o x --no-passphrase bad"));
    let error = lab.fails(2, "envelope seal -k pkcs11:token=a?pin-value=1234 -r owner.pub -o x");
    assert!(error.contains("pkcs11") && !error.contains("1234"), "{error}");
    let error = lab.fails(2, "sign -k pkcs11:token=a?pin-value=1234 -o x env");
    assert!(!error.contains("1234"), "{error}");
}

#[test]
fn doctor() {
    let lab = Lab::empty();
    let report = lab.ok("doctor");
    for name in ["CPU", "SM2 backend", "self-tests", "entropy", "clock", "permissions"] {
        assert!(report.contains(name), "{report}");
    }
    assert!(!report.contains("!!"), "{report}");
    let json: serde_json::Value = serde_json::from_str(&lab.ok("doctor --json")).unwrap();
    assert_eq!(json["good"], true);
    let backend = json["SM4_backend"]["value"].as_str().unwrap();
    assert!(backend.starts_with(gmkit::sm4::backend()), "{backend}");
    assert!(backend.contains("portable"), "{backend}");
    lab.fails(2, "doctor --stage periodic");
}

#[test]
fn bench_names_every_backend() {
    let lab = Lab::empty();
    let table = lab.ok("bench --quick");
    let json: serde_json::Value = serde_json::from_str(&lab.ok("bench --quick --json")).unwrap();
    let rows = json["rows"].as_array().unwrap();
    let all = gmkit::sm2::backends().chain(gmkit::sm3::backends()).chain(gmkit::sm4::backends());
    for (backend, has) in all {
        assert!(table.contains(backend), "{table}");
        assert_eq!(rows.iter().any(|row| row["backend"] == backend), has, "{backend}");
    }
    assert!(rows.iter().all(|row| row["rate"].as_f64().unwrap() > 0.0));

    let sizes = lab.ok("bench --sizes --quick --json");
    let sizes: serde_json::Value = serde_json::from_str(&sizes).unwrap();
    let rows = sizes["rows"].as_array().unwrap();
    for (backend, has) in gmkit::sm3::backends().chain(gmkit::sm4::backends()) {
        assert_eq!(rows.iter().any(|row| row["backend"] == backend), has, "{backend}");
    }
    for row in rows {
        let rates = row["rates"].as_array().unwrap();
        assert_eq!(rates.len(), sizes["sizes"].as_array().unwrap().len());
        assert!(rates.iter().all(|rate| rate.as_f64().unwrap() > 0.0));
    }
    lab.fails(2, "bench --slow");
}

#[test]
fn randomness() {
    let lab = Lab::empty();
    // 20 samples of 2,500 bytes that are not random at all.
    lab.write("counting", (0..50_000).map(|i| i as u8).collect::<Vec<u8>>());
    let bad = lab.gmkit("doctor --randomness --stage periodic --file counting");
    assert_eq!(bad.code, 1);
    assert!(bad.stdout.contains("FAILED") && bad.stdout.contains("single bit frequency"));
    // The digests of a counter look random, and the same in every run.
    let hashed: Vec<u8> =
        (0..2000_u32).flat_map(|i| gmkit::sm3::digest(&[&i.to_be_bytes(), b"seed 1"])).collect();
    lab.write("hashed", &hashed);
    let json = lab.gmkit("doctor --randomness --stage periodic --file hashed --json");
    let report: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(report["items"].as_array().unwrap().len(), 23);
    assert_eq!(report["passed"], json.code == 0);
    let failed = report["items"].as_array().unwrap().iter().filter(|item| item["passed"] == false);
    assert!(failed.count() <= 2, "{}", json.stdout);
    lab.write("short", vec![0; 49_999]);
    lab.fails(2, "doctor --randomness --stage periodic --file short");
    lab.fails(2, "doctor --randomness --stage periodic --file missing");
}
