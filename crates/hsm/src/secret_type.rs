//! Kinds of secret keys, and the numbers that they go by.

use cryptoki_sys::{
    CKK_AES, CKK_GENERIC_SECRET, CKM_AES_CBC, CKM_AES_CBC_PAD, CKM_AES_CMAC, CKM_AES_ECB,
    CKM_AES_GCM, CKM_AES_KEY_GEN, CKM_AES_KEY_WRAP, CKM_GENERIC_SECRET_KEY_GEN,
};

use crate::{Error, Profile};

/// What a secret key in a device is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretType {
    /// SM4, by the profile's numbers; 16 bytes.
    Sm4,
    /// HMAC-SM3, by the profile's number; 32 bytes where it is made in the device.
    HmacSm3,
    /// AES, by the standard's numbers; 32 bytes where it is made in the device.
    Aes,
}

/// The numbers of one kind of key; what a device does not have is `None`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    pub(crate) key_type: u64,
    pub(crate) generate: u64,
    /// Bytes of a new key, where it has to be said.
    pub(crate) len: Option<usize>,
    pub(crate) ecb: Option<u64>,
    pub(crate) cbc: Option<u64>,
    pub(crate) cbc_pad: Option<u64>,
    pub(crate) gcm: Option<u64>,
    /// CMAC or CBC-MAC.
    pub(crate) mac: Option<u64>,
    pub(crate) hmac: Option<u64>,
    /// RFC 3394.
    pub(crate) wrap: Option<u64>,
}

const NONE: Numbers = Numbers {
    key_type: 0,
    generate: 0,
    len: None,
    ecb: None,
    cbc: None,
    cbc_pad: None,
    gcm: None,
    mac: None,
    hmac: None,
    wrap: None,
};

const AES: Numbers = Numbers {
    key_type: CKK_AES,
    generate: CKM_AES_KEY_GEN,
    len: Some(32),
    ecb: Some(CKM_AES_ECB),
    cbc: Some(CKM_AES_CBC),
    cbc_pad: Some(CKM_AES_CBC_PAD),
    gcm: Some(CKM_AES_GCM),
    mac: Some(CKM_AES_CMAC),
    hmac: None,
    wrap: Some(CKM_AES_KEY_WRAP),
};

impl SecretType {
    pub(crate) const ALL: [Self; 3] = [Self::Sm4, Self::HmacSm3, Self::Aes];

    /// The numbers that a device of this profile has for it.
    pub(crate) fn numbers(self, profile: &Profile) -> Result<Numbers, Error> {
        match self {
            Self::Aes => Ok(AES),
            Self::Sm4 => {
                let operation = "hold SM4 keys (by its profile)";
                let sm4 = profile.sm4.as_ref().ok_or(Error::Unsupported { operation })?;
                Ok(Numbers {
                    key_type: sm4.key_type,
                    generate: sm4.generate,
                    ecb: Some(sm4.ecb),
                    cbc: Some(sm4.cbc),
                    cbc_pad: sm4.cbc_pad,
                    gcm: sm4.gcm,
                    mac: sm4.mac,
                    wrap: sm4.wrap,
                    ..NONE
                })
            }
            Self::HmacSm3 => {
                let hmac = profile.sm3.as_ref().and_then(|sm3| sm3.hmac);
                let operation = "compute HMAC-SM3 (by its profile)";
                Ok(Numbers {
                    key_type: CKK_GENERIC_SECRET,
                    generate: CKM_GENERIC_SECRET_KEY_GEN,
                    len: Some(32),
                    hmac: Some(hmac.ok_or(Error::Unsupported { operation })?),
                    ..NONE
                })
            }
        }
    }
}
