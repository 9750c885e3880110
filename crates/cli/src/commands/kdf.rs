//! `gmkit kdf`.

use gmkit::{
    keys::{SoftwareSecret, selftest::Algorithm},
    sm3::{self, kdfs},
};
use zeroize::Zeroizing;

use super::{parse_hex, tested};
use crate::{
    args::{Derivation, Kdf},
    failure::Failure,
    keys::read_secret,
    output::print,
};

pub(crate) fn run(args: &Kdf) -> Result<(), Failure> {
    tested(Algorithm::HmacSm3)?;
    let bad = |_| Failure::input("a length that this derivation does not allow");
    let key = match args {
        Kdf::Hkdf { derivation, salt, info } => {
            let (salt, info) = (parse_hex("salt", salt)?, parse_hex("info", info)?);
            derive(derivation, |secret, out| {
                kdfs::Hkdf::new(Some(&salt), secret).expand(&info, out).map_err(|_| bad(()))
            })
        }
        Kdf::Pbkdf2 { derivation, salt, rounds } => {
            let salt = parse_hex("salt", salt)?;
            derive(derivation, |secret, out| {
                kdfs::pbkdf2(secret, &salt, *rounds, out);
                Ok(())
            })
        }
        Kdf::Sm2 { derivation } => {
            derive(derivation, |secret, out| sm3::kdf(&[secret], out).map_err(|_| bad(())))
        }
        Kdf::Tls12Prf { derivation, label, seed } => {
            let seed = parse_hex("seed", seed)?;
            derive(derivation, |secret, out| {
                kdfs::tls12_prf(secret, label.as_bytes(), &[&seed], out);
                Ok(())
            })
        }
        Kdf::Tls13ExpandLabel { derivation, label, context } => {
            let context = parse_hex("context", context)?;
            derive(derivation, |secret, out| {
                kdfs::tls13_expand_label(secret, label.as_bytes(), &context, out)
                    .map_err(|_| bad(()))
            })
        }
    }?;
    print(&Zeroizing::new(hex::encode(&*key)))
}

fn derive(
    derivation: &Derivation,
    work: impl FnOnce(&[u8], &mut [u8]) -> Result<(), Failure>,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let secret = SoftwareSecret::decode_file_bytes(&read_secret(&derivation.key_file)?);
    let mut out = Zeroizing::new(vec![0; derivation.len.into()]);
    work(&secret, &mut out)?;
    Ok(out)
}
