//! What each fuzz target does: one function per parser. Beside not panicking, what is accepted must
//! be written back as the same bytes, or read back as the same value.

use std::cell::Cell;

use gmkit_keys::{
    Error, KeyFormat, KeyUri, Origin, Passphrase, PrivateKey, SoftwareKey,
    public_key_from_file_bytes, public_key_to_pem,
};
use gmkit_sm2::{Ciphertext, Id, PublicKey, Signature};

/// A target.
pub type Target = fn(&[u8]);

/// All targets by name; a corpus of that name is in `corpus/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("der_signature", der_signature),
    ("ciphertext", ciphertext),
    ("point", point),
    ("private_key", private_key),
    ("public_key", public_key),
    ("key_uri", key_uri),
];

/// Signatures in DER and raw. DER is unique: what is accepted is what would be written.
pub fn der_signature(data: &[u8]) {
    if let Ok(signature) = Signature::from_der(data) {
        assert_eq!(signature.to_der().as_bytes(), data);
        assert_eq!(Signature::from_raw(&signature.to_raw()), Ok(signature));
    }
    if let Ok(signature) = Signature::from_raw(data) {
        assert_eq!(signature.to_raw(), data);
        assert_eq!(Signature::from_der(signature.to_der().as_bytes()), Ok(signature));
    }
}

/// Ciphertexts in all three forms, each unique too.
pub fn ciphertext(data: &[u8]) {
    if let Ok(ciphertext) = Ciphertext::from_der(data) {
        assert_eq!(ciphertext.to_der().as_deref(), Ok(data));
    }
    if let Ok(ciphertext) = Ciphertext::from_c1c3c2(data) {
        let der = ciphertext.to_der().expect("short enough");
        assert_eq!(Ciphertext::from_der(&der).as_ref(), Ok(&ciphertext));
        // The compressed form is read in keys, not here.
        assert_eq!(ciphertext.to_c1c3c2(), data);
    }
    if let Ok(ciphertext) = Ciphertext::from_c1c2c3(data) {
        assert_eq!(ciphertext.to_c1c2c3(), data);
    }
}

/// Points: what is accepted is on the curve in the eyes of the encoder as well.
pub fn point(data: &[u8]) {
    if let Ok(key) = PublicKey::from_sec1_bytes(data) {
        match data.len() {
            33 => assert_eq!(key.to_compressed_bytes(), data),
            _ => assert_eq!(key.to_sec1_bytes(), data),
        }
        assert_eq!(PublicKey::from_sec1_bytes(&key.to_compressed_bytes()), Ok(key));
    }
}

/// Private key files: PKCS#8, PBES2 and SEC1, PEM and DER.
pub fn private_key(data: &[u8]) {
    let asked = Cell::new(false);
    let passphrase = || {
        asked.set(true);
        // Derivation may take seconds by design; the parser has done its work by now.
        Err::<Passphrase, _>(Error::PassphraseNeeded)
    };
    if let Ok(key) = SoftwareKey::from_file_bytes(data, passphrase) {
        assert!(!asked.get());
        let again =
            SoftwareKey::from_file_bytes(key.to_pem().as_bytes(), || Err(Error::PassphraseNeeded));
        assert_eq!(again.expect("our own PEM").public_key(), key.public_key());
    }
}

/// Public key files.
pub fn public_key(data: &[u8]) {
    if let Ok(key) = public_key_from_file_bytes(data) {
        let pem = public_key_to_pem(&key);
        assert_eq!(public_key_from_file_bytes(pem.as_bytes()).ok(), Some(key));
        let _ = key.z(Id::DEFAULT);
    }
}

/// Key URIs.
pub fn key_uri(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(uri) = KeyUri::parse(text, Origin::Untrusted) {
        assert!(!uri.scheme().is_empty());
        if let Ok(path) = uri.to_file_path() {
            assert!(!path.to_string_lossy().contains('\0'));
        }
    }
}

/// Seeds that no fuzzer finds quickly: valid inputs of every kind.
#[must_use]
pub fn seeds() -> Vec<(&'static str, String, Vec<u8>)> {
    let key = SoftwareKey::generate().expect("the system's generator works");
    let signature = key.sign(Id::DEFAULT, b"seed").expect("signs");
    let public = key.public_key();
    let sent = public.encrypt(&mut gmkit_keys::SysRng, b"seed").expect("encrypts");
    let der = |pem: &str| pem_rfc7468::decode_vec(pem.as_bytes()).expect("our own PEM").1;
    let mut seeds = vec![
        ("der_signature", "der".to_owned(), signature.to_der().as_bytes().to_vec()),
        ("der_signature", "raw".to_owned(), signature.to_raw().to_vec()),
        ("ciphertext", "der".to_owned(), sent.to_der().expect("short")),
        ("ciphertext", "c1c3c2".to_owned(), sent.to_c1c3c2()),
        ("ciphertext", "c1c2c3".to_owned(), sent.to_c1c2c3()),
        ("point", "uncompressed".to_owned(), public.to_sec1_bytes().to_vec()),
        ("point", "compressed".to_owned(), public.to_compressed_bytes().to_vec()),
        ("private_key", "pem".to_owned(), key.to_pem().as_bytes().to_vec()),
        ("private_key", "der".to_owned(), der(&key.to_pem())),
        ("public_key", "pem".to_owned(), public_key_to_pem(public).into_bytes()),
        ("public_key", "der".to_owned(), der(&public_key_to_pem(public))),
        ("key_uri", "file".to_owned(), b"file:///etc/a%20b.pem".to_vec()),
        ("key_uri", "pkcs11".to_owned(), b"pkcs11:token=a;object=b?pin-source=file:x".to_vec()),
    ];
    for (name, format) in [
        ("compat", KeyFormat::Compat),
        ("openssl4", KeyFormat::OpenSsl4),
        ("gmssl", KeyFormat::GmSsl),
    ] {
        let pem = key.to_encrypted_pem(&Passphrase::new("seed"), format).expect("encrypts");
        seeds.push(("private_key", format!("{name}.der"), der(&pem)));
        seeds.push(("private_key", format!("{name}.pem"), pem.into_bytes()));
    }
    seeds
}
