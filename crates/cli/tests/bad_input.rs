//! Bad input: a clear error that names file and reason, the right exit code, nothing left behind.
//! (`Lab::fails` checks the last; every run checks that nothing panicked.)

mod support;

use support::Lab;

/// The error must name the file and the reason.
fn names(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "\"{part}\" is not in: {error}");
    }
}

#[test]
fn inputs_that_are_no_files() {
    let lab = Lab::new();
    lab.write("m", "message");
    std::fs::create_dir(lab.path("dir")).unwrap();
    for (args, file) in [
        ("sign -k key.pem -o x missing", "missing"),
        ("sign -k missing -o x m", "missing"),
        ("verify -p missing -s m m", "missing"),
        ("verify -p pub.pem -s missing m", "missing"),
        ("cipher -K missing --encrypt -o x m", "missing"),
    ] {
        names(&lab.fails(2, args), &[file, "No such file"]);
    }
    for args in [
        "sign -k key.pem -o x dir",
        "sign -k dir -o x m",
        "sign -k key.pem -o dir m",
        "hash dir",
        "verify -p dir -s m m",
        "decrypt -k key.pem -o x dir",
    ] {
        names(&lab.fails(2, args), &["dir", "irectory"]);
    }
    names(&lab.fails(2, "sign -k key.pem -o none/x m"), &["none/x", "No such file"]);
    names(&lab.fails(2, "sign -k pkcs11:token=a -o x m"), &["pkcs11"]);
    names(&lab.fails(2, "sign -k file://host/key.pem -o x m"), &["host"]);
}

#[test]
fn key_files_that_are_none() {
    let lab = Lab::new();
    lab.write("m", "message");
    let pem = String::from_utf8(lab.read("key.pem")).unwrap();
    let no_end = pem.replace("-----END", "=---END");
    let cases: &[(&str, &[u8], &str)] = &[
        ("empty", b"", "neither PEM nor DER"),
        ("text", b"hello\n", "neither PEM nor DER"),
        ("ber", b"\x30\x80\x02\x01\x00\x00\x00", "length"),
        ("huge-length", b"\x30\x84\x7f\xff\xff\xff\x02\x01\x00", "end too early"),
        ("label", &lab.read("pub.pem"), "PUBLIC KEY"),
        ("cut", &pem.as_bytes()[..pem.len() / 2], "PEM"),
        ("cut-base64", no_end.as_bytes(), "PEM"),
    ];
    for (name, content, reason) in cases {
        lab.write(name, content);
        names(&lab.fails(2, &format!("sign -k {name} -o x m")), &[name, reason]);
        names(
            &lab.fails(2, &format!("verify -p {name} -s m m").replace("-p label", "-p key.pem")),
            &["gmkit:"],
        );
    }
    names(&lab.fails(2, "verify -p key.pem -s m m"), &["key.pem", "PRIVATE KEY"]);
    lab.peer("openssl genpkey -algorithm EC -pkeyopt group:P-256 -out p256.pem");
    names(&lab.fails(2, "sign -k p256.pem -o x m"), &["p256.pem", "another curve"]);
    lab.peer("openssl pkey -in p256.pem -pubout -out p256.pub");
    names(&lab.fails(2, "verify -p p256.pub -s m m"), &["p256.pub", "another curve"]);
    lab.peer("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
    names(&lab.fails(2, "sign -k rsa.pem -o x m"), &["rsa.pem", "not an elliptic curve key"]);
    lab.write("big", vec![b'A'; 2 << 20]);
    names(&lab.fails(2, "sign -k big -o x m"), &["big", "larger"]);
}

#[test]
fn a_billion_iterations_are_refused_at_once() {
    let lab = Lab::new();
    lab.write("m", "message");
    lab.write("pass", "secret");
    lab.peer("openssl pkcs8 -topk8 -in key.pem -v2 sm4-cbc -iter 10000000 -passout file:pass -out ok.pem");
    lab.peer("openssl pkcs8 -topk8 -in key.pem -v2 sm4-cbc -iter 10000001 -passout file:pass -out many.pem");
    let error = lab.fails(2, "sign -k many.pem --passphrase-file pass -o x m");
    names(&error, &["many.pem", "10000001 iterations"]);
    // The last number that is allowed is read.
    lab.ok("sign -k ok.pem --passphrase-file pass -o sig m");
    lab.ok("verify -p pub.pem -s sig m");
}

#[test]
fn signatures_that_are_none() {
    let lab = Lab::new();
    lab.write("m", "message");
    lab.ok("sign -k key.pem -o good m");
    let good = lab.read("good");
    for (name, content, reason) in [
        ("empty", vec![], "end too early"),
        ("trailing", [&good[..], b"\n"].concat(), "DER: trailing bytes"),
        ("cut", good[..good.len() - 1].to_vec(), "end too early"),
        ("ber", [&b"\x30\x81"[..], &good[1..]].concat(), "length"),
        ("negative", b"\x30\x06\x02\x01\xff\x02\x01\x01".to_vec(), "negative"),
        ("zero", b"\x30\x06\x02\x01\x00\x02\x01\x01".to_vec(), "outside [1, n-1]"),
        ("text", b"not a signature".to_vec(), ""),
    ] {
        lab.write(name, content);
        names(&lab.fails(2, &format!("verify -p pub.pem -s {name} m")), &[name, reason]);
    }
    lab.write("huge", vec![0; 2 << 20]);
    names(&lab.fails(2, "verify -p pub.pem -s huge m"), &["huge", "larger"]);
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let lab = Lab::new();
    lab.write("m", "message");
    lab.ok("sign -k key.pem -o sig m");
    lab.ok("encrypt -r pub.pem -f sm2 -o enc m");
    let refused = |args: &str, what: &str| {
        let done = lab.gmkit(args);
        assert!(matches!(done.code, 1 | 2), "{what}: exit {}", done.code);
    };
    for (name, args) in [
        ("m", "verify -p pub.pem -s sig bad"),
        ("sig", "verify -p pub.pem -s bad m"),
        ("enc", "decrypt -k key.pem -o out bad"),
    ] {
        let good = lab.read(name);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            lab.write("bad", bad);
            refused(args, &format!("bit {bit} of {name}"));
        }
    }
    assert!(!lab.path("out").exists());
    // Keys as DER, so that every bit counts: PEM has bits that mean the same either way.
    lab.peer("openssl pkey -in key.pem -outform DER -out key.der");
    lab.peer("openssl pkey -in key.pem -pubout -outform DER -out pub.der");
    for (name, args) in [("pub.der", "verify -p bad -s sig m"), ("key.der", "sign -k bad -o out m")]
    {
        let good = lab.read(name);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            lab.write("bad", bad);
            refused(args, &format!("bit {bit} of {name}"));
        }
    }
}

#[test]
fn ciphertexts_that_are_none() {
    let lab = Lab::new();
    lab.write("m", "");
    names(&lab.fails(2, "encrypt -r pub.pem -f sm2 -o x m"), &["m", "empty plaintext"]);
    lab.sparse("big", (16 << 20) + 1);
    names(&lab.fails(2, "encrypt -r pub.pem -f sm2 -o x big"), &["big", "16 MiB"]);
    for (name, content, reason) in [
        ("empty", vec![], "end too early"),
        ("point", [&[4][..], &[1; 200]].concat(), "not on the SM2 curve"),
        ("short", [&[4][..], &[1; 20]].concat(), "length"),
        ("ber", b"\x30\x80\x00\x00".to_vec(), "length"),
        ("huge-length", b"\x30\x84\x7f\xff\xff\xff".to_vec(), "end too early"),
    ] {
        lab.write(name, content);
        names(&lab.fails(2, &format!("decrypt -k key.pem -o x {name}")), &[name, reason]);
    }
}

#[test]
fn cipher_arguments() {
    let lab = Lab::empty();
    lab.write("m", "message");
    lab.write("k", [1; 16]);
    lab.write("k15", [1; 15]);
    lab.write("k17", [1; 17]);
    lab.write("hex31", "0123456789abcdef0123456789abcde");
    for key in ["k15", "k17", "hex31"] {
        names(&lab.fails(2, &format!("cipher -K {key} --encrypt -o x m")), &[key, "16 bytes"]);
    }
    lab.fails(2, "cipher -K k -o x m");
    lab.fails(2, "cipher -K k --encrypt --decrypt -o x m");
    lab.fails(2, "cipher -K k -m ecb --encrypt -o x m");
    names(&lab.fails(2, "cipher -K k -m ctr --encrypt -o x m"), &["--iv"]);
    names(&lab.fails(2, "cipher -K k -m ctr --iv 00 --encrypt -o x m"), &["32 hex digits"]);
    let iv = "00".repeat(16);
    names(&lab.fails(2, &format!("cipher -K k --iv {iv} --encrypt -o x m")), &["fresh nonce"]);
    lab.write("k32", [1; 32]);
    lab.write("xts", core::array::from_fn::<u8, 32, _>(|i| i as u8));
    let xts = format!("cipher -m xts --iv {iv} --encrypt -o x");
    names(&lab.fails(2, &format!("{xts} -K k m")), &["k:", "32 bytes"]);
    names(&lab.fails(2, &format!("{xts} -K k32 m")), &["k32:", "equal"]);
    names(&lab.fails(2, &format!("{xts} -K xts m")), &["m:", "16 to 2^24 bytes"]);
    lab.sparse("long", (1 << 24) + 1);
    names(&lab.fails(2, &format!("{xts} -K xts long")), &["long", "16 MiB"]);
    lab.fails(2, &format!("{xts} -K xts --xts-standard nist m"));
    lab.fails(2, "cipher -m xts -K xts --encrypt -o x m");
    names(&lab.fails(2, "mac -K k15 --algorithm cmac-sm4 m"), &["k15", "15 bytes"]);
    lab.fails(2, "mac -K k --algorithm cmac m");
    assert!(!lab.files().contains(&"x".to_owned()), "nothing is left of a refusal");
    for bytes in [0, 1, 15, 17] {
        lab.write("c", vec![1; bytes]);
        names(
            &lab.fails(1, &format!("cipher -K k -m cbc --iv {iv} --decrypt -o x c")),
            &["c: rejected"],
        );
    }
}

#[test]
fn usage_errors_exit_with_2() {
    let lab = Lab::empty();
    for args in [
        "",
        "nonsense",
        "sign",
        "sign -k key.pem",
        "verify m",
        "keygen",
        "encrypt -r a m",
        "completions tcsh",
    ] {
        assert_eq!(lab.gmkit(args).code, 2, "gmkit {args}");
    }
    let id = "x".repeat(8192);
    assert_eq!(lab.gmkit(&format!("sign -k key.pem --id {id} -o x m")).code, 2);
}

#[test]
fn unreadable_files() {
    use std::os::unix::fs::PermissionsExt;
    let lab = Lab::new();
    lab.write("m", "message");
    std::fs::set_permissions(lab.path("m"), std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(lab.path("m")).is_ok() {
        // The superuser reads everything: ask for a file that not even root can read.
        names(&lab.fails(2, "hash /proc/self/mem"), &["/proc/self/mem"]);
    } else {
        names(&lab.fails(2, "hash m"), &["m", "ermission"]);
    }
}
