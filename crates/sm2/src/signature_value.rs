//! Signatures and their two encodings.

use core::fmt;

use crate::{
    Error,
    arith::Scalar,
    der_value::{self, MAX_INTEGER},
};

/// A signature (r, s), both in [1, n-1].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    pub(crate) r: Scalar,
    pub(crate) s: Scalar,
}

impl Signature {
    /// Reads r ‖ s, 32 big-endian bytes each, as devices and some protocols use it.
    ///
    /// # Errors
    /// [`Error::SignatureLength`], [`Error::SignatureRange`].
    pub fn from_raw(bytes: &[u8]) -> Result<Self, Error> {
        let (r, s) = bytes.split_first_chunk().ok_or(Error::SignatureLength)?;
        let s = s.try_into().map_err(|_| Error::SignatureLength)?;
        Self::from_integers(r, s)
    }

    /// r ‖ s.
    #[must_use]
    pub fn to_raw(&self) -> [u8; 64] {
        let mut out = [0; 64];
        out[..32].copy_from_slice(&self.r.to_bytes());
        out[32..].copy_from_slice(&self.s.to_bytes());
        out
    }

    /// Reads SEQUENCE { r INTEGER, s INTEGER } of GB/T 35276-2017, 7.3 as strict DER: shortest
    /// lengths, shortest positive integers, nothing behind. There is exactly one encoding of each
    /// signature, so a signature cannot be changed into another valid one this way.
    ///
    /// # Errors
    /// [`Error::Der`], [`Error::SignatureRange`].
    pub fn from_der(bytes: &[u8]) -> Result<Self, Error> {
        let [r, s] = der_value::read_sequence(bytes, |reader| {
            Ok([der_value::read_integer(reader)?, der_value::read_integer(reader)?])
        })?;
        Self::from_integers(&r, &s)
    }

    /// The DER encoding, at most 72 bytes.
    #[must_use]
    pub fn to_der(&self) -> DerSignature {
        let mut content = [0; 2 * MAX_INTEGER];
        let mut len = 0;
        for integer in [self.r, self.s] {
            len += der_value::write_integer(&integer.to_bytes(), &mut content[len..]);
        }
        let mut bytes = [0; DerSignature::MAX_LEN];
        bytes[..2].copy_from_slice(&[0x30, len as u8]);
        bytes[2..2 + len].copy_from_slice(&content[..len]);
        DerSignature { bytes, len: len + 2 }
    }

    fn from_integers(r: &[u8; 32], s: &[u8; 32]) -> Result<Self, Error> {
        let integer = |bytes| Scalar::from_bytes_nonzero(bytes).ok_or(Error::SignatureRange);
        Ok(Self { r: integer(r)?, s: integer(s)? })
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(")?;
        for byte in self.to_raw() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// A signature in DER, without allocation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DerSignature {
    bytes: [u8; Self::MAX_LEN],
    len: usize,
}

impl DerSignature {
    /// Longest encoding, in bytes.
    pub const MAX_LEN: usize = 72;

    /// The encoding.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl AsRef<[u8]> for DerSignature {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Debug for DerSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DerSignature({:02x?})", self.as_bytes())
    }
}
