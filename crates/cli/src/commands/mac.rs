//! `gmkit mac`.

use gmkit::keys::{SecretKey, SoftwareSecret};

use super::hash::line;
use crate::{
    args::Mac,
    failure::{Context, Failure},
    input::Input,
    keys::read_secret,
    output::print_bytes,
};

pub(crate) fn run(args: &Mac) -> Result<(), Failure> {
    let key = SoftwareSecret::decode_file_bytes(&read_secret(&args.key_file)?);
    let key = SoftwareSecret::hmac_sm3(&key).about(&args.key_file)?;
    let mut context = key.start_mac()?;
    Input::open(&args.file)?.for_each(|piece| Ok(context.update(piece)?))?;
    let mac = hex::encode(context.finish()?);
    if args.json.json {
        let report = serde_json::json!({ "file": args.file.to_string_lossy(), "hmac_sm3": mac });
        print_bytes(report.to_string().as_bytes())
    } else {
        print_bytes(&line(&mac, &args.file))
    }
}
