//! CMS messages through the command line: what is written, what is said, what is refused.

mod support;

use serde_json::Value;
use support::Lab;

/// An authority; Alice and Bob, who sign; Carol and Dave, who are encrypted to.
fn lab() -> Lab {
    let lab = Lab::empty();
    lab.write("m", "the message\n");
    lab.write("other", "another message\n");
    lab.ok("keygen -o ca.key --no-passphrase");
    lab.ok("cert ca -k ca.key --subject CN=CA,C=CN -o ca.crt");
    for (name, profile) in
        [("alice", "sign"), ("bob", "sign"), ("carol", "encrypt"), ("dave", "encrypt")]
    {
        lab.ok(&format!("keygen -o {name}.key -p {name}.pub --no-passphrase"));
        lab.ok(&format!("cert csr -k {name}.key --subject CN={name},C=CN -o {name}.csr"));
        lab.ok(&format!(
            "cert issue --ca ca.crt -k ca.key --db db --csr {name}.csr --profile {profile} -o {name}.crt"
        ));
    }
    lab
}

const ALICE: &str = "sign -k alice.key -c alice.crt";

#[test]
fn signed_and_told_by_whom() {
    let lab = lab();
    lab.write("chain", [lab.read("alice.crt"), lab.read("ca.crt")].concat());
    lab.ok("sign -k alice.key -c chain -o m.p7s m");
    let text = lab.ok("verify --ca ca.crt -s m.p7s m");
    for said in [
        "m: good signature",
        "signed by CN=alice, C=CN",
        "CN=CA, C=CN (ca.crt) vouches for it: CN=alice, C=CN <- CN=CA, C=CN",
        "was not looked at (--crl)",
        "as the signer says",
        "not covered by what was signed: the file's name; 2 certificates in the message",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    lab.ok("cert crl --ca ca.crt -k ca.key --db db -o ca.crl");
    let text = lab.ok("verify --ca ca.crt --crl ca.crl -s m.p7s m");
    assert!(text.contains("no revocation list names the signer"), "{text}");
    let text = lab.ok("verify -c alice.crt -s m.p7s m");
    assert!(text.contains("you gave this certificate"), "{text}");
    // Whose key it is, the one who gave it knows: names in the message say nothing of that.
    let text = lab.ok("verify -p alice.pub -s m.p7s m");
    assert!(text.contains("you gave this key") && text.contains("the holder of the key"), "{text}");
    assert!(!text.contains("CN=alice"), "{text}");
    let json: Value =
        serde_json::from_str(&lab.ok("verify --ca ca.crt -s m.p7s m --json")).unwrap();
    assert_eq!(json["verified"], true);
    assert_eq!(json["signers"][0]["chain"][1], "CN=CA, C=CN");
    assert_eq!(json["signers"][0]["covers"], "attributes");

    // A certificate beside authorities is the one who must have signed.
    lab.ok("verify -c alice.crt --ca ca.crt -s m.p7s m");
    let text = lab.fails(1, "verify -c bob.crt --ca ca.crt -s m.p7s m");
    assert!(text.contains("another signer"), "{text}");
    for line in [
        "verify --ca ca.crt -s m.p7s other",
        "verify -c bob.crt -s m.p7s m",
        "verify -p bob.pub -s m.p7s m",
        "verify --ca alice.crt -s m.p7s m",
        "verify --ca ca.crt --id bob -s m.p7s m",
    ] {
        let text = lab.fails(1, line);
        assert!(text.starts_with("gmkit: "), "{line}: {text}");
    }
    let json: Value =
        serde_json::from_str(&lab.gmkit("verify --ca ca.crt -s m.p7s other --json").stdout)
            .unwrap();
    assert_eq!(json["verified"], false);
    assert_eq!(json["signers"][0]["chain"], Value::Null);
}

#[test]
fn revoked_signers() {
    let lab = lab();
    lab.ok("cert crl --ca ca.crt -k ca.key --db db -o before.crl");
    lab.ok(&format!("{ALICE} --with-crl before.crl -o before.p7s m"));
    let text = lab.ok("verify --ca ca.crt --crl-inside -s before.p7s m");
    assert!(text.contains("1 revocation list in the message"), "{text}");
    let shown: Value = serde_json::from_str(&lab.ok("cert show --json alice.crt")).unwrap();
    lab.ok(&format!("cert revoke --db db --serial {}", shown["serial"].as_str().unwrap()));
    lab.ok("cert crl --ca ca.crt -k ca.key --db db -o after.crl");
    lab.ok(&format!("{ALICE} --with-crl after.crl -o after.p7s m"));
    for line in [
        "verify --ca ca.crt --crl after.crl -s before.p7s m",
        "verify --ca ca.crt --crl after.crl --crl-inside -s before.p7s m",
        "verify --ca ca.crt --crl-inside -s after.p7s m",
    ] {
        assert!(lab.fails(1, line).contains("revoked"), "{line}");
    }
    // Nothing is taken from the message that was not asked for.
    lab.ok("verify --ca ca.crt -s after.p7s m");
}

#[test]
fn content_inside() {
    let lab = lab();
    for dialect in ["rfc5652", "gmt0010"] {
        lab.ok(&format!("{ALICE} --attach --dialect {dialect} -o m.p7m m"));
        lab.ok("verify --ca ca.crt -s m.p7m -o back");
        assert_eq!(lab.read("back"), lab.read("m"));
        let text = lab.fails(2, "verify --ca ca.crt -s m.p7m m");
        assert!(text.contains("the message holds what was signed"), "{text}");
        let json: Value =
            serde_json::from_str(&lab.ok("verify --ca ca.crt -s m.p7m --json")).unwrap();
        assert_eq!(json["dialect"], dialect);
        // To standard output the content goes alone, and only once it is verified.
        let done = lab.gmkit("verify --ca ca.crt -s m.p7m -o -");
        assert_eq!((done.code, done.stdout.as_str()), (0, "the message\n"));
        assert!(done.stderr.contains("good signature"), "{}", done.stderr);
        let done = lab.gmkit("verify --ca bob.crt -s m.p7m -o -");
        assert_eq!((done.code, done.stdout.as_str()), (1, ""));
        std::fs::remove_file(lab.path("back")).unwrap();
        lab.fails(1, "verify --ca bob.crt -s m.p7m -o back");
    }
    let message = lab.read("m.p7m");
    let done = lab.gmkit_with("verify --ca ca.crt -s - -o back".split(' '), &message);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(lab.read("back"), lab.read("m"));
}

#[test]
fn several_signers() {
    let lab = lab();
    lab.ok(&format!("{ALICE} -o one.p7s m"));
    lab.ok("sign -k bob.key -c bob.crt --cosign one.p7s -o two.p7s m");
    let text = lab.ok("verify --ca ca.crt -s two.p7s m");
    assert!(text.contains("signed by CN=alice") && text.contains("signed by CN=bob"), "{text}");
    lab.ok("verify -c bob.crt -s two.p7s m");
    lab.ok("verify -p alice.pub -s two.p7s m");
    lab.fails(1, "verify -c bob.crt -s one.p7s m");
    let text = lab.fails(2, "sign -k bob.key -c bob.crt --cosign one.p7s -o x other");
    assert!(text.contains("about another content"), "{text}");
    // One signer is nobody's: the whole is not good.
    lab.ok("cert ca -k bob.key --subject CN=Elsewhere -o elsewhere.crt");
    lab.fails(1, "verify --ca elsewhere.crt -s two.p7s m");
}

#[test]
fn encrypted_to_several() {
    let lab = lab();
    lab.ok("encrypt -r carol.crt -r dave.pub -o m.p7m m");
    for (who, more) in [("carol", ""), ("carol", "-c carol.crt"), ("dave", "")] {
        lab.ok(&format!("decrypt -k {who}.key {more} -o back m.p7m"));
        assert_eq!(lab.read("back"), lab.read("m"));
        assert_eq!(support::mode(&lab.path("back")), 0o600);
        std::fs::remove_file(lab.path("back")).unwrap();
    }
    let text = lab.fails(1, "decrypt -k alice.key -o back m.p7m");
    assert!(text.contains("not decrypted"), "{text}");
    lab.fails(1, "decrypt -k dave.key -c carol.crt -o back m.p7m");
    lab.ok("encrypt -r carol.crt --enveloped -o cbc.p7m m");
    let done = lab.gmkit("decrypt -k carol.key cbc.p7m");
    assert_eq!(done.stdout, "the message\n");
    assert!(done.stderr.contains("nothing protects this message"), "{}", done.stderr);
    // A signed message, encrypted: the one inside the other.
    lab.ok(&format!("{ALICE} --attach -o inner m"));
    lab.ok("encrypt -r carol.crt -o outer inner");
    lab.ok("decrypt -k carol.key -o inner2 outer");
    lab.ok("verify --ca ca.crt -s inner2 -o back");
    assert_eq!(lab.read("back"), lab.read("m"));
    let text = lab.fails(1, "decrypt -k carol.key --ca ca.crt -o x outer");
    assert!(text.contains("nobody has signed it"), "{text}");
}

#[test]
fn pem_is_read() {
    let lab = lab();
    lab.ok(&format!("{ALICE} --attach -o m.p7m m"));
    for label in ["CMS", "PKCS7"] {
        let pem =
            pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::CRLF, &lab.read("m.p7m"));
        lab.write("m.pem", pem.unwrap());
        lab.ok("verify --ca ca.crt -s m.pem -o back");
    }
    lab.fails(2, "verify --ca ca.crt -s alice.crt m");
}

#[test]
fn bad_input() {
    let lab = lab();
    lab.ok(&format!("{ALICE} -o m.p7s m"));
    lab.ok(&format!("{ALICE} --attach -o m.p7m m"));
    lab.ok("sign -k alice.key -o m.sig m");
    lab.ok("encrypt -r carol.crt -o m.enc m");
    lab.write("empty", "");
    lab.write("attributes", hex::decode("310d300b06092a864886f70d010903").unwrap());
    let message = lab.read("m.p7s");
    lab.write("cut", &message[..message.len() - 1]);
    lab.write("long", [&message[..], b"x"].concat());
    let encrypted = lab.read("m.enc");
    lab.write("cut.enc", &encrypted[..encrypted.len() - 1]);
    for (line, said) in [
        ("verify --ca ca.crt -s cut m", "it ends too early"),
        ("verify --ca ca.crt -s long m", "something follows it"),
        ("verify --ca ca.crt -s empty m", ""),
        ("verify --ca ca.crt -s m.p7s", "name the file"),
        ("verify --ca ca.crt -s m.p7s -o x m", "there is none in it"),
        ("verify --ca ca.crt -s m.enc m", "it is encrypted, not signed"),
        ("verify --ca ca.crt -s m.sig m", "does not say whose it is"),
        ("verify -p alice.pub --allow-bare -s m.sig m", "--allow-bare is for CMS messages"),
        ("verify -p alice.pub -s m.sig", "name the signed file"),
        ("verify -p alice.pub --ca ca.crt -s m.p7s m", "cannot be used with"),
        ("verify -s m.p7s m", "required"),
        ("verify --ca ca.crt -s m.p7s missing", "missing"),
        ("decrypt -k carol.key -o x m.p7m", "it is signed, not encrypted"),
        ("decrypt -k carol.key -o x cut.enc", "it ends too early"),
        ("decrypt -k carol.key -o x empty", ""),
        ("decrypt -k carol.key -o carol.key m.enc", "is the key that is being used"),
        ("sign -k alice.key -f cms -o x m", "give -c"),
        ("sign -k alice.key --attach -o x m", "give -c"),
        ("sign -k alice.key -c bob.crt -o x m", "does not belong"),
        ("sign -k alice.key -c m -o x m", "no certificate"),
        ("sign -k alice.key -c alice.crt --cosign m.enc -o x m", "it is encrypted"),
        ("sign -k alice.key -o x attributes", "signed attributes of a CMS message"),
        ("encrypt -r carol.crt -r dave.crt -f sm2 -o x m", "one recipient"),
        ("encrypt -r carol.crt --dialect gmt0010 -o x m", "--enveloped"),
        ("encrypt -r carol.crt --layout c1c3c2 -o x m", "-f sm2"),
        ("encrypt -r m -o x m", ""),
        ("encrypt -o x m", "required"),
    ] {
        let text = lab.fails(2, line);
        assert!(text.contains(said), "{line}: {text}");
    }
    for (line, said) in [
        ("sign -k carol.key -c carol.crt -o x m", "not for digitalSignature"),
        ("encrypt -r alice.crt -o x m", "not for keyEncipherment"),
    ] {
        let text = lab.fails(1, line);
        assert!(text.contains(said), "{line}: {text}");
    }
}

#[test]
fn a_wrong_tag_leaves_no_plaintext() {
    let lab = lab();
    lab.sparse("big", 20 << 20);
    lab.ok("encrypt -r carol.crt -o big.enc big");
    let mut message = lab.read("big.enc");
    *message.last_mut().unwrap() ^= 1;
    lab.write("big.enc", &message);
    lab.fails(1, "decrypt -k carol.key -o back big.enc");
    let done = lab.gmkit("decrypt -k carol.key big.enc");
    assert_eq!((done.code, done.stdout.len()), (2, 0), "more than 16 MiB is not held back");
    lab.ok("encrypt -r carol.crt -o m.enc m");
    let mut message = lab.read("m.enc");
    *message.last_mut().unwrap() ^= 1;
    lab.write("m.enc", &message);
    let done = lab.gmkit("decrypt -k carol.key m.enc");
    assert_eq!((done.code, done.stdout.len()), (1, 0));
}
