//! Key wrap with SM4: RFC 3394 for keys of whole 8-byte words, RFC 5649 for keys of any length.
//! Wrapping is deterministic: equal keys give equal results.
//!
//! RustCrypto's `aes-kw` has both too, but refuses a padded key in three checks, one after the
//! other, of which the first that fails ends it.

use subtle::{Choice, ConstantTimeEq, ConstantTimeLess};
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, Sm4};

/// A half block, which is what both standards compute with.
type Word = [u8; 8];

/// The initial value of RFC 3394, 2.2.3.1.
const IV: Word = [0xa6; 8];
/// The beginning of the one of RFC 5649, section 3. The length follows, as 32 bits.
const AIV: [u8; 4] = [0xa6, 0x59, 0x59, 0xa6];

/// How many bytes a wrapped key is longer than a key of whole words.
pub const OVERHEAD: usize = 8;

/// A key that wraps other keys.
///
/// ```
/// use gmkit_sm4::wrap::KeyWrap;
///
/// let kek = KeyWrap::new(&[7; 16]);
/// let mut out = [0; 32];
/// let wrapped = kek.wrap_padded(b"a key of 20 bytes...", &mut out)?;
/// assert_eq!(wrapped.len(), 32);
/// let mut key = [0; 32];
/// assert_eq!(kek.unwrap_padded(wrapped, &mut key)?, b"a key of 20 bytes...");
/// # Ok::<(), gmkit_sm4::Error>(())
/// ```
#[derive(Clone)]
pub struct KeyWrap {
    cipher: Sm4,
}

impl KeyWrap {
    /// Takes the 16-byte key encryption key.
    #[must_use]
    pub fn new(kek: &[u8; 16]) -> Self {
        Self { cipher: Sm4::new(kek) }
    }

    /// Wraps a key of 16, 24, 32, ... bytes (RFC 3394, 2.2.1). `out` needs 8 bytes more.
    ///
    /// # Errors
    /// [`Error::KeyDataLength`], [`Error::OutputTooSmall`].
    pub fn wrap<'o>(&self, key: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], Error> {
        check_words(key.len())?;
        let out = room(out, key.len() + OVERHEAD)?;
        let (words, _) = out.as_chunks_mut();
        words[0] = IV;
        words[1..].as_flattened_mut().copy_from_slice(key);
        self.wrap_words(words);
        Ok(out)
    }

    /// Unwraps what [`KeyWrap::wrap`] made. `out` needs 8 bytes less than `wrapped` has.
    ///
    /// # Errors
    /// [`Error::Rejected`] when it was not wrapped with this key, or has been changed: what
    /// was written of `out` is then wiped. [`Error::KeyDataLength`], [`Error::OutputTooSmall`].
    pub fn unwrap<'o>(&self, wrapped: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], Error> {
        check_words(wrapped.len().saturating_sub(OVERHEAD))?;
        let (a, r) = self.unwrapped(wrapped, out)?;
        accept(a.ct_eq(&IV), r)?;
        Ok(r)
    }

    /// Wraps a key of any length from 1 byte (RFC 5649, 4.1). `out` needs the length rounded up to
    /// a multiple of 8, and 8 bytes more.
    ///
    /// # Errors
    /// [`Error::KeyDataLength`], [`Error::OutputTooSmall`].
    pub fn wrap_padded<'o>(&self, key: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], Error> {
        let mli = u32::try_from(key.len()).map_err(|_| Error::KeyDataLength)?;
        if key.is_empty() {
            return Err(Error::KeyDataLength);
        }
        let out = room(out, key.len().next_multiple_of(8) + OVERHEAD)?;
        out[..4].copy_from_slice(&AIV);
        out[4..8].copy_from_slice(&mli.to_be_bytes());
        out[8..8 + key.len()].copy_from_slice(key);
        out[8 + key.len()..].fill(0);
        self.wrap_words(out.as_chunks_mut().0);
        Ok(out)
    }

    /// Unwraps what [`KeyWrap::wrap_padded`] made. `out` needs 8 bytes less than `wrapped` has;
    /// what is returned is its beginning.
    ///
    /// # Errors
    /// As [`KeyWrap::unwrap`].
    pub fn unwrap_padded<'o>(&self, wrapped: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], Error> {
        if wrapped.len() < 2 * OVERHEAD || !wrapped.len().is_multiple_of(8) {
            return Err(Error::KeyDataLength);
        }
        let padded_len = u32::try_from(wrapped.len() - OVERHEAD);
        let padded_len = padded_len.map_err(|_| Error::KeyDataLength)?;
        let (a, r) = self.unwrapped(wrapped, out)?;
        let [prefix, mli] = *a.as_chunks::<4>().0 else { unreachable!("8 bytes") };
        // At most 7 bytes are padding, and all of them are zero. One answer for all of it: where
        // it is wrong would be an oracle.
        let padding = padded_len.wrapping_sub(u32::from_be_bytes(mli));
        let mut good = prefix.ct_eq(&AIV) & padding.ct_lt(&8);
        for (byte, from_the_end) in r.iter().rev().zip(0..8_u32) {
            good &= byte.ct_eq(&0) | !from_the_end.ct_lt(&padding);
        }
        accept(good, r)?;
        Ok(&r[..(padded_len - padding) as usize])
    }

    /// W of RFC 3394, 2.2.1, on A, R\[1\], ..., R\[n\]. One word is a single block (RFC 5649, 4.1).
    fn wrap_words(&self, words: &mut [Word]) {
        if let [a, r] = words {
            return self.one_block(a, r, Sm4::encrypt);
        }
        let Some((a, r)) = words.split_first_mut() else { return };
        let n = r.len();
        for j in 0..6 {
            for (i, r) in r.iter_mut().enumerate() {
                self.one_block(a, r, Sm4::encrypt);
                count(a, n * j + i + 1);
            }
        }
    }

    /// The inverse: A, and R in `out`.
    fn unwrapped<'o>(
        &self,
        wrapped: &[u8],
        out: &'o mut [u8],
    ) -> Result<(Zeroizing<Word>, &'o mut [u8]), Error> {
        let out = room(out, wrapped.len() - OVERHEAD)?;
        let (first, rest) = wrapped.split_at(OVERHEAD);
        let mut a = Zeroizing::new([0; 8]);
        a.copy_from_slice(first);
        out.copy_from_slice(rest);
        let (r, _) = out.as_chunks_mut::<8>();
        if let [r] = r {
            self.one_block(&mut a, r, Sm4::decrypt);
            return Ok((a, out));
        }
        let n = r.len();
        for j in (0..6).rev() {
            for (i, r) in r.iter_mut().enumerate().rev() {
                count(&mut a, n * j + i + 1);
                self.one_block(&mut a, r, Sm4::decrypt);
            }
        }
        Ok((a, out))
    }

    fn one_block(&self, a: &mut Word, r: &mut Word, crypt: fn(&Sm4, &mut [[u8; 16]])) {
        let mut block = Zeroizing::new([[0; 16]]);
        block[0][..8].copy_from_slice(a);
        block[0][8..].copy_from_slice(r);
        crypt(&self.cipher, &mut *block);
        a.copy_from_slice(&block[0][..8]);
        r.copy_from_slice(&block[0][8..]);
    }
}

impl core::fmt::Debug for KeyWrap {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("KeyWrap { .. }")
    }
}

/// RFC 3394 wants at least two words.
fn check_words(len: usize) -> Result<(), Error> {
    if len < 16 || !len.is_multiple_of(8) { Err(Error::KeyDataLength) } else { Ok(()) }
}

/// A with the number of the step, which is t = n j + i, exclusive-ored into it.
fn count(a: &mut Word, t: usize) {
    *a = (u64::from_be_bytes(*a) ^ t as u64).to_be_bytes();
}

/// The beginning of `out` that is written.
fn room(out: &mut [u8], len: usize) -> Result<&mut [u8], Error> {
    out.get_mut(..len).ok_or(Error::OutputTooSmall)
}

/// What was not wrapped with this key is wiped.
fn accept(good: Choice, r: &mut [u8]) -> Result<(), Error> {
    if bool::from(good) {
        return Ok(());
    }
    r.zeroize();
    Err(Error::Rejected)
}
