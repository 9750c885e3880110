//! The modes of `gmkit cipher` that do not authenticate: ciphertext and nothing else, as
//! `openssl enc` has it.

use gmkit::{
    keys::Error,
    sm4::{
        self, bc, cbc, cfb,
        ctr::Ctr,
        hctr::Hctr,
        ofb::Ofb,
        ofbnlf,
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
    if let Mode::Xts | Mode::Hctr = args.mode {
        one_unit(args, input, &mut output, key, iv)?;
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
        Mode::Bc if args.encrypt => {
            let mut bc = bc::Encryptor::new(key, iv);
            whole_blocks(args, input, &mut output, |blocks| bc.encrypt(blocks))?;
        }
        Mode::Bc => {
            let mut bc = bc::Decryptor::new(key, iv);
            whole_blocks(args, input, &mut output, |blocks| bc.decrypt(blocks))?;
        }
        Mode::Ofbnlf if args.encrypt => {
            let mut ofbnlf = ofbnlf::Encryptor::new(key, iv);
            whole_blocks(args, input, &mut output, |blocks| ofbnlf.encrypt(blocks))?;
        }
        Mode::Ofbnlf => {
            let mut ofbnlf = ofbnlf::Decryptor::new(key, iv);
            whole_blocks(args, input, &mut output, |blocks| ofbnlf.decrypt(blocks))?;
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

/// For modes that have no padding of their own.
fn whole_blocks(
    args: &Cipher,
    input: Input<'_>,
    output: &mut Output,
    mut work: impl FnMut(&mut [[u8; 16]]),
) -> Result<(), Failure> {
    // A read may end within a block: what is left over waits for the next one.
    let mut pending = Zeroizing::new(Vec::with_capacity(CHUNK + 16));
    input.for_each(|piece| {
        pending.extend_from_slice(piece);
        let (blocks, rest) = pending.as_chunks_mut::<16>();
        let left = rest.len();
        work(blocks);
        output.write(blocks.as_flattened())?;
        let whole = pending.len() - left;
        pending.drain(..whole);
        Ok(())
    })?;
    if pending.is_empty() {
        return Ok(());
    }
    let reason = Failure::input("is not a whole number of 16-byte blocks, which this mode needs");
    Err(Failure::about(args.file.display(), reason))
}

/// The whole file at once, with the IV as its tweak.
fn one_unit(
    args: &Cipher,
    input: Input<'_>,
    output: &mut Output,
    key: &[u8],
    tweak: &[u8; 16],
) -> Result<(), Failure> {
    let halves: &[[u8; 16]; 2] =
        key.as_chunks().0.try_into().expect("32 bytes, checked by the caller");
    let input_error = |path: &std::path::Path, error: sm4::Error| {
        Failure::about(path.display(), Failure::input(error.to_string()))
    };
    let mut unit;
    let done = if args.mode == Mode::Hctr {
        let hctr = Hctr::new(&halves[0], &halves[1]);
        unit = input.read_all(MAX_DATA_UNIT)?;
        if args.encrypt { hctr.encrypt(tweak, &mut unit) } else { hctr.decrypt(tweak, &mut unit) }
    } else {
        let key = halves.as_flattened().try_into().expect("32 bytes");
        let xts = match args.xts_standard {
            XtsStandard::Gb => Xts::gb(key),
            XtsStandard::Ieee => Xts::ieee(key),
        };
        let xts = xts.map_err(|error| input_error(&args.key_file, error))?;
        unit = input.read_all(MAX_DATA_UNIT)?;
        if args.encrypt { xts.encrypt(tweak, &mut unit) } else { xts.decrypt(tweak, &mut unit) }
    };
    done.map_err(|error| input_error(&args.file, error))?;
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
