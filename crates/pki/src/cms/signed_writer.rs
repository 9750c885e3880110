//! SignedData that is written with its content (RFC 5652, 5).

use std::io::Write;

use gmkit_sm3::{Sm3, digest::Digest};

use super::{
    Kind, frame,
    signing::{Signing, data_oid, digest_algorithms, whole},
    source::{OCTETS, SEQUENCE, context},
};
use crate::Error;

/// Content up to this size, in bytes, is held until the end, and the message is DER: some readers take
/// nothing else. The lengths around a longer one are not known when they would have to be written, as those
/// of SM2 signatures differ: it is written in BER, in pieces, as it comes.
const MAX_HELD: usize = 8 << 20;

/// Bytes of a piece.
const PIECE: usize = 1 << 16;

/// Writes a signed message with its content, which comes in pieces and may be of any length.
///
/// See [`super::SignedReader`] for an example.
pub struct SignedWriter<W> {
    signing: Signing,
    out: W,
    hash: Sm3,
    held: Vec<u8>,
    streaming: bool,
}

impl<W: Write> SignedWriter<W> {
    pub(super) fn new(signing: Signing, out: W) -> Self {
        Self { signing, out, hash: Sm3::new(), held: Vec::new(), streaming: false }
    }

    /// Adds the next piece of the content.
    ///
    /// # Errors
    /// [`Error::Stream`].
    pub fn update(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.hash.update(piece);
        if !self.streaming && self.held.len() + piece.len() > MAX_HELD {
            self.start()?;
        }
        self.held.extend_from_slice(piece);
        if self.streaming {
            self.write_pieces(PIECE)?;
        }
        Ok(())
    }

    /// Signs what has come in, and writes the rest.
    ///
    /// # Errors
    /// [`Error::Stream`], and as [`super::DetachedSigner::finish`].
    pub fn finish(mut self) -> Result<W, Error> {
        let tail = self.signing.tail(&self.hash.clone().finalize().into())?;
        if self.streaming {
            self.write_pieces(1)?;
            // The octet string, and the two values around it; the three around those.
            self.write(&[frame::END; 3].concat())?;
            self.write(&tail)?;
            self.write(&[frame::END; 3].concat())?;
        } else {
            let dialect = self.signing.dialect();
            let octets = frame::wrap(OCTETS, &[&self.held]);
            let explicit = frame::wrap(context(0), &[&octets]);
            let content = frame::wrap(SEQUENCE, &[&data_oid(dialect), &explicit]);
            let message = whole(&self.signing, &content, &tail);
            self.write(&message)?;
        }
        self.out.flush().map_err(Error::Stream)?;
        Ok(self.out)
    }

    /// Writes what stands before the content.
    fn start(&mut self) -> Result<(), Error> {
        let dialect = self.signing.dialect();
        self.streaming = true;
        let parts: [&[u8]; 9] = [
            &frame::open(SEQUENCE),
            &dialect.oid(Kind::SignedData),
            &frame::open(context(0)),
            &frame::open(SEQUENCE),
            self.signing.version(),
            &digest_algorithms(),
            &frame::open(SEQUENCE),
            &data_oid(dialect),
            &[frame::open(context(0)), frame::open(OCTETS | 0x20)].concat(),
        ];
        self.write(&parts.concat())
    }

    fn write_pieces(&mut self, least: usize) -> Result<(), Error> {
        frame::write_pieces(&mut self.out, &mut self.held, PIECE, least)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).map_err(Error::Stream)
    }
}
