//! `gmkit random`.

use gmkit::{
    keys::{Error, SysRng, selftest},
    rng::{self, Drng, Level, Mechanism},
    sm2::rand_core::TryRng,
};
use zeroize::Zeroizing;

use crate::{
    args::{Random, Source},
    commands::hex_of_secret,
    failure::Failure,
    input::CHUNK,
    output::{Access, Content, Output},
    progress::Progress,
};

pub(crate) fn run(args: &Random) -> Result<(), Failure> {
    let content = if args.hex { Content::Text } else { Content::Binary };
    let path = args.output.as_deref();
    if let Some(path) = path.filter(|path| !args.force && path.is_file()) {
        let reason = Failure::input("exists already: a key is not replaced without --force");
        return Err(Failure::about(path.display(), reason));
    }
    let mut output = Output::create(path, content, Access::Secret)?;
    if !args.force {
        output = output.without_replacing();
    }
    let mut progress = Progress::new(Some(args.len));
    let mut fill = generator(args.source)?;
    let mut left = args.len;
    let mut buffer = Zeroizing::new(vec![0; CHUNK]);
    while left > 0 {
        let piece = &mut buffer[..left.min(CHUNK as u64) as usize];
        left -= piece.len() as u64;
        fill(piece)?;
        if args.hex {
            output.write(hex_of_secret(piece).as_bytes())?;
        } else {
            output.write(piece)?;
        }
        progress.add(piece.len());
    }
    if args.hex {
        output.write(b"\n")?;
    }
    output.commit()
}

/// What fills buffers with bytes.
pub(super) type Fill<'f> = Box<dyn FnMut(&mut [u8]) -> Result<(), Failure> + 'f>;

/// Random bytes.
pub(super) fn generator(source: Source) -> Result<Fill<'static>, Failure> {
    let mechanism = match source {
        Source::Os => {
            return Ok(Box::new(|out| Ok(SysRng.try_fill_bytes(out).map_err(|_| Error::Rng)?)));
        }
        Source::Sm3 => Mechanism::Sm3,
        Source::Sm4 => Mechanism::Sm4,
    };
    selftest::record("DRNG", rng::selftest())?;
    let mut rng = Drng::new(mechanism, Level::Two, b"gmkit random").map_err(Failure::device)?;
    Ok(Box::new(move |out| rng.fill(b"", out).map_err(Failure::device)))
}
