//! Sharp tools: ECB and short GCM tags. Each is here because a protocol needs it, and each is
//! wrong for most other purposes.

use crate::{Error, Sm4, ccm::Ccm, gcm::Gcm};

/// Encrypts each block on its own: equal blocks stay visibly equal.
///
/// Needed for GB/T 35276 enveloped keys and for building other modes.
pub fn ecb_encrypt(cipher: &Sm4, blocks: &mut [[u8; 16]]) {
    cipher.encrypt(blocks);
}

/// Decrypts each block on its own.
pub fn ecb_decrypt(cipher: &Sm4, blocks: &mut [[u8; 16]]) {
    cipher.decrypt(blocks);
}

/// [`Gcm::open`] for tags of 4 to 16 bytes.
///
/// A tag of t bits is forged with about 2^-t chance per try, and with GCM each success makes the
/// next easier: NIST SP 800-38D, annex C bounds how much may be sent under such a key.
///
/// # Errors
/// [`Error::TagLength`] outside 4 to 16 bytes, else as [`Gcm::open`].
pub fn gcm_open_short_tag(
    gcm: &Gcm,
    nonce: &[u8],
    aad: &[u8],
    buffer: &mut [u8],
    tag: &[u8],
) -> Result<(), Error> {
    if !(4..=16).contains(&tag.len()) {
        return Err(Error::TagLength);
    }
    gcm.open_any_tag(nonce, aad, buffer, tag)
}

/// A CCM key for tags of 4, 6, 8 or 10 bytes: a tag of t bits is forged with chance 2^-t per try.
///
/// # Errors
/// [`Error::TagLength`] for any other length.
pub fn ccm_short_tag(key: &[u8; 16], tag_len: usize) -> Result<Ccm, Error> {
    if tag_len >= 12 {
        return Err(Error::TagLength);
    }
    Ccm::with_any_tag_len(key, tag_len)
}
