//! Counter with CBC-MAC (NIST SP 800-38C; RFC 8998 fixes nonce 12 and tag 16 for TLS), in one call.
//!
//! A nonce must never be used twice under one key. [`crate::gcm`] is faster and streams.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    BLOCK_SIZE, Error, Sm4,
    ctr::{Ctr, in_out},
};

type Block = [u8; BLOCK_SIZE];

/// A CCM key with the length of its tags, which is a part of what the tag protects.
///
/// ```
/// use gmkit_sm4::ccm::Ccm;
///
/// let ccm = Ccm::new(&[7; 16]);
/// let mut buffer = *b"attack at dawn";
/// let tag = ccm.seal(&[0; 12], b"header", &mut buffer)?;
/// ccm.open(&[0; 12], b"header", &mut buffer, tag.as_bytes())?;
/// assert_eq!(&buffer, b"attack at dawn");
/// # Ok::<(), gmkit_sm4::Error>(())
/// ```
#[derive(Clone)]
pub struct Ccm {
    cipher: Sm4,
    tag_len: usize,
}

/// A tag of the key's length. Wiped on drop: the right tag of a refused message is a secret.
#[derive(Clone)]
pub struct Tag {
    bytes: Block,
    len: usize,
}

impl Tag {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Drop for Tag {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ccm::Tag({:02x?})", self.as_bytes())
    }
}

impl Ccm {
    /// A 16-byte key, for tags of 16 bytes.
    #[must_use]
    pub fn new(key: &[u8; 16]) -> Self {
        Self { cipher: Sm4::new(key), tag_len: 16 }
    }

    /// The same for tags of 12, 14 or 16 bytes; shorter ones are in [`crate::hazmat`].
    ///
    /// # Errors
    /// [`Error::TagLength`].
    pub fn with_tag_len(key: &[u8; 16], tag_len: usize) -> Result<Self, Error> {
        if tag_len < 12 {
            return Err(Error::TagLength);
        }
        Self::with_any_tag_len(key, tag_len)
    }

    pub(crate) fn with_any_tag_len(key: &[u8; 16], tag_len: usize) -> Result<Self, Error> {
        if !(4..=16).contains(&tag_len) || !tag_len.is_multiple_of(2) {
            return Err(Error::TagLength);
        }
        Ok(Self { cipher: Sm4::new(key), tag_len })
    }

    /// Encrypts `buffer` in place and returns the tag over `aad` and the plaintext. The nonce has
    /// 7 to 13 bytes; with n bytes of it the message has less than 2^(8 (15 - n)) bytes.
    ///
    /// # Errors
    /// [`Error::NonceLength`], [`Error::MessageTooLong`]; `buffer` is then unchanged.
    pub fn seal(&self, nonce: &[u8], aad: &[u8], buffer: &mut [u8]) -> Result<Tag, Error> {
        let (mac, mut ctr) = self.start(nonce, aad, buffer.len())?;
        let tag = self.tag(mac, &mut ctr, buffer);
        ctr.apply_keystream(buffer);
        Ok(tag)
    }

    /// [`Ccm::seal`] from one buffer into another of the same length.
    ///
    /// # Errors
    /// As [`Ccm::seal`], and [`Error::OutputTooSmall`] when the lengths differ; `ciphertext` is
    /// then unchanged.
    pub fn seal_to(
        &self,
        nonce: &[u8],
        aad: &[u8],
        plaintext: &[u8],
        ciphertext: &mut [u8],
    ) -> Result<Tag, Error> {
        in_out(plaintext, ciphertext)?;
        let (mac, mut ctr) = self.start(nonce, aad, plaintext.len())?;
        let tag = self.tag(mac, &mut ctr, plaintext);
        ctr.apply_keystream_to(plaintext, ciphertext)?;
        Ok(tag)
    }

    /// Decrypts `buffer` in place, if the tag fits.
    ///
    /// # Errors
    /// [`Error::Rejected`] when it does not; [`Error::TagLength`] when it has not the key's tag
    /// length; [`Error::NonceLength`], [`Error::MessageTooLong`]. `buffer` then holds the
    /// ciphertext, as before.
    pub fn open(
        &self,
        nonce: &[u8],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8],
    ) -> Result<(), Error> {
        if tag.len() != self.tag_len {
            return Err(Error::TagLength);
        }
        let (mac, mut ctr) = self.start(nonce, aad, buffer.len())?;
        let mask = first_block(&mut ctr);
        ctr.apply_keystream(buffer);
        let want = self.masked(mac, &mask, buffer);
        if bool::from(want.as_bytes().ct_eq(tag)) {
            return Ok(());
        }
        // The tag covers the plaintext, so that has been there; the same keystream takes it away.
        let (_, mut again) = self.start(nonce, aad, buffer.len())?;
        first_block(&mut again);
        again.apply_keystream(buffer);
        Err(Error::Rejected)
    }

    /// CBC-MAC over B0 and the associated data, and the counter mode from A0 on (SP 800-38C, A.2).
    fn start(&self, nonce: &[u8], aad: &[u8], len: usize) -> Result<(Mac<'_>, Ctr), Error> {
        if !(7..=13).contains(&nonce.len()) {
            return Err(Error::NonceLength);
        }
        let q = 15 - nonce.len();
        if q < 8 && (len as u64) >> (8 * q) != 0 {
            return Err(Error::MessageTooLong);
        }
        let mut a0 = [0; BLOCK_SIZE];
        a0[0] = q as u8 - 1;
        a0[1..=nonce.len()].copy_from_slice(nonce);

        let mut b0 = a0;
        b0[0] |= (u8::from(!aad.is_empty()) << 6) | (((self.tag_len - 2) / 2) << 3) as u8;
        b0[16 - q..].copy_from_slice(&(len as u64).to_be_bytes()[8 - q..]);
        let mut mac = Mac { cipher: &self.cipher, state: b0, used: 0 };
        mac.block();
        if !aad.is_empty() {
            mac.length_of_aad(aad.len() as u64);
            mac.update(aad);
            mac.pad();
        }
        Ok((mac, Ctr::with_cipher(self.cipher.clone(), &a0)))
    }

    /// The tag over the plaintext; `ctr` is left at the keystream for the message.
    fn tag(&self, mac: Mac<'_>, ctr: &mut Ctr, plaintext: &[u8]) -> Tag {
        let mask = first_block(ctr);
        self.masked(mac, &mask, plaintext)
    }

    fn masked(&self, mut mac: Mac<'_>, mask: &Block, plaintext: &[u8]) -> Tag {
        mac.update(plaintext);
        mac.pad();
        let mut bytes = mac.state;
        for (b, m) in bytes.iter_mut().zip(mask.iter()) {
            *b ^= m;
        }
        Tag { bytes, len: self.tag_len }
    }
}

/// S0, which masks the tag.
fn first_block(ctr: &mut Ctr) -> Zeroizing<Block> {
    let mut block = Zeroizing::new([0; BLOCK_SIZE]);
    ctr.apply_keystream(&mut *block);
    block
}

impl fmt::Debug for Ccm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ccm { .. }")
    }
}

/// CBC-MAC whose blocks are filled with zeros where the standard pads.
struct Mac<'k> {
    cipher: &'k Sm4,
    state: Block,
    /// Bytes that have been added to the state since it was encrypted.
    used: usize,
}

impl Mac<'_> {
    /// The encoding of the length in front of the associated data (SP 800-38C, A.2.2).
    fn length_of_aad(&mut self, len: u64) {
        let bytes = len.to_be_bytes();
        if len < 0xff00 {
            self.update(&bytes[6..]);
        } else if len <= u64::from(u32::MAX) {
            self.update(&[0xff, 0xfe]);
            self.update(&bytes[4..]);
        } else {
            self.update(&[0xff, 0xff]);
            self.update(&bytes);
        }
    }

    fn update(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            let (head, rest) = data.split_at(data.len().min(BLOCK_SIZE - self.used));
            for (s, d) in self.state[self.used..].iter_mut().zip(head) {
                *s ^= d;
            }
            self.used += head.len();
            if self.used == BLOCK_SIZE {
                self.block();
            }
            data = rest;
        }
    }

    fn pad(&mut self) {
        if self.used != 0 {
            self.block();
        }
    }

    fn block(&mut self) {
        self.cipher.encrypt(core::slice::from_mut(&mut self.state));
        self.used = 0;
    }
}

impl Drop for Mac<'_> {
    fn drop(&mut self) {
        self.state.zeroize();
    }
}
