//! The modes of `gmkit cipher` that do not authenticate: ciphertext and nothing else, as
//! `openssl enc` has it.

use gmkit::{
    keys::Error,
    sm4::{
        cbc, cfb,
        ctr::Ctr,
        ofb::Ofb,
        xts::{MAX_DATA_UNIT, Xts},
    },
};
use zeroize::Zeroizing;

use crate::{
    args::{Cipher, Mode, XtsStandard},
    failure::{Context, Failure},
    input::{CHUNK, Input},
    output::{Access, Content, Output},
};

/// Encrypts or decrypts with a key of the mode's length.
pub(crate) fn run(args: &Cipher, key: &[u8], iv: &[u8; 16]) -> Result<(), Failure> {
    let input = Input::open(&args.file)?;
    let access = if args.encrypt { Access::Public } else { Access::Secret };
    let mut output = Output::create(args.output.as_deref(), Content::Binary, access)?;
    if args.mode == Mode::Xts {
        xts(args, input, &mut output, key, iv)?;
        return output.commit();
    }
    let key = key.try_into().expect("16 bytes, checked by the caller");
    match args.mode {
        Mode::Cbc if args.encrypt => encrypt_cbc(input, &mut output, key, iv)?,
        Mode::Cbc => decrypt_cbc(input, &mut output, key, iv).about(&args.file)?,
        Mode::Cfb if args.encrypt => {
            let mut cfb = cfb::Encryptor::new(key, iv);
            in_place(input, &mut output, |piece| cfb.encrypt(piece))?;
        }
        Mode::Cfb => {
            let mut cfb = cfb::Decryptor::new(key, iv);
            in_place(input, &mut output, |piece| cfb.decrypt(piece))?;
        }
        Mode::Ofb => {
            let mut ofb = Ofb::new(key, iv);
            in_place(input, &mut output, |piece| ofb.apply_keystream(piece))?;
        }
        _ => {
            let mut ctr = Ctr::new(key, iv);
            in_place(input, &mut output, |piece| ctr.apply_keystream(piece))?;
        }
    }
    output.commit()
}

fn in_place(
    input: Input<'_>,
    output: &mut Output,
    mut work: impl FnMut(&mut [u8]),
) -> Result<(), Failure> {
    input.for_each(|piece| {
        work(piece);
        output.write(piece)
    })
}

/// The file is one data unit, and the IV its tweak.
fn xts(
    args: &Cipher,
    input: Input<'_>,
    output: &mut Output,
    key: &[u8],
    tweak: &[u8; 16],
) -> Result<(), Failure> {
    let key = key.try_into().expect("32 bytes, checked by the caller");
    let xts = match args.xts_standard {
        XtsStandard::Gb => Xts::gb(key),
        XtsStandard::Ieee => Xts::ieee(key),
    };
    let xts = xts.map_err(|error| {
        Failure::about(args.key_file.display(), Failure::input(error.to_string()))
    })?;
    let mut unit = input.read_all(MAX_DATA_UNIT)?;
    let done =
        if args.encrypt { xts.encrypt(tweak, &mut unit) } else { xts.decrypt(tweak, &mut unit) };
    done.map_err(|error| Failure::about(args.file.display(), Failure::input(error.to_string())))?;
    output.write(&unit)
}

fn encrypt_cbc(
    input: Input<'_>,
    output: &mut Output,
    key: &[u8; 16],
    iv: &[u8; 16],
) -> Result<(), Failure> {
    let mut encryptor = cbc::Encryptor::new(key, iv);
    let mut buffer = vec![0; CHUNK + 16];
    input.for_each(|piece| {
        let n = encryptor.update(piece, &mut buffer).map_err(Error::from)?;
        output.write(&buffer[..n])
    })?;
    let n = encryptor.finish(&mut buffer).map_err(Error::from)?;
    output.write(&buffer[..n])
}

fn decrypt_cbc(
    input: Input<'_>,
    output: &mut Output,
    key: &[u8; 16],
    iv: &[u8; 16],
) -> Result<(), Failure> {
    let mut decryptor = cbc::Decryptor::new(key, iv);
    let mut buffer = Zeroizing::new(vec![0; CHUNK + 16]);
    input.for_each(|piece| {
        let n = decryptor.update(piece, &mut buffer).map_err(Error::from)?;
        output.write(&buffer[..n])
    })?;
    let n = decryptor.finish(&mut buffer).map_err(Error::from)?;
    output.write(&buffer[..n])
}
