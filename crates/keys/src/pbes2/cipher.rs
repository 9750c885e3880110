//! The ciphers of encrypted keys, all in CBC mode with PKCS#7 padding.

use cipher::{
    BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, KeyInit, KeyIvInit, block_padding::Pkcs7,
};
use der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

use crate::{EncryptionFault, Error};

pub(super) const SM4_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.104.2");
const AES_128_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.2");
const AES_192_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.22");
const AES_256_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42");
const DES_EDE3_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.3.7");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cipher {
    Sm4,
    Aes128,
    Aes192,
    Aes256,
    DesEde3,
}

impl Cipher {
    pub(super) fn from_oid(oid: ObjectIdentifier) -> Result<Self, Error> {
        Ok(match oid {
            SM4_CBC => Self::Sm4,
            AES_128_CBC => Self::Aes128,
            AES_192_CBC => Self::Aes192,
            AES_256_CBC => Self::Aes256,
            DES_EDE3_CBC => Self::DesEde3,
            oid => return Err(EncryptionFault::Cipher(oid).into()),
        })
    }

    /// In bytes.
    pub(super) fn key_len(self) -> usize {
        match self {
            Self::Sm4 | Self::Aes128 => 16,
            Self::Aes192 | Self::DesEde3 => 24,
            Self::Aes256 => 32,
        }
    }

    /// In bytes.
    pub(super) fn iv_len(self) -> usize {
        if self == Self::DesEde3 { 8 } else { 16 }
    }

    /// `None` when length or padding is wrong. Key and IV must have this cipher's lengths.
    pub(super) fn decrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Sm4 => {
                let (key, iv) = (key.try_into().ok()?, iv.try_into().ok()?);
                gmkit_sm4::cbc::decrypt(key, iv, data).ok().map(Zeroizing::new)
            }
            Self::Aes128 => cbc_decrypt::<aes::Aes128>(key, iv, data),
            Self::Aes192 => cbc_decrypt::<aes::Aes192>(key, iv, data),
            Self::Aes256 => cbc_decrypt::<aes::Aes256>(key, iv, data),
            Self::DesEde3 => cbc_decrypt::<des::TdesEde3>(key, iv, data),
        }
    }
}

fn cbc_decrypt<C>(key: &[u8], iv: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>>
where
    C: BlockCipherDecrypt + KeyInit,
    cbc::Decryptor<C>: KeyIvInit + BlockModeDecrypt + InnerIvInit<Inner = C>,
{
    let mut buffer = Zeroizing::new(data.to_vec());
    let mode = cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?;
    let len = mode.decrypt_padded::<Pkcs7>(&mut buffer).ok()?.len();
    buffer.truncate(len);
    Some(buffer)
}
