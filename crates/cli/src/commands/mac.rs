//! `gmkit mac`.

use gmkit::{
    keys::{SecretKey, SoftwareSecret, selftest::Algorithm},
    sm4::{
        Cmac,
        cmac::{KeyInit, Mac as _},
    },
};

use super::{hash::line, tested};
use crate::{
    args::{Mac, MacAlgorithm},
    failure::{Context, Failure},
    input::Input,
    keys::read_secret,
    output::print_bytes,
};

pub(crate) fn run(args: &Mac) -> Result<(), Failure> {
    let key = SoftwareSecret::decode_file_bytes(&read_secret(&args.key_file)?);
    let (name, mac) = match args.algorithm {
        MacAlgorithm::HmacSm3 => ("hmac_sm3", hmac(args, &key)?),
        MacAlgorithm::CmacSm4 => ("cmac_sm4", cmac(args, &key)?),
    };
    if args.json.json {
        let report = serde_json::json!({ "file": args.file.to_string_lossy(), name: mac });
        print_bytes(report.to_string().as_bytes())
    } else {
        print_bytes(&line(&mac, &args.file))
    }
}

fn hmac(args: &Mac, key: &[u8]) -> Result<String, Failure> {
    let key = SoftwareSecret::hmac_sm3(key).about(&args.key_file)?;
    let mut context = key.start_mac()?;
    Input::open(&args.file)?.for_each(|piece| Ok(context.update(piece)?))?;
    Ok(hex::encode(context.finish()?))
}

fn cmac(args: &Mac, key: &[u8]) -> Result<String, Failure> {
    tested(Algorithm::Sm4)?;
    let mut mac = Cmac::new_from_slice(key).map_err(|_| {
        let reason = format!("has {} bytes, an SM4 key has 16", key.len());
        Failure::about(args.key_file.display(), Failure::input(reason))
    })?;
    Input::open(&args.file)?.for_each(|piece| {
        mac.update(piece);
        Ok(())
    })?;
    Ok(hex::encode(mac.finalize().into_bytes()))
}
