//! Galois/Counter Mode with SM4 (NIST SP 800-38D; RFC 8998 fixes nonce 12 and tag 16 for TLS).
//!
//! [`Gcm`] seals and opens in one call; [`Sealer`] and [`Opener`] stream; [`Sm4Gcm`] is the same
//! behind the `aead` traits. A nonce must never be used twice under one key: two messages under
//! one nonce reveal their difference and the authentication key.

mod stream;
mod traits;

use core::fmt;

use cipher::InOutBuf;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

pub use self::stream::{Opener, Sealer};
pub use self::traits::{Sm4Gcm, TagSize};
use crate::{
    BLOCK_SIZE, Error, Sm4,
    ctr::{AHEAD, Counter, Keystream, in_out},
    ghash::{Ghash, GhashKey},
};

/// Longest message under one nonce: 2^36 - 32 bytes. More would let the 32-bit block counter
/// return to the block that masks the tag.
pub const MAX_MESSAGE: u64 = (1 << 36) - 32;

/// How much is encrypted before it is hashed, in bytes.
const PIECE: usize = 8192;

/// A message that is encrypted together with the block for its tag: all fit in what is kept ahead.
const SHORT: usize = (AHEAD - 1) * BLOCK_SIZE;

/// Longest associated data and longest nonce: 2^61 - 1 bytes.
const MAX_AAD: u64 = (1 << 61) - 1;

/// A GCM key: SM4 and the hash key H. Nonces of any length but zero; tags of 12 to 16 bytes.
///
/// See the crate's front page for an example.
#[derive(Clone)]
pub struct Gcm {
    cipher: Sm4,
    ghash: GhashKey,
}

impl Gcm {
    /// Expands a 16-byte key.
    #[must_use]
    pub fn new(key: &[u8; 16]) -> Self {
        let cipher = Sm4::new(key);
        let mut h = [[0; BLOCK_SIZE]];
        cipher.encrypt(&mut h);
        let ghash = GhashKey::new(&h[0]);
        h.zeroize();
        Self { cipher, ghash }
    }

    /// Encrypts `buffer` in place and returns the 16-byte tag over `aad` and the ciphertext.
    ///
    /// # Errors
    /// [`Error::NonceLength`], [`Error::MessageTooLong`]; `buffer` is then unchanged.
    pub fn seal(&self, nonce: &[u8], aad: &[u8], buffer: &mut [u8]) -> Result<[u8; 16], Error> {
        self.seal_any(nonce, aad, buffer.into())
    }

    /// [`Gcm::seal`] from one buffer into another of the same length.
    ///
    /// # Errors
    /// As [`Gcm::seal`], and [`Error::OutputTooSmall`] when the lengths differ; `ciphertext` is
    /// then unchanged.
    pub fn seal_to(
        &self,
        nonce: &[u8],
        aad: &[u8],
        plaintext: &[u8],
        ciphertext: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        self.seal_any(nonce, aad, in_out(plaintext, ciphertext)?)
    }

    /// Checks the tag and only then decrypts `buffer` in place.
    ///
    /// # Errors
    /// [`Error::Rejected`] when the tag does not fit; [`Error::TagLength`] unless it has 12 to 16
    /// bytes; [`Error::NonceLength`], [`Error::MessageTooLong`]. `buffer` is then unchanged: it
    /// still holds the ciphertext.
    pub fn open(
        &self,
        nonce: &[u8],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8],
    ) -> Result<(), Error> {
        check_tag_len(tag)?;
        self.open_any_tag(nonce, aad, buffer, tag)
    }

    /// [`Gcm::open`] from one buffer into another of the same length.
    ///
    /// # Errors
    /// As [`Gcm::open`], and [`Error::OutputTooSmall`] when the lengths differ; `plaintext` is
    /// then unchanged.
    pub fn open_to(
        &self,
        nonce: &[u8],
        aad: &[u8],
        ciphertext: &[u8],
        plaintext: &mut [u8],
        tag: &[u8],
    ) -> Result<(), Error> {
        check_tag_len(tag)?;
        let data = in_out(ciphertext, plaintext)?;
        check_message_len(ciphertext.len() as u64)?;
        let mut start = Start::new();
        start.begin(self, nonce, aad, ciphertext.len())?;
        start.authenticate(self, aad, ciphertext, tag)?;
        start.keystream.apply(&self.cipher, data);
        Ok(())
    }

    /// GMAC: the tag over `aad` alone (NIST SP 800-38D, 3).
    ///
    /// # Errors
    /// As [`Gcm::seal`].
    pub fn gmac(&self, nonce: &[u8], aad: &[u8]) -> Result<[u8; 16], Error> {
        self.seal(nonce, aad, &mut [])
    }

    fn seal_any(
        &self,
        nonce: &[u8],
        aad: &[u8],
        mut data: InOutBuf<'_, '_, u8>,
    ) -> Result<[u8; 16], Error> {
        let len = data.len() as u64;
        check_message_len(len)?;
        let mut start = Start::new();
        start.begin(self, nonce, aad, data.len())?;
        start.encrypt(self, data.reborrow());
        Ok(start.tag(self, aad.len() as u64, len))
    }

    pub(crate) fn open_any_tag(
        &self,
        nonce: &[u8],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8],
    ) -> Result<(), Error> {
        check_message_len(buffer.len() as u64)?;
        let mut start = Start::new();
        start.begin(self, nonce, aad, buffer.len())?;
        start.authenticate(self, aad, buffer, tag)?;
        start.keystream.apply(&self.cipher, buffer.into());
        Ok(())
    }

    /// J0 of SP 800-38D, 7.1 step 2: nonce ‖ 1 for twelve bytes, a hash of the nonce otherwise.
    fn j0(&self, nonce: &[u8]) -> Counter32 {
        if let Ok(nonce) = <&[u8; 12]>::try_from(nonce) {
            return Counter32 { prefix: *nonce, count: 1 };
        }
        let mut ghash = Ghash::new();
        ghash.update(&self.ghash, nonce);
        let block = ghash.finish(&self.ghash, 0, nonce.len() as u64);
        let (prefix, count) = block.split_at(12);
        Counter32 {
            prefix: prefix.try_into().expect("12 of 16 bytes"),
            count: u32::from_be_bytes(count.try_into().expect("4 of 16 bytes")),
        }
    }
}

impl fmt::Debug for Gcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gcm { .. }")
    }
}

/// Where a message starts: everything that depends on nonce and associated data.
struct Start {
    ghash: Ghash,
    mask: [u8; BLOCK_SIZE],
    keystream: Keystream<Counter32>,
}

impl Start {
    const fn new() -> Self {
        let counter = Counter32 { prefix: [0; 12], count: 0 };
        Self { ghash: Ghash::new(), mask: [0; BLOCK_SIZE], keystream: Keystream::new(counter) }
    }

    /// Pre-counter block, hash over the associated data, keystream from the block after J0. The
    /// blocks for a short message, of `len` bytes, are encrypted together with the one for the tag.
    /// Where it is, because a move would leave keystream behind.
    fn begin(&mut self, gcm: &Gcm, nonce: &[u8], aad: &[u8], len: usize) -> Result<(), Error> {
        if nonce.is_empty() || nonce.len() as u64 > MAX_AAD {
            return Err(Error::NonceLength);
        }
        if aad.len() as u64 > MAX_AAD {
            return Err(Error::MessageTooLong);
        }
        self.keystream.restart(gcm.j0(nonce));
        let ahead = BLOCK_SIZE + if len <= SHORT { len } else { 0 };
        self.keystream.prefetch(&gcm.cipher, ahead);
        self.keystream.apply(&gcm.cipher, self.mask.as_mut_slice().into());
        self.ghash.update(&gcm.ghash, aad);
        self.ghash.pad(&gcm.ghash);
        Ok(())
    }

    /// Encrypts and then hashes, piece by piece: what is hashed is still in the cache.
    fn encrypt(&mut self, gcm: &Gcm, mut data: InOutBuf<'_, '_, u8>) {
        while !data.is_empty() {
            let len = data.len().min(PIECE);
            let (mut now, rest) = data.split_at(len);
            self.keystream.apply(&gcm.cipher, now.reborrow());
            self.ghash.update(&gcm.ghash, now.get_out());
            data = rest;
        }
    }

    /// Hashes and then decrypts.
    fn decrypt(&mut self, gcm: &Gcm, mut data: InOutBuf<'_, '_, u8>) {
        while !data.is_empty() {
            let len = data.len().min(PIECE);
            let (mut now, rest) = data.split_at(len);
            self.ghash.update(&gcm.ghash, now.get_in());
            self.keystream.apply(&gcm.cipher, now.reborrow());
            data = rest;
        }
    }

    /// Checks the tag over a whole message.
    fn authenticate(
        &mut self,
        gcm: &Gcm,
        aad: &[u8],
        ciphertext: &[u8],
        tag: &[u8],
    ) -> Result<(), Error> {
        self.ghash.update(&gcm.ghash, ciphertext);
        let want = Zeroizing::new(self.tag(gcm, aad.len() as u64, ciphertext.len() as u64));
        if tags_equal(&want, tag) { Ok(()) } else { rejected() }
    }

    fn tag(&mut self, gcm: &Gcm, aad_len: u64, message_len: u64) -> [u8; 16] {
        let mut tag = self.ghash.finish(&gcm.ghash, aad_len, message_len);
        for (t, m) in tag.iter_mut().zip(&self.mask) {
            *t ^= m;
        }
        tag
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        self.mask.zeroize();
    }
}

/// inc_32 of SP 800-38D, 6.2: only the last four bytes count, and they wrap.
struct Counter32 {
    prefix: [u8; 12],
    count: u32,
}

impl Counter for Counter32 {
    fn block(&self) -> [u8; BLOCK_SIZE] {
        let mut block = [0; BLOCK_SIZE];
        block[..12].copy_from_slice(&self.prefix);
        block[12..].copy_from_slice(&self.count.to_be_bytes());
        block
    }

    fn advance(&mut self, count: u64) {
        self.count = self.count.wrapping_add(count as u32);
    }

    /// Nothing else ever changes. And J0 of a nonce that is hashed is secret: no run may depend on it.
    fn run(&self) -> u64 {
        u64::MAX
    }
}

impl Zeroize for Counter32 {
    fn zeroize(&mut self) {
        self.prefix.zeroize();
        self.count.zeroize();
    }
}

fn check_message_len(len: u64) -> Result<(), Error> {
    if len > MAX_MESSAGE { Err(Error::MessageTooLong) } else { Ok(()) }
}

fn check_tag_len(tag: &[u8]) -> Result<(), Error> {
    if (12..=16).contains(&tag.len()) { Ok(()) } else { Err(Error::TagLength) }
}

/// A call of its own, so that the verdict is a branch where it is made, and nothing that later code
/// decides again by a value made of the two tags.
#[cold]
#[inline(never)]
fn rejected() -> Result<(), Error> {
    Err(Error::Rejected)
}

/// Compares a received tag, possibly truncated, without telling where it differs.
fn tags_equal(want: &[u8; 16], tag: &[u8]) -> bool {
    tag.len() <= want.len() && !tag.is_empty() && bool::from(want[..tag.len()].ct_eq(tag))
}
