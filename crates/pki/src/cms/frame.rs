//! Framing that is written.

use std::io::Write;

use super::source::OCTETS;
use crate::Error;

pub(super) use crate::parts::{header, wrap};

/// The start of a value whose length is not known, and its end.
pub(super) const fn open(tag: u8) -> [u8; 2] {
    [tag, 0x80]
}

/// End-of-contents.
pub(super) const END: [u8; 2] = [0, 0];

/// Writes what is held as octet strings of `piece` bytes, as long as there are `least` of them.
pub(super) fn write_pieces(
    out: &mut impl Write,
    held: &mut Vec<u8>,
    piece: usize,
    least: usize,
) -> Result<(), Error> {
    let mut done = 0;
    while held.len() - done >= least {
        let next = &held[done..held.len().min(done + piece)];
        out.write_all(&header(OCTETS, next.len() as u64)).map_err(Error::Stream)?;
        out.write_all(next).map_err(Error::Stream)?;
        done += next.len();
    }
    held.drain(..done);
    Ok(())
}

/// A SET OF: members in DER's order.
pub(super) fn set_of(tag: u8, mut members: Vec<Vec<u8>>) -> Vec<u8> {
    members.sort();
    let members: Vec<&[u8]> = members.iter().map(Vec::as_slice).collect();
    wrap(tag, &members)
}
