//! Certificates, chains, requests, revocation lists and OCSP responses: what each of gmkit, OpenSSL 4,
//! Tongsuo 8.5, OpenSSL 3 and GmSSL 3.1.1 makes, read and verified by every other that knows the form; and
//! twins with one bit changed, which all of them refuse. `cargo xtask test` has built the peers.

mod support;

use std::fmt::Write;

use support::{Lab, built_peer};

const ID: &str = "distid:1234567812345678";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Peer {
    Gmkit,
    OpenSsl4,
    Tongsuo,
    OpenSsl3,
    GmSsl,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Chain,
    Request,
    Crl,
    Ocsp,
}

const PEERS: [Peer; 5] = [Peer::Gmkit, Peer::OpenSsl4, Peer::Tongsuo, Peer::OpenSsl3, Peer::GmSsl];
const FORMS: [Form; 4] = [Form::Chain, Form::Request, Form::Crl, Form::Ocsp];

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::Gmkit => "gmkit",
            Self::OpenSsl4 => "OpenSSL 4",
            Self::Tongsuo => "Tongsuo 8.5",
            Self::OpenSsl3 => "OpenSSL 3",
            Self::GmSsl => "GmSSL 3.1.1",
        }
    }

    /// The folder with what it has made.
    fn dir(self) -> &'static str {
        match self {
            Self::Gmkit => "gmkit",
            Self::OpenSsl4 => "openssl4",
            Self::Tongsuo => "tongsuo",
            Self::OpenSsl3 => "openssl3",
            Self::GmSsl => "gmssl",
        }
    }

    /// Its command line.
    fn program(self) -> String {
        match self {
            Self::Gmkit | Self::OpenSsl3 => "openssl".to_owned(),
            peer => built_peer(peer.dir()),
        }
    }

    /// Why it makes nothing of a form.
    fn makes_none(self, form: Form) -> Option<&'static str> {
        match (self, form) {
            (Self::OpenSsl3, Form::Ocsp) => Some("signs under an empty ID only"),
            (Self::GmSsl, Form::Ocsp) => Some("has no OCSP"),
            _ => None,
        }
    }

    /// Why it does not verify a form.
    fn verifies_none(self, form: Form) -> Option<&'static str> {
        match (self, form) {
            (Self::OpenSsl3, Form::Crl | Form::Ocsp) => Some("checks under an empty ID only"),
            (Self::GmSsl, Form::Ocsp) => Some("has no OCSP"),
            _ => None,
        }
    }
}

fn make(lab: &Lab, peer: Peer) {
    if peer == Peer::Gmkit {
        return make_own(lab);
    }
    let mut script = format!("P='{}'\nexport P SIG VFY OCSP\n", peer.program());
    if peer == Peer::OpenSsl3 {
        writeln!(script, "SIG='-sigopt {ID}' VFY='-vfyopt {ID}' OCSP=no").unwrap();
    }
    let name = if peer == Peer::GmSsl { "gmssl" } else { "openssl" };
    writeln!(script, "sh {}/tests/cert_peers/{name}.sh {}", env!("CARGO_MANIFEST_DIR"), peer.dir())
        .unwrap();
    lab.write("make.sh", script);
    lab.peer("sh make.sh");
}

fn make_own(lab: &Lab) {
    std::fs::create_dir(lab.path("gmkit")).unwrap();
    let key = |name: &str| lab.ok(&format!("keygen -o gmkit/{name}.key --no-passphrase"));
    key("root");
    lab.ok("cert ca -k gmkit/root.key --subject C=CN,O=t,CN=root -o gmkit/root.crt");
    // An end entity that lives as long as its issuer would outlive it by the second that went by.
    for (name, issuer, profile) in [
        ("sub", "root", "ca --path-len 0 --days 200"),
        ("leaf", "sub", "tls-server --days 100"),
        ("gone", "sub", "tls-server --days 100"),
    ] {
        key(name);
        lab.ok(&format!(
            "cert csr -k gmkit/{name}.key --subject C=CN,O=t,CN={name} --san DNS:localhost,IP:127.0.0.1 \
             -o gmkit/{name}.csr"
        ));
        lab.ok(&format!(
            "cert issue --ca gmkit/{issuer}.crt -k gmkit/{issuer}.key --db gmkit/{issuer}.db \
             --csr gmkit/{name}.csr --profile {profile} -o gmkit/{name}.crt"
        ));
    }
    let shown: serde_json::Value =
        serde_json::from_str(&lab.ok("cert show --json gmkit/gone.crt")).unwrap();
    let serial = shown["serial"].as_str().unwrap();
    lab.ok(&format!("cert revoke --db gmkit/sub.db --serial {serial} --reason superseded"));
    let authority = "--ca gmkit/sub.crt -k gmkit/sub.key --db gmkit/sub.db";
    lab.ok(&format!("cert crl {authority} -o gmkit/sub.crl"));
    let (_, der) = pem_rfc7468::decode_vec(&lab.read("gmkit/sub.crl")).unwrap();
    lab.write("gmkit/sub.crl.der", der);
    for name in ["leaf", "gone"] {
        lab.ok(&format!("cert ocsp request --ca gmkit/sub.crt --no-nonce -o q gmkit/{name}.crt"));
        lab.ok(&format!("cert ocsp respond {authority} -o gmkit/{name}.resp q"));
    }
}

/// Whether a peer accepts a form of `who`, found in a folder.
fn accepts(lab: &Lab, peer: Peer, form: Form, dir: &str, who: &str) -> bool {
    let p = peer.program();
    // GmSSL writes no usable key identifiers, which strict checks ask for.
    let strict = if dir.starts_with("gmssl") { "" } else { "-x509_strict" };
    let run = |line: String| lab.peer_done(&line);
    let says = |line: String, wanted: &str| {
        let done = run(line);
        format!("{}{}", done.stdout, done.stderr).contains(wanted)
    };
    match (peer, form) {
        (Peer::Gmkit, Form::Chain) => lab.gmkit(&format!(
            "cert verify --ca {dir}/root.crt --untrusted {dir}/sub.crt --name localhost {dir}/{who}.crt"
        )).code == 0,
        (Peer::Gmkit, Form::Request) => lab.gmkit(&format!("cert show {dir}/{who}.csr")).code == 0,
        (Peer::Gmkit, Form::Crl) => lab.gmkit(&format!(
            "cert verify --ca {dir}/root.crt --untrusted {dir}/sub.crt --crl {dir}/sub.crl {dir}/{who}.crt"
        )).code == 0,
        (Peer::Gmkit, Form::Ocsp) => {
            lab.gmkit(&format!("cert ocsp verify --ca {dir}/sub.crt --cert {dir}/{who}.crt {dir}/{who}.resp")).code == 0
        }
        (Peer::OpenSsl4 | Peer::Tongsuo, Form::Chain) => run(format!(
            "{p} verify {strict} -CAfile {dir}/root.crt -untrusted {dir}/sub.crt -purpose sslserver {dir}/{who}.crt"
        )).code == 0,
        (Peer::OpenSsl4 | Peer::Tongsuo, Form::Request) => {
            says(format!("{p} req -config cnf -verify -noout -in {dir}/{who}.csr"), "verify OK")
        }
        (Peer::OpenSsl4 | Peer::Tongsuo, Form::Crl) => {
            says(format!("{p} crl -CAfile {dir}/sub.crt -in {dir}/sub.crl -noout"), "verify OK")
                && run(format!(
                    "{p} verify -crl_check -CRLfile {dir}/sub.crl -CAfile {dir}/root.crt -untrusted {dir}/sub.crt \
                     {dir}/{who}.crt"
                )).code == 0
        }
        (Peer::OpenSsl4 | Peer::Tongsuo, Form::Ocsp) => {
            let line = format!(
                "{p} ocsp -sm3 -issuer {dir}/sub.crt -cert {dir}/{who}.crt -no_nonce -respin {dir}/{who}.resp \
                 -CAfile {dir}/root.crt -verify_other {dir}/sub.crt"
            );
            let sha1 = line.replace(" -sm3", "");
            [line, sha1].into_iter().any(|line| {
                let done = run(line);
                done.stderr.contains("Response verify OK") && done.stdout.contains(".crt: good")
            })
        }
        (Peer::OpenSsl3, Form::Chain) => run(format!(
            "openssl verify -partial_chain -vfyopt {ID} -trusted {dir}/sub.crt -purpose sslserver {dir}/{who}.crt"
        )).code == 0,
        (Peer::OpenSsl3, Form::Request) => {
            says(format!("openssl req -config cnf -verify -vfyopt {ID} -noout -in {dir}/{who}.csr"), "verify OK")
        }
        (Peer::GmSsl, Form::Chain) => {
            lab.write("chain", [lab.read(&format!("{dir}/{who}.crt")), lab.read(&format!("{dir}/sub.crt"))].concat());
            let done = run(format!("{p} certverify -in chain -cacert {dir}/root.crt"));
            done.code == 0 && done.stdout.contains("Verification success")
        }
        (Peer::GmSsl, Form::Request) => run(format!(
            "{p} reqsign -in {dir}/{who}.csr -days 1 -key_usage digitalSignature -cacert gmssl/root.crt \
             -key gmssl/root.key -pass secret -out signed"
        )).code == 0,
        (Peer::GmSsl, Form::Crl) => {
            let done = run(format!("{p} crlverify -in {dir}/sub.crl.der -cacert {dir}/sub.crt"));
            done.code == 0 && done.stdout.contains("success")
        }
        (Peer::OpenSsl3 | Peer::GmSsl, _) => unreachable!("not asked"),
    }
}

/// A copy of a folder in which the last bit of one file, which is the signature's, is another.
fn tampered(lab: &Lab, form: Form, dir: &str) -> String {
    let twin = format!("{dir}.twin");
    lab.peer(&format!("cp -r {dir} {twin}"));
    let pem = |name: &str| {
        let name = format!("{twin}/{name}");
        let (label, mut der) =
            pem_rfc7468::decode_vec(&lab.read(&name)).map(|(l, d)| (l.to_owned(), d)).unwrap();
        *der.last_mut().unwrap() ^= 1;
        lab.write(
            &name,
            pem_rfc7468::encode_string(&label, pem_rfc7468::LineEnding::LF, &der).unwrap(),
        );
        der
    };
    match form {
        Form::Chain => drop(pem("leaf.crt")),
        Form::Request => drop(pem("leaf.csr")),
        Form::Crl => lab.write(&format!("{twin}/sub.crl.der"), pem("sub.crl")),
        Form::Ocsp => {
            // The last digit of the time of the answer, which is signed: all else is as it was.
            let name = format!("{twin}/leaf.resp");
            let mut der = lab.read(&name);
            let time =
                der.windows(2).position(|part| part == [0x18, 0x0f]).expect("a GeneralizedTime");
            der[time + 15] ^= 1;
            lab.write(&name, der);
        }
    }
    twin
}

/// A cell of the table: what is accepted, and that nothing is which should not be.
fn cell(lab: &Lab, maker: Peer, reader: Peer, form: Form) -> String {
    if let Some(why) = maker.makes_none(form).or(reader.verifies_none(form)) {
        return format!("- ({why})");
    }
    let dir = maker.dir();
    let mut faults = Vec::new();
    if !accepts(lab, reader, form, dir, "leaf") {
        faults.push("refused");
    }
    // GmSSL checks a list's signature, and no certificate against it.
    let looks = matches!(form, Form::Crl | Form::Ocsp) && reader != Peer::GmSsl;
    if looks && accepts(lab, reader, form, dir, "gone") {
        faults.push("revoked and accepted");
    }
    let twin = tampered(lab, form, dir);
    if accepts(lab, reader, form, &twin, "leaf") {
        faults.push("tampered and accepted");
    }
    lab.peer(&format!("rm -r {twin}"));
    if faults.is_empty() { "ok".to_owned() } else { faults.join(", ") }
}

/// A certificate that signs documents is that to others too, and no server's.
#[test]
fn document_signers_are_no_servers() {
    let lab = Lab::empty();
    make_own(&lab);
    lab.ok("cert issue --ca gmkit/sub.crt -k gmkit/sub.key --csr gmkit/leaf.csr --profile sign -o sign.crt");
    for peer in [Peer::OpenSsl4, Peer::Tongsuo] {
        let verify = |purpose: &str| {
            let line = format!(
                "{} verify -x509_strict -CAfile gmkit/root.crt -untrusted gmkit/sub.crt -purpose {purpose} sign.crt",
                peer.program()
            );
            lab.peer_done(&line).code == 0
        };
        assert!(verify("smimesign") && verify("any"), "{peer:?}");
        assert!(!verify("sslserver") && !verify("sslclient"), "{peer:?}");
    }
}

/// A server that is stopped when the test ends.
struct Server {
    child: std::process::Child,
    port: u16,
}

impl Server {
    /// Starts `s_server`, which says where it listens.
    fn start(lab: &Lab, peer: Peer, args: &str) -> Self {
        let line = format!("{} s_server -accept 127.0.0.1:0 -rev {args}", peer.program());
        let mut words = line.split_whitespace();
        let mut child = std::process::Command::new(words.next().unwrap())
            .args(words)
            .current_dir(lab.path("."))
            .env("OPENSSL_CONF", lab.path("cnf"))
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let said = std::io::BufReader::new(child.stdout.take().unwrap());
        let accept = std::io::BufRead::lines(said)
            .map(Result::unwrap)
            .find(|line| line.starts_with("ACCEPT"));
        let port = accept.expect("it listens").rsplit(':').next().unwrap().parse().unwrap();
        Self { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What a client says that sends a line and then waits for the answer.
fn client(lab: &Lab, line: &str) -> String {
    lab.write(
        "client.sh",
        format!("export OPENSSL_CONF=cnf\n(printf 'hello\\n'; sleep 1) | timeout 10 {line} 2>&1\n"),
    );
    lab.peer_done("sh client.sh").stdout
}

/// The pair serves TLCP: Tongsuo takes it for a server, and Tongsuo and GmSSL as clients trust it. Its first
/// half serves TLS 1.3 (RFC 8998) with OpenSSL 4 on both sides.
#[test]
fn the_pair_serves_national_tls() {
    let lab = Lab::empty();
    lab.write("cnf", "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=unused\n");
    make_own(&lab);
    lab.ok("cert issue --ca gmkit/sub.crt -k gmkit/sub.key --csr gmkit/leaf.csr -o sign.crt --gen-enc --enc-out enc.crt --enc-key-out enc.env");
    lab.ok("envelope open -k gmkit/leaf.key --no-passphrase -o enc.key enc.env");
    let pair = "-sign_cert sign.crt -sign_key gmkit/leaf.key -enc_cert enc.crt -enc_key enc.key -cert_chain gmkit/sub.crt";
    let ciphers = "ECC-SM2-SM4-GCM-SM3:ECC-SM2-SM4-CBC-SM3";
    let server =
        Server::start(&lab, Peer::Tongsuo, &format!("-enable_ntls -cipher {ciphers} {pair}"));
    let tongsuo = client(
        &lab,
        &format!(
            "{} s_client -connect 127.0.0.1:{} -enable_ntls -ntls -cipher {ciphers} -CAfile gmkit/root.crt -verify_return_error",
            Peer::Tongsuo.program(),
            server.port
        ),
    );
    assert!(
        tongsuo.contains("Verify return code: 0 (ok)") && tongsuo.contains("olleh"),
        "{tongsuo}"
    );
    let gmssl = client(
        &lab,
        &format!(
            "{} tlcp_client -host 127.0.0.1 -port {} -cacert gmkit/root.crt",
            Peer::GmSsl.program(),
            server.port
        ),
    );
    assert!(gmssl.contains("Connection established"), "{gmssl}");
    // Another root is not trusted by either.
    lab.ok("cert ca -k gmkit/root.key --subject CN=other -o other.crt");
    let stranger = client(
        &lab,
        &format!(
            "{} s_client -connect 127.0.0.1:{} -enable_ntls -ntls -cipher {ciphers} -CAfile other.crt -verify_return_error",
            Peer::Tongsuo.program(),
            server.port
        ),
    );
    assert!(!stranger.contains("olleh"), "{stranger}");

    let national = "-tls1_3 -ciphersuites TLS_SM4_GCM_SM3";
    let server = Server::start(
        &lab,
        Peer::OpenSsl4,
        &format!(
            "{national} -groups curveSM2 -cert sign.crt -key gmkit/leaf.key -cert_chain gmkit/sub.crt"
        ),
    );
    let openssl = client(
        &lab,
        &format!(
            "{} s_client -connect 127.0.0.1:{} {national} -groups curveSM2 -CAfile gmkit/root.crt \
         -verify_return_error -verify_hostname localhost",
            Peer::OpenSsl4.program(),
            server.port
        ),
    );
    assert!(
        openssl.contains("Verify return code: 0 (ok)") && openssl.contains("olleh"),
        "{openssl}"
    );
}

#[test]
fn everybody_reads_what_everybody_makes() {
    let lab = Lab::empty();
    lab.write("cnf", "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=unused\n");
    PEERS.iter().for_each(|&peer| make(&lab, peer));
    let (mut table, mut faults) = (String::new(), 0);
    for form in FORMS {
        writeln!(table, "{form:?}").unwrap();
        for maker in PEERS {
            for reader in PEERS {
                let cell = cell(&lab, maker, reader, form);
                faults += usize::from(!(cell == "ok" || cell.starts_with('-')));
                writeln!(table, "  {:<12} -> {:<12} {cell}", maker.name(), reader.name()).unwrap();
            }
        }
    }
    println!("{table}");
    assert_eq!(faults, 0, "{table}");
}
