//! Public keys as SubjectPublicKeyInfo (RFC 5480; GM/T 0015-2023 for the second form read).

use der::asn1::AnyRef;
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::{EC_PUBLIC_KEY_OID, Error, PublicKey, key_der::check_algorithm};

/// Contents octets of the curve's OID, as [`AnyRef`] wants them.
const CURVE: AnyRef<'static> =
    match AnyRef::new(der::Tag::ObjectIdentifier, crate::SM2_OID.as_bytes()) {
        Ok(curve) => curve,
        Err(_) => panic!("an OID of eight bytes"),
    };

/// id-ecPublicKey with the curve sm2p256v1.
pub(crate) const ALGORITHM_IDENTIFIER: AlgorithmIdentifierRef<'static> =
    AlgorithmIdentifierRef { oid: EC_PUBLIC_KEY_OID, parameters: Some(CURVE) };

impl PublicKey {
    /// Reads a DER SubjectPublicKeyInfo whose algorithm is id-ecPublicKey with the SM2 curve, or
    /// SM2's own OID twice (GM/T 0015-2023); the point may be compressed.
    ///
    /// # Errors
    /// [`Error::Der`], [`Error::ForeignAlgorithm`], [`Error::ForeignCurve`],
    /// [`Error::ExplicitCurve`], [`Error::PointEncoding`], [`Error::PointNotOnCurve`].
    pub fn from_spki_der(bytes: &[u8]) -> Result<Self, Error> {
        use der::Decode;
        Self::from_spki(SubjectPublicKeyInfoRef::from_der(bytes)?)
    }

    fn from_spki(spki: SubjectPublicKeyInfoRef<'_>) -> Result<Self, Error> {
        check_algorithm(&spki.algorithm)?;
        let point = spki.subject_public_key.as_bytes().ok_or(Error::PointEncoding)?;
        Self::from_sec1_bytes(point)
    }
}

impl TryFrom<SubjectPublicKeyInfoRef<'_>> for PublicKey {
    type Error = spki::Error;

    fn try_from(spki: SubjectPublicKeyInfoRef<'_>) -> Result<Self, spki::Error> {
        let oid = spki.algorithm.oid;
        Self::from_spki(spki).map_err(|error| match error {
            Error::ForeignAlgorithm | Error::ForeignCurve | Error::ExplicitCurve => {
                spki::Error::OidUnknown { oid }
            }
            _ => spki::Error::KeyMalformed,
        })
    }
}

#[cfg(feature = "alloc")]
impl spki::EncodePublicKey for PublicKey {
    fn to_public_key_der(&self) -> spki::Result<spki::Document> {
        Ok(spki::Document::try_from(&crate::key_der::public_key_info(self)[..])?)
    }
}
