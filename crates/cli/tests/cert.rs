//! `gmkit cert`: an authority's life, as its people type it.

mod support;

use serde_json::Value;
use support::Lab;

/// A root, an authority below it, and a server's certificate with its chain in `chain.pem`.
fn authority() -> Lab {
    let lab = Lab::empty();
    for key in ["root", "sub", "a"] {
        lab.ok(&format!("keygen -o {key}.key --no-passphrase"));
    }
    lab.ok("cert ca -k root.key --subject CN=Root,C=CN -o root.pem");
    lab.ok("cert csr -k sub.key --subject CN=Sub,C=CN -o sub.csr");
    lab.ok("cert issue --ca root.pem -k root.key --db root.db --csr sub.csr --profile ca --path-len 0 --days 900 -o sub.pem");
    lab.ok("cert csr -k a.key --subject CN=a,C=CN --san DNS:a.example,IP:127.0.0.1 -o a.csr");
    issue(&lab, "a.pem", "");
    lab.write("chain.pem", [lab.read("a.pem"), lab.read("sub.pem")].concat());
    lab
}

fn issue(lab: &Lab, output: &str, more: &str) {
    lab.ok(&format!(
        "cert issue --ca sub.pem -k sub.key --db sub.db --csr a.csr -o {output} {more}"
    ));
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn serial(lab: &Lab, certificate: &str) -> String {
    json(&lab.ok(&format!("cert show --json {certificate}")))["serial"].as_str().unwrap().to_owned()
}

#[test]
fn a_chain_is_issued_shown_and_checked() {
    let lab = authority();
    let text = lab.ok("cert show chain.pem");
    for part in
        ["CN=a, C=CN", "DNS:a.example, IP:127.0.0.1", "364 days left", "sign (digitalSignature)"]
    {
        assert!(
            text.contains(part) || part.starts_with("364") && text.contains("365 days left"),
            "{part}: {text}"
        );
    }
    assert!(lab.ok("cert show a.csr").contains("its signature is good"));
    let shown = json(&lab.ok("cert show --json a.pem"));
    assert_eq!(shown["issuer"], "CN=Sub, C=CN");
    assert_eq!(shown["extensions"]["extended_key_usage"][0], "serverAuth");
    assert_eq!(shown["public_key"]["pem"], lab.ok("pubkey -k a.key"));

    let text = lab.ok("cert verify --ca root.pem --name a.example chain.pem");
    assert!(text.contains("trusted is CN=Root, C=CN"), "{text}");
    let verdict = json(&lab.ok("cert verify --ca root.pem --untrusted sub.pem --json a.pem"));
    assert_eq!(
        (&verdict["trusted"], verdict["chain"].as_array().unwrap().len()),
        (&Value::Bool(true), 3)
    );
    let said = lab.fails(1, "cert verify --ca root.pem a.pem");
    assert!(said.contains("nobody who is trusted vouches for the issuer CN=Sub, C=CN"), "{said}");
    let said = lab.fails(1, "cert verify --ca root.pem --name b.example chain.pem");
    assert!(said.contains("not for b.example, but for DNS:a.example"), "{said}");
    let said = lab.fails(1, "cert verify --ca root.pem --purpose tls-client chain.pem");
    assert!(said.contains("extended key usages"), "{said}");
    let said = lab.fails(1, "cert verify --ca root.pem --at 2060-01-01T00:00:00Z chain.pem");
    assert!(said.contains("has expired on"), "{said}");
    assert!(
        lab.gmkit("cert verify --ca root.pem --id alice --json chain.pem")
            .stdout
            .contains("\"trusted\":false")
    );
}

#[test]
fn the_pair_of_a_national_deployment() {
    let lab = authority();
    issue(&lab, "sign.pem", "--gen-enc --enc-out enc.pem --enc-key-out enc.env");
    let [sign, enc] =
        ["sign", "enc"].map(|name| json(&lab.ok(&format!("cert show --json {name}.pem"))));
    assert_eq!(sign["subject"], enc["subject"]);
    assert_ne!(sign["serial"], enc["serial"]);
    assert_eq!(enc["extensions"]["key_usage"].as_array().unwrap().len(), 3);
    lab.ok("envelope open -k a.key --no-passphrase -o enc.key enc.env");
    assert_eq!(enc["public_key"]["pem"], lab.ok("pubkey -k enc.key"));
    lab.ok("cert verify --ca root.pem --untrusted sub.pem --purpose encrypt enc.pem");
    let said = lab.fails(1, "cert verify --ca root.pem --untrusted sub.pem --purpose sign enc.pem");
    assert!(said.contains("not for digitalSignature or nonRepudiation"), "{said}");

    lab.ok("cert csr -k enc.key --subject CN=a,C=CN -o enc.csr");
    issue(&lab, "sign2.pem", "--enc-csr enc.csr --enc-out enc2.pem");
    assert_eq!(json(&lab.ok("cert show --json enc2.pem"))["public_key"], enc["public_key"]);
    lab.ok("cert csr -k enc.key --subject CN=b,C=CN -o other.csr");
    let said = lab.fails(2, "cert issue --ca sub.pem -k sub.key --csr a.csr -o x.pem --enc-csr other.csr --enc-out y.pem");
    assert!(said.contains("one subject"), "{said}");
    assert_eq!(lab.ok("cert list --db sub.db").lines().count(), 5);
}

#[test]
fn revocation_by_list_and_by_ocsp() {
    let lab = authority();
    issue(&lab, "b.pem", "");
    lab.ok("cert crl --ca sub.pem -k sub.key --db sub.db -o sub.crl");
    lab.ok("cert verify --ca root.pem --crl sub.crl chain.pem");
    let said = lab.fails(1, "cert verify --ca root.pem --crl sub.crl --crl-all chain.pem");
    assert!(said.contains("nothing says whether"), "{said}");
    lab.ok("cert crl --ca root.pem -k root.key --db root.db -o root.crl");
    lab.ok("cert verify --ca root.pem --crl sub.crl --crl root.crl --crl-all chain.pem");

    let number = serial(&lab, "a.pem");
    lab.ok(&format!("cert revoke --db sub.db --serial {number} --reason keyCompromise"));
    let said = lab.fails(2, &format!("cert revoke --db sub.db --serial {number}"));
    assert!(said.contains("is revoked"), "{said}");
    lab.fails(2, "cert revoke --db sub.db --serial 01");
    lab.ok("cert crl --ca sub.pem -k sub.key --db sub.db -o sub.der");
    let shown = json(&lab.ok("cert show --json sub.der"));
    assert_eq!(
        (&shown["number"], &shown["revoked"][0]["serial"]),
        (&2.into(), &number.clone().into())
    );
    let said = lab.fails(1, "cert verify --ca root.pem --crl sub.der chain.pem");
    assert!(said.contains("was revoked"), "{said}");
    lab.ok("cert verify --ca root.pem --crl sub.der --untrusted sub.pem b.pem");
    assert!(lab.ok("cert list --db sub.db --json").contains("\"keyCompromise\""));

    // An authority that is revoked takes all below it along.
    let number = serial(&lab, "sub.pem");
    lab.ok(&format!("cert revoke --db root.db --serial {number}"));
    lab.ok("cert crl --ca root.pem -k root.key --db root.db -o root.crl");
    lab.fails(
        1,
        "cert verify --ca root.pem --crl sub.der --crl root.crl --untrusted sub.pem b.pem",
    );
}

#[test]
fn ocsp() {
    let lab = authority();
    issue(&lab, "b.pem", "");
    lab.ok("keygen -o o.key --no-passphrase");
    lab.ok("cert csr -k o.key --subject CN=Answers -o o.csr");
    lab.ok("cert issue --ca sub.pem -k sub.key --db sub.db --csr o.csr --profile ocsp -o o.pem");
    lab.ok(&format!(
        "cert revoke --db sub.db --serial {} --reason superseded",
        serial(&lab, "b.pem")
    ));
    for (answers, hash) in [("-k sub.key", "sm3"), ("-c o.pem -k o.key", "sha1")] {
        for name in ["a", "b"] {
            lab.ok(&format!(
                "cert ocsp request --ca sub.pem --hash {hash} -o {name}.req {name}.pem"
            ));
            lab.ok(&format!(
                "cert ocsp respond --ca sub.pem {answers} --db sub.db -o {name}.resp {name}.req"
            ));
        }
        assert_eq!(
            lab.ok("cert ocsp verify --ca sub.pem --request a.req --cert a.pem a.resp"),
            "a.pem: good\n"
        );
        let said =
            lab.fails(1, "cert ocsp verify --ca sub.pem --request b.req --cert b.pem b.resp");
        assert!(said.contains("REVOKED on") && said.contains("superseded"), "{said}");
        // Another's nonce, another's certificate, another's authority.
        lab.fails(1, "cert ocsp verify --ca sub.pem --request b.req --cert a.pem a.resp");
        lab.fails(1, "cert ocsp verify --ca sub.pem --cert b.pem a.resp");
        lab.fails(1, "cert ocsp verify --ca root.pem --cert a.pem a.resp");
        // A certificate with this number that the authority has not signed.
        let mut forged = pem_rfc7468::decode_vec(&lab.read("a.pem")).unwrap().1;
        *forged.last_mut().unwrap() ^= 1;
        lab.write("forged.der", forged);
        lab.fails(1, "cert ocsp verify --ca sub.pem --cert forged.der a.resp");
        assert!(
            lab.ok("cert verify --ca root.pem --ocsp a.resp chain.pem").contains("not revoked")
        );
        lab.fails(1, "cert verify --ca root.pem --untrusted sub.pem --ocsp b.resp b.pem");
        lab.fails(1, "cert verify --ca root.pem --untrusted sub.pem --ocsp a.resp b.pem");
    }
    // A certificate of the same authority that is not for this.
    let said =
        lab.fails(1, "cert ocsp respond --ca sub.pem -c a.pem -k a.key --db sub.db -o x a.req");
    assert!(said.contains("extended key usages"), "{said}");
}

#[test]
fn renewal() {
    let lab = authority();
    lab.ok("cert renew --ca sub.pem -k sub.key --db sub.db a.pem -o new.pem");
    let [old, new] =
        ["a", "new"].map(|name| json(&lab.ok(&format!("cert show --json {name}.pem"))));
    for field in ["subject", "public_key", "extensions", "issuer"] {
        assert_eq!(old[field], new[field], "{field}");
    }
    assert_ne!(old["serial"], new["serial"]);
    lab.ok("cert verify --ca root.pem --untrusted sub.pem --name a.example new.pem");
    lab.ok(&format!("cert revoke --db sub.db --serial {}", serial(&lab, "a.pem")));
    lab.fails(2, "cert renew --ca sub.pem -k sub.key --db sub.db a.pem -o newer.pem");
    // Not from here.
    lab.fails(2, "cert renew --ca sub.pem -k sub.key --db sub.db sub.pem -o newer.pem");
}

#[test]
fn bad_input() {
    let lab = authority();
    lab.write("noise", [0x30, 0x82, 0xff, 0xff, 1, 2, 3]);
    lab.write("empty", "");
    lab.write("pem", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n");
    for (line, said) in [
        ("cert show noise", "not one value in DER"),
        ("cert show empty", "there is no certificate in it"),
        ("cert show pem", "damaged PEM"),
        ("cert show missing", "No such file"),
        ("cert show a.key", "there is no certificate in it"),
        ("cert ca -k root.key --subject CN -o x", "not of the form TYPE=value"),
        ("cert ca -k root.key --subject C=CHN -o x", "two letters"),
        ("cert ca -k root.key --subject CN=a --days 0 -o x", "at least a day"),
        ("cert ca -k root.key --subject CN=a --days 4000000 -o x", "before 10000"),
        ("cert ca -k root.key --subject CN=a -o root.key", "key that is being used"),
        ("cert csr -k a.key --subject CN=a --san DNS:a..b -o x", "not a host name"),
        ("cert issue --ca sub.pem -k root.key --csr a.csr -o x", "does not belong"),
        ("cert issue --ca a.pem -k a.key --csr a.csr -o x", "may not sign certificates"),
        (
            "cert issue --ca sub.pem -k sub.key --csr a.pem -o x",
            "there is no certification request in it",
        ),
        ("cert issue --ca sub.pem -k sub.key --csr a.csr --days 2000 -o x", "not within the life"),
        ("cert issue --ca sub.pem -k sub.key --csr a.csr --profile ca -o x", "path length 0"),
        ("cert issue --ca sub.pem -k sub.key --csr a.csr --path-len 1 -o x", "are for authorities"),
        ("cert issue --ca sub.pem -k sub.key --csr sub.csr -o x", "needs a name"),
        ("cert issue --ca root.pem -k root.key --db sub.db --csr a.csr -o x", "another authority"),
        ("cert issue --ca sub.pem -k sub.key --csr a.csr --crl-url ftp:x -o x", "not an http"),
        ("cert verify --ca a.csr a.pem", "there is no certificate in it"),
        ("cert verify --ca root.pem --at yesterday a.pem", "not a time"),
        ("cert verify --ca root.pem --name a_b!c a.pem", "neither a host name"),
        ("cert verify --ca root.pem --crl a.pem a.pem", "there is no revocation list in it"),
        ("cert verify --ca root.pem --ocsp noise a.pem", "not one value in DER"),
        ("cert issue --ca sub.pem -k sub.key --csr a.csr -o x --enc-out y", "required"),
        (
            "cert issue --ca sub.pem -k sub.key --csr a.csr -o x --gen-enc --enc-out y --enc-key-out y",
            "one file",
        ),
        (
            "cert issue --ca root.pem -k root.key --csr a.csr --profile ca -o x --gen-enc --enc-out y --enc-key-out z",
            "a pair is for",
        ),
        (
            "cert issue --ca sub.pem -k sub.key --csr a.csr -o x --enc-csr a.csr --enc-out y",
            "two keys",
        ),
        ("cert crl --ca sub.pem -k sub.key --db typo -o x", "cannot use"),
        ("cert renew --ca sub.pem -k sub.key --db typo a.pem -o x", "cannot use"),
        ("cert crl --ca sub.pem -k sub.key --db root.db -o x", "another authority"),
        ("cert revoke --db missing --serial 01", "cannot use"),
        ("cert revoke --db sub.db --serial zz", "hexadecimal"),
        ("cert crl --ca sub.pem -k sub.key --db sub.db --days 0 -o x", "at least a day"),
        ("cert ocsp request --ca root.pem -o x a.pem", "somebody else"),
        (
            "cert ocsp respond --ca sub.pem -k sub.key --db sub.db -o x noise",
            "not one value in DER",
        ),
    ] {
        let text = lab.fails(2, line);
        assert!(text.contains(said), "{line}: {text}");
    }
    // A request whose signature is not that of its key.
    let csr = String::from_utf8(lab.read("a.csr")).unwrap();
    let (_, der) = pem_rfc7468::decode_vec(csr.as_bytes()).unwrap();
    let mut der = der;
    let at = der.windows(9).position(|part| part == b"a.example").unwrap();
    der[at] = b'b';
    lab.write("forged.csr", der);
    lab.fails(1, "cert issue --ca sub.pem -k sub.key --csr forged.csr -o x");
    // An index that was tampered with.
    let index = String::from_utf8(lab.read("sub.db/index.jsonl")).unwrap();
    for (broken, said) in [
        (index.replace("issued", "issuedd"), "line 2: not an event"),
        (format!("{index}{}", index.lines().last().unwrap().to_owned() + "\n"), "used twice"),
        ("x".repeat(2 << 20), "does not end"),
    ] {
        lab.write("sub.db/index.jsonl", broken);
        let text = lab.fails(2, "cert list --db sub.db");
        assert!(text.contains(said), "{text}");
    }
}

/// Signing documents is one thing, and serving a name another; authorities see what they grant.
#[test]
fn documents_and_names() {
    let lab = authority();
    issue(&lab, "sign.pem", "--profile sign");
    lab.ok("cert verify --ca root.pem --untrusted sub.pem --purpose sign sign.pem");
    for (line, said) in [
        ("--name a.example sign.pem", "extended key usages"),
        ("--purpose sign a.pem", "extended key usages"),
        ("--purpose tls-client sign.pem", "extended key usages"),
    ] {
        let text = lab.fails(1, &format!("cert verify --ca root.pem --untrusted sub.pem {line}"));
        assert!(text.contains(said), "{line}: {text}");
    }
    let text = lab.ok("cert issue --ca sub.pem -k sub.key --csr a.csr -o b.pem");
    assert!(
        text.contains("issued to CN=a, C=CN") && text.contains("DNS:a.example, IP:127.0.0.1"),
        "{text}"
    );
    let text = lab.ok("cert issue --ca sub.pem -k sub.key --csr a.csr --profile sign -o b.pem");
    assert!(text.contains("names: none"), "{text}");
    assert!(
        lab.ok("cert issue --ca sub.pem -k sub.key --csr a.csr")
            .starts_with("-----BEGIN CERTIFICATE")
    );
}

/// Certificates where a public key used to be.
#[test]
fn signatures_and_ciphertexts_by_certificate() {
    let lab = authority();
    lab.write("m", "message");
    lab.ok("sign -k a.key -o m.sig m");
    issue(&lab, "sign.pem", "--profile sign --gen-enc --enc-out enc.pem --enc-key-out enc.env");
    lab.write("signer.pem", [lab.read("sign.pem"), lab.read("sub.pem")].concat());
    let text = lab.ok("verify -c sign.pem -s m.sig m");
    assert!(text.contains("CN=a, C=CN") && text.contains("nobody vouched for it"), "{text}");
    let text = lab.ok("verify -c signer.pem --ca root.pem -s m.sig m");
    assert!(text.contains("CN=Root, C=CN (root.pem) vouches for the signer"), "{text}");
    assert!(
        lab.ok("verify -c signer.pem --ca root.pem -s m.sig m --json")
            .contains("\"signer\":\"CN=a, C=CN\"")
    );
    lab.write("other", "another message");
    lab.fails(1, "verify -c signer.pem --ca root.pem -s m.sig other");
    lab.fails(1, "verify -c sign.pem --ca root.pem -s m.sig m"); // nothing between
    lab.fails(1, "verify -c chain.pem --ca root.pem -s m.sig m"); // a server's
    lab.fails(1, "verify -c enc.pem -s m.sig m");
    lab.fails(1, "verify -c a.pem -s m.sig m"); // a server's
    let json = lab.gmkit("verify -c sign.pem -s m.sig other --json").stdout;
    assert!(json.contains("\"signer\":null") && json.contains("\"trust\":null"), "{json}");
    lab.fails(2, "verify -c sign.pem -p key.pem -s m.sig m");
    lab.fails(2, "verify -s m.sig m");
    lab.fails(2, "verify -p sign.pem -s m.sig m");
    lab.ok(&format!("cert revoke --db sub.db --serial {}", serial(&lab, "sign.pem")));
    lab.ok("cert crl --ca sub.pem -k sub.key --db sub.db -o sub.crl");
    lab.fails(1, "verify -c signer.pem --ca root.pem --crl sub.crl -s m.sig m");

    lab.ok("encrypt -r enc.pem -f sm2 -o m.enc m");
    lab.ok("envelope open -k a.key --no-passphrase -o enc.key enc.env");
    lab.ok("decrypt -k enc.key -o back m.enc");
    assert_eq!(lab.read("back"), b"message");
    let text = lab.fails(1, "encrypt -r sign.pem -f sm2 -o x m");
    assert!(text.contains("not for keyEncipherment"), "{text}");
    lab.write(
        "broken.pem",
        String::from_utf8(lab.read("enc.pem")).unwrap().replacen("MII", "MIJ", 1),
    );
    let text = lab.fails(2, "encrypt -r broken.pem -f sm2 -o x m");
    assert!(text.contains("malformed certificate"), "{text}");
}

#[test]
fn half_a_line_is_taken_away() {
    let lab = authority();
    let mut index = lab.read("sub.db/index.jsonl");
    index.extend_from_slice(b"{\"event\":\"revoked\",\"ser");
    lab.write("sub.db/index.jsonl", &index);
    issue(&lab, "b.pem", "");
    assert_eq!(lab.ok("cert list --db sub.db").lines().count(), 2);
}
