//! What the standard has numbers for, and services beside the national algorithms use.

use cryptoki::object::{Attribute, KeyType, ObjectClass};
use cryptoki_sys::{CKM_AES_ECB, CKM_SHA256};

use super::{MESSAGE, Test, create, plainly, right};
use crate::{Error, raw::Call};

/// FIPS 197, appendix B.
const AES_KEY: [u8; 16] = [
    0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c,
];
const AES_PLAINTEXT: [u8; 16] = [
    0x32, 0x43, 0xf6, 0xa8, 0x88, 0x5a, 0x30, 0x8d, 0x31, 0x31, 0x98, 0xa2, 0xe0, 0x37, 0x07, 0x34,
];
const AES_CIPHERTEXT: [u8; 16] = [
    0x39, 0x25, 0x84, 0x1d, 0x02, 0xdc, 0x09, 0xfb, 0xdc, 0x11, 0x85, 0x97, 0x19, 0x6a, 0x0b, 0x32,
];

/// FIPS 180-4's example, the digest of `abc`.
const SHA256: [u8; 32] = [
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
];

pub(super) fn run(test: &mut Test<'_>) -> Result<(), Error> {
    let (token, keys) = (test.token, test.keys);
    test.row("SHA-256", CKM_SHA256, || {
        let digest = token.digest(CKM_SHA256, b"abc")?;
        right(digest == SHA256, "not the digest of FIPS 180-4")?;
        plainly(move || token.digest(CKM_SHA256, &MESSAGE).map(|_| ()))
    })?;
    test.row("AES-ECB", CKM_AES_ECB, || {
        let key = create(
            keys,
            vec![
                Attribute::Class(ObjectClass::SECRET_KEY),
                Attribute::KeyType(KeyType::AES),
                Attribute::Token(false),
                Attribute::Encrypt(true),
                Attribute::Value(AES_KEY.to_vec()),
            ],
        )?;
        let encrypt = move |data: &[u8]| {
            token.with_session(|session, _| {
                let (work, call) = (token.work(session, data), Call::bare(CKM_AES_ECB));
                token.module().functions.encrypt(work, call, key.handle())
            })
        };
        right(encrypt(&AES_PLAINTEXT)?[..] == AES_CIPHERTEXT, "not the ciphertext of FIPS 197")?;
        plainly(move || encrypt(&MESSAGE).map(|_| ()))
    })?;
    #[cfg(feature = "rustls")]
    super::classic::run(test)?;
    Ok(())
}
