//! `gmkit sign`.

use gmkit::{pki::cms::can_be_signed_attributes, sm2::Id};

use super::sign_cms;
use crate::{
    args::{Sign, SignatureForm},
    failure::Failure,
    input::Input,
    keys::open_private,
    output::{Access, Content, Output, spare_private_key},
};

/// Enough of the file to see what it could be taken for.
const START: usize = 32;

pub(crate) fn run(args: &Sign) -> Result<(), Failure> {
    let id = Id::new(args.id.id.as_bytes())?;
    spare_private_key(args.output.as_deref(), &args.key)?;
    match (args.form, &args.certificate) {
        (Some(SignatureForm::Der), _) | (None, None) => sign_der(args, id),
        (_, Some(certificate)) => sign_cms::run(args, certificate, id),
        (Some(SignatureForm::Cms), None) => {
            Err(Failure::input("a CMS message holds the signer's certificate: give -c"))
        }
    }
}

fn sign_der(args: &Sign, id: Id<'_>) -> Result<(), Failure> {
    if args.attach || args.cosign.is_some() || !args.with_crl.is_empty() {
        let reason = "--attach, --cosign and --with-crl are for CMS messages: give -c";
        return Err(Failure::input(reason));
    }
    let input = Input::open(&args.file)?;
    let key = open_private(&args.key.key, args.key.passphrase_file.as_deref())?;
    let mut output = Output::create(args.output.as_deref(), Content::Binary, Access::Public)?;
    let mut context = key.start_signing(id)?;
    let mut start = Vec::new();
    input.for_each(|piece| {
        start.extend(piece.iter().take(START - start.len()));
        Ok(context.update(piece)?)
    })?;
    if can_be_signed_attributes(&start) {
        let reason = "can be the signed attributes of a CMS message: a bare signature over it would make one about \
                      something else";
        return Err(Failure::about(args.file.display(), Failure::input(reason)));
    }
    let signature = context.finish()?;
    output.write(signature.to_der().as_bytes())?;
    output.commit()
}
