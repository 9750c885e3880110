//! `gmkit encrypt`.

use gmkit::keys::{SysRng, selftest::Algorithm};

use super::tested;
use crate::{
    args::{Encrypt, EncryptionForm, Layout},
    failure::{Context, Failure},
    input::Input,
    keys::read_public,
    output::{Access, Content, Output},
};

/// SM2 encryption works on the whole message in memory.
pub(crate) const MAX_PLAINTEXT: usize = 16 << 20;

pub(crate) fn run(args: &Encrypt) -> Result<(), Failure> {
    let EncryptionForm::Sm2 = args.form;
    tested(Algorithm::Sm2Encryption)?;
    let recipient = read_public(&args.recipient)?;
    let mut output = Output::create(args.output.as_deref(), Content::Binary, Access::Public)?;
    let plaintext = Input::open(&args.file)?.read_all(MAX_PLAINTEXT)?;
    let ciphertext = recipient.encrypt(&mut SysRng, &plaintext).about(&args.file)?;
    output.write(&match args.layout {
        Layout::Der => ciphertext.to_der()?,
        Layout::C1c3c2 => ciphertext.to_c1c3c2(),
        Layout::C1c2c3 => ciphertext.to_c1c2c3(),
    })?;
    output.commit()
}
