//! Public keys.

use core::fmt;

use crate::{Error, Id, Signature, curve::Affine, verify::Verifier};

/// A public key: a point on the curve that is not the point at infinity. There is no way to make
/// one from an unchecked point (GB/T 32918.1-2016, 6.2.1; with cofactor 1 the check of its order
/// is implied).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    point: Affine,
}

impl PublicKey {
    pub(crate) const fn from_point(point: Affine) -> Self {
        Self { point }
    }

    pub(crate) const fn point(&self) -> &Affine {
        &self.point
    }

    /// Reads 04 ‖ X ‖ Y (65 bytes) or the compressed 02 ‖ X and 03 ‖ X (33 bytes).
    ///
    /// # Errors
    /// [`Error::PointEncoding`] for any other form, [`Error::PointNotOnCurve`].
    pub fn from_sec1_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Affine::from_sec1(bytes).map(Self::from_point)
    }

    /// 04 ‖ X ‖ Y, the usual form.
    #[must_use]
    pub fn to_sec1_bytes(&self) -> [u8; 65] {
        let mut out = [4; 65];
        out[1..].copy_from_slice(&self.point.to_xy());
        out
    }

    /// The compressed form: 02 or 03 with the parity of Y, then X.
    #[must_use]
    pub fn to_compressed_bytes(&self) -> [u8; 33] {
        let mut out = [0; 33];
        out[0] = 2 | self.point.y.is_odd().unwrap_u8();
        out[1..].copy_from_slice(&self.point.x.to_bytes());
        out
    }

    /// Verifies a signature over `message` made under `id` (GB/T 32918.2-2016, 7.1).
    ///
    /// # Errors
    /// [`Error::Rejected`].
    pub fn verify(&self, id: Id<'_>, message: &[u8], signature: &Signature) -> Result<(), Error> {
        let mut verifier = self.verifier(id);
        verifier.update(message);
        verifier.verify(signature)
    }

    /// Starts verification of a message that comes in pieces.
    #[must_use]
    pub fn verifier(&self, id: Id<'_>) -> Verifier {
        Verifier::new(self, id)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        for byte in self.to_compressed_bytes() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}
