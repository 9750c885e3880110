//! Ciphertexts and their three encodings.

use alloc::vec::Vec;
use core::fmt;

use der::Tag;

use crate::{
    DerFault, Error,
    curve::Affine,
    der_value::{self, MAX_INTEGER},
};

/// An SM2 ciphertext: the point C1 (on the curve), the hash C3, and C2, as long as the plaintext.
///
/// DER says which part is which. The two raw forms differ only in the order of C2 and C3 and
/// cannot be told apart by looking: which one a peer means must be known.
#[derive(Clone, PartialEq, Eq)]
pub struct Ciphertext {
    pub(crate) c1: Affine,
    pub(crate) c3: [u8; 32],
    pub(crate) c2: Vec<u8>,
}

/// 04 ‖ X ‖ Y and C3.
const OVERHEAD: usize = 65 + 32;

impl Ciphertext {
    /// Reads GB/T 35276-2017, 7.2: SEQUENCE { x INTEGER, y INTEGER, hash OCTET STRING(32),
    /// cipherText OCTET STRING }, as strict DER.
    ///
    /// # Errors
    /// [`Error::Der`], [`Error::CiphertextLength`], [`Error::PointNotOnCurve`].
    pub fn from_der(bytes: &[u8]) -> Result<Self, Error> {
        der_value::read_sequence(bytes, |reader| {
            let x = der_value::read_integer(reader)?;
            let y = der_value::read_integer(reader)?;
            let c3 = der_value::next(reader, Tag::OctetString)?;
            let c2 = der_value::next(reader, Tag::OctetString)?;
            Self::new(Affine::from_xy(&x, &y)?, c3, c2)
        })
    }

    /// Reads 04 ‖ X ‖ Y ‖ C3 ‖ C2, the raw form of GB/T 32918.4-2016.
    ///
    /// # Errors
    /// [`Error::CiphertextLength`], [`Error::PointEncoding`], [`Error::PointNotOnCurve`].
    pub fn from_c1c3c2(bytes: &[u8]) -> Result<Self, Error> {
        let (c1, rest) = split_c1(bytes)?;
        let (c3, c2) = rest.split_at_checked(32).ok_or(Error::CiphertextLength)?;
        Self::new(c1, c3, c2)
    }

    /// Reads 04 ‖ X ‖ Y ‖ C2 ‖ C3, the raw form of the 2010 draft.
    ///
    /// # Errors
    /// As [`Ciphertext::from_c1c3c2`].
    pub fn from_c1c2c3(bytes: &[u8]) -> Result<Self, Error> {
        let (c1, rest) = split_c1(bytes)?;
        let c2_len = rest.len().checked_sub(32).ok_or(Error::CiphertextLength)?;
        let (c2, c3) = rest.split_at(c2_len);
        Self::new(c1, c3, c2)
    }

    fn new(c1: Affine, c3: &[u8], c2: &[u8]) -> Result<Self, Error> {
        let c3 = c3.try_into().map_err(|_| Error::CiphertextLength)?;
        if c2.is_empty() {
            return Err(Error::CiphertextLength);
        }
        Ok(Self { c1, c3, c2: c2.to_vec() })
    }

    /// Length of the plaintext, in bytes.
    #[must_use]
    pub fn plaintext_len(&self) -> usize {
        self.c2.len()
    }

    /// The DER encoding of GB/T 35276-2017.
    ///
    /// # Errors
    /// [`Error::Der`] when C2 is longer than DER's lengths reach here (256 MiB).
    pub fn to_der(&self) -> Result<Vec<u8>, Error> {
        let mut integers = [0; 2 * MAX_INTEGER];
        let mut len = der_value::write_integer(&self.c1.x.to_bytes(), &mut integers);
        len += der_value::write_integer(&self.c1.y.to_bytes(), &mut integers[len..]);

        let too_long = |_| Error::Der(DerFault::Length);
        let c2_header = der::Header::new(
            Tag::OctetString,
            der::Length::try_from(self.c2.len()).map_err(too_long)?,
        );
        let mut tail = Vec::with_capacity(8);
        der::Encode::encode_to_vec(&c2_header, &mut tail).map_err(too_long)?;

        let content = len + 34 + tail.len() + self.c2.len();
        let header =
            der::Header::new(Tag::Sequence, der::Length::try_from(content).map_err(too_long)?);
        let mut out = Vec::with_capacity(content + 8);
        der::Encode::encode_to_vec(&header, &mut out).map_err(too_long)?;
        out.extend_from_slice(&integers[..len]);
        out.extend_from_slice(&[0x04, 32]);
        out.extend_from_slice(&self.c3);
        out.extend_from_slice(&tail);
        out.extend_from_slice(&self.c2);
        Ok(out)
    }

    /// 04 ‖ X ‖ Y ‖ C3 ‖ C2.
    #[must_use]
    pub fn to_c1c3c2(&self) -> Vec<u8> {
        self.raw([&self.c3, &self.c2])
    }

    /// 04 ‖ X ‖ Y ‖ C2 ‖ C3.
    #[must_use]
    pub fn to_c1c2c3(&self) -> Vec<u8> {
        self.raw([&self.c2, &self.c3])
    }

    fn raw(&self, rest: [&[u8]; 2]) -> Vec<u8> {
        let mut out = Vec::with_capacity(OVERHEAD + self.c2.len());
        out.push(4);
        out.extend_from_slice(&self.c1.to_xy());
        rest.iter().for_each(|part| out.extend_from_slice(part));
        out
    }
}

fn split_c1(bytes: &[u8]) -> Result<(Affine, &[u8]), Error> {
    let (c1, rest) = bytes.split_at_checked(65).ok_or(Error::CiphertextLength)?;
    Ok((Affine::from_sec1(c1)?, rest))
}

impl fmt::Debug for Ciphertext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ciphertext({} bytes)", self.c2.len())
    }
}
