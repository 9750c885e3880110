//! `gmkit random`.

use gmkit::{
    keys::{Error, SysRng},
    rng::{Drng, Level, Mechanism},
    sm2::rand_core::TryRng,
};
use zeroize::Zeroizing;

use crate::{
    args::{Random, Source},
    failure::Failure,
    input::CHUNK,
    output::{Access, Content, Output},
};

pub(crate) fn run(args: &Random) -> Result<(), Failure> {
    let content = if args.hex { Content::Text } else { Content::Binary };
    let mut output = Output::create(args.output.as_deref(), content, Access::Secret)?;
    let mut fill = generator(args.source)?;
    let mut left = args.len;
    let mut buffer = Zeroizing::new(vec![0; CHUNK]);
    while left > 0 {
        let piece = &mut buffer[..left.min(CHUNK as u64) as usize];
        left -= piece.len() as u64;
        fill(piece)?;
        if args.hex {
            output.write(Zeroizing::new(hex::encode(&piece)).as_bytes())?;
        } else {
            output.write(piece)?;
        }
    }
    if args.hex {
        output.write(b"\n")?;
    }
    output.commit()
}

type Fill = Box<dyn FnMut(&mut [u8]) -> Result<(), Failure>>;

/// What fills buffers with random bytes.
pub(super) fn generator(source: Source) -> Result<Fill, Failure> {
    let mechanism = match source {
        Source::Os => {
            return Ok(Box::new(|out| Ok(SysRng.try_fill_bytes(out).map_err(|_| Error::Rng)?)));
        }
        Source::Sm3 => Mechanism::Sm3,
        Source::Sm4 => Mechanism::Sm4,
    };
    let mut rng = Drng::new(mechanism, Level::Two, b"gmkit random").map_err(Failure::device)?;
    Ok(Box::new(move |out| rng.fill(b"", out).map_err(Failure::device)))
}
