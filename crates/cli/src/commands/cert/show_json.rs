//! `gmkit cert show --json`.

use gmkit::pki::{Certificate, Crl, Extensions, GeneralName, Request, SubjectKey, now, rfc3339};
use serde_json::{Value, json};

use super::show::{Shown, key_pem, reason_name};
use crate::{failure::Failure, output::print};

/// One object to a line.
pub(super) fn print_all(shown: &Shown) -> Result<(), Failure> {
    match shown {
        Shown::Certificates(list) => {
            list.iter().try_for_each(|one| print(&certificate(one).to_string()))
        }
        Shown::Request(request) => print(&self::request(request).to_string()),
        Shown::Crls(list) => list.iter().try_for_each(|one| print(&crl(one).to_string())),
    }
}

pub(super) fn certificate(certificate: &Certificate) -> Value {
    let validity = certificate.validity();
    json!({
        "kind": "certificate",
        "subject": certificate.subject().to_string(),
        "issuer": certificate.issuer().to_string(),
        "serial": certificate.serial().to_string(),
        "not_before": rfc3339(validity.not_before),
        "not_after": rfc3339(validity.not_after),
        "days_left": validity.days_left(now()),
        "national": certificate.is_national(),
        "public_key": match certificate.subject_key() {
            SubjectKey::Sm2(key) => json!({ "algorithm": "SM2", "pem": key_pem(key) }),
            SubjectKey::Other(oid) => json!({ "algorithm": oid }),
        },
        "extensions": extensions(certificate.extensions()),
        "fingerprint_sm3": hex::encode(certificate.fingerprint_sm3()),
        "fingerprint_sha256": hex::encode(certificate.fingerprint_sha256()),
    })
}

fn request(request: &Request) -> Value {
    json!({
        "kind": "request",
        "subject": request.subject().to_string(),
        "public_key": { "algorithm": "SM2", "pem": key_pem(request.public_key()) },
        "extensions": extensions(request.extensions()),
    })
}

fn crl(crl: &Crl) -> Value {
    let revoked = crl.revoked().iter().map(|revoked| {
        json!({
            "serial": revoked.serial.to_string(),
            "time": rfc3339(revoked.time),
            "reason": revoked.reason.map(reason_name),
        })
    });
    json!({
        "kind": "crl",
        "issuer": crl.issuer().to_string(),
        "this_update": rfc3339(crl.this_update()),
        "next_update": rfc3339(crl.next_update()),
        "number": crl.number(),
        "revoked": revoked.collect::<Vec<_>>(),
    })
}

fn extensions(extensions: &Extensions) -> Value {
    let names = |list: &[GeneralName]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let constraints = extensions.basic_constraints;
    let purposes = extensions.extended_key_usage.as_ref();
    json!({
        "ca": extensions.is_ca(),
        "path_len": constraints.and_then(|constraints| constraints.path_len),
        "key_usage": extensions.key_usage.map(|usage| usage.names().collect::<Vec<_>>()),
        "extended_key_usage": purposes.map(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>()),
        "subject_alt_names": names(&extensions.subject_alt_names),
        "permitted": names(&extensions.permitted),
        "excluded": names(&extensions.excluded),
        "crl_urls": extensions.crl_urls,
        "ocsp_urls": extensions.ocsp_urls,
        "subject_key_id": extensions.subject_key_id.as_ref().map(hex::encode),
        "authority_key_id": extensions.authority_key_id.as_ref().map(hex::encode),
        "unknown_critical": extensions.unknown_critical().collect::<Vec<_>>(),
    })
}
