//! EnvelopedData and AuthEnvelopedData that are written (RFC 5652, 6; RFC 5083; GB/T 35275).

use std::io::Write;

use super::{
    attributes::octet_string,
    content_cipher::{Encryptor, Mode},
    frame,
    source::{SEQUENCE, context},
};
use crate::Error;

/// Content up to this size, in bytes, that nobody has said the length of, is held, encrypted, until the end,
/// and the message is DER. A longer one is written in BER, in pieces, as it comes.
const MAX_HELD: usize = 8 << 20;

/// Bytes of a piece.
const PIECE: usize = 1 << 16;

/// `[0]`, in one piece.
const CONTENT: u8 = 0x80;

/// The message's type; version and recipients; type and algorithm of the content.
pub(super) struct Head {
    pub(super) oid: Vec<u8>,
    pub(super) recipients: Vec<u8>,
    pub(super) algorithm: Vec<u8>,
}

/// How lengths are written.
enum Framing {
    /// Not yet: they may turn out to be known.
    Held,
    /// So many bytes of content are still to come.
    Known { left: u64 },
    /// In pieces.
    Pieces,
}

/// Writes an encrypted message, whose content comes in pieces and may be of any length; with SM4-GCM 64 GiB
/// less 32 bytes. See [`super::Encrypting`] for an example.
pub struct EncryptedWriter<W> {
    cipher: Encryptor,
    message: Message<W>,
}

/// The message around the ciphertext.
struct Message<W> {
    out: W,
    head: Head,
    /// Ciphertext.
    held: Vec<u8>,
    framing: Framing,
}

impl<W: Write> EncryptedWriter<W> {
    pub(super) fn start(
        out: W,
        head: Head,
        mode: &Mode,
        cipher: Encryptor,
        len: Option<u64>,
    ) -> Result<Self, Error> {
        let mut message = Message { out, head, held: Vec::new(), framing: Framing::Held };
        if let Some(left) = len {
            let ciphertext = mode.ciphertext_len(left).ok_or(OTHER_LENGTH)?;
            // A tag of 16 bytes with its header.
            message.write_head(ciphertext, if mode.is_authenticated() { 18 } else { 0 })?;
            message.framing = Framing::Known { left };
        }
        Ok(Self { cipher, message })
    }

    /// Encrypts the next piece of the content.
    ///
    /// # Errors
    /// [`Error::Stream`]; [`Error::Key`] beyond the limit of SM4-GCM; [`Error::Request`] for more than was
    /// said.
    pub fn update(&mut self, piece: &[u8]) -> Result<(), Error> {
        let message = &mut self.message;
        if let Framing::Known { left } = &mut message.framing {
            let less = left.checked_sub(piece.len() as u64);
            *left = less.ok_or(OTHER_LENGTH)?;
        }
        self.cipher.update(piece, &mut message.held)?;
        match message.framing {
            Framing::Held if message.held.len() > MAX_HELD => message.start_pieces(),
            Framing::Held => Ok(()),
            Framing::Known { .. } => message.write_held(),
            Framing::Pieces => message.write_pieces(PIECE),
        }
    }

    /// Ends the message.
    ///
    /// # Errors
    /// [`Error::Stream`]; [`Error::Request`] for less than was said.
    pub fn finish(self) -> Result<W, Error> {
        let Self { cipher, mut message } = self;
        let tag = cipher.finish(&mut message.held)?;
        message.finish(&tag.map(|tag| octet_string(&tag)).unwrap_or_default())
    }
}

impl<W: Write> Message<W> {
    fn finish(mut self, tag: &[u8]) -> Result<W, Error> {
        match self.framing {
            Framing::Held => {
                self.write_head(self.held.len() as u64, tag.len() as u64)?;
                self.write_held()?;
            }
            Framing::Known { left: 0 } => self.write_held()?,
            Framing::Known { .. } => return Err(OTHER_LENGTH),
            Framing::Pieces => {
                self.write_pieces(1)?;
                // The pieces, and the value around them.
                self.write(&[frame::END; 2].concat())?;
            }
        }
        self.write(tag)?;
        if matches!(self.framing, Framing::Pieces) {
            self.write(&[frame::END; 3].concat())?;
        }
        self.out.flush().map_err(Error::Stream)?;
        Ok(self.out)
    }

    /// Writes all that stands before a ciphertext of known length.
    fn write_head(&mut self, ciphertext: u64, tag: u64) -> Result<(), Error> {
        let Head { oid, recipients, algorithm } = &self.head;
        let inside = frame::header(CONTENT, ciphertext);
        let content_len = (algorithm.len() + inside.len()) as u64;
        let content_len = content_len.checked_add(ciphertext).ok_or(OTHER_LENGTH)?;
        let content = frame::header(SEQUENCE, content_len);
        let sum = |parts: &[u64]| {
            parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(*part)).ok_or(OTHER_LENGTH)
        };
        let len = sum(&[recipients.len() as u64, content.len() as u64, content_len, tag])?;
        let data = frame::header(SEQUENCE, len);
        let explicit_len = sum(&[data.len() as u64, len])?;
        let explicit = frame::header(context(0), explicit_len);
        let outer =
            frame::header(SEQUENCE, sum(&[oid.len() as u64, explicit.len() as u64, explicit_len])?);
        let parts: [&[u8]; 8] =
            [&outer, oid, &explicit, &data, recipients, &content, algorithm, &inside];
        let head = parts.concat();
        self.write(&head)
    }

    /// Writes what stands before pieces whose number is not known.
    fn start_pieces(&mut self) -> Result<(), Error> {
        let Head { oid, recipients, algorithm } = &self.head;
        let parts: [&[u8]; 8] = [
            &frame::open(SEQUENCE),
            oid,
            &frame::open(context(0)),
            &frame::open(SEQUENCE),
            recipients,
            &frame::open(SEQUENCE),
            algorithm,
            &frame::open(context(0)),
        ];
        let head = parts.concat();
        self.framing = Framing::Pieces;
        self.write(&head)?;
        self.write_pieces(PIECE)
    }

    fn write_pieces(&mut self, least: usize) -> Result<(), Error> {
        frame::write_pieces(&mut self.out, &mut self.held, PIECE, least)
    }

    fn write_held(&mut self) -> Result<(), Error> {
        self.out.write_all(&self.held).map_err(Error::Stream)?;
        self.held.clear();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).map_err(Error::Stream)
    }
}

const OTHER_LENGTH: Error =
    Error::Request { reason: "the content has not the length that was said, or none that fits" };
