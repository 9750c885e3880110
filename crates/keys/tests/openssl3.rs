//! Key files that the system's OpenSSL writes and reads.

use std::{path::Path, process::Command};

use gmkit_keys::{
    Credential, Error, FileOpener, Identity, KeyFormat, Passphrase, PrivateKey, SoftwareKey,
    public_key_from_file_bytes,
};

/// Runs `openssl`, which the tests need (Debian's package `openssl`).
fn openssl(dir: &Path, args: &str) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(args.split_whitespace())
        .current_dir(dir)
        .output()
        .expect("these tests need the command `openssl`");
    assert!(output.status.success(), "openssl {args}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn read(dir: &Path, name: &str) -> Result<SoftwareKey, Error> {
    let bytes = FileOpener::read(&dir.join(name)).unwrap();
    SoftwareKey::from_file_bytes(&bytes, || Ok(Passphrase::new("secret")))
}

#[test]
fn every_encryption_that_openssl_writes_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    openssl(dir, "genpkey -algorithm EC -pkeyopt group:SM2 -out key.pem");
    let public = openssl(dir, "pkey -in key.pem -pubout");
    let public = public_key_from_file_bytes(&public).unwrap();
    assert_eq!(*read(dir, "key.pem").unwrap().public_key(), public);

    let prfs = ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA512-224", "SHA512-256"];
    for cipher in ["sm4-cbc", "aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "des-ede3-cbc"] {
        for prf in prfs {
            openssl(
                dir,
                &format!(
                    "pkcs8 -topk8 -in key.pem -v2 {cipher} -v2prf hmacWith{prf} -passout pass:secret -out e.pem"
                ),
            );
            assert_eq!(*read(dir, "e.pem").unwrap().public_key(), public, "{cipher} {prf}");
        }
    }
    for cipher in ["aes-256-cbc", "sm4-cbc"] {
        openssl(
            dir,
            &format!(
                "pkcs8 -topk8 -in key.pem -scrypt -v2 {cipher} -passout pass:secret -outform DER -out s.der"
            ),
        );
        assert_eq!(*read(dir, "s.der").unwrap().public_key(), public, "scrypt {cipher}");
    }
    // SEC1 with the parameters' block in front, and without.
    openssl(dir, "ecparam -name SM2 -genkey -out sec1.pem");
    read(dir, "sec1.pem").unwrap();
    openssl(dir, "ec -in key.pem -out sec1-only.pem");
    assert_eq!(*read(dir, "sec1-only.pem").unwrap().public_key(), public);
    openssl(dir, "ec -in key.pem -outform DER -out sec1.der");
    assert_eq!(*read(dir, "sec1.der").unwrap().public_key(), public);
    // Compressed points.
    let compressed = openssl(dir, "ec -in key.pem -pubout -conv_form compressed");
    assert_eq!(public_key_from_file_bytes(&compressed).unwrap(), public);
}

#[test]
fn foreign_keys_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    openssl(dir, "genpkey -algorithm EC -pkeyopt group:P-256 -out p256.pem");
    openssl(dir, "genpkey -algorithm ED25519 -out ed.pem");
    openssl(
        dir,
        "genpkey -algorithm EC -pkeyopt group:SM2 -pkeyopt ec_param_enc:explicit -out ex.pem",
    );
    let fault = |name| match read(dir, name).unwrap_err() {
        Error::Key(fault) => fault,
        error => panic!("{name}: {error}"),
    };
    assert_eq!(fault("p256.pem"), gmkit_sm2::Error::ForeignCurve);
    assert_eq!(fault("ed.pem"), gmkit_sm2::Error::ForeignAlgorithm);
    assert_eq!(fault("ex.pem"), gmkit_sm2::Error::ExplicitCurve);
    openssl(dir, "pkcs8 -topk8 -in p256.pem -v1 PBE-SHA1-3DES -passout pass:secret -out v1.pem");
    assert!(matches!(read(dir, "v1.pem").unwrap_err(), Error::Encryption(_)));
}

#[test]
fn openssl_reads_what_we_write() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let key = SoftwareKey::generate().unwrap();
    std::fs::write(dir.join("plain.pem"), key.to_pem().as_bytes()).unwrap();
    let pem = key.to_encrypted_pem(&Passphrase::new("secret"), KeyFormat::Compat).unwrap();
    std::fs::write(dir.join("compat.pem"), pem).unwrap();
    for name in ["plain.pem", "compat.pem"] {
        let public = openssl(dir, &format!("pkey -in {name} -passin pass:secret -pubout"));
        assert_eq!(public_key_from_file_bytes(&public).unwrap(), *key.public_key());
    }
    openssl(dir, "pkey -in compat.pem -passin pass:secret -check -noout");
}

#[test]
fn an_identity_joins_a_key_with_its_certificate_only() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    openssl(dir, "genpkey -algorithm EC -pkeyopt group:SM2 -out key.pem");
    openssl(
        dir,
        "req -x509 -new -key key.pem -sm3 -subj /CN=test -days 30 -outform DER -out cert.der",
    );
    let certificate = std::fs::read(dir.join("cert.der")).unwrap();
    let key = std::sync::Arc::new(read(dir, "key.pem").unwrap());
    let credential = Credential::new(vec![certificate.clone()], key).unwrap();
    assert_eq!(credential.chain(), std::slice::from_ref(&certificate));
    let other = std::sync::Arc::new(SoftwareKey::generate().unwrap());
    let error = Credential::new(vec![certificate], other.clone()).unwrap_err();
    assert!(matches!(error, Error::CertificateMismatch));
    assert!(matches!(Credential::new(vec![], other).unwrap_err(), Error::CertificateMismatch));
    let identity = Identity::single(credential.clone());
    assert_eq!(identity.signing().key().public_key(), identity.encryption().key().public_key());
    let dual = Identity::dual(credential.clone(), credential);
    assert_eq!(dual.encryption().chain().len(), 1);
}
