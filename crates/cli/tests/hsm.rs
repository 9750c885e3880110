//! Keys in a device, through the command: the software token is one to it.

mod support;

use std::{env, path::PathBuf};

use support::{Lab, built_peer};

fn module() -> PathBuf {
    let path = env::current_exe().unwrap().with_file_name("libgmkit_token.so");
    assert!(path.exists(), "{}", path.display());
    path
}

/// A token `dev`, and its module named by the environment.
fn lab() -> Lab {
    let mut lab = Lab::empty();
    lab.set("GMKIT_TOKEN_DIR", lab.path("token"));
    lab.set("GMKIT_PKCS11_MODULE", module());
    lab.write("pin", "87654321\n");
    lab.write("so-pin", "12345678\n");
    let made = lab.ok(&format!(
        "token init --dir token --module {} --label dev --pin-file pin --so-pin-file so-pin",
        module().display()
    ));
    assert!(made.contains("not a certified module"), "{made}");
    lab
}

const CA: &str = "pkcs11:token=dev;object=ca?pin-source=file:pin";
const ALICE: &str = "pkcs11:token=dev;object=alice;id=%01?pin-source=file:pin";

#[test]
fn whatever_takes_a_key_takes_one_in_a_device() {
    let lab = lab();
    lab.ok(&format!("hsm keygen -k {CA} -p ca.pub.pem"));
    lab.ok(&format!("hsm keygen -k {ALICE} -p alice.pub.pem"));
    lab.write("m", "signed in a device\n");

    lab.ok(&format!("sign -k {ALICE} -o m.sig m"));
    lab.peer(
        "openssl dgst -sm3 -sigopt distid:1234567812345678 -verify alice.pub.pem -signature m.sig m",
    );
    lab.ok(&format!("sign -k {ALICE} --id Alice -o m.id.sig m"));
    lab.peer("openssl dgst -sm3 -sigopt distid:Alice -verify alice.pub.pem -signature m.id.sig m");
    assert_eq!(lab.ok(&format!("pubkey -k {ALICE}")).as_bytes(), lab.read("alice.pub.pem"));

    // The authority's key is in the token too.
    lab.ok(&format!("cert ca -k {CA} --subject CN=Device-CA,C=CN -o ca.crt"));
    lab.ok(&format!("cert csr -k {ALICE} --subject CN=Alice,C=CN -o alice.csr"));
    lab.ok(&format!(
        "cert issue --ca ca.crt -k {CA} --db db --profile sign --csr alice.csr -o alice.crt"
    ));
    lab.ok(&format!("cert crl --ca ca.crt -k {CA} --db db -o ca.crl"));
    let openssl4 = built_peer("openssl4");
    lab.peer(&format!(
        "{openssl4} verify -x509_strict -crl_check -CRLfile ca.crl -CAfile ca.crt alice.crt"
    ));
    lab.ok(&format!("sign -k {ALICE} -c alice.crt --attach -o m.p7m m"));
    lab.peer(&format!(
        "{openssl4} cms -verify -binary -inform DER -in m.p7m -CAfile ca.crt -out back"
    ));
    assert_eq!(lab.read("back"), lab.read("m"));

    // Decryption, of a bare ciphertext and of a message.
    lab.ok("encrypt -r alice.pub.pem -f sm2 -o m.sm2 m");
    assert_eq!(lab.ok(&format!("decrypt -k {ALICE} m.sm2")).as_bytes(), lab.read("m"));
    lab.ok("encrypt -r alice.pub.pem -o m.cms m");
    assert_eq!(lab.ok(&format!("decrypt -k {ALICE} m.cms")).as_bytes(), lab.read("m"));
    let mut twin = lab.read("m.sm2");
    let last = twin.len() - 1;
    twin[last] ^= 1;
    lab.write("m.sm2", twin);
    lab.fails(1, &format!("decrypt -k {ALICE} m.sm2"));

    lab.ok(&format!("hsm import-cert -k {ALICE} alice.crt"));
    let keys = lab.ok("hsm keys --pin-file pin --json");
    let keys: serde_json::Value = serde_json::from_str(&keys).unwrap();
    assert_eq!(keys.as_array().unwrap().len(), 4, "{keys}");
    assert_eq!(lab.ok(&format!("hsm delete -k {ALICE}")), "3 objects deleted\n");
    let gone = lab.fails(2, &format!("sign -k {ALICE} -o x m"));
    assert!(gone.contains("no key is what it names"), "{gone}");
}

/// Secret keys that stay in the device, and what they made read by the same command and others.
#[test]
fn secret_keys_in_a_device() {
    let lab = lab();
    let key = |label: &str| format!("pkcs11:token=dev;object={label}?pin-source=file:pin");
    let (seal, mac) = (key("seal"), key("mac"));
    lab.ok(&format!("hsm keygen -k {seal} --type sm4"));
    lab.ok(&format!("hsm keygen -k {mac} --type hmac-sm3"));
    lab.fails(2, &format!("hsm keygen -k {seal} --type sm4"));
    lab.fails(2, &format!("hsm keygen -k {} --type sm4 -p x.pem", key("other")));
    let listed = lab.ok("hsm keys --pin-file pin");
    assert_eq!(listed.matches("secret").count(), 2, "{listed}");

    lab.write("m", vec![b'm'; 100_000]);
    lab.ok(&format!("cipher -K {seal} --encrypt -o m.enc m"));
    lab.ok(&format!("cipher -K {seal} --decrypt -o back m.enc"));
    assert_eq!(lab.read("back"), lab.read("m"));
    let mut forged = lab.read("m.enc");
    forged[50_000] ^= 1;
    lab.write("m.enc", forged);
    lab.fails(1, &format!("cipher -K {seal} --decrypt -o forged m.enc"));
    assert!(!lab.path("forged").exists());
    // A PIN is not written over.
    lab.fails(2, "cipher -K pkcs11:token=dev;object=seal --passphrase-file pin --encrypt -o pin m");
    assert_eq!(lab.read("pin"), b"87654321\n");
    lab.fails(2, &format!("cipher -m ctr -K {seal} --iv {} --encrypt -o x m", "0".repeat(32)));

    // What it computes is compared in the library's tests, which can bring a known key in.
    let line = lab.ok(&format!("mac -K {mac} m"));
    assert_eq!(line, lab.ok("mac -K pkcs11:token=dev;object=mac --passphrase-file pin m"));
    assert_eq!(line.split_whitespace().next().unwrap().len(), 64);
    assert!(lab.fails(2, &format!("mac -K {seal} m")).contains("no HMAC-SM3 key"));
    assert!(lab.fails(2, &format!("cipher -K {mac} --encrypt -o x m")).contains("no SM4 key"));
    lab.fails(2, &format!("mac -K {mac} --algorithm cmac-sm4 m"));
    lab.fails(2, "mac -K m --passphrase-file pin m");
    lab.fails(3, "mac -K pkcs11:token=dev;object=mac?module-path=/nonexistent.so m");
    assert_eq!(lab.ok(&format!("hsm delete -k {mac}")), "1 objects deleted\n");
}

/// The test of a device: a table for people, JSON to send around, and nothing left behind.
#[test]
fn the_test_of_a_device() {
    let mut lab = lab();
    let table = lab.ok("hsm test --pin-file pin --pace 0");
    for line in ["0x80474d10  SM2 sign e", "works: r ‖ s", "SM4 MAC", "CMAC", "ECDSA P-256"] {
        assert!(table.contains(line), "{line}: {table}");
    }
    let json = lab.ok("hsm test --pin-file pin --pace 0 --json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let findings = json["findings"].as_array().unwrap();
    assert!(findings.len() > 15 && findings.iter().all(|finding| finding["outcome"] == "works"));
    assert_eq!(lab.ok("hsm keys --pin-file pin --json"), "[]\n");
    // Under another vendor's profile nothing of the kind is there.
    let other = lab.ok("hsm test --pin-file pin --pace 0 --profile tass");
    assert!(
        other.contains("absent") && !other.contains("SM3                       works"),
        "{other}"
    );
    lab.write("wrong", "11111111\n");
    lab.fails(3, "hsm test --pin-file wrong");

    lab.write("softhsm2.conf", format!("directories.tokendir = {}\n", lab.path("").display()));
    lab.set("SOFTHSM2_CONF", lab.path("softhsm2.conf"));
    lab.peer("softhsm2-util --init-token --free --label soft --so-pin 12345678 --pin 87654321");
    let soft = "--module /usr/lib/softhsm/libsofthsm2.so -k pkcs11:token=soft";
    let table = lab.ok(&format!("hsm test {soft} --pin-file pin --pace 0"));
    assert!(table.contains("RSA 2048 PSS SHA-256") && !table.contains("SM2 sign"), "{table}");
}

#[test]
fn what_is_refused() {
    let lab = lab();
    lab.ok(&format!("hsm keygen -k {CA} -p ca.pub.pem"));
    lab.write("m", "m");
    lab.write("wrong", "11111111\n");
    for (code, uri, reason) in [
        (3, "pkcs11:token=dev;object=ca?pin-source=file:wrong", "CKR_PIN_INCORRECT"),
        (2, "pkcs11:token=other;object=ca?pin-source=file:pin", "no token"),
        (2, "pkcs11:token=dev;object=other?pin-source=file:pin", "no key"),
        (2, "pkcs11:token=dev;object=ca?pin-source=file:missing", "missing"),
        (2, "pkcs11:token=dev;object=ca?pin-value=87654321", "does not belong into a URI"),
        (2, "pkcs11:token=dev;object=ca?pin-source=|cat%20pin", "never run"),
        (2, "pkcs11:token=dev;color=red", "not known"),
        (3, "pkcs11:token=dev;object=ca?module-path=/nonexistent.so", "cannot load"),
        (3, "pkcs11:token=dev;object=ca?module-path=pin", "cannot load"),
        (2, "pkcs11:token=dev;object=ca;x-profile=generic?pin-source=file:pin", "cannot"),
        (
            3,
            "pkcs11:token=dev;object=ca;x-profile=luna?pin-source=file:pin",
            "CKR_MECHANISM_INVALID",
        ),
    ] {
        let said = lab.fails(code, &format!("sign -k {uri} -o out m"));
        assert!(said.contains(reason), "{uri}: {said}");
        assert!(!said.contains("87654321"), "{said}");
    }
    // No PIN, and no terminal to ask for one.
    lab.fails(2, "sign -k pkcs11:token=dev;object=ca -o out m");
    // A name that is taken, and one that would match everything.
    lab.fails(2, &format!("hsm keygen -k {CA} -p again.pem"));
    lab.fails(2, "hsm delete -k pkcs11:token=dev?pin-source=file:pin");
    lab.fails(2, "hsm keygen -k pkcs11:token=dev?pin-source=file:pin -p again.pem");
    lab.fails(2, "pkcs12 export -k pkcs11:token=dev;object=ca -c ca.crt -o x.p12");
    assert!(lab.ok("hsm slots").contains("token dev"), "still there");
}

/// A token and its copy hold the same key.
#[test]
fn two_devices_as_one() {
    let mut lab = lab();
    lab.ok(&format!("hsm keygen -k {CA} -p ca.pub.pem"));
    lab.peer("cp -r token copy");
    let both = env::join_paths([lab.path("token"), lab.path("copy")]).unwrap();
    lab.set("GMKIT_TOKEN_DIR", both);
    lab.write("m", "m");
    let ambiguous = lab.fails(2, &format!("sign -k {CA} -o m.sig m"));
    assert!(ambiguous.contains("more than one"), "{ambiguous}");
    let together = "pkcs11:token=dev;object=ca;x-failover=yes?pin-source=file:pin";
    lab.ok(&format!("sign -k {together} -o m.sig m"));
    lab.ok("verify -p ca.pub.pem -s m.sig m");
    // One of them is gone.
    lab.peer("rm -r copy");
    lab.ok(&format!("sign -k {together} -o again.sig m"));
    lab.ok("verify -p ca.pub.pem -s again.sig m");
}

#[test]
fn tokens_and_profiles_are_shown() {
    let mut lab = lab();
    let info = lab.ok("hsm info --json");
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    assert_eq!(info["profile"], "gmkit");
    let mechanisms = info["tokens"][0]["mechanisms"].as_array().unwrap();
    assert!(mechanisms.len() > 10 && mechanisms.iter().all(|entry| entry["there"] == true));
    let show = format!("token show --dir token --module {}", module().display());
    assert!(lab.ok(&show).contains("PIN set"));
    lab.write("wrong", "11111111\n");
    lab.fails(3, "hsm keys --pin-file wrong");
    assert!(lab.ok(&show).contains("a wrong PIN was tried"));
    let again = format!(
        "token init --dir token --module {} --label x --pin-file pin --so-pin-file so-pin",
        module().display()
    );
    let refused = lab.fails(2, &again);
    assert!(refused.contains("slot without a token"), "{refused}");

    let profiles = lab.ok("hsm profiles");
    for name in ["sansec", "tass", "koal", "luna", "ep11", "westone", "generic"] {
        assert!(profiles.contains(&format!("\n{name}")), "{name}");
    }
    lab.write("own.toml", "name = \"acme\"\ntitle = \"Acme\"\nsources = \"us\"\n[match]\nmanufacturer = [\"gmkit\"]\n");
    assert!(lab.ok("hsm info --profile-file own.toml").contains("acme (Acme)"));
    lab.fails(2, "hsm info --profile nobody");
    lab.write("bad.toml", "name = 1");
    lab.fails(2, "hsm profiles --profile-file bad.toml");

    // A module of somebody else's: the standard's mechanisms only.
    lab.write("softhsm2.conf", format!("directories.tokendir = {}\n", lab.path("").display()));
    lab.set("SOFTHSM2_CONF", lab.path("softhsm2.conf"));
    lab.peer("softhsm2-util --init-token --free --label soft --so-pin 12345678 --pin 87654321");
    let soft = "/usr/lib/softhsm/libsofthsm2.so";
    assert!(lab.ok(&format!("hsm slots --module {soft}")).contains("token soft"));
    assert!(lab.ok(&format!("hsm info --module {soft}")).contains("profile  generic"));
    let keygen = format!("hsm keygen -k pkcs11:token=soft;object=k --module {soft} --pin-file pin");
    assert!(lab.fails(2, &keygen).contains("cannot hold SM2 keys"));
}
