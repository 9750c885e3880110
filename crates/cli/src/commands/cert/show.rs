//! `gmkit cert show`, for people.

use gmkit::{
    keys::public_key_to_pem,
    pki::{Certificate, Crl, Extensions, KeyUsage, Request, SubjectKey, now, rfc3339},
    sm2::PublicKey,
};

use super::show_json;
use crate::{
    args::CertShow,
    certificates::MAX_BUNDLE,
    failure::{Context, Failure},
    input::Input,
    keys::fingerprint,
    output::print,
};

/// Revoked certificates that are listed one by one.
const LISTED: usize = 20;

/// What a file may hold.
pub(super) enum Shown {
    Certificates(Vec<Certificate>),
    Request(Box<Request>),
    Crls(Vec<Crl>),
}

pub(super) fn run(args: &CertShow) -> Result<(), Failure> {
    let bytes = Input::open(&args.file)?.read_all(MAX_BUNDLE)?;
    let shown = read(&bytes).about(&args.file)?;
    if args.json.json {
        return show_json::print_all(&shown);
    }
    match shown {
        Shown::Certificates(list) => list.iter().enumerate().try_for_each(|(i, certificate)| {
            let lines = certificate_lines(certificate);
            print(&format!("{}certificate", if i > 0 { "\n" } else { "" }))?;
            print_lines(&lines)
        }),
        Shown::Request(request) => {
            print("certification request (its signature is good: whoever made it has the key)")?;
            print_lines(&request_lines(&request))
        }
        Shown::Crls(list) => list.iter().try_for_each(|crl| {
            print("revocation list (whether its signature is good, `cert verify` says)")?;
            print_lines(&crl_lines(crl))
        }),
    }
}

/// PEM says what it is. DER is tried as each kind; the first reason is the one that is told.
fn read(bytes: &[u8]) -> Result<Shown, Failure> {
    let has = |label: &str| bytes.windows(label.len()).any(|part| part == label.as_bytes());
    let pem = has("-----BEGIN ");
    if pem && has("-----BEGIN X509 CRL-----") {
        return Ok(Shown::Crls(Crl::all_from_file_bytes(bytes)?));
    }
    if pem
        && (has("-----BEGIN CERTIFICATE REQUEST-----")
            || has("-----BEGIN NEW CERTIFICATE REQUEST-----"))
    {
        return Ok(Shown::Request(Box::new(Request::from_file_bytes(bytes)?)));
    }
    let certificates = Certificate::all_from_file_bytes(bytes);
    if pem || certificates.is_ok() {
        return Ok(Shown::Certificates(certificates?));
    }
    if let Ok(crls) = Crl::all_from_file_bytes(bytes) {
        return Ok(Shown::Crls(crls));
    }
    match Request::from_file_bytes(bytes) {
        Ok(request) => Ok(Shown::Request(Box::new(request))),
        Err(_) => Ok(Shown::Certificates(certificates?)),
    }
}

type Lines = Vec<(&'static str, String)>;

fn print_lines(lines: &Lines) -> Result<(), Failure> {
    lines.iter().try_for_each(|(name, value)| print(&format!("  {name:<13}{value}")))
}

fn certificate_lines(certificate: &Certificate) -> Lines {
    let validity = certificate.validity();
    let mut lines: Lines = vec![
        ("subject", certificate.subject().to_string()),
        (
            "issuer",
            match certificate.is_self_issued() {
                true => "itself".to_owned(),
                false => certificate.issuer().to_string(),
            },
        ),
        ("serial", certificate.serial().to_string()),
        (
            "valid",
            format!(
                "{} to {} ({})",
                rfc3339(validity.not_before),
                rfc3339(validity.not_after),
                left(certificate)
            ),
        ),
        (
            "key",
            match certificate.subject_key() {
                SubjectKey::Sm2(key) => key_text(key),
                SubjectKey::Other(oid) => format!("not SM2 ({oid})"),
            },
        ),
    ];
    lines.extend(extension_lines(certificate.extensions()));
    lines.push(("SM3", hex::encode(certificate.fingerprint_sm3())));
    lines.push(("SHA-256", hex::encode(certificate.fingerprint_sha256())));
    lines
}

fn left(certificate: &Certificate) -> String {
    let (validity, now) = (certificate.validity(), now());
    match validity.days_left(now) {
        _ if now < validity.not_before => "NOT YET VALID".to_owned(),
        days if days < 0 => "EXPIRED".to_owned(),
        0 => "less than a day left".to_owned(),
        days => format!("{days} days left"),
    }
}

fn key_text(key: &PublicKey) -> String {
    format!("SM2, fingerprint (SM3) {}", fingerprint(key))
}

/// What the bits of a key usage mean.
fn words(usage: KeyUsage) -> String {
    let word = |name| match name {
        "digitalSignature" => "sign",
        "nonRepudiation" => "commit to what is signed",
        "keyEncipherment" => "encrypt keys to it",
        "dataEncipherment" => "encrypt data to it",
        "keyAgreement" => "agree on keys",
        "keyCertSign" => "sign certificates",
        "cRLSign" => "sign revocation lists",
        _ => "",
    };
    usage.names().map(|name| format!("{} ({name})", word(name))).collect::<Vec<_>>().join(", ")
}

fn extension_lines(extensions: &Extensions) -> Lines {
    let mut lines = Lines::new();
    let joined = |list: &[gmkit::pki::GeneralName]| {
        list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    if let Some(constraints) = extensions.basic_constraints.filter(|constraints| constraints.ca) {
        lines.push((
            "authority",
            match constraints.path_len {
                Some(len) => format!("yes, with at most {len} below it in a chain"),
                None => "yes".to_owned(),
            },
        ));
    }
    lines.extend(extensions.key_usage.map(|usage| ("may", words(usage))));
    if let Some(purposes) = &extensions.extended_key_usage {
        lines
            .push(("for", purposes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")));
    }
    for (name, list) in [
        ("names", joined(&extensions.subject_alt_names)),
        ("permitted", joined(&extensions.permitted)),
        ("excluded", joined(&extensions.excluded)),
        ("CRL at", extensions.crl_urls.join(", ")),
        ("OCSP at", extensions.ocsp_urls.join(", ")),
        ("NOT READ", extensions.unknown_critical().collect::<Vec<_>>().join(", ")),
    ] {
        if !list.is_empty() {
            lines.push((name, list));
        }
    }
    lines
}

fn request_lines(request: &Request) -> Lines {
    let mut lines =
        vec![("subject", request.subject().to_string()), ("key", key_text(request.public_key()))];
    lines.extend(extension_lines(request.extensions()));
    lines
}

fn crl_lines(crl: &Crl) -> Lines {
    let mut lines = vec![
        ("issuer", crl.issuer().to_string()),
        ("made", rfc3339(crl.this_update())),
        (
            "next",
            format!(
                "{}{}",
                rfc3339(crl.next_update()),
                if crl.next_update() < now() { " (TOO OLD)" } else { "" }
            ),
        ),
        ("number", crl.number().map_or_else(|| "none".to_owned(), |number| number.to_string())),
        ("revoked", crl.revoked().len().to_string()),
    ];
    for revoked in crl.revoked().iter().take(LISTED) {
        let reason =
            revoked.reason.map(|code| format!(", {}", reason_name(code))).unwrap_or_default();
        lines.push(("", format!("{}  {}{reason}", revoked.serial, rfc3339(revoked.time))));
    }
    if crl.revoked().len() > LISTED {
        lines.push(("", "... and more: --json has them all".to_owned()));
    }
    lines
}

/// CRLReason (RFC 5280, 5.3.1).
pub(super) fn reason_name(code: u8) -> &'static str {
    match code {
        0 => "unspecified",
        1 => "keyCompromise",
        2 => "cACompromise",
        3 => "affiliationChanged",
        4 => "superseded",
        5 => "cessationOfOperation",
        6 => "certificateHold",
        8 => "removeFromCRL",
        9 => "privilegeWithdrawn",
        10 => "aACompromise",
        _ => "an unknown reason",
    }
}

/// The PEM of a key, for JSON.
pub(super) fn key_pem(key: &PublicKey) -> String {
    public_key_to_pem(key)
}
