//! Identities and the value Z.

use gmkit_sm3::{Digest, Sm3};

use crate::{Error, PublicKey};

/// a ‖ b ‖ xG ‖ yG, 32 big-endian bytes each (GB/T 32918.5-2017).
const PARAMETERS: &[u8; 128] = b"\xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
      \xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xfc\
      \x28\xe9\xfa\x9e\x9d\x9f\x5e\x34\x4d\x5a\x9e\x4b\xcf\x65\x09\xa7\
      \xf3\x97\x89\xf5\x15\xab\x8f\x92\xdd\xbc\xbd\x41\x4d\x94\x0e\x93\
      \x32\xc4\xae\x2c\x1f\x19\x81\x19\x5f\x99\x04\x46\x6a\x39\xc9\x94\
      \x8f\xe3\x0b\xbf\xf2\x66\x0b\xe1\x71\x5a\x45\x89\x33\x4c\x74\xc7\
      \xbc\x37\x36\xa2\xf4\xf6\x77\x9c\x59\xbd\xce\xe3\x6b\x69\x21\x53\
      \xd0\xa9\x87\x7c\xc6\x2a\x47\x40\x02\xdf\x32\xe5\x21\x39\xf0\xa0";

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
        Sm3::new()
            .chain_update(entl.to_be_bytes())
            .chain_update(id.0)
            .chain_update(PARAMETERS)
            .chain_update(self.point().to_xy())
            .finalize()
            .into()
    }
}
