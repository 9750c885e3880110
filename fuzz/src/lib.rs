//! What each fuzz target does: one function per parser. Beside not panicking, what is accepted must
//! be written back as the same bytes, or read back as the same value.

use std::cell::Cell;

use gmkit_keys::{
    Error, KeyFormat, KeyUri, Origin, Passphrase, PrivateKey, SoftwareKey,
    public_key_from_file_bytes, public_key_to_pem,
};
use gmkit_pki::{Certificate, Crl, Request, Serial, ocsp, san, subject, subtrees};
use gmkit_sm2::{Ciphertext, Id, PublicKey, Signature};

mod audit;
mod mask;
mod messages;
mod pki_seeds;
mod seal;
mod tls;
mod token;

pub use audit::{audit_event, audit_note};
pub use mask::{mask_body, mask_json, mask_policy, mask_protobuf, mask_text};
pub use messages::{cfca, encrypted_message, pkcs12, signed_message};
pub use seal::seal_request;
pub use tls::{tls_client, tls_client_sealed, tls_server, tls_server_sealed, tls_ticket};
pub use token::token_calls;

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
    ("certificate", certificate),
    ("certificate_request", certificate_request),
    ("crl", crl),
    ("ocsp_request", ocsp_request),
    ("ocsp_response", ocsp_response),
    ("certificate_texts", certificate_texts),
    ("signed_message", signed_message),
    ("encrypted_message", encrypted_message),
    ("pkcs12", pkcs12),
    ("cfca", cfca),
    ("token_calls", token_calls),
    ("tls_server", tls_server),
    ("tls_client", tls_client),
    ("tls_server_sealed", tls_server_sealed),
    ("tls_client_sealed", tls_client_sealed),
    ("tls_ticket", tls_ticket),
    ("audit_event", audit_event),
    ("audit_note", audit_note),
    ("mask_json", mask_json),
    ("mask_text", mask_text),
    ("mask_body", mask_body),
    ("mask_protobuf", mask_protobuf),
    ("seal_request", seal_request),
    ("mask_policy", mask_policy),
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

/// Certificates in DER and PEM. What is accepted in DER is all there is.
pub fn certificate(data: &[u8]) {
    if let Ok(certificate) = Certificate::from_der(data) {
        assert_eq!(certificate.as_der(), data);
        let again = Certificate::all_from_file_bytes(certificate.to_pem().as_bytes());
        assert_eq!(again.expect("our own PEM"), std::slice::from_ref(&certificate));
        assert!(!certificate.subject().to_string().contains(char::is_control));
        let _ = certificate.validity().days_left(i64::MAX);
        let number: Serial = certificate.serial().to_string().parse().expect("our own text");
        assert_eq!(number.as_bytes(), certificate.serial().as_bytes());
        if let Ok(key) = certificate.public_key() {
            let _ = certificate.verify_signature(key, Id::DEFAULT);
        }
    }
    let _ = Certificate::all_from_file_bytes(data);
}

/// Certification requests.
pub fn certificate_request(data: &[u8]) {
    if let Ok(request) = Request::from_der(data) {
        assert_eq!(request.as_der(), data);
        assert_eq!(
            Request::from_file_bytes(request.to_pem().as_bytes()).expect("our own PEM"),
            request
        );
    }
}

/// Revocation lists.
pub fn crl(data: &[u8]) {
    if let Ok(crl) = Crl::from_der(data) {
        assert_eq!(crl.as_der(), data);
        let _ = gmkit_pki::Verifier::new(Vec::new(), gmkit_pki::Purpose::Any).with_crls([crl]);
    }
}

/// OCSP requests.
pub fn ocsp_request(data: &[u8]) {
    if let Ok(request) = ocsp::Request::from_der(data) {
        assert_eq!(request.as_der(), data);
        assert!(!request.ids().is_empty());
    }
}

/// OCSP responses.
pub fn ocsp_response(data: &[u8]) {
    if let Ok(response) = ocsp::Response::from_der(data) {
        assert_eq!(response.as_der(), data);
        let certificate = pki_seeds::fixed_certificate();
        let asked = response.status_of(certificate, certificate, Id::DEFAULT, i64::MAX, None);
        assert!(asked.is_err(), "a stranger's response was believed");
    }
}

/// Subjects, alternative names, constraints, serial numbers and times as people type them.
pub fn certificate_texts(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = subject(text);
    let _ = san(text);
    let _ = subtrees(text);
    if let Ok(serial) = text.parse::<Serial>() {
        assert!(!serial.as_bytes().is_empty() && serial.as_bytes()[0] != 0);
    }
    if let Ok(time) = gmkit_pki::parse_rfc3339(text) {
        assert!(!gmkit_pki::rfc3339(time).is_empty());
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
    let walk = |n: u8| ("token_calls", format!("walk-{n}"), token::walk(n));
    let mut seeds = vec![
        walk(0),
        walk(1),
        walk(2),
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
    seeds.extend(pki_seeds::seeds());
    seeds.extend(messages::seeds());
    seeds.extend(tls::seeds());
    seeds.extend(audit::seeds());
    seeds.extend(mask::seeds());
    seeds.extend(seal::seeds());
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
