//! BER framing, read from a stream: lengths of up to 64 bits, known or not, octet strings in pieces.
//!
//! Only what stands around the content is read here with BER's freedoms. Certificates, signers and
//! recipients are taken whole and read as DER by those who know them.

use std::io::{BufRead, BufReader, Read};

use gmkit_sm3::{Sm3, digest::Digest};

use crate::{Error, Form, strict::Fault};

/// Deeper than any message, and cheap to remember.
const MAX_DEPTH: usize = 32;

/// Bytes that are read ahead.
const AHEAD: usize = 64 * 1024;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
const CONSTRUCTED: u8 = 0x20;

/// `[n]`, constructed.
pub(super) const fn context(n: u8) -> u8 {
    0xa0 | n
}

/// What is read from, and the values that are open at the moment.
pub(super) struct Source<R> {
    input: BufReader<R>,
    position: u64,
    open: Vec<Open>,
    octets: Option<Pieces>,
    tap: Option<Sm3>,
}

/// A value whose content is being read: where it ends, or `None` until its end-of-contents.
#[derive(Clone, Copy)]
struct Open {
    end: Option<u64>,
}

/// An octet string that is being read.
struct Pieces {
    /// How many values were open before it.
    outside: usize,
    /// Whether the innermost value is a piece, not a list of them.
    inside: bool,
}

pub(super) fn fault(reason: Fault) -> Error {
    Error::Malformed { form: Form::Message, reason }
}

const TRUNCATED: Fault = "it ends too early";
const BEYOND: Fault = "a length that goes beyond what is around it";

impl<R: Read> Source<R> {
    pub(super) fn new(input: R) -> Self {
        let input = BufReader::with_capacity(AHEAD, input);
        Self { input, position: 0, open: Vec::new(), octets: None, tap: None }
    }

    /// Opens a value with members. `tag` is its only form.
    pub(super) fn enter(&mut self, tag: u8) -> Result<(), Error> {
        let (found, end) = self.header()?;
        if found != tag || tag & CONSTRUCTED == 0 {
            return Err(fault("not a CMS message, or not one of a kind that is known"));
        }
        self.push(end)
    }

    /// Closes the innermost value, whose members must all have been read.
    pub(super) fn leave(&mut self) -> Result<(), Error> {
        match self.open.pop().expect("what was entered is left") {
            Open { end: Some(end) } if end == self.position => Ok(()),
            Open { end: Some(_) } => Err(fault("a member too many")),
            Open { end: None } => match [self.byte()?, self.byte()?] {
                [0, 0] => Ok(()),
                _ => Err(fault("a member too many")),
            },
        }
    }

    /// The tag of the next member, or `None` at the end of the innermost value.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Error> {
        let ends = self.open.last().expect("there is a value around every member").end;
        if ends == Some(self.position) {
            return Ok(None);
        }
        if self.limit() == Some(self.position) {
            return Err(fault(BEYOND));
        }
        let next =
            *self.input.fill_buf().map_err(Error::Stream)?.first().ok_or(fault(TRUNCATED))?;
        match (next, ends) {
            (0, None) => Ok(None),
            (0, Some(_)) => Err(fault("an end where none is due")),
            (tag, _) => Ok(Some(tag)),
        }
    }

    /// The next member with tag and length, if it has at most `most` bytes. It must say how long it is.
    pub(super) fn element(&mut self, tag: u8, most: usize) -> Result<Vec<u8>, Error> {
        if self.peek()? != Some(tag) {
            return Err(fault("a member is missing, or has another type"));
        }
        self.any(most)
    }

    /// The next member, whatever it is.
    pub(super) fn any(&mut self, most: usize) -> Result<Vec<u8>, Error> {
        let (tag, end) = self.header()?;
        let end = end.ok_or(fault("an unknown length where DER is due"))?;
        let len = end - self.position;
        let len = usize::try_from(len).ok().filter(|len| *len <= most);
        let len = len.ok_or(fault("a member is longer than is read"))?;
        let mut element = super::frame::header(tag, len as u64);
        // The length is only a claim: memory is taken as the bytes come.
        let start = element.len();
        let read = (&mut self.input).take(len as u64).read_to_end(&mut element);
        if read.map_err(Error::Stream)? < len {
            return Err(fault(TRUNCATED));
        }
        let content = &element[start..];
        self.position = end;
        if let Some(tap) = &mut self.tap {
            tap.update(content);
        }
        Ok(element)
    }

    /// Starts an octet string, in one piece (`tag`) or many (`tag`, constructed).
    pub(super) fn start_octets(&mut self, tag: u8) -> Result<(), Error> {
        let outside = self.open.len();
        let (found, end) = self.header()?;
        if found & !CONSTRUCTED != tag {
            return Err(fault("content that is not an octet string"));
        }
        self.push(end)?;
        self.octets = Some(Pieces { outside, inside: found == tag });
        Ok(())
    }

    /// Reads on in the octet string: 0 at its end only, or for an empty buffer.
    pub(super) fn read_octets(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        while let Some(Pieces { outside, inside }) = self.octets {
            let end = self.open.last().expect("a piece is open").end;
            match (inside, end) {
                (true, Some(end)) if end > self.position => {
                    let most = usize::try_from(end - self.position).unwrap_or(usize::MAX);
                    let most = most.min(buffer.len());
                    return self.read_exactly(&mut buffer[..most]).map(|()| most);
                }
                (true, _) => self.leave_piece(outside)?,
                (false, _) => match self.peek()? {
                    None => self.leave_piece(outside)?,
                    Some(_) => {
                        let (tag, end) = self.header()?;
                        if tag & !CONSTRUCTED != OCTETS {
                            return Err(fault("a piece of content that is not an octet string"));
                        }
                        self.push(end)?;
                        self.octets = Some(Pieces { outside, inside: tag == OCTETS });
                    }
                },
            }
        }
        Ok(0)
    }

    fn leave_piece(&mut self, outside: usize) -> Result<(), Error> {
        self.leave()?;
        let over = self.open.len() == outside;
        self.octets = (!over).then_some(Pieces { outside, inside: false });
        Ok(())
    }

    /// Hashes all that is read from here on, framing too.
    pub(super) fn start_tap(&mut self) {
        self.tap = Some(Sm3::new());
    }

    /// The hash since [`Source::start_tap`].
    pub(super) fn end_tap(&mut self) -> [u8; 32] {
        self.tap.take().unwrap_or_default().finalize().into()
    }

    /// Checks that nothing follows.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        match self.input.fill_buf().map_err(Error::Stream)?.is_empty() {
            true => Ok(()),
            false => Err(fault("something follows it")),
        }
    }

    /// Tag, and where the value ends.
    fn header(&mut self) -> Result<(u8, Option<u64>), Error> {
        let tag = self.byte()?;
        if tag & 0x1f == 0x1f || tag == 0 {
            return Err(fault("a tag that no CMS message has"));
        }
        let len = match self.byte()? {
            len @ 0..0x80 => u64::from(len),
            0x80 if tag & CONSTRUCTED != 0 => return Ok((tag, None)),
            first @ 0x81..=0x88 => {
                let mut bytes = [0; 8];
                self.read_exactly(&mut bytes[8 - usize::from(first & 0x7f)..])?;
                u64::from_be_bytes(bytes)
            }
            _ => return Err(fault("a length that is not one")),
        };
        let end = self.position.checked_add(len).ok_or(fault(BEYOND))?;
        match self.limit() {
            Some(limit) if end > limit => Err(fault(BEYOND)),
            _ => Ok((tag, Some(end))),
        }
    }

    fn push(&mut self, end: Option<u64>) -> Result<(), Error> {
        if self.open.len() == MAX_DEPTH {
            return Err(fault("nested too deep"));
        }
        self.open.push(Open { end });
        Ok(())
    }

    /// Where the innermost value ends that says so.
    fn limit(&self) -> Option<u64> {
        self.open.iter().rev().find_map(|open| open.end)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        let mut byte = [0];
        self.read_exactly(&mut byte)?;
        Ok(byte[0])
    }

    fn read_exactly(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        let end = self.position + buffer.len() as u64;
        if self.limit().is_some_and(|limit| end > limit) {
            return Err(fault(BEYOND));
        }
        self.input.read_exact(buffer).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => fault(TRUNCATED),
            _ => Error::Stream(error),
        })?;
        self.position = end;
        if let Some(tap) = &mut self.tap {
            tap.update(buffer);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `30 { octet string }` in pieces of `step` bytes.
    fn content(bytes: &[u8], step: usize) -> Result<Vec<u8>, Error> {
        let mut source = Source::new(bytes);
        let (mut content, mut buffer) = (Vec::new(), vec![0; step]);
        source.enter(SEQUENCE)?;
        source.start_octets(OCTETS)?;
        loop {
            match source.read_octets(&mut buffer)? {
                0 => break,
                n => content.extend_from_slice(&buffer[..n]),
            }
        }
        source.leave()?;
        source.finish()?;
        Ok(content)
    }

    #[test]
    fn every_way_to_write_octets() {
        for form in [
            "30050403616263",
            "3006048103616263",
            "308004036162630000",
            "3009240704016104026263",
            "308024800401610402626300000000",
            "308024802480040161000004000402626300000000",
        ] {
            let bytes = hex::decode(form).unwrap();
            for step in [1, 2, 100] {
                assert_eq!(content(&bytes, step).unwrap(), b"abc", "{form}");
            }
        }
    }

    #[test]
    fn framing_that_is_refused() {
        let deep = "2480".repeat(40);
        for form in [
            "",
            "30",
            "3005",
            "3005040361",
            "3004040361626300",
            "300604036162630500",
            "3005040361626300",
            "30050404616263",
            "300480016101",
            "30050480616263",
            "300504ff616263",
            "3006300404026162",
            "308004036162630001",
            "30800403616263",
            "30072405040161040262",
            "300724050401610c0262",
            "3080248004016100",
            "30882000000000000000",
            "308a00000000000000000000",
            &format!("3080{deep}"),
        ] {
            let bytes = hex::decode(form).unwrap_or_else(|_| panic!("{form}"));
            assert!(matches!(content(&bytes, 7), Err(Error::Malformed { .. })), "{form}");
        }
    }

    #[test]
    fn a_claimed_length_takes_no_memory() {
        let bytes = hex::decode("3088100000000000000004887000000000000000ff").unwrap();
        assert!(content(&bytes, 7).is_err());
        let mut source = Source::new(&[0x30, 0x84, 0x40, 0, 0, 0, 1][..]);
        assert!(source.any(usize::MAX).is_err());
        let mut source = Source::new(&[0x30, 3, 1, 1, 0xff][..]);
        assert!(source.any(2).is_err());
    }

    #[test]
    fn what_is_hashed_is_what_was_read() {
        let bytes = hex::decode("3080300504036162630000").unwrap();
        let mut source = Source::new(&bytes[..]);
        source.enter(SEQUENCE).unwrap();
        source.start_tap();
        source.enter(SEQUENCE).unwrap();
        source.start_octets(OCTETS).unwrap();
        while source.read_octets(&mut [0; 2]).unwrap() > 0 {}
        source.leave().unwrap();
        assert_eq!(source.end_tap(), gmkit_sm3::digest(&[&bytes[2..9]]));
        source.leave().unwrap();
        source.finish().unwrap();
    }
}
