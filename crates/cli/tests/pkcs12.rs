//! Keys and certificates in one file: what OpenSSL 3 and 4 and Tongsuo write is read, what gmkit writes is read by
//! them, and a `.sm2` file in the form of CFCA is read. `cargo xtask test` has built the peers.

mod support;

use support::{Lab, built_peer};

fn lab() -> Lab {
    let lab = Lab::empty();
    lab.write("pass", "密码 pass\n");
    lab.ok("keygen -o ca.key --no-passphrase");
    lab.ok("cert ca -k ca.key --subject C=CN,CN=CA -o ca.crt");
    lab.ok("keygen -o a.key --no-passphrase");
    lab.ok("cert csr -k a.key --subject C=CN,CN=Alice -o a.csr");
    lab.ok("cert issue --ca ca.crt -k ca.key --csr a.csr --profile sign -o a.crt");
    lab.write("chain", [lab.read("a.crt"), lab.read("ca.crt")].concat());
    lab
}

const IMPORT: &str = "pkcs12 import --password-file pass --no-passphrase -o got.key -c got.crt";

/// Takes a file apart, which must hold the key and the chain.
fn import(lab: &Lab, file: &str) {
    let said = lab.ok(&format!("{IMPORT} {file}"));
    assert!(said.contains("certificate: C=CN, CN=Alice\n"), "{said}");
    assert_eq!(support::mode(&lab.path("got.key")), 0o600);
    assert_eq!(lab.ok("pubkey -k got.key"), lab.ok("pubkey -k a.key"), "{file}");
    std::fs::remove_file(lab.path("got.key")).unwrap();
}

#[test]
fn files_of_others() {
    let lab = lab();
    let national = "-keypbe sm4-cbc -certpbe sm4-cbc -macalg sm3";
    let peers = [
        ("openssl4", built_peer("openssl4")),
        ("tongsuo", built_peer("tongsuo")),
        ("openssl3", "openssl".to_owned()),
    ];
    for (name, openssl) in &peers {
        let mut forms = vec!["", national, "-certpbe NONE", "-iter 1 -macalg sha512"];
        if *name == "openssl4" {
            forms.extend(["-pbmac1_pbkdf2", "-pbmac1_pbkdf2 -macalg sha512"]);
        }
        for form in forms {
            lab.peer(&format!(
                "{openssl} pkcs12 -export -inkey a.key -in chain -passout file:pass -name Alice {form} -out x.p12"
            ));
            import(&lab, "x.p12");
            assert_eq!(lab.read("got.crt"), lab.read("chain"), "{name} {form}");
            lab.write("other", "other\n");
            let line = "pkcs12 import --password-file other --no-passphrase -o new.key x.p12";
            let text = lab.fails(2, line);
            assert!(text.contains("wrong passphrase"), "{text}");
        }
        // Without a MAC nothing says that it is whole; the ciphers of old are not read.
        lab.peer(&format!("{openssl} pkcs12 -export -inkey a.key -in chain -passout file:pass -nomac -out bare.p12"));
        let text = lab.fails(2, &format!("{IMPORT} bare.p12"));
        assert!(text.contains("not protected by a MAC"), "{text}");
    }
    lab.peer(
        "openssl pkcs12 -export -inkey a.key -in chain -passout file:pass -legacy -out old.p12",
    );
    let text = lab.fails(2, &format!("{IMPORT} old.p12"));
    assert!(text.contains("is not PBES2"), "{text}");
}

#[test]
fn read_by_others() {
    let lab = lab();
    for (format, peers) in [
        ("compat", vec![built_peer("openssl4"), built_peer("tongsuo"), "openssl".to_owned()]),
        ("openssl4", vec![built_peer("openssl4"), built_peer("tongsuo")]),
    ] {
        let file = format!("{format}.p12");
        lab.ok(&format!(
            "pkcs12 export -k a.key -c chain --password-file pass --name Alice --format {format} -o {file}"
        ));
        assert_eq!(support::mode(&lab.path(&file)), 0o600);
        for openssl in peers {
            let read = format!("{openssl} pkcs12 -in {file} -passin file:pass -nodes");
            let shown = lab.peer(&read);
            assert_eq!(shown.matches("BEGIN CERTIFICATE").count(), 2, "{shown}");
            assert!(shown.contains("friendlyName: Alice") && shown.contains("BEGIN PRIVATE KEY"));
            let mut twin = lab.read(&file);
            let at = twin.len() / 2;
            twin[at] ^= 1;
            lab.write("twin.p12", twin);
            let refused = lab.peer_done(&read.replace(&file, "twin.p12"));
            assert_ne!(refused.code, 0, "{}", refused.stdout);
        }
        import(&lab, &file);
    }
}

#[test]
fn the_file_of_cfca() {
    let lab = lab();
    let script = format!("{}/tests/cms_peers/pieces.py", env!("CARGO_MANIFEST_DIR"));
    let run = format!(
        "exec {} {script} file '{}' a.key a.crt 123456 a.sm2\n",
        built_peer("python"),
        built_peer("openssl4")
    );
    lab.write("make.sh", run);
    lab.peer("sh make.sh");
    lab.write("pass", "123456\n");
    import(&lab, "a.sm2");
    let text = String::from_utf8(lab.read("a.sm2")).unwrap();
    lab.write("armoured.sm2", format!("-----BEGIN CFCA KEY-----\n{text}-----END CFCA KEY-----\n"));
    import(&lab, "armoured.sm2");
    lab.write("pass", "123457\n");
    let text = lab.fails(2, &format!("{IMPORT} a.sm2").replace("got", "new"));
    assert!(text.contains("wrong passphrase"), "{text}");
}

#[test]
fn bad_input() {
    let lab = lab();
    lab.ok("pkcs12 export -k a.key -c chain --password-file pass -o a.p12");
    lab.write("empty", "");
    lab.write("blank", "\n");
    let file = lab.read("a.p12");
    lab.write("cut", &file[..file.len() - 1]);
    for (line, said) in [
        (format!("{IMPORT} empty"), "CFCA .sm2 file"),
        (format!("{IMPORT} cut"), "not one value in DER"),
        (format!("{IMPORT} ca.crt"), ""),
        (format!("{IMPORT} chain"), ""),
        ("pkcs12 export -k a.key -c chain --password-file pass -o a.p12".to_owned(), "exists"),
        (
            "pkcs12 export -k a.key -c ca.crt --password-file pass -o x".to_owned(),
            "does not belong",
        ),
        ("pkcs12 export -k a.key -c chain --password-file blank -o x".to_owned(), "empty"),
        ("pkcs12 export -k a.key -c chain --password-file pass -o a.key".to_owned(), "being used"),
        (
            "pkcs12 import --password-file pass --no-passphrase -o x -c x a.p12".to_owned(),
            "named twice",
        ),
        ("pkcs12 import --password-file pass --no-passphrase -o a.key a.p12".to_owned(), "exists"),
    ] {
        let text = lab.fails(2, &line);
        assert!(text.contains(said), "{line}: {text}");
    }
}
