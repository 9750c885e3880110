//! The chunks of a sealed body.
//!
//! Each is its length in 4 bytes, the highest bit of which is 1 for the last one, and what the key makes of it:
//! nonce(12) ‖ ciphertext ‖ tag(16), with the body's context, the chunk's number in 8 bytes and a byte that is 1 for the
//! last one as associated data. The length is that of the plaintext.

use std::{fmt, sync::Arc};

use bytes::{Buf, BytesMut};
use gmkit_keys::SecretKey;

use crate::Error;

/// Longest chunk, in bytes.
pub(crate) const LONGEST: usize = 64 << 10;

const LAST: u32 = 1 << 31;
const NONCE_AND_TAG: usize = 12 + 16;

/// A key, and what the chunks are bound to.
struct Chunks {
    key: Arc<dyn SecretKey>,
    context: Vec<u8>,
    number: u64,
}

impl Chunks {
    /// The associated data of the next chunk.
    fn aad(&mut self, last: bool) -> Vec<u8> {
        let aad = [&self.context[..], &self.number.to_be_bytes(), &[u8::from(last)]].concat();
        self.number += 1;
        aad
    }
}

/// Seals chunks, one behind the other.
pub(crate) struct Sealer(Chunks);

impl Sealer {
    pub(crate) fn new(key: Arc<dyn SecretKey>, context: Vec<u8>) -> Self {
        Self(Chunks { key, context, number: 0 })
    }

    /// At most [`LONGEST`] bytes.
    pub(crate) fn seal(&mut self, chunk: &[u8], last: bool) -> Result<Vec<u8>, Error> {
        let aad = self.0.aad(last);
        let sealed = self.0.key.seal(&aad, chunk)?;
        let len = chunk.len() as u32 | if last { LAST } else { 0 };
        Ok([&len.to_be_bytes()[..], &sealed].concat())
    }
}

/// Opens chunks, one behind the other.
pub(crate) struct Opener {
    chunks: Chunks,
    held: BytesMut,
    ended: bool,
}

impl Opener {
    pub(crate) fn new(key: Arc<dyn SecretKey>, context: Vec<u8>) -> Self {
        Self { chunks: Chunks { key, context, number: 0 }, held: BytesMut::new(), ended: false }
    }

    /// Takes the next piece.
    pub(crate) fn take(&mut self, piece: &[u8]) {
        self.held.extend_from_slice(piece);
    }

    /// The next chunk, if all of it is there and it is authentic.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.ended {
            return match self.held.is_empty() {
                true => Ok(None),
                false => Err(Error::Malformed("there is more behind its end")),
            };
        }
        let Some(len) = self.held.first_chunk() else { return Ok(None) };
        let len = u32::from_be_bytes(*len);
        let (last, len) = (len & LAST != 0, (len & !LAST) as usize);
        if len > LONGEST {
            return Err(Error::Malformed("a chunk that is too long"));
        }
        if self.held.len() < 4 + len + NONCE_AND_TAG {
            return Ok(None);
        }
        self.held.advance(4);
        let sealed = self.held.split_to(len + NONCE_AND_TAG);
        let aad = self.chunks.aad(last);
        let chunk = self.chunks.key.open(&aad, &sealed)?;
        self.ended = last;
        Ok(Some(chunk))
    }

    /// Whether the last chunk came.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("ended", &self.ended).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use gmkit_keys::SoftwareSecret;
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> Arc<dyn SecretKey> {
        Arc::new(SoftwareSecret::sm4(&[byte; 16]).unwrap())
    }

    fn sealed(context: &[u8], chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut sealer = Sealer::new(key(1), context.to_vec());
        let count = chunks.len();
        chunks
            .iter()
            .enumerate()
            .map(|(n, chunk)| sealer.seal(chunk, n + 1 == count).unwrap())
            .collect()
    }

    /// In pieces; and whether it came to its end.
    fn opened(
        key: Arc<dyn SecretKey>,
        context: &[u8],
        body: &[u8],
        step: usize,
    ) -> Result<(Vec<u8>, bool), Error> {
        let (mut opener, mut out) = (Opener::new(key, context.to_vec()), Vec::new());
        for piece in body.chunks(step) {
            opener.take(piece);
            while let Some(chunk) = opener.next()? {
                out.extend(chunk);
            }
        }
        Ok((out, opener.ended()))
    }

    proptest! {
        #[test]
        fn comes_back(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..6), step in 1..500_usize) {
            let parts: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            let body = sealed(b"c", &parts).concat();
            prop_assert_eq!(opened(key(1), b"c", &body, step).unwrap(), (chunks.concat(), true));
        }

        /// Whatever is changed, nothing but what stood before it comes out.
        #[test]
        fn one_bit(at: prop::sample::Index, bit in 0..8_u8) {
            let whole = sealed(b"c", &[b"first", b"second", b""]).concat();
            let mut body = whole.clone();
            let at = at.index(body.len());
            body[at] ^= 1 << bit;
            let mut opener = Opener::new(key(1), b"c".to_vec());
            opener.take(&body);
            let mut out = Vec::new();
            while let Ok(Some(chunk)) = opener.next() {
                out.extend(chunk);
            }
            prop_assert!(!opener.ended() && b"firstsecond".starts_with(&out));
        }
    }

    #[test]
    fn what_is_refused() {
        let chunks = sealed(b"c", &[b"first", b"second", b"third"]);
        let [a, b, c] = &chunks[..] else { panic!() };
        let all = chunks.concat();
        let rejected = |body: &[u8]| matches!(opened(key(1), b"c", body, 7), Err(Error::Rejected));
        assert!(rejected(&[&b[..], a, c].concat()), "another order");
        assert!(rejected(&[&a[..], a, c].concat()) && rejected(&[&a[..], c].concat()));
        assert!(rejected(c), "the end alone");
        assert!(matches!(opened(key(1), b"d", &all, 7), Err(Error::Rejected)), "another place");
        assert!(matches!(opened(key(2), b"c", &all, 7), Err(Error::Rejected)), "another key");
        for cut in 0..all.len() {
            let (out, ended) = opened(key(1), b"c", &all[..cut], 7).unwrap();
            assert!(!ended && b"firstsecond".starts_with(&out));
        }
        let more = [&all[..], b"x"].concat();
        assert!(matches!(opened(key(1), b"c", &more, 7), Err(Error::Malformed(_))));
        let long = [&(LONGEST as u32 + 1).to_be_bytes()[..], &[0; 40]].concat();
        assert!(matches!(opened(key(1), b"c", &long, 7), Err(Error::Malformed(_))));
        let mut early = a.clone();
        early[0] |= 0x80;
        assert!(rejected(&early), "made the last one");
    }
}
