//! Valid certificates, requests, lists and OCSP messages.

use std::sync::{Arc, OnceLock};

use gmkit_keys::{PrivateKey, SoftwareKey};
use gmkit_pki::{
    Certificate, Database, Issuer, Profile, Reason, Request, answer_ocsp_at,
    ocsp::{self, CertId, Hash, Responder},
    publish_crl_at,
    rcgen::NameConstraints,
    san, subject, subtrees,
};

/// One that has signed nothing.
pub(crate) fn fixed_certificate() -> &'static Certificate {
    static ONE: OnceLock<Certificate> = OnceLock::new();
    ONE.get_or_init(|| {
        let params =
            Profile::Ca.params(subject("CN=nobody").expect("a subject"), 9).expect("parameters");
        let key = Arc::new(SoftwareKey::generate().expect("a key"));
        Issuer::self_signed(params, key).expect("a root").certificate().clone()
    })
}

pub(crate) fn seeds() -> Vec<(&'static str, String, Vec<u8>)> {
    let dir = tempfile::tempdir().expect("a folder");
    let key = || Arc::new(SoftwareKey::generate().expect("a key"));
    let mut params = Profile::Ca
        .params(subject("CN=Root,O=t,C=CN").expect("a subject"), 99)
        .expect("parameters");
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: subtrees("DNS:example,IP:10.0.0.0/8").expect("names"),
        excluded_subtrees: subtrees("DNS:x.example").expect("names"),
    });
    let ca_key = key();
    let ca = Issuer::self_signed(params, ca_key.clone()).expect("a root");
    let own = key();
    let mut params =
        Profile::TlsServer.params(subject("CN=a").expect("a subject"), 9).expect("parameters");
    params.subject_alt_names = san("DNS:a.example,IP:10.0.0.1").expect("names");
    let request = Request::make(&params, &*own).expect("a request");
    publish_crl_at(&mut params, "http://a.example/crl").expect("a URL");
    answer_ocsp_at(&mut params, "http://a.example/ocsp").expect("a URL");
    let mut database = Database::of(dir.path(), ca.certificate()).expect("a database");
    let leaf = database.issue(&ca, params, own.public_key()).expect("a certificate");
    let ask = |hash| {
        ocsp::Request::make(vec![CertId::new(hash, ca.certificate(), leaf.serial())], true)
            .expect("a question")
    };
    database.revoke(leaf.serial(), Reason::KeyCompromise).expect("revoked");
    let crl = database.crl(&ca, 7).expect("a list");
    let responder = Responder::new(ca.certificate().clone(), ca.certificate().clone(), ca_key)
        .expect("a responder");
    let answer = responder.respond(&ask(Hash::Sm3), database.state(), 1).expect("an answer");
    vec![
        ("certificate", "root".to_owned(), ca.certificate().as_der().to_vec()),
        ("certificate", "leaf".to_owned(), leaf.as_der().to_vec()),
        ("certificate", "pem".to_owned(), leaf.to_pem().into_bytes()),
        ("certificate_request", "der".to_owned(), request.as_der().to_vec()),
        ("crl", "der".to_owned(), crl.as_der().to_vec()),
        ("ocsp_request", "sm3".to_owned(), ask(Hash::Sm3).as_der().to_vec()),
        ("ocsp_request", "sha1".to_owned(), ask(Hash::Sha1).as_der().to_vec()),
        ("ocsp_response", "revoked".to_owned(), answer.as_der().to_vec()),
        ("certificate_texts", "subject".to_owned(), br"CN=a,O=b\, c,C=CN,1.2.3=d".to_vec()),
        (
            "certificate_texts",
            "san".to_owned(),
            b"DNS:*.a.example,IP:::1,email:a@b,URI:x:y".to_vec(),
        ),
        ("certificate_texts", "subtrees".to_owned(), b"DNS:a.example,IP:fd00::/8".to_vec()),
        ("certificate_texts", "serial".to_owned(), b"01:c0:fe".to_vec()),
        ("certificate_texts", "time".to_owned(), b"2026-11-22T08:00:00Z".to_vec()),
    ]
}
