//! CMS messages of gmkit, OpenSSL 4, Tongsuo 8.5, GmSSL 3.1.1, and in the forms of gmsm and CFCA: each is read
//! by every other that knows the form, and twins with one bit changed are refused. `cargo xtask test` has
//! built the peers. What cannot be read, and why, is in the tables below.

mod support;

use std::fmt::Write;

use support::{Done, Lab, built_peer};

const CONTENT: &str = "合同 / pay Bob 100 yuan\n";

/// Makes messages, or reads them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Peer {
    Gmkit,
    OpenSsl4,
    Tongsuo,
    GmSsl,
    /// The forms of gmsm and CFCA, by `pieces.py`.
    Pieces,
}

const PEERS: [Peer; 5] = [Peer::Gmkit, Peer::OpenSsl4, Peer::Tongsuo, Peer::GmSsl, Peer::Pieces];

/// A kind of message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Attached,
    Detached,
    GmAttached,
    GmDetached,
    WithoutAttributes,
    Enveloped,
    GmEnveloped,
    AuthEnveloped,
    SignedAndEnveloped,
}

const FORMS: [Form; 9] = [
    Form::Attached,
    Form::Detached,
    Form::GmAttached,
    Form::GmDetached,
    Form::WithoutAttributes,
    Form::Enveloped,
    Form::GmEnveloped,
    Form::AuthEnveloped,
    Form::SignedAndEnveloped,
];

impl Form {
    fn is_encrypted(self) -> bool {
        use Form::{AuthEnveloped, Enveloped, GmEnveloped, SignedAndEnveloped};
        matches!(self, Enveloped | GmEnveloped | AuthEnveloped | SignedAndEnveloped)
    }

    fn is_detached(self) -> bool {
        matches!(self, Self::Detached | Self::GmDetached)
    }
}

const NO_SM2_RECIPIENTS: &str = "encrypts to no SM2 key";
const NO_GM_OIDS: &str = "knows the OIDs of RFC 5652 only";
const NO_RFC_OIDS: &str = "knows the OIDs of GB/T 35275 only";
const NO_ATTRIBUTES: &str = "hashes content and attributes in one, without Z";

impl Peer {
    /// Why it makes nothing of a form.
    fn makes_none(self, form: Form) -> Option<&'static str> {
        use Form as F;
        match (self, form) {
            (Self::Gmkit, F::WithoutAttributes) => Some("always signs attributes"),
            (Self::Gmkit, F::SignedAndEnveloped) => Some("writes one thing in another instead"),
            (Self::Gmkit, _) => None,
            (Self::OpenSsl4 | Self::Tongsuo, F::Attached | F::Detached | F::WithoutAttributes) => {
                None
            }
            (Self::OpenSsl4 | Self::Tongsuo, F::GmAttached | F::GmDetached) => Some(NO_GM_OIDS),
            (Self::OpenSsl4 | Self::Tongsuo, _) => Some(NO_SM2_RECIPIENTS),
            (Self::GmSsl, F::WithoutAttributes | F::GmEnveloped) => None,
            (Self::GmSsl, F::GmAttached | F::GmDetached) => Some(NO_ATTRIBUTES),
            (Self::GmSsl, F::SignedAndEnveloped) => Some("has no certificate option for both"),
            (Self::GmSsl, _) => Some(NO_RFC_OIDS),
            (Self::Pieces, F::WithoutAttributes | F::GmEnveloped | F::SignedAndEnveloped) => None,
            (Self::Pieces, _) => Some("as the peers before"),
        }
    }

    /// Why it does not read a form of a maker.
    fn reads_none(self, maker: Self, form: Form) -> Option<&'static str> {
        use Form as F;
        let own = self == maker;
        match (self, form) {
            (Self::Gmkit, _) => None,
            (Self::OpenSsl4 | Self::Tongsuo, F::Attached | F::Detached) => None,
            (Self::OpenSsl4 | Self::Tongsuo, F::WithoutAttributes)
                if matches!(maker, Self::OpenSsl4 | Self::Tongsuo) =>
            {
                None
            }
            (
                Self::OpenSsl4 | Self::Tongsuo,
                F::GmAttached | F::GmDetached | F::WithoutAttributes,
            ) => Some(NO_GM_OIDS),
            (Self::OpenSsl4 | Self::Tongsuo, _) => Some(NO_SM2_RECIPIENTS),
            (Self::GmSsl, F::WithoutAttributes) if own => None,
            (Self::GmSsl, F::GmEnveloped) if own || maker == Self::Gmkit => None,
            (Self::GmSsl, F::GmEnveloped) => Some("asks for the OID of the key exchange"),
            (Self::GmSsl, F::GmAttached | F::GmDetached) => Some(NO_ATTRIBUTES),
            (Self::GmSsl, F::WithoutAttributes) => Some("another hash than GmSSL's"),
            (Self::GmSsl, _) => Some(NO_RFC_OIDS),
            (Self::Pieces, F::Enveloped | F::GmEnveloped | F::AuthEnveloped)
                if maker == Self::Gmkit =>
            {
                None
            }
            (Self::Pieces, _) => Some("opens what gmkit encrypts"),
        }
    }
}

/// An authority; somebody who signs, and somebody who is encrypted to, with keys in two forms.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("m", CONTENT);
    lab.write("pass", "secret\n");
    lab.ok("keygen -o ca.key --no-passphrase");
    lab.ok("cert ca -k ca.key --subject C=CN,CN=CA -o ca.crt");
    for (name, profile) in [("sign", "sign"), ("enc", "encrypt")] {
        lab.ok(&format!("keygen -o {name}.gmssl --passphrase-file pass --key-format gmssl"));
        // The same key without a passphrase: nobody else reads what GmSSL reads.
        lab.ok(&format!(
            "envelope seal -k {name}.gmssl --passphrase-file pass -r pub.pem -o {name}.env"
        ));
        lab.ok(&format!("envelope open -k key.pem --no-passphrase -o {name}.key {name}.env"));
        lab.ok(&format!("cert csr -k {name}.key --subject C=CN,CN={name} -o {name}.csr"));
        lab.ok(&format!(
            "cert issue --ca ca.crt -k ca.key --csr {name}.csr --profile {profile} -o {name}.crt"
        ));
    }
    lab
}

/// Writes a message to `file`, in DER.
fn make(lab: &Lab, maker: Peer, form: Form, file: &str) {
    match maker {
        Peer::Gmkit => make_own(lab, form, file),
        Peer::OpenSsl4 | Peer::Tongsuo => {
            let openssl = openssl(maker);
            let detail = match form {
                Form::Attached => "-nodetach",
                Form::Detached => "",
                _ => "-nodetach -noattr",
            };
            lab.peer(&format!(
                "{openssl} cms -sign -binary {detail} -md sm3 -signer sign.crt -inkey sign.key \
                 -outform DER -in m -out {file}"
            ));
        }
        Peer::GmSsl => {
            let gmssl = built_peer("gmssl");
            lab.peer(&match form {
                Form::GmEnveloped => format!("{gmssl} cmsencrypt -rcptcert enc.crt -in m -out {file}.pem"),
                _ => format!("{gmssl} cmssign -key sign.gmssl -pass secret -cert sign.crt -in m -out {file}.pem"),
            });
            let (_, der) = pem_rfc7468::decode_vec(&lab.read(&format!("{file}.pem"))).unwrap();
            lab.write(file, der);
        }
        Peer::Pieces => {
            let openssl4 = built_peer("openssl4");
            let run = |args: &str| pieces(lab, &openssl4, args);
            match form {
                Form::GmEnveloped => run(&format!("seal {{}} gmsm enc.crt m {file}")),
                Form::SignedAndEnveloped => {
                    run(&format!("both {{}} sign.key sign.crt enc.crt m {file}"));
                }
                _ => run(&format!("gmsm {{}} sign.key sign.crt m {file}")),
            }
        }
    }
}

fn openssl(peer: Peer) -> String {
    built_peer(if peer == Peer::OpenSsl4 { "openssl4" } else { "tongsuo" })
}

/// Runs `pieces.py`; `{}` stands for OpenSSL 4's command line, which is one argument.
fn pieces(lab: &Lab, openssl4: &str, args: &str) {
    let script = format!("{}/tests/cms_peers/pieces.py", env!("CARGO_MANIFEST_DIR"));
    let args = args.replace("{}", &format!("'{openssl4}'"));
    lab.write("pieces.sh", format!("exec {} {script} {args}\n", built_peer("python")));
    lab.peer("sh pieces.sh");
}

fn make_own(lab: &Lab, form: Form, file: &str) {
    let sign = "sign -k sign.key -c sign.crt";
    let line = match form {
        Form::Attached => format!("{sign} --attach"),
        Form::Detached => sign.to_owned(),
        Form::GmAttached => format!("{sign} --attach --dialect gmt0010"),
        Form::GmDetached => format!("{sign} --dialect gmt0010"),
        Form::Enveloped => "encrypt -r enc.crt --enveloped".to_owned(),
        Form::GmEnveloped => "encrypt -r enc.crt --enveloped --dialect gmssl".to_owned(),
        Form::AuthEnveloped => "encrypt -r enc.crt".to_owned(),
        Form::WithoutAttributes | Form::SignedAndEnveloped => unreachable!("not made"),
    };
    lab.ok(&format!("{line} -o {file} m"));
}

/// Whether a reader accepts a message, and gets the content.
fn accepts(lab: &Lab, reader: Peer, form: Form, file: &str) -> bool {
    let content = if form.is_detached() { "m" } else { "out" };
    let _ = std::fs::remove_file(lab.path("out"));
    let done = match reader {
        Peer::Gmkit => own(lab, form, file),
        Peer::OpenSsl4 | Peer::Tongsuo => {
            let detached = if form.is_detached() { "-content m" } else { "" };
            // -cades: the signed certificate attribute is looked at, too.
            let cades = if file.starts_with("gmkit") { "-cades" } else { "" };
            lab.peer_done(&format!(
                "{} cms -verify -binary {cades} -inform DER -CAfile ca.crt -in {file} {detached} -out out",
                openssl(reader)
            ))
        }
        Peer::GmSsl => {
            let der = lab.read(file);
            let pem = pem_rfc7468::encode_string("CMS", pem_rfc7468::LineEnding::LF, &der);
            lab.write("in.pem", pem.unwrap());
            let gmssl = built_peer("gmssl");
            lab.peer_done(&match form {
                Form::GmEnveloped => format!(
                    "{gmssl} cmsdecrypt -key enc.gmssl -pass secret -cert enc.crt -in in.pem -out out"
                ),
                _ => format!("{gmssl} cmsverify -in in.pem -out out"),
            })
        }
        Peer::Pieces => {
            pieces(lab, &built_peer("openssl4"), &format!("open {{}} enc.key {file} out"));
            Done { code: 0, stdout: String::new(), stderr: String::new() }
        }
    };
    let good = done.code == 0 && !done.stderr.contains("error");
    good && lab.path(content).exists() && lab.read(content) == CONTENT.as_bytes()
}

fn own(lab: &Lab, form: Form, file: &str) -> Done {
    match form {
        Form::SignedAndEnveloped => {
            lab.gmkit(&format!("decrypt -k enc.key --ca ca.crt -o out {file}"))
        }
        form if form.is_encrypted() => lab.gmkit(&format!("decrypt -k enc.key -o out {file}")),
        form if form.is_detached() => lab.gmkit(&format!("verify --ca ca.crt -s {file} m")),
        Form::WithoutAttributes if file.starts_with("Pieces") => {
            lab.gmkit(&format!("verify --ca ca.crt -s {file} -o out"))
        }
        Form::WithoutAttributes => {
            let refused = lab.gmkit(&format!("verify --ca ca.crt -s {file} -o out"));
            assert_eq!(refused.code, 1, "{file}: bare signatures are for those who ask");
            lab.gmkit(&format!("verify --allow-bare --ca ca.crt -s {file} -o out"))
        }
        _ => lab.gmkit(&format!("verify --ca ca.crt -s {file} -o out")),
    }
}

/// Where a bit is changed: in the content, the hash of it that is signed, the signature or the end of the
/// ciphertext or tag, the key that is encrypted, the signer's certificate.
fn places(message: &[u8], form: Form) -> Vec<(&'static str, usize)> {
    let find = |needle: &[u8]| message.windows(needle.len()).position(|part| part == needle);
    let mut places = vec![("the end", message.len() - 1)];
    let digest = hex::decode(rc_sm3(CONTENT.as_bytes())).unwrap();
    let common = |name: &[u8]| find(name).map(|at| at + 2);
    for (name, place) in [
        ("the content", find(CONTENT.as_bytes())),
        ("the hash", find(&digest)),
        (
            "the OID of data",
            if form.is_encrypted() {
                None
            } else {
                find(&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 7, 1]).map(|at| at + 10)
            },
        ),
        ("the name", if form.is_encrypted() { None } else { common(b"sign") }),
        (
            "the encrypted key",
            if form.is_encrypted() { find(&[4, 0x20]).map(|at| at + 20) } else { None },
        ),
    ] {
        places.extend(place.map(|place| (name, place)));
    }
    places
}

fn rc_sm3(content: &[u8]) -> String {
    let lab = Lab::empty();
    lab.write("m", content);
    let printed = lab.peer("openssl dgst -sm3 -r m");
    printed.split(' ').next().unwrap().to_owned()
}

fn cell(lab: &Lab, maker: Peer, reader: Peer, form: Form) -> String {
    if let Some(why) = maker.makes_none(form).or_else(|| reader.reads_none(maker, form)) {
        return format!("- ({why})");
    }
    let file = format!("{maker:?}.{form:?}");
    if !lab.path(&file).exists() {
        make(lab, maker, form, &file);
    }
    let mut faults = Vec::new();
    if !accepts(lab, reader, form, &file) {
        faults.push("refused".to_owned());
    }
    let original = lab.read(&file);
    let unprotected = matches!(form, Form::Enveloped | Form::GmEnveloped);
    for (place, at) in places(&original, form) {
        let looks = match (reader, place) {
            (Peer::Gmkit, _) => true,
            (Peer::Pieces, _) => false,
            // They do not compare the content's type with the one that is signed.
            (Peer::OpenSsl4 | Peer::Tongsuo, "the OID of data") => false,
            // It looks at nobody's certificate.
            (Peer::GmSsl, "the name") => false,
            (Peer::GmSsl, "the end") => !unprotected,
            _ => true,
        };
        if !looks {
            continue;
        }
        let mut twin = original.clone();
        twin[at] ^= 1;
        let name = format!("{file}.twin");
        lab.write(&name, twin);
        if accepts(lab, reader, form, &name) {
            faults.push(format!("{place} changed and accepted"));
        }
    }
    if faults.is_empty() { "ok".to_owned() } else { faults.join(", ") }
}

#[test]
fn everybody_reads_what_everybody_makes() {
    let lab = lab();
    let (mut table, mut faults, mut good) = (String::new(), 0, 0);
    for form in FORMS {
        writeln!(table, "{form:?}").unwrap();
        for maker in PEERS {
            for reader in PEERS {
                let cell = cell(&lab, maker, reader, form);
                good += usize::from(cell == "ok");
                faults += usize::from(!(cell == "ok" || cell.starts_with('-')));
                writeln!(table, "  {maker:<10?} -> {reader:<10?} {cell}").unwrap();
            }
        }
    }
    println!("{table}");
    assert_eq!(faults, 0, "{table}");
    assert_eq!(good, 40, "{table}");
}

/// CFCA names recipients by their key, writes keys raw, in the order of before 2012, without the first byte of
/// the point, and SM4 without a mode.
#[test]
fn the_form_of_cfca() {
    let lab = lab();
    for _ in 0..4 {
        pieces(&lab, &built_peer("openssl4"), "seal {} cfca enc.crt m cfca.p7m");
        lab.ok("decrypt -k enc.key -c enc.crt -o out cfca.p7m");
        assert_eq!(lab.read("out"), CONTENT.as_bytes());
    }
}

/// A time stamp of Tongsuo's command (OpenSSL 4's signs none with SM2) says when a signature was there.
#[test]
fn a_time_stamp_of_tongsuo() {
    let lab = lab();
    let tongsuo = built_peer("tongsuo");
    lab.write(
        "ts.cnf",
        "[t]\nserial=serial\nsigner_digest=sm3\ndefault_policy=1.2.3.4\ndigests=sm3\ness_cert_id_alg=sha256\n\
         [req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=TSA\n\
         [tsa]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n",
    );
    lab.write("serial", "01\n");
    let id = "-sm3 -sigopt distid:1234567812345678";
    lab.ok("keygen -o tsa.key --no-passphrase");
    lab.peer(&format!("{tongsuo} req -config ts.cnf -new -key tsa.key {id} -out tsa.csr"));
    lab.peer(&format!(
        "{tongsuo} x509 -req -in tsa.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 {id} -extfile ts.cnf \
         -extensions tsa -out tsa.crt"
    ));
    make(&lab, Peer::Gmkit, Form::Attached, "m.p7m");
    let piece = |args: &str| pieces(&lab, "", args);
    piece("value m.p7m value");
    lab.peer(&format!("{tongsuo} ts -query -config ts.cnf -data value -sm3 -cert -out query"));
    lab.peer(&format!(
        "{tongsuo} ts -reply -config ts.cnf -section t -queryfile query -signer tsa.crt -inkey tsa.key -token_out -out token"
    ));
    piece("stamp token m.p7m stamped");
    let said = lab.ok("verify --ca ca.crt --tsa-ca ca.crt -s stamped");
    assert!(said.contains("signed before 20") && said.contains("CN=TSA has stamped it"), "{said}");
    let said = lab.ok("verify --ca ca.crt -s stamped");
    assert!(said.contains("there is a time stamp, which was not looked at"), "{said}");
    // Of another signature, and one that was changed.
    make(&lab, Peer::Gmkit, Form::GmAttached, "other.p7m");
    piece("stamp token other.p7m elsewhere");
    let mut token = lab.read("token");
    *token.last_mut().unwrap() ^= 1;
    lab.write("token", token);
    piece("stamp token m.p7m changed");
    for message in ["elsewhere", "changed"] {
        let said = lab.ok(&format!("verify --ca ca.crt --tsa-ca ca.crt -s {message}"));
        assert!(said.contains("a time stamp does not count"), "{said}");
    }
}
