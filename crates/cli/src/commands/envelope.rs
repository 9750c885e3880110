//! `gmkit envelope`.

use std::path::Path;

use gmkit::keys::{EnvelopedKey, KeyFormat, PrivateKey};
use zeroize::Zeroizing;

use crate::{
    args::{Envelope, PrivateKeyArgs},
    failure::{Context, Failure},
    input::Input,
    keys::{fingerprint, new_passphrase, open_private, open_software, read_public},
    output::{Access, Content, Output, print, spare_key, spare_private_key},
};

/// Room for an envelope, which has about 250 bytes.
const MAX_ENVELOPE: usize = 1 << 16;

pub(crate) fn run(args: &Envelope) -> Result<(), Failure> {
    match args {
        Envelope::Seal { key, recipient, output } => seal(key, recipient, output.as_deref()),
        Envelope::Open { key, output, no_passphrase, new_passphrase_file, file } => {
            open(key, output, *no_passphrase, new_passphrase_file.as_deref(), file)
        }
    }
}

fn seal(key: &PrivateKeyArgs, recipient: &Path, output: Option<&Path>) -> Result<(), Failure> {
    spare_private_key(output, key)?;
    let recipient = read_public(recipient)?;
    let key = open_software(&key.key, key.passphrase_file.as_deref())?;
    let mut output = Output::create(output, Content::Binary, Access::Public)?;
    output.write(&EnvelopedKey::seal(&key, &recipient)?.to_der()?)?;
    output.commit()
}

fn open(
    owner: &PrivateKeyArgs,
    output: &Path,
    no_passphrase: bool,
    new_passphrase_file: Option<&Path>,
    file: &Path,
) -> Result<(), Failure> {
    spare_private_key(Some(output), owner)?;
    if let Some(file) = new_passphrase_file {
        spare_key(Some(output), file)?;
    }
    let envelope = EnvelopedKey::from_der(&Input::open(file)?.read_all(MAX_ENVELOPE)?);
    let envelope = envelope.about(file)?;
    let owner = open_private(&owner.key, owner.passphrase_file.as_deref())?;
    let key = envelope.open(&*owner).about(file)?;
    let pem = match no_passphrase {
        true => key.to_pem(),
        false => {
            let passphrase = new_passphrase(new_passphrase_file, "--new-passphrase-file")?;
            Zeroizing::new(key.to_encrypted_pem(&passphrase, KeyFormat::Compat)?)
        }
    };
    let to_stdout = output.as_os_str() == "-";
    let mut output = Output::create(Some(output), Content::Text, Access::Secret)?;
    output = output.without_replacing();
    output.write(pem.as_bytes())?;
    output.commit()?;
    if to_stdout {
        return Ok(());
    }
    print(&format!("fingerprint (SM3): {}", fingerprint(key.public_key())))
}
