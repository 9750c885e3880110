//! Keys that leave and come in encrypted: RFC 3394 and 5649, CBC with padding, SM2.

use std::sync::Arc;

use aes_kw::{AesKw, AesKwp};
use cipher::KeyInit;
use cryptoki_sys::*;
use gmkit_sm4::wrap::KeyWrap;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use zeroize::Zeroizing;

use super::{Direction, Key, key, run, start_cipher};
use crate::{
    attributes::Attributes,
    codes::{Algorithm, Block, Curve},
    mechanism::Mechanism,
    rules::{self, Origin},
    rv::{Result, Rv, ensure, fail},
};

/// Longest wrapped key that is read, in bytes.
const MAX_WRAPPED: usize = 16 * 1024;

/// Wraps: the value of a secret key, the PKCS#8 of a private one.
pub(crate) fn wrap(
    mechanism: &Mechanism,
    wrapping: &Arc<Key>,
    target: &Key,
) -> Result<Zeroizing<Vec<u8>>> {
    let content = content_of(target)?;
    match mechanism.algorithm() {
        Algorithm::KeyWrap(block) | Algorithm::KeyWrapPadded(block) => {
            mechanism.without_parameter()?;
            let padded = matches!(mechanism.algorithm(), Algorithm::KeyWrapPadded(_));
            key_wrap(wrapping.block_key(block)?, block, padded, &content)
        }
        _ => run(start_cipher(mechanism, wrapping, Direction::Encrypt)?, &content),
    }
}

/// Most bytes that [`wrap`] gives: DER of SM2 differs from time to time.
pub(crate) fn bound(mechanism: &Mechanism, wrapping: &Arc<Key>, target: &Key) -> Result<usize> {
    let len = content_of(target)?.len();
    match mechanism.algorithm() {
        Algorithm::KeyWrap(_) | Algorithm::KeyWrapPadded(_) => Ok(len.next_multiple_of(8) + 8),
        _ => Ok(start_cipher(mechanism, wrapping, Direction::Encrypt)?.finish_bound(len)),
    }
}

/// Unwraps a key into a template.
pub(crate) fn unwrap(
    mechanism: &Mechanism,
    unwrapping: &Arc<Key>,
    wrapped: &[u8],
    mut template: Attributes,
    officer: bool,
) -> Result<Attributes> {
    ensure(wrapped.len() <= MAX_WRAPPED, CKR_WRAPPED_KEY_LEN_RANGE)?;
    rules::check_new(&template, Origin::Unwrapped, officer)?;
    // A length in the template says how much of the content counts; nothing here has more.
    let asked = template.remove(CKA_VALUE_LEN);
    let content = match mechanism.algorithm() {
        Algorithm::KeyWrap(block) | Algorithm::KeyWrapPadded(block) => {
            mechanism.without_parameter()?;
            let padded = matches!(mechanism.algorithm(), Algorithm::KeyWrapPadded(_));
            key_unwrap(unwrapping.block_key(block)?, block, padded, wrapped)
        }
        _ => run(start_cipher(mechanism, unwrapping, Direction::Decrypt)?, wrapped),
    };
    // One answer for whatever is wrong inside: more would be an oracle.
    let invalid = Rv(CKR_WRAPPED_KEY_INVALID);
    let content = content.map_err(|_| invalid)?;
    match template.class() {
        Some(CKO_SECRET_KEY) => {
            template.set(CKA_VALUE, &*content);
            template.set_number(CKA_VALUE_LEN, content.len() as CK_ULONG);
            let len = template.get(CKA_VALUE_LEN);
            ensure(asked.is_none_or(|asked| len == Some(&asked)), CKR_WRAPPED_KEY_INVALID)?;
        }
        Some(CKO_PRIVATE_KEY) => set_private(&mut template, &content)?,
        _ => return fail(CKR_TEMPLATE_INCONSISTENT),
    }
    Key::from_attributes(&template).map_err(|_| invalid)?;
    rules::complete(&mut template, Origin::Unwrapped)?;
    Ok(template)
}

fn content_of(key: &Key) -> Result<Zeroizing<Vec<u8>>> {
    match key {
        Key::Secret(_, value) => Ok(value.clone()),
        Key::Sm2Private(key) => Ok(Zeroizing::new(key.to_private_key_info().to_vec())),
        Key::P256Private(key) => {
            let document = key.to_pkcs8_der().or(fail(CKR_FUNCTION_FAILED))?;
            Ok(Zeroizing::new(document.as_bytes().to_vec()))
        }
        Key::Sm2Public(_) | Key::P256Public(_) => fail(CKR_KEY_NOT_WRAPPABLE),
    }
}

fn set_private(template: &mut Attributes, content: &[u8]) -> Result {
    let invalid = Rv(CKR_WRAPPED_KEY_INVALID);
    let curve = match template.required(CKA_KEY_TYPE)? {
        kind if kind == key::key_type(Curve::Sm2) => Curve::Sm2,
        CKK_EC => Curve::P256,
        _ => return fail(CKR_TEMPLATE_INCONSISTENT),
    };
    let value = match curve {
        Curve::Sm2 => {
            gmkit_sm2::SecretKey::from_private_key_info(content).map_err(|_| invalid)?.to_bytes()
        }
        Curve::P256 => {
            let key = p256::SecretKey::from_pkcs8_der(content).map_err(|_| invalid)?;
            Zeroizing::new(key.to_bytes().into())
        }
    };
    template.set(CKA_VALUE, *value);
    template.set_default(CKA_EC_PARAMS, Key::parameters(curve));
    Ok(())
}

fn key_wrap(kek: &[u8], block: Block, padded: bool, key: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; key.len().next_multiple_of(8) + 8]);
    let len = match (block, kek.len(), padded) {
        (Block::Sm4, _, true) => sm4(kek)?.wrap_padded(key, &mut buffer).map(<[u8]>::len).ok(),
        (Block::Sm4, _, false) => sm4(kek)?.wrap(key, &mut buffer).map(<[u8]>::len).ok(),
        (Block::Aes, 16, padded) => aes_wrap::<aes::Aes128>(kek, padded, key, &mut buffer),
        (Block::Aes, 24, padded) => aes_wrap::<aes::Aes192>(kek, padded, key, &mut buffer),
        (Block::Aes, 32, padded) => aes_wrap::<aes::Aes256>(kek, padded, key, &mut buffer),
        (Block::Aes, ..) => None,
    };
    buffer.truncate(len.ok_or(Rv(CKR_KEY_SIZE_RANGE))?);
    Ok(buffer)
}

fn key_unwrap(kek: &[u8], block: Block, padded: bool, key: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; key.len()]);
    let len = match (block, kek.len(), padded) {
        (Block::Sm4, _, true) => sm4(kek)?.unwrap_padded(key, &mut buffer).map(<[u8]>::len).ok(),
        (Block::Sm4, _, false) => sm4(kek)?.unwrap(key, &mut buffer).map(<[u8]>::len).ok(),
        (Block::Aes, 16, padded) => aes_unwrap::<aes::Aes128>(kek, padded, key, &mut buffer),
        (Block::Aes, 24, padded) => aes_unwrap::<aes::Aes192>(kek, padded, key, &mut buffer),
        (Block::Aes, 32, padded) => aes_unwrap::<aes::Aes256>(kek, padded, key, &mut buffer),
        (Block::Aes, ..) => None,
    };
    buffer.truncate(len.ok_or(Rv(CKR_WRAPPED_KEY_INVALID))?);
    Ok(buffer)
}

fn sm4(kek: &[u8]) -> Result<KeyWrap> {
    Ok(KeyWrap::new(kek.try_into().map_err(|_| Rv(CKR_KEY_SIZE_RANGE))?))
}

fn aes_wrap<C>(kek: &[u8], padded: bool, key: &[u8], buffer: &mut [u8]) -> Option<usize>
where
    AesKw<C>: KeyInit + Kw,
    AesKwp<C>: KeyInit + Kw,
{
    if padded {
        <AesKwp<C> as KeyInit>::new_from_slice(kek).ok()?.wrap(key, buffer)
    } else {
        <AesKw<C> as KeyInit>::new_from_slice(kek).ok()?.wrap(key, buffer)
    }
}

fn aes_unwrap<C>(kek: &[u8], padded: bool, key: &[u8], buffer: &mut [u8]) -> Option<usize>
where
    AesKw<C>: KeyInit + Kw,
    AesKwp<C>: KeyInit + Kw,
{
    if padded {
        <AesKwp<C> as KeyInit>::new_from_slice(kek).ok()?.unwrap(key, buffer)
    } else {
        <AesKw<C> as KeyInit>::new_from_slice(kek).ok()?.unwrap(key, buffer)
    }
}

/// The two wraps of `aes-kw`, which have no trait in common.
trait Kw {
    fn wrap(&self, key: &[u8], buffer: &mut [u8]) -> Option<usize>;
    fn unwrap(&self, wrapped: &[u8], buffer: &mut [u8]) -> Option<usize>;
}

macro_rules! kw {
    ($($wrap:ident),*) => {$(
        impl<C> Kw for $wrap<C>
        where
            C: cipher::BlockCipherEncrypt + cipher::BlockCipherDecrypt
                + cipher::BlockSizeUser<BlockSize = cipher::consts::U16>,
        {
            fn wrap(&self, key: &[u8], buffer: &mut [u8]) -> Option<usize> {
                self.wrap_key(key, buffer).map(<[u8]>::len).ok()
            }

            fn unwrap(&self, wrapped: &[u8], buffer: &mut [u8]) -> Option<usize> {
                self.unwrap_key(wrapped, buffer).map(<[u8]>::len).ok()
            }
        }
    )*};
}

kw!(AesKw, AesKwp);
