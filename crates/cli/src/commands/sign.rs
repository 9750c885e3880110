//! `gmkit sign`.

use gmkit::sm2::Id;

use crate::{
    args::{Sign, SignatureForm},
    failure::Failure,
    input::Input,
    keys::open_private,
    output::{Access, Content, Output, spare_private_key},
};

pub(crate) fn run(args: &Sign) -> Result<(), Failure> {
    let id = Id::new(args.id.id.as_bytes())?;
    spare_private_key(args.output.as_deref(), &args.key)?;
    let input = Input::open(&args.file)?;
    let key = open_private(&args.key.key, args.key.passphrase_file.as_deref())?;
    let mut output = Output::create(args.output.as_deref(), Content::Binary, Access::Public)?;
    let mut context = key.start_signing(id)?;
    input.for_each(|piece| Ok(context.update(piece)?))?;
    let signature = context.finish()?;
    match args.form {
        SignatureForm::Der => output.write(signature.to_der().as_bytes())?,
    }
    output.commit()
}
