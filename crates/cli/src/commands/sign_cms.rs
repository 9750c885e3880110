//! `gmkit sign`, into a CMS message.

use std::path::Path;

use gmkit::{
    keys::Credential,
    pki::cms::{SignedReader, Signing},
    sm2::Id,
};

use crate::{
    args::Sign,
    certificates::{certificates, crls},
    failure::{Context, Failure},
    input::Input,
    keys::open_private,
    output::{Access, Content, Output},
};

pub(crate) fn run(args: &Sign, certificate: &Path, id: Id<'_>) -> Result<(), Failure> {
    let chain = certificates(certificate)?;
    let input = Input::open(&args.file)?;
    let key = open_private(&args.key.key, args.key.passphrase_file.as_deref())?;
    let chain = chain.iter().map(|certificate| certificate.as_der().to_vec()).collect();
    let signer = Credential::new(chain, key).about(certificate)?;
    let signing = Signing::new(args.dialect.into());
    let mut signing = signing.with_signer_id(&signer, id).about(certificate)?;
    for path in &args.with_crl {
        for crl in crls(path)? {
            signing = signing.with_crl(&crl);
        }
    }
    if let Some(path) = &args.cosign {
        let (message, _) = SignedReader::new(Input::open(path)?.into_read())
            .and_then(SignedReader::finish)
            .about(path)?;
        signing = signing.with_signatures_of(&message).about(path)?;
    }
    let mut output = Output::create(args.output.as_deref(), Content::Binary, Access::Public)?;
    if args.attach {
        let mut writer = signing.attached(output.as_write());
        input.for_each(|piece| Ok(writer.update(piece)?))?;
        writer.finish()?;
    } else {
        let mut signer = signing.detached();
        input.for_each(|piece| {
            signer.update(piece);
            Ok(())
        })?;
        output.write(&signer.finish()?)?;
    }
    output.commit()
}
