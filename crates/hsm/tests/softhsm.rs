//! A device that nobody here wrote: SoftHSM2, with RSA, ECDSA and AES keys by the standard's
//! mechanisms, and OpenSSL as the other side.

use std::{
    env, fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
};

use gmkit_hsm::{
    ClassicKey, Error, Export, KeyName, KeyUse, Mode, Opener, Outcome, SecretType, Token, Uri,
};
use gmkit_keys::{KeyUri, Origin, Passphrase};
use rustls::{
    ServerConfig, ServerConnection, SignatureScheme, Stream,
    crypto::ring,
    pki_types::CertificateDer,
    server::ResolvesServerCertUsingSni,
    sign::{CertifiedKey, SigningKey},
};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// Runs `body` in a process of its own, with a folder and a token in it.
fn with_softhsm(test: &str, body: fn(&Path, &Arc<Token>)) {
    if let Some(conf) = env::var_os("SOFTHSM2_CONF") {
        let pin = |_: &str| Ok(Passphrase::new("87654321"));
        let uri = format!("pkcs11:token=soft?module-path={MODULE}");
        let uri = Uri::parse(&KeyUri::parse(&uri, Origin::Operator).unwrap()).unwrap();
        let token = Opener::new().token(&uri, &pin).unwrap();
        return body(Path::new(&conf).parent().unwrap(), &token);
    }
    let dir = tempfile::tempdir().unwrap();
    let conf = dir.path().join("softhsm2.conf");
    fs::write(&conf, format!("directories.tokendir = {}\n", dir.path().display())).unwrap();
    let line = "softhsm2-util --init-token --free --label soft --so-pin 12345678 --pin 87654321";
    let done = run(line, dir.path(), &conf);
    assert!(done.0, "{}", done.1);
    let done = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("SOFTHSM2_CONF", &conf)
        .output()
        .unwrap();
    let [out, err] = [&done.stdout, &done.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(done.status.success() && out.contains("1 passed"), "{out}{err}");
}

fn run(line: &str, dir: &Path, conf: &Path) -> (bool, String) {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().unwrap());
    let done = command.args(words).current_dir(dir).env("SOFTHSM2_CONF", conf).output().unwrap();
    let text = [done.stdout, done.stderr].concat();
    (done.status.success(), format!("{line}: {}", String::from_utf8_lossy(&text)))
}

fn peer(line: &str, dir: &Path) -> String {
    let (good, text) = run(line, dir, &dir.join("softhsm2.conf"));
    assert!(good, "{text}");
    text
}

fn named(label: &str) -> KeyName {
    KeyName { label: Some(label.to_owned()), id: None }
}

/// A key that `pkcs11-tool` makes in the device, and its certificate from OpenSSL.
fn key_and_certificate(dir: &Path, token: &Arc<Token>, kind: &str) -> (ClassicKey, Vec<u8>) {
    let label = kind.replace(':', "-").to_lowercase();
    let tool = format!("pkcs11-tool --module {MODULE} --token-label soft --login --pin 87654321");
    peer(
        &format!("{tool} --keypairgen --key-type {kind} --label {label} --id {:02}", label.len()),
        dir,
    );
    let key = ClassicKey::open(token, named(&label)).unwrap();
    // OpenSSL takes part only if this is the key that signs.
    fs::write(dir.join(format!("{label}.spki")), key.public_key().unwrap()).unwrap();
    peer(&format!("openssl pkey -pubin -inform DER -in {label}.spki -out {label}.pub.pem"), dir);
    if !dir.join("ca.pem").exists() {
        let curve = "-newkey ec -pkeyopt ec_paramgen_curve:P-256";
        peer(
            &format!("openssl req -x509 {curve} -nodes -keyout ca.key -subj /CN=CA -out ca.pem"),
            dir,
        );
        fs::write(dir.join("san"), "subjectAltName=DNS:localhost\n").unwrap();
        peer(
            "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout any.key -subj /CN=localhost -out any.csr",
            dir,
        );
    }
    peer(
        &format!(
            "openssl x509 -req -in any.csr -force_pubkey {label}.pub.pem -CA ca.pem -CAkey ca.key \
             -CAcreateserial -extfile san -outform DER -out {label}.crt"
        ),
        dir,
    );
    (key, fs::read(dir.join(format!("{label}.crt"))).unwrap())
}

/// OpenSSL's client checks the chain and the signature of the handshake.
#[test]
fn classic_tls_with_the_key_in_the_device() {
    with_softhsm("classic_tls_with_the_key_in_the_device", |dir, token| {
        for (kind, sigalgs) in [
            ("EC:prime256v1", &["ecdsa_secp256r1_sha256"][..]),
            ("EC:secp384r1", &["ecdsa_secp384r1_sha384"]),
            ("rsa:2048", &["rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"]),
        ] {
            let (key, certificate) = key_and_certificate(dir, token, kind);
            let certified =
                CertifiedKey::new(vec![CertificateDer::from(certificate)], Arc::new(key));
            certified.keys_match().unwrap();
            for sigalg in sigalgs {
                let said = handshake(dir, certified.clone(), &format!("-tls1_3 -sigalgs {sigalg}"));
                assert!(said.contains("Verify return code: 0 (ok)"), "{said}");
            }
            let said = handshake(dir, certified, "-tls1_2");
            assert!(said.contains("Verify return code: 0 (ok)"), "{said}");
        }
    });
}

/// One handshake with `openssl s_client`, and what that said.
fn handshake(dir: &Path, certified: CertifiedKey, options: &str) -> String {
    let mut resolver = ResolvesServerCertUsingSni::new();
    resolver.add("localhost", certified).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = Stream::new(&mut connection, &mut socket);
        let mut line = [0; 5];
        stream.read_exact(&mut line).unwrap();
        stream.write_all(b"from the device\n").unwrap();
        stream.conn.send_close_notify();
        let _ = stream.flush();
        line
    });
    let line = format!(
        "s_client -connect 127.0.0.1:{port} -servername localhost -verify_hostname localhost \
         -CAfile ca.pem -verify_return_error -ign_eof {options}"
    );
    let mut client = Command::new("openssl")
        .args(line.split_whitespace())
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    client.stdin.as_mut().unwrap().write_all(b"hello\n").unwrap();
    let done = client.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(said.contains("from the device"), "{options}: {said}");
    assert_eq!(server.join().unwrap(), *b"hello");
    said
}

/// Another key under the same name does not sign for this one.
#[test]
fn a_classic_key_that_was_replaced() {
    with_softhsm("a_classic_key_that_was_replaced", |dir, token| {
        let tool =
            format!("pkcs11-tool --module {MODULE} --token-label soft --login --pin 87654321");
        let make = format!("{tool} --keypairgen --key-type EC:prime256v1 --label k --id 01");
        peer(&make, dir);
        let key = ClassicKey::open(token, named("k")).unwrap();
        assert_eq!(key.schemes(), [SignatureScheme::ECDSA_NISTP256_SHA256]);
        let signer = key.choose_scheme(&key.schemes()).unwrap();
        signer.sign(b"message").unwrap();
        assert!(key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]).is_none());
        assert_eq!(token.delete(&named("k"), None).unwrap(), 2);
        peer(&make, dir);
        let refused = signer.sign(b"message").unwrap_err();
        assert!(refused.to_string().contains("no signature of this key verifies"), "{refused}");
        assert!(matches!(
            ClassicKey::open(token, named("nobody")),
            Err(Error::NotFound { what: "private key" })
        ));
    });
}

/// AES in the device and in OpenSSL make the same of a message.
#[test]
fn aes_by_the_standard_s_numbers() {
    with_softhsm("aes_by_the_standard_s_numbers", |dir, token| {
        let key = token
            .import_secret(&named("aes"), SecretType::Aes, KeyUse::Encrypt, &[0x11; 32])
            .unwrap();
        let message: Vec<u8> = (0..1000).map(|n| (n % 251) as u8).collect();
        fs::write(dir.join("m"), &message).unwrap();
        let (hex_key, iv) = ("11".repeat(32), &[0x22; 16]);
        let hex_iv = "22".repeat(16);
        peer(&format!("openssl enc -aes-256-cbc -K {hex_key} -iv {hex_iv} -in m -out c"), dir);
        let expected = fs::read(dir.join("c")).unwrap();
        assert_eq!(key.encrypt(Mode::CbcPadded { iv }, &message).unwrap(), expected);
        assert_eq!(*key.decrypt(Mode::CbcPadded { iv }, &expected).unwrap(), message);

        let mode = Mode::Gcm { nonce: &[3; 12], aad: b"header" };
        let sealed = key.encrypt(mode, &message).unwrap();
        assert_eq!(*key.decrypt(mode, &sealed).unwrap(), message);
        let mut forged = sealed.clone();
        forged[500] ^= 1;
        assert!(key.decrypt(mode, &forged).is_err());

        let make = |label, for_what, export| {
            token.generate_secret(&named(label), SecretType::Aes, for_what, export).unwrap()
        };
        let travels = make("travels", KeyUse::Encrypt, Export::Wrapped);
        let ciphertext = travels.encrypt(mode, &message).unwrap();
        let kek = make("kek", KeyUse::Wrap, Export::Never);
        let wrapped = kek.wrap(&travels).unwrap();
        assert_eq!(wrapped.len(), 40, "RFC 3394");
        let again = kek.unwrap(&wrapped, &named("again"), SecretType::Aes, KeyUse::Encrypt);
        assert_eq!(*again.unwrap().decrypt(mode, &ciphertext).unwrap(), message);
        assert!(kek.decrypt(Mode::Ecb, &wrapped[8..]).is_err(), "what wraps does not decrypt");

        let sm4 =
            token.generate_secret(&named("sm4"), SecretType::Sm4, KeyUse::Encrypt, Export::Never);
        assert!(matches!(sm4, Err(Error::Unsupported { .. })), "{sm4:?}");
    });
}

#[test]
fn the_test_of_softhsm() {
    with_softhsm("the_test_of_softhsm", |_, token| {
        let findings = token.conformance(std::time::Duration::ZERO).unwrap();
        assert!(findings.len() >= 11, "{findings:?}");
        for finding in &findings {
            assert!(matches!(finding.outcome, Outcome::Works { .. }), "{finding:?}");
        }
        assert!(findings.iter().any(|finding| finding.what == "RSA 2048 PSS SHA-256"));
        assert_eq!(token.keys().unwrap(), [], "nothing is left on the token");
    });
}
