//! `gmkit encrypt`, into a CMS message.

use gmkit::pki::cms::{Dialect, Encrypting, Recipient};

use crate::{
    args::{Encrypt, EncryptionDialect, Layout},
    failure::{Context, Failure},
    input::Input,
    keys::{ToWhom, read_recipient},
    output::{Access, Content, Output},
};

pub(crate) fn run(args: &Encrypt) -> Result<(), Failure> {
    if args.layout != Layout::Der {
        return Err(Failure::input("--layout is for SM2 ciphertexts: give -f sm2"));
    }
    if args.dialect != EncryptionDialect::Rfc5652 && !args.enveloped {
        let reason = "GB/T 35275 has no message with SM4-GCM: give --enveloped for SM4-CBC, or leave --dialect out";
        return Err(Failure::input(reason));
    }
    let mut encrypting = match args.dialect {
        EncryptionDialect::Rfc5652 => Encrypting::new(Dialect::Rfc5652),
        EncryptionDialect::Gmt0010 => Encrypting::new(Dialect::Gmt0010),
        EncryptionDialect::Gmssl => Encrypting::new(Dialect::Gmt0010).with_exchange_oid(),
    };
    for path in &args.recipient {
        encrypting = encrypting.with_recipient(match read_recipient(path)? {
            ToWhom::Key(key) => Recipient::key(&key),
            ToWhom::Certificate(certificate) => Recipient::certificate(&certificate).about(path)?,
        });
    }
    if args.enveloped {
        encrypting = encrypting.without_authentication();
    }
    let input = Input::open(&args.file)?;
    if let Some(len) = input.len() {
        encrypting = encrypting.with_len(len);
    }
    let mut output = Output::create(args.output.as_deref(), Content::Binary, Access::Public)?;
    let mut writer = encrypting.to(output.as_write())?;
    input.for_each(|piece| Ok(writer.update(piece)?)).about(&args.file)?;
    writer.finish().about(&args.file)?;
    output.commit()
}
