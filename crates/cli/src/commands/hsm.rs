//! `gmkit hsm`: keys in devices.

pub(super) mod report;

use std::sync::Arc;

use gmkit::{
    hsm::{Error, KeyName, Module, Opener, Profiles, Token, Uri},
    keys::{self, KeyUri, Origin, public_key_to_pem},
};

use crate::{
    args::{self, HsmImport, HsmKeygen, HsmKeys, HsmModule, HsmProfile, HsmUri},
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
    let output = Output::create(args.public.as_deref(), Content::Text, Access::Public)?;
    let (uri, token) = token(&args.uri)?;
    let key = token.generate_sm2(&KeyName::of(&uri))?;
    let mut output = output;
    output.write(public_key_to_pem(&key).as_bytes())?;
    output.commit()
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
