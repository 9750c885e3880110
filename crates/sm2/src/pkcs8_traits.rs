//! The `pkcs8` traits, for code written against that crate.

use pkcs8::{KeyError, PrivateKeyInfoRef};

use crate::{
    Error, SecretKey,
    key_der::{Curve, check_algorithm, read_ec_private_key},
};

impl TryFrom<PrivateKeyInfoRef<'_>> for SecretKey {
    type Error = pkcs8::Error;

    fn try_from(info: PrivateKeyInfoRef<'_>) -> Result<Self, pkcs8::Error> {
        let oid = info.algorithm.oid;
        check_algorithm(&info.algorithm)
            .and_then(|()| read_ec_private_key(info.private_key.as_bytes(), Curve::Known))
            .map_err(|error| match error {
                Error::ForeignAlgorithm | Error::ForeignCurve | Error::ExplicitCurve => {
                    pkcs8::Error::PublicKey(spki::Error::OidUnknown { oid })
                }
                _ => pkcs8::Error::KeyMalformed(KeyError::Invalid),
            })
    }
}

#[cfg(feature = "alloc")]
impl pkcs8::EncodePrivateKey for SecretKey {
    fn to_pkcs8_der(&self) -> pkcs8::Result<pkcs8::SecretDocument> {
        Ok(pkcs8::SecretDocument::try_from(&self.to_private_key_info()[..])?)
    }
}
