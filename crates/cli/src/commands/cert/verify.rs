//! `gmkit cert verify`.

use std::path::Path;

use gmkit::{
    pki::{Anchor, Chain, Crl, Purpose, Untrusted, Verifier, ocsp, parse_rfc3339},
    sm2::Id,
};

use super::show_json;
use crate::{
    args::{CertPurpose, CertVerify},
    certificates::{MAX_BUNDLE, MAX_CRL, certificates},
    failure::{Context, Failure},
    input::Input,
    output::print,
};

pub(super) fn run(args: &CertVerify) -> Result<(), Failure> {
    let mut given = certificates(&args.file)?;
    let leaf = given.remove(0);
    let verifier = verifier(args)?.with_intermediates(given);
    match verifier.verify(&leaf) {
        Ok(chain) => report(args, &chain),
        Err(reason) => refuse(args, &reason),
    }
}

fn verifier(args: &CertVerify) -> Result<Verifier, Failure> {
    let id = Id::new(args.id.id.as_bytes())?;
    let anchors = certificates(&args.ca)?.into_iter().map(|anchor| Anchor::new(anchor).with_id(id));
    let default = if args.name.is_some() { CertPurpose::TlsServer } else { CertPurpose::Any };
    let mut verifier =
        Verifier::new(anchors.collect(), Purpose::from(args.purpose.unwrap_or(default)));
    if let Some(path) = &args.untrusted {
        verifier = verifier.with_intermediates(certificates(path)?);
    }
    for path in &args.crl {
        let bytes = Input::open(path)?.read_all(MAX_CRL)?;
        let crls = Crl::all_from_file_bytes(&bytes).about(path)?;
        verifier = verifier.with_crls(crls).about(path)?;
    }
    if args.crl_all {
        verifier = verifier.with_all_revocation();
    }
    let responses = args.ocsp.iter().map(|path| response(path)).collect::<Result<Vec<_>, _>>()?;
    verifier = verifier.with_ocsp(responses);
    if let Some(name) = &args.name {
        verifier = verifier.named(name)?;
    }
    if let Some(time) = &args.at {
        verifier = verifier.at(parse_rfc3339(time)?);
    }
    Ok(verifier)
}

pub(super) fn response(path: &Path) -> Result<ocsp::Response, Failure> {
    ocsp::Response::from_der(&Input::open(path)?.read_all(MAX_BUNDLE)?).about(path)
}

fn report(args: &CertVerify, chain: &Chain) -> Result<(), Failure> {
    if args.json.json {
        let chain_json: Vec<_> = chain.certificates.iter().map(show_json::certificate).collect();
        let verdict = serde_json::json!({
            "file": args.file.to_string_lossy(),
            "trusted": true,
            "chain": chain_json,
            "revocation_checked": chain.revocation_checked,
        });
        return print(&verdict.to_string());
    }
    print(&format!("{}: trusted", args.file.display()))?;
    for (depth, certificate) in chain.certificates.iter().enumerate() {
        let role = match depth {
            0 => "it is",
            _ if depth + 1 == chain.certificates.len() => "trusted is",
            _ => "issued by",
        };
        print(&format!("  {role:<11}{}", certificate.subject()))?;
    }
    match chain.revocation_checked {
        true => print("  not revoked, by what was given"),
        false => print("  whether it was revoked was not looked at (--crl, --ocsp)"),
    }
}

fn refuse(args: &CertVerify, reason: &Untrusted) -> Result<(), Failure> {
    if args.json.json {
        let verdict = serde_json::json!({
            "file": args.file.to_string_lossy(),
            "trusted": false,
            "reason": reason.to_string(),
        });
        print(&verdict.to_string())?;
    }
    Err(Failure::check(format!("{}: NOT trusted: {reason}", args.file.display())))
}
