//! `gmkit cipher`.

use gmkit::keys::{SecretKey, SecretUse, SoftwareSecret, selftest::Algorithm};
use zeroize::Zeroizing;

use super::{cipher_ff1, cipher_raw, cipher_whole, tested};
use crate::{
    args::{Cipher, Mode},
    failure::{Context, Failure},
    input::{CHUNK, Input},
    keys::{open_device_secret, read_secret},
    output::{Access, Content, Output, spare_key},
};

const NONCE: usize = 12;
const TAG: usize = 16;

/// Longest message for a key in a device, in bytes.
const MAX_DEVICE: usize = 64 << 20;

pub(crate) fn run(args: &Cipher) -> Result<(), Failure> {
    spare_key(args.output.as_deref(), &args.key_file)?;
    if let Some(pin) = &args.pin_file {
        spare_key(args.output.as_deref(), pin)?;
    }
    let device = open_device_secret(&args.key_file, SecretUse::Seal, args.pin_file.as_deref())?;
    if let Some(key) = device {
        return whole(args, &*key);
    }
    let key = SoftwareSecret::decode_file_bytes(&read_secret(&args.key_file)?);
    let wanted = if matches!(args.mode, Mode::Xts | Mode::Hctr) { 32 } else { 16 };
    if key.len() != wanted {
        let found = key.len();
        let reason = format!(
            "has {found} bytes, this mode's key has {wanted} bytes or {} hex digits",
            2 * wanted
        );
        return Err(Failure::about(args.key_file.display(), Failure::input(reason)));
    }
    let has_nonce = matches!(args.mode, Mode::Gcm | Mode::GcmSiv | Mode::Ccm);
    if args.iv.is_some() && (has_nonce || args.mode == Mode::Wrap) {
        let reason = "a fresh nonce is written in front of each ciphertext, where there is one";
        return Err(Failure::input(format!("this mode takes no --iv: {reason}")));
    }
    if args.mode == Mode::Gcm {
        let key = SoftwareSecret::sm4(&key)?;
        return if args.encrypt { seal(args, &key) } else { open(args, &key) };
    }
    tested(Algorithm::Sm4)?;
    if args.mode == Mode::Hctr {
        tested(Algorithm::Sm4Gcm)?; // for the hash, which is the same
    }
    match args.mode {
        Mode::Ff1 => return cipher_ff1::run(args, &key),
        Mode::Ccm | Mode::GcmSiv | Mode::Wrap => return cipher_whole::run(args, &key),
        _ => {}
    }
    let iv = args.iv.as_deref();
    let iv = iv.ok_or_else(|| Failure::input("this mode needs --iv with 32 hex digits"))?;
    cipher_raw::run(args, &key, &parse_iv(iv)?)
}

fn parse_iv(iv: &str) -> Result<[u8; 16], Failure> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(iv, &mut bytes)
        .map_err(|_| Failure::input("--iv is not 32 hex digits"))?;
    Ok(bytes)
}

/// With a key in a device, which takes whole messages; the file is as with any other key.
fn whole(args: &Cipher, key: &dyn SecretKey) -> Result<(), Failure> {
    if args.mode != Mode::Gcm || args.iv.is_some() {
        return Err(Failure::input("a key in a device seals and opens with gcm only, here"));
    }
    let (content, access) = match args.encrypt {
        true => (Content::Binary, Access::Public),
        false => (Content::Unverified, Access::Secret),
    };
    // What is opened is longer by its nonce and tag.
    let most = if args.encrypt { MAX_DEVICE } else { MAX_DEVICE + NONCE + TAG };
    let input = Input::open(&args.file)?.read_all(most)?;
    let mut output = Output::create(args.output.as_deref(), content, access)?;
    let done = if args.encrypt { key.seal(b"", &input) } else { key.open(b"", &input) };
    output.write(&Zeroizing::new(done.about(&args.file)?))?;
    output.commit()
}

fn seal(args: &Cipher, key: &dyn SecretKey) -> Result<(), Failure> {
    let input = Input::open(&args.file)?;
    let mut output = Output::create(args.output.as_deref(), Content::Binary, Access::Public)?;
    let mut context = key.start_sealing(b"")?;
    output.write(&context.nonce())?;
    input.for_each(|piece| {
        context.update(piece)?;
        output.write(piece)
    })?;
    output.write(&context.finish()?)?;
    output.commit()
}

fn open(args: &Cipher, key: &dyn SecretKey) -> Result<(), Failure> {
    let input = Input::open(&args.file)?;
    let mut output = Output::create(args.output.as_deref(), Content::Unverified, Access::Secret)?;
    let mut context = None;
    // What has come in and is not decrypted yet: the last 16 bytes may be the tag.
    let mut pending = Zeroizing::new(Vec::with_capacity(CHUNK + NONCE + TAG));
    input.for_each(|piece| {
        pending.extend_from_slice(piece);
        if context.is_none() && pending.len() >= NONCE {
            let nonce: [u8; NONCE] = pending[..NONCE].try_into().expect("12 bytes");
            context = Some(key.start_opening(&nonce, b"")?);
            pending.drain(..NONCE);
        }
        if let Some(context) = &mut context {
            let ready = pending.len().saturating_sub(TAG);
            context.update_unverified(&mut pending[..ready])?;
            output.write(&pending[..ready])?;
            pending.drain(..ready);
        }
        Ok(())
    })?;
    let tag = pending.as_slice().try_into().ok();
    let Some((context, tag)) = context.zip(tag) else {
        let reason = Failure::input("is too short to hold a nonce and a tag");
        return Err(Failure::about(args.file.display(), reason));
    };
    context.finish(tag).about(&args.file)?;
    output.commit()
}
