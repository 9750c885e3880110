//! Identities and the value Z.

use gmkit_sm3::{Digest, Sm3};

use crate::{Error, PublicKey, arith::FieldElement, curve::Affine};

/// A signer's distinguishing ID (GB/T 32918.2-2016, 5.5): at most 8191 bytes.
///
/// Signer and verifier must use the same one. Nearly everyone uses [`Id::DEFAULT`]; OpenSSL 1.1.1
/// to 3.x used the empty ID unless told otherwise.
///
/// ```
/// use gmkit_sm2::Id;
/// assert_eq!(Id::DEFAULT.as_bytes(), b"1234567812345678");
/// assert!(Id::new(&[0; 8192]).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id<'a>(&'a [u8]);

impl<'a> Id<'a> {
    /// `1234567812345678`, the default of GM/T 0009-2012, used in certificates and CMS.
    pub const DEFAULT: Id<'static> = Id(b"1234567812345678");

    /// The empty ID, which OpenSSL 1.1.1 to 3.x used by default.
    pub const EMPTY: Id<'static> = Id(b"");

    /// `TLSv1.3+GM+Cipher+Suite`, for CertificateVerify in TLS 1.3 (RFC 8998, 3.2.1).
    pub const TLS13: Id<'static> = Id(b"TLSv1.3+GM+Cipher+Suite");

    /// Takes any bytes as ID.
    ///
    /// # Errors
    /// [`Error::IdTooLong`] for more than 8191 bytes: ENTL, its length in bits, has 16 bits.
    pub const fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.len() > 8191 { Err(Error::IdTooLong) } else { Ok(Self(bytes)) }
    }

    /// The bytes of the ID.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

impl PublicKey {
    /// Z = SM3(ENTL ‖ ID ‖ a ‖ b ‖ xG ‖ yG ‖ xA ‖ yA), GB/T 32918.2-2016, 5.5.
    #[must_use]
    pub fn z(&self, id: Id<'_>) -> [u8; 32] {
        let entl = (id.0.len() as u16) * 8;
        let a = -FieldElement::ONE.triple();
        Sm3::new()
            .chain_update(entl.to_be_bytes())
            .chain_update(id.0)
            .chain_update(a.to_bytes())
            .chain_update(crate::curve::B.to_bytes())
            .chain_update(Affine::GENERATOR.to_xy())
            .chain_update(self.point().to_xy())
            .finalize()
            .into()
    }
}
