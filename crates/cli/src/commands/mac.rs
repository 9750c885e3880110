//! `gmkit mac`.

use gmkit::{
    keys::{SecretKey, SecretUse, SoftwareSecret, selftest::Algorithm},
    sm4::{
        Cmac,
        cmac::{KeyInit, Mac as _},
        gcm::Gcm,
    },
};

use super::{hash::line, parse_hex, tested};
use crate::{
    args::{Mac, MacAlgorithm},
    failure::{Context, Failure},
    input::Input,
    keys::{open_device_secret, read_secret},
    output::print_bytes,
};

/// Longest message of GMAC here.
const MAX_GMAC: usize = 16 << 20;

pub(crate) fn run(args: &Mac) -> Result<(), Failure> {
    if args.iv.is_some() && args.algorithm != MacAlgorithm::GmacSm4 {
        return Err(Failure::input("only gmac-sm4 takes an --iv"));
    }
    let device = open_device_secret(&args.key_file, SecretUse::Mac, args.pin_file.as_deref())?;
    let (name, mac) = match (device, args.algorithm) {
        (Some(key), MacAlgorithm::HmacSm3) => ("hmac_sm3", hmac(args, &*key)?),
        (Some(_), _) => return Err(Failure::input("a key in a device makes hmac-sm3 only, here")),
        (None, algorithm) => {
            let key = SoftwareSecret::decode_file_bytes(&read_secret(&args.key_file)?);
            match algorithm {
                MacAlgorithm::HmacSm3 => {
                    let key = SoftwareSecret::hmac_sm3(&key).about(&args.key_file)?;
                    ("hmac_sm3", hmac(args, &key)?)
                }
                MacAlgorithm::CmacSm4 => ("cmac_sm4", cmac(args, &key)?),
                MacAlgorithm::GmacSm4 => ("gmac_sm4", gmac(args, &key)?),
            }
        }
    };
    if args.json.json {
        let report = serde_json::json!({ "file": args.file.to_string_lossy(), name: mac });
        print_bytes(report.to_string().as_bytes())
    } else {
        print_bytes(&line(&mac, &args.file))
    }
}

fn hmac(args: &Mac, key: &dyn SecretKey) -> Result<String, Failure> {
    let mut context = key.start_mac()?;
    Input::open(&args.file)?.for_each(|piece| Ok(context.update(piece)?))?;
    Ok(hex::encode(context.finish()?))
}

fn cmac(args: &Mac, key: &[u8]) -> Result<String, Failure> {
    tested(Algorithm::Sm4)?;
    let mut mac = Cmac::new(sm4_key(args, key)?.into());
    Input::open(&args.file)?.for_each(|piece| {
        mac.update(piece);
        Ok(())
    })?;
    Ok(hex::encode(mac.finalize().into_bytes()))
}

/// The whole file is associated data, of which a tag is made at once.
fn gmac(args: &Mac, key: &[u8]) -> Result<String, Failure> {
    tested(Algorithm::Sm4Gcm)?;
    let gcm = Gcm::new(sm4_key(args, key)?);
    let iv = args.iv.as_deref().ok_or_else(|| Failure::input("gmac-sm4 needs an --iv"))?;
    let iv = parse_hex("iv", iv)?;
    let message = Input::open(&args.file)?.read_all(MAX_GMAC)?;
    let tag = gcm.gmac(&iv, &message).map_err(|error| Failure::input(error.to_string()))?;
    Ok(hex::encode(tag))
}

fn sm4_key<'k>(args: &Mac, key: &'k [u8]) -> Result<&'k [u8; 16], Failure> {
    key.try_into().map_err(|_| {
        let reason = format!("has {} bytes, an SM4 key has 16", key.len());
        Failure::about(args.key_file.display(), Failure::input(reason))
    })
}
