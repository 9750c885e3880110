//! `gmkit decrypt`.

use std::io::Read;

use gmkit::sm2::Ciphertext;

use super::{decrypt_cms, encrypt::MAX_PLAINTEXT};
use crate::{
    args::{Decrypt, Layout},
    failure::{Context, Failure},
    keys::open_private,
    message,
    output::{Access, Content, Output, spare_private_key},
};

/// Room for C1, C3 and DER around the largest C2.
const MAX_CIPHERTEXT: usize = MAX_PLAINTEXT + 256;

pub(crate) fn run(args: &Decrypt) -> Result<(), Failure> {
    spare_private_key(args.output.as_deref(), &args.key)?;
    let (is_cms, input) = message::recognized(&args.file)?;
    if is_cms && args.layout.is_none() {
        return decrypt_cms::run(args, input);
    }
    if args.certificate.is_some() || args.ca.is_some() {
        let reason = Failure::input("-c and --ca are for CMS messages, and this is not one");
        return Err(Failure::about(args.file.display(), reason));
    }
    decrypt_sm2(args, input)
}

fn decrypt_sm2(args: &Decrypt, input: impl Read) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    input.take(MAX_CIPHERTEXT as u64 + 1).read_to_end(&mut bytes).about(&args.file)?;
    if bytes.len() > MAX_CIPHERTEXT {
        let reason = Failure::input("is larger than 16 MiB: no SM2 ciphertext that is read here");
        return Err(Failure::about(args.file.display(), reason));
    }
    let ciphertext = parse(&bytes, args.layout).about(&args.file)?;
    let key = open_private(&args.key.key, args.key.passphrase_file.as_deref())?;
    let mut output = Output::create(args.output.as_deref(), Content::Unverified, Access::Secret)?;
    let plaintext = key.decrypt(&ciphertext).about(&args.file)?;
    output.write(&plaintext)?;
    output.commit()
}

/// Without a layout: DER starts with 30, raw forms with 04, and the raw form is taken to be the
/// standard's, C1C3C2.
fn parse(bytes: &[u8], layout: Option<Layout>) -> Result<Ciphertext, gmkit::sm2::Error> {
    match (layout, bytes.first()) {
        (Some(Layout::C1c2c3), _) => Ciphertext::from_c1c2c3(bytes),
        (Some(Layout::C1c3c2), _) | (None, Some(0x04)) => Ciphertext::from_c1c3c2(bytes),
        (Some(Layout::Der), _) | (None, _) => Ciphertext::from_der(bytes),
    }
}
