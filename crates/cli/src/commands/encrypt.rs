//! `gmkit encrypt`.

use gmkit::keys::{SysRng, selftest::Algorithm};

use super::{encrypt_cms, tested};
use crate::{
    args::{Encrypt, EncryptionDialect, EncryptionForm, Layout},
    failure::{Context, Failure},
    input::Input,
    keys::{ToWhom, read_recipient},
    output::{Access, Content, Output},
};

/// SM2 encryption works on the whole message in memory.
pub(crate) const MAX_PLAINTEXT: usize = 16 << 20;

pub(crate) fn run(args: &Encrypt) -> Result<(), Failure> {
    tested(Algorithm::Sm2Encryption)?;
    match args.form {
        EncryptionForm::Cms => encrypt_cms::run(args),
        EncryptionForm::Sm2 => encrypt_sm2(args),
    }
}

fn encrypt_sm2(args: &Encrypt) -> Result<(), Failure> {
    let [recipient] = &args.recipient[..] else {
        return Err(Failure::input("an SM2 ciphertext has one recipient: give -f cms for several"));
    };
    if args.enveloped || args.dialect != EncryptionDialect::Rfc5652 {
        return Err(Failure::input("--enveloped and --dialect are for CMS messages: give -f cms"));
    }
    let key = match read_recipient(recipient)? {
        ToWhom::Key(key) => key,
        ToWhom::Certificate(certificate) => *certificate.public_key().about(recipient)?,
    };
    let mut output = Output::create(args.output.as_deref(), Content::Binary, Access::Public)?;
    let plaintext = Input::open(&args.file)?.read_all(MAX_PLAINTEXT)?;
    let ciphertext = key.encrypt(&mut SysRng, &plaintext).about(&args.file)?;
    output.write(&match args.layout {
        Layout::Der => ciphertext.to_der()?,
        Layout::C1c3c2 => ciphertext.to_c1c3c2(),
        Layout::C1c2c3 => ciphertext.to_c1c2c3(),
    })?;
    output.commit()
}
