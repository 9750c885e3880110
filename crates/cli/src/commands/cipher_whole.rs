//! The modes of `gmkit cipher` that need the whole file at once and authenticate it: CCM and
//! GCM-SIV as nonce ‖ ciphertext ‖ tag, and key wrap.

use gmkit::{
    keys::{Error, SysRng},
    sm2::rand_core::TryRng,
    sm4::{self, ccm::Ccm, gcm_siv::GcmSiv, wrap::KeyWrap},
};
use zeroize::Zeroizing;

use crate::{
    args::{Cipher, Mode},
    failure::{Context, Failure},
    input::Input,
    output::{Access, Content, Output},
};

const NONCE: usize = 12;
const TAG: usize = 16;

/// CCM with a nonce of twelve bytes allows a byte less than 16 MiB; the others are held to as much.
const MAX_PLAIN: usize = (1 << 24) - 1;

/// Longest key that is wrapped.
const MAX_KEY: usize = 1 << 16;

type Bytes = Zeroizing<Vec<u8>>;

/// Works with a key of 16 bytes.
pub(crate) fn run(args: &Cipher, key: &[u8]) -> Result<(), Failure> {
    let key = key.try_into().expect("16 bytes, checked by the caller");
    let (content, access) = match args.encrypt {
        true => (Content::Binary, Access::Public),
        false => (Content::Unverified, Access::Secret),
    };
    let limit = if args.mode == Mode::Wrap { MAX_KEY + 16 } else { MAX_PLAIN + NONCE + TAG };
    let input = Input::open(&args.file)?.read_all(limit)?;
    let mut output = Output::create(args.output.as_deref(), content, access)?;
    let done = match args.mode {
        Mode::Wrap => wrap(args, key, &input),
        _ if args.encrypt => seal(args, key, &input),
        _ => open(args, key, &input),
    };
    output.write(&done.about(&args.file)?)?;
    output.commit()
}

fn seal(args: &Cipher, key: &[u8; 16], plain: &[u8]) -> Result<Bytes, Failure> {
    if plain.len() > MAX_PLAIN {
        return Err(Failure::input("is longer than this mode allows here: 16 MiB less a byte"));
    }
    let mut nonce = [0; NONCE];
    SysRng.try_fill_bytes(&mut nonce).map_err(|_| Error::Rng)?;
    let mut out = Zeroizing::new(Vec::with_capacity(NONCE + plain.len() + TAG));
    out.extend_from_slice(&nonce);
    out.extend_from_slice(plain);
    if args.mode == Mode::Ccm {
        let tag = Ccm::new(key).seal(&nonce, b"", &mut out[NONCE..]).map_err(refused)?;
        out.extend_from_slice(tag.as_bytes());
    } else {
        let tag = GcmSiv::new(key).seal(&nonce, b"", &mut out[NONCE..]).map_err(refused)?;
        out.extend_from_slice(&tag);
    }
    Ok(out)
}

fn open(args: &Cipher, key: &[u8; 16], sealed: &[u8]) -> Result<Bytes, Failure> {
    let parts = sealed.split_first_chunk::<NONCE>();
    let parts = parts.and_then(|(nonce, rest)| Some((nonce, rest.split_last_chunk::<TAG>()?)));
    let Some((nonce, (ciphertext, tag))) = parts else {
        return Err(Failure::input("is too short to hold a nonce and a tag"));
    };
    let mut out = Zeroizing::new(ciphertext.to_vec());
    let opened = match args.mode {
        Mode::Ccm => Ccm::new(key).open(nonce, b"", &mut out, tag),
        _ => GcmSiv::new(key).open(nonce, b"", &mut out, tag),
    };
    opened.map(|()| out).map_err(refused)
}

fn wrap(args: &Cipher, key: &[u8; 16], input: &[u8]) -> Result<Bytes, Failure> {
    let kek = KeyWrap::new(key);
    let mut out = Zeroizing::new(vec![0; input.len() + 16]);
    let done = match args.encrypt {
        true if input.len() > MAX_KEY => Err(sm4::Error::KeyDataLength),
        true => kek.wrap_padded(input, &mut out),
        false => kek.unwrap_padded(input, &mut out),
    };
    let len = done.map_err(refused)?.len();
    out.truncate(len);
    Ok(out)
}

/// What is not authentic is a failed check; all else is bad input.
fn refused(error: sm4::Error) -> Failure {
    match error {
        sm4::Error::Rejected => Error::Rejected.into(),
        error => Failure::input(error.to_string()),
    }
}
