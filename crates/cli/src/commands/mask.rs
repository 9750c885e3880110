//! `gmkit mask`: personal data, found and masked.

mod apply;
mod explain;
mod sarif;
mod scan;
mod work;

use std::{path::Path, sync::Arc};

use gmkit::{
    keys::{SoftwareFieldKey, SoftwareSecret},
    mask::{Caller, Direction, Keys, Passage, Policies, Policy},
};

use zeroize::Zeroizing;

use crate::{
    args::{Mask, MaskPassage, MaskPolicy},
    failure::{Context, Failure},
    input::Input,
    keys::read_secret,
};

/// Largest policy that is read, in bytes.
const MAX_POLICY: usize = 1 << 20;

pub(crate) fn run(args: &Mask) -> Result<(), Failure> {
    match args {
        Mask::Apply(args) => apply::run(args),
        Mask::Scan(args) => scan::run(args),
        Mask::Explain(args) => explain::run(args),
    }
}

/// Reads the policy that is for the body, with its keys.
fn policy(args: &MaskPolicy) -> Result<Policy, Failure> {
    let keys = keys(args)?;
    let text = Input::open(&args.policy)?.read_all(MAX_POLICY)?;
    let text = std::str::from_utf8(&text).map_err(|_| Failure::input("is no text"));
    let text = text.about(&args.policy)?;
    let extension = args.policy.extension().unwrap_or_default().to_ascii_lowercase();
    let policies = match extension.to_str() {
        Some("yaml" | "yml" | "json") => Policies::from_yaml(text, &keys),
        _ => Policies::from_toml(text, &keys),
    };
    let policies = policies.about(&args.policy)?;
    let MaskPassage { route, method, request, role, purpose, consent } = &args.passage;
    let caller = Caller { roles: role.clone(), purpose: purpose.clone(), consent: *consent };
    let direction = if *request { Direction::Request } else { Direction::Response };
    let passage = Passage { route, method, direction, caller: &caller };
    let clear = || Failure::input("the policy lets such a body pass as it is");
    Ok(Policy::clone(policies.of(&passage).ok_or_else(clear)?))
}

fn keys(args: &MaskPolicy) -> Result<Keys, Failure> {
    let mut keys = Keys::new();
    for key in &args.key {
        let (name, file, bytes) = named(key, "--key")?;
        keys = keys.with_secret(name, Arc::new(SoftwareSecret::hmac_sm3(&bytes).about(file)?));
    }
    for key in &args.seal_key {
        let (name, file, bytes) = named(key, "--seal-key")?;
        keys = keys.with_field(name, Arc::new(SoftwareFieldKey::sealing(&bytes).about(file)?));
    }
    for key in &args.ff1_key {
        let (name, file, bytes) = named(key, "--ff1-key")?;
        keys = keys.with_field(name, Arc::new(SoftwareFieldKey::digits(&bytes).about(file)?));
    }
    Ok(keys)
}

/// A key's name, its file and what is in it.
fn named<'t>(
    text: &'t str,
    option: &str,
) -> Result<(&'t str, &'t Path, Zeroizing<Vec<u8>>), Failure> {
    let malformed = || Failure::input(format!("{option} is NAME=FILE"));
    let (name, file) = text.split_once('=').ok_or_else(malformed)?;
    let file = Path::new(file);
    Ok((name, file, SoftwareSecret::decode_file_bytes(&read_secret(file)?)))
}
