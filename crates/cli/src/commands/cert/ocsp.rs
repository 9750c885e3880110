//! `gmkit cert ocsp`.

use std::path::Path;

use gmkit::{
    pki::{
        Certificate, Database, now,
        ocsp::{CertId, Hash, Request, Responder, Status},
        rfc3339,
    },
    sm2::Id,
};

use super::{show::reason_name, verify::response};
use crate::{
    args::CertOcsp,
    certificates::certificate,
    failure::{Context, Failure},
    input::Input,
    keys::open_private,
    output::{Access, Content, Output, print, spare_private_key},
};

/// Room for any request, in bytes.
const MAX_REQUEST: usize = 1 << 16;

pub(super) fn run(args: &CertOcsp) -> Result<(), Failure> {
    match args {
        CertOcsp::Request { ca, hash, no_nonce, output, file } => {
            let id = id_of(&certificate(ca)?, &certificate(file)?, (*hash).into())?;
            write(output.as_deref(), Request::make(vec![id], !no_nonce)?.as_der())
        }
        CertOcsp::Respond { ca, certificate: own, key, db, days, output, file } => {
            spare_private_key(output.as_deref(), key)?;
            let issuer = certificate(ca)?;
            let own = own.as_deref().map_or_else(|| Ok(issuer.clone()), certificate)?;
            let request = request(file)?;
            let key = open_private(&key.key, key.passphrase_file.as_deref())?;
            let responder = Responder::new(issuer.clone(), own, key)?;
            let database = Database::existing(db, &issuer)?;
            write(output.as_deref(), responder.respond(&request, database.state(), *days)?.as_der())
        }
        CertOcsp::Verify { ca, request, cert, json, file } => {
            verify(ca, request.as_deref(), cert, file, json.json)
        }
    }
}

fn id_of(issuer: &Certificate, asked: &Certificate, hash: Hash) -> Result<CertId, Failure> {
    if asked.issuer() != issuer.subject() {
        return Err(Failure::input("the certificate says that it was issued by somebody else"));
    }
    Ok(CertId::new(hash, issuer, asked.serial()))
}

fn request(path: &Path) -> Result<Request, Failure> {
    Request::from_der(&Input::open(path)?.read_all(MAX_REQUEST)?).about(path)
}

fn write(path: Option<&Path>, der: &[u8]) -> Result<(), Failure> {
    let mut output = Output::create(path, Content::Binary, Access::Public)?;
    output.write(der)?;
    output.commit()
}

fn verify(
    ca: &Path,
    asked: Option<&Path>,
    cert: &Path,
    file: &Path,
    json: bool,
) -> Result<(), Failure> {
    let (issuer, certificate) = (certificate(ca)?, certificate(cert)?);
    let asked = asked.map(request).transpose()?;
    let status =
        response(file)?.status_of(&certificate, &issuer, Id::DEFAULT, now(), asked.as_ref());
    let status = status.about(file)?;
    let (word, since, reason) = match status {
        Status::Good => ("good", None, None),
        Status::Revoked { time, reason } => {
            ("revoked", Some(rfc3339(time)), reason.map(reason_name))
        }
        Status::Unknown => ("unknown", None, None),
    };
    if json {
        let verdict = serde_json::json!({
            "serial": certificate.serial().to_string(), "status": word, "revoked": since, "reason": reason,
        });
        print(&verdict.to_string())?;
    } else if status == Status::Good {
        print(&format!("{}: good", cert.display()))?;
    }
    match status {
        Status::Good => Ok(()),
        Status::Revoked { .. } => Err(Failure::check(format!(
            "{}: REVOKED on {}, {}",
            cert.display(),
            since.unwrap_or_default(),
            reason.unwrap_or("without a reason")
        ))),
        Status::Unknown => {
            Err(Failure::check(format!("{}: the responder does not know it", cert.display())))
        }
    }
}
