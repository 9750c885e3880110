//! `gmkit kdf`.

use std::num::NonZeroU32;

use gmkit::{
    keys::{Passphrase, SoftwareSecret, selftest::Algorithm},
    sm3::{self, kdfs},
};
use zeroize::Zeroizing;

use super::{hex_of_secret, parse_hex, tested};
use crate::{
    args::{Derivation, Kdf},
    failure::Failure,
    keys::read_secret,
    output::{Access, Content, Output, spare_key},
};

pub(crate) fn run(args: &Kdf) -> Result<(), Failure> {
    tested(Algorithm::HmacSm3)?;
    let bad = |_| Failure::input("a length that this derivation does not allow");
    match args {
        Kdf::Hkdf { derivation, salt, info } => {
            let (salt, info) = (parse_hex("salt", salt)?, parse_hex("info", info)?);
            derive(derivation, secret, |secret, out| {
                kdfs::Hkdf::new(Some(&salt), secret).expand(&info, out).map_err(|_| bad(()))
            })
        }
        Kdf::Pbkdf2 { derivation, salt, rounds } => {
            let salt = parse_hex("salt", salt)?;
            let rounds = NonZeroU32::new(*rounds).ok_or_else(|| bad(()))?;
            derive(derivation, password, |password, out| {
                kdfs::pbkdf2(password, &salt, rounds, out);
                Ok(())
            })
        }
        Kdf::Sm2 { derivation } => {
            derive(derivation, secret, |secret, out| sm3::kdf(&[secret], out).map_err(|_| bad(())))
        }
        Kdf::Tls12Prf { derivation, label, seed } => {
            let seed = parse_hex("seed", seed)?;
            derive(derivation, secret, |secret, out| {
                kdfs::tls12_prf(secret, label.as_bytes(), &[&seed], out);
                Ok(())
            })
        }
        Kdf::Tls13ExpandLabel { derivation, label, context } => {
            let context = parse_hex("context", context)?;
            derive(derivation, secret, |secret, out| {
                kdfs::tls13_expand_label(secret, label.as_bytes(), &context, out)
                    .map_err(|_| bad(()))
            })
        }
    }
}

/// A file of raw bytes, or of hexadecimal digits.
fn secret(file: &[u8]) -> Zeroizing<Vec<u8>> {
    SoftwareSecret::decode_file_bytes(file)
}

/// The first line of a file, whatever it looks like.
fn password(file: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Passphrase::from_file_bytes(file).as_bytes().to_vec())
}

fn derive(
    derivation: &Derivation,
    read: fn(&[u8]) -> Zeroizing<Vec<u8>>,
    work: impl FnOnce(&[u8], &mut [u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    spare_key(derivation.output.as_deref(), &derivation.key_file)?;
    let secret = read(&read_secret(&derivation.key_file)?);
    if secret.is_empty() {
        return Err(Failure::about(derivation.key_file.display(), Failure::input("is empty")));
    }
    let mut out = Zeroizing::new(vec![0; derivation.len.into()]);
    work(&secret, &mut out)?;
    let output = Output::create(derivation.output.as_deref(), Content::Text, Access::Secret)?;
    let mut output = output.without_replacing();
    output.write(hex_of_secret(&out).as_bytes())?;
    output.write(b"\n")?;
    output.commit()
}
