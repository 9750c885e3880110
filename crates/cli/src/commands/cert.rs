//! `gmkit cert`.

mod authority;
mod issue;
mod ocsp;
mod show;
mod show_json;
mod verify;

use gmkit::pki::{
    Certificate, Database, Request, Serial, rcgen::CertificateParams, rfc3339, san, subject,
};

use self::authority::{authority, limited};
use crate::{
    args::{Cert, CertCa, CertCrl, CertCsr, CertList, CertRenew, CertRevoke},
    certificates::{certificate, write_pem, write_text},
    failure::{Context, Failure},
    keys::open_private,
    output::{Access, Content, Output, print, spare_private_key},
};

pub(crate) fn run(args: &Cert) -> Result<(), Failure> {
    match args {
        Cert::Ca(args) => ca(args),
        Cert::Csr(args) => csr(args),
        Cert::Issue(args) => issue::run(args),
        Cert::Show(args) => show::run(args),
        Cert::Verify(args) => verify::run(args),
        Cert::Revoke(args) => revoke(args),
        Cert::Crl(args) => crl(args),
        Cert::Renew(args) => renew(args),
        Cert::List(args) => list(args),
        Cert::Ocsp(args) => ocsp::run(args),
    }
}

fn ca(args: &CertCa) -> Result<(), Failure> {
    spare_private_key(args.output.as_deref(), &args.key)?;
    let mut params = gmkit::pki::Profile::Ca.params(subject(&args.subject)?, args.days)?;
    limited(&mut params, &args.limits)?;
    let key = open_private(&args.key.key, args.key.passphrase_file.as_deref())?;
    let issuer = gmkit::pki::Issuer::self_signed(params, key)?;
    write_pem(args.output.as_deref(), issuer.certificate())
}

fn csr(args: &CertCsr) -> Result<(), Failure> {
    spare_private_key(args.output.as_deref(), &args.key)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(&args.subject)?;
    params.subject_alt_names = args.san.as_deref().map(san).transpose()?.unwrap_or_default();
    let key = open_private(&args.key.key, args.key.passphrase_file.as_deref())?;
    write_text(args.output.as_deref(), &Request::make(&params, &*key)?.to_pem())
}

fn revoke(args: &CertRevoke) -> Result<(), Failure> {
    let serial: Serial = args.serial.parse()?;
    let mut database = Database::open(&args.db)?;
    database.revoke(&serial, args.reason.into())?;
    print(&format!("{serial}: revoked; those who check see it in the next revocation list"))
}

fn crl(args: &CertCrl) -> Result<(), Failure> {
    spare_private_key(args.output.as_deref(), &args.authority.key)?;
    let issuer = authority(&args.authority)?;
    let mut database = Database::existing(&args.db, issuer.certificate())?;
    let crl = database.crl(&issuer, args.days)?;
    let as_der =
        args.output.as_ref().is_some_and(|path| path.extension().is_some_and(|end| end == "der"));
    if !as_der {
        return write_text(args.output.as_deref(), &crl.to_pem());
    }
    let mut output = Output::create(args.output.as_deref(), Content::Binary, Access::Public)?;
    output.write(crl.as_der())?;
    output.commit()
}

fn renew(args: &CertRenew) -> Result<(), Failure> {
    spare_private_key(args.output.as_deref(), &args.authority.key)?;
    let old = certificate(&args.file)?;
    let issuer = authority(&args.authority)?;
    let mut database = Database::existing(&args.db, issuer.certificate())?;
    let new: Certificate = database.renew(&issuer, &old).about(&args.file)?;
    write_pem(args.output.as_deref(), &new)
}

fn list(args: &CertList) -> Result<(), Failure> {
    let database = Database::open(&args.db)?;
    let now = gmkit::pki::now();
    for (serial, record) in database.state().records() {
        let status = match (record.revoked(), record.not_after < now) {
            (Some(_), _) => "revoked",
            (None, true) => "expired",
            (None, false) => "valid",
        };
        let line = match args.json.json {
            true => serde_json::json!({
                "serial": serial.to_string(),
                "subject": record.subject,
                "issued": rfc3339(record.issued),
                "not_after": rfc3339(record.not_after),
                "status": status,
                "revoked": record.revoked().map(|(time, _)| rfc3339(time)),
                "reason": record.revoked().map(|(_, reason)| reason.name()),
            })
            .to_string(),
            false => {
                format!("{serial}  {status:7}  {}  {}", rfc3339(record.not_after), record.subject)
            }
        };
        print(&line)?;
    }
    Ok(())
}
