//! The authority that a command line names.

use gmkit::{
    pki::{
        Issuer,
        rcgen::{BasicConstraints, CertificateParams, IsCa, NameConstraints},
        subtrees,
    },
    sm2::Id,
};

use crate::{
    args::{AuthorityArgs, Limits},
    certificates::certificate,
    failure::{Context, Failure},
    keys::open_private,
};

pub(super) fn authority(args: &AuthorityArgs) -> Result<Issuer, Failure> {
    let certificate = certificate(&args.ca)?;
    let id = Id::new(args.id.id.as_bytes())?;
    let key = open_private(&args.key.key, args.key.passphrase_file.as_deref())?;
    Ok(Issuer::new(certificate, key).about(&args.ca)?.with_id(id))
}

/// Limits make sense for an authority only.
pub(super) fn limited(params: &mut CertificateParams, limits: &Limits) -> Result<(), Failure> {
    let Limits { path_len, permit, exclude } = limits;
    if path_len.is_none() && permit.is_none() && exclude.is_none() {
        return Ok(());
    }
    if !matches!(params.is_ca, IsCa::Ca(_)) {
        return Err(Failure::input(
            "--path-len, --permit and --exclude are for authorities: --profile ca",
        ));
    }
    if let Some(len) = path_len {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(*len));
    }
    let read = |text: &Option<String>| text.as_deref().map(subtrees).transpose();
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: read(permit)?.unwrap_or_default(),
        excluded_subtrees: read(exclude)?.unwrap_or_default(),
    });
    Ok(())
}
