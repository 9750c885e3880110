//! `gmkit pubkey`.

use gmkit::keys::public_key_to_pem;

use crate::{
    args::Pubkey,
    failure::Failure,
    keys::open_private,
    output::{Access, Content, Output, spare_private_key},
};

pub(crate) fn run(args: &Pubkey) -> Result<(), Failure> {
    spare_private_key(args.output.as_deref(), &args.key)?;
    let key = open_private(&args.key.key, args.key.passphrase_file.as_deref())?;
    let mut output = Output::create(args.output.as_deref(), Content::Text, Access::Public)?;
    output.write(public_key_to_pem(key.public_key()).as_bytes())?;
    output.commit()
}
