//! `gmkit hsm`: keys in devices.

pub(super) mod report;

use std::{sync::Arc, time::Duration};

use gmkit::{
    hsm::{
        Error, Export, Finding, KeyName, KeyUse, Module, Opener, Outcome, Profiles, SecretType,
        Token, Uri,
    },
    keys::{self, KeyUri, Origin, public_key_to_pem},
};

use crate::{
    args::{
        self, HsmImport, HsmKeyType, HsmKeygen, HsmKeys, HsmModule, HsmProfile, HsmTest, HsmUri,
    },
    certificates::certificates,
    failure::{Context, Failure},
    keys::FileOrPrompt,
    output::{Access, Content, Output, print},
};

pub(crate) fn run(args: &args::Hsm) -> Result<(), Failure> {
    match args {
        args::Hsm::Info(args) => report::info(&*module(args)?, args.json.json),
        args::Hsm::Slots(args) => report::slots(&*module(args)?, args.json.json),
        args::Hsm::Keys(args) => {
            let (_, token) = token(&args.uri)?;
            report::keys(&token.keys()?, args.json.json)
        }
        args::Hsm::Keygen(args) => keygen(args),
        args::Hsm::ImportCert(args) => import(args),
        args::Hsm::Delete(args) => delete(args),
        args::Hsm::Test(args) => test(args),
        args::Hsm::Profiles(args) => {
            let profiles = profiles(args.profile_file.as_deref())?;
            report::profiles(&profiles, args.json.json)
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::NoModule
            | Error::Profile { .. }
            | Error::NotFound { .. }
            | Error::Ambiguous { .. } => Self::input(error.to_string()),
            error => keys::Error::from(error).into(),
        }
    }
}

fn profiles(file: Option<&std::path::Path>) -> Result<Profiles, Failure> {
    match file {
        None => Ok(Profiles::embedded()),
        Some(path) => Profiles::embedded().with_file(path).about(path),
    }
}

fn opener(profile: &HsmProfile) -> Result<Opener, Failure> {
    let opener = Opener::new().with_profiles(profiles(profile.profile_file.as_deref())?);
    Ok(match &profile.profile {
        Some(name) => opener.with_profile(name),
        None => opener,
    })
}

fn module(args: &HsmModule) -> Result<Arc<Module>, Failure> {
    let mut opener = opener(&args.profile)?;
    if let Some(path) = &args.module {
        opener = opener.with_module(path);
    }
    Ok(opener.module(&Uri::default())?)
}

/// The token that a URI names, logged in.
fn token(args: &HsmUri) -> Result<(Uri, Arc<Token>), Failure> {
    let uri = Uri::parse(&KeyUri::parse(&args.key, Origin::Operator)?)?;
    let mut opener = opener(&args.profile)?;
    if let Some(path) = &args.module {
        opener = opener.with_module(path);
    }
    let token = opener.token(&uri, &FileOrPrompt { file: args.pin_file.as_deref() })?;
    Ok((uri, token))
}

fn keygen(args: &HsmKeygen) -> Result<(), Failure> {
    let secret = match args.kind {
        HsmKeyType::Sm2 => None,
        HsmKeyType::Sm4 => Some((SecretType::Sm4, KeyUse::Encrypt)),
        HsmKeyType::HmacSm3 => Some((SecretType::HmacSm3, KeyUse::Authenticate)),
    };
    if let Some((kind, for_what)) = secret {
        if args.public.is_some() {
            return Err(Failure::input("a secret key has no public key for -p"));
        }
        let (uri, token) = token(&args.uri)?;
        token.generate_secret(&KeyName::of(&uri), kind, for_what, Export::Never)?;
        return Ok(());
    }
    let mut output = Output::create(args.public.as_deref(), Content::Text, Access::Public)?;
    let (uri, token) = token(&args.uri)?;
    let key = token.generate_sm2(&KeyName::of(&uri))?;
    output.write(public_key_to_pem(&key).as_bytes())?;
    output.commit()
}

/// A check like any other: what is wrong with a device is no success.
fn test(args: &HsmTest) -> Result<(), Failure> {
    let (_, token) = token(&args.uri)?;
    let findings = token.conformance(Duration::from_millis(args.pace))?;
    report::findings(&token, &findings, args.json.json)?;
    let wrong = |finding: &&Finding| matches!(finding.outcome, Outcome::Wrong { .. });
    match findings.iter().filter(wrong).count() {
        0 => Ok(()),
        wrong => Err(Failure::check(format!("{wrong} of the mechanisms give wrong results"))),
    }
}

fn import(args: &HsmImport) -> Result<(), Failure> {
    let certificate = certificates(&args.file)?.swap_remove(0);
    let (uri, token) = token(&args.uri)?;
    let name = KeyName::of(&uri);
    if name.label.is_none() && name.id.is_none() {
        return Err(Failure::input("the URI names no object= or id= for the certificate"));
    }
    let parts = [
        certificate.subject().as_der(),
        certificate.issuer().as_der(),
        certificate.serial().as_bytes(),
    ];
    Ok(token.import_certificate(&name, certificate.as_der(), parts)?)
}

fn delete(args: &HsmKeys) -> Result<(), Failure> {
    let (uri, token) = token(&args.uri)?;
    let deleted = token.delete(&KeyName::of(&uri), uri.kind)?;
    match args.json.json {
        true => print(&serde_json::json!({ "deleted": deleted }).to_string()),
        false => print(&format!("{deleted} objects deleted")),
    }
}
