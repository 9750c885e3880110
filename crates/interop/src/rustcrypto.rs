//! RustCrypto's implementations and `fpe`, in this process. What gmkit uses of RustCrypto itself
//! (HMAC, HKDF, PBKDF2, CMAC, GCM-SIV) would prove nothing here.

use aes_kw::{AesKw, AesKwp};
use cipher::{
    BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit, StreamCipher, block_padding::Pkcs7,
};
use fpe::ff1::{FF1, FlexibleNumeralString};
use rc_sm2::{
    dsa::{
        self,
        signature::{Signer, Verifier},
    },
    pke,
};
use rc_sm3::{Digest, Sm3};
use rc_sm4::Sm4;

use crate::peer::{Answer, Peer, Word};

pub(crate) struct RustCrypto;

impl Peer for RustCrypto {
    fn ask(&mut self, request: &[Word<'_>]) -> Result<Answer, String> {
        use Word::{Bytes as B, Name as N, Number as U};
        let done = match *request {
            [N("sm3"), B(message)] => Sm3::digest(message).to_vec(),
            [N("sm4"), N(mode @ ("wrap" | "wrap-padded")), N(direction), B(kek), B(_), B(data)] => {
                match wrap(mode == "wrap", direction == "enc", kek, data)? {
                    Some(done) => done,
                    None => return Ok(Answer::Refused),
                }
            }
            [N("sm4"), N("cbc"), N(direction), B(key), B(iv), B(data)] => {
                if direction == "enc" {
                    let cbc = cbc::Encryptor::<Sm4>::new_from_slices(key, iv).map_err(text)?;
                    cbc.encrypt_padded_vec::<Pkcs7>(data)
                } else {
                    let cbc = cbc::Decryptor::<Sm4>::new_from_slices(key, iv).map_err(text)?;
                    cbc.decrypt_padded_vec::<Pkcs7>(data).map_err(text)?
                }
            }
            [N("sm4"), N("ctr"), N(_), B(key), B(iv), B(data)] => {
                let mut out = data.to_vec();
                let ctr = ctr::Ctr128BE::<Sm4>::new_from_slices(key, iv);
                ctr.map_err(text)?.apply_keystream(&mut out);
                out
            }
            [N("ff1"), N(direction), B(key), U(radix), B(tweak), B(data)] => {
                ff1(direction == "enc", key, radix as u32, tweak, data)?
            }
            [N("sm2-sign"), B(d), B(_), B(id), B(message)] => {
                let key = rc_sm2::SecretKey::from_slice(d).map_err(text)?;
                let Ok(id) = std::str::from_utf8(id) else { return Ok(only_text()) };
                let key = dsa::SigningKey::new(id, &key).map_err(text)?;
                let signature: dsa::Signature = key.sign(message);
                gmkit::sm2::Signature::from_raw(&signature.to_bytes())
                    .map_err(text)?
                    .to_der()
                    .as_bytes()
                    .to_vec()
            }
            [N("sm2-verify"), B(point), B(id), B(message), B(signature)] => {
                let Ok(id) = std::str::from_utf8(id) else { return Ok(only_text()) };
                let key = rc_sm2::PublicKey::from_sec1_bytes(point).map_err(text)?;
                let key = dsa::VerifyingKey::new(id, key).map_err(text)?;
                // It has no DER; a signature that is none is refused as it would be there.
                let raw = gmkit::sm2::Signature::from_der(signature).map(|s| s.to_raw());
                let parsed = raw.ok().and_then(|raw| dsa::Signature::from_slice(&raw).ok());
                match parsed.map(|signature| key.verify(message, &signature)) {
                    Some(Ok(())) => vec![],
                    _ => return Ok(Answer::Refused),
                }
            }
            [N("sm2-encrypt"), B(point), B(message)] => {
                let key = rc_sm2::PublicKey::from_sec1_bytes(point).map_err(text)?;
                let key = pke::EncryptingKey::new(key);
                key.encrypt_der(&mut rand::rng(), message).map_err(text)?
            }
            [N("sm2-decrypt"), B(d), B(_), B(ciphertext)] => {
                let key = rc_sm2::SecretKey::from_slice(d).map_err(text)?;
                match pke::DecryptingKey::new(key).decrypt_der(ciphertext) {
                    Ok(plain) => plain,
                    Err(_) => return Ok(Answer::Refused),
                }
            }
            [N("hmac" | "hkdf" | "pbkdf2" | "cmac"), ..] | [N("aead"), N("gcm-siv"), ..] => {
                return Ok(Answer::Unsupported("its code is inside gmkit".to_owned()));
            }
            _ => {
                return Ok(Answer::Unsupported("not asked, or there is none".to_owned()));
            }
        };
        Ok(Answer::Ok(vec![done]))
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn only_text() -> Answer {
    Answer::Unsupported("IDs of UTF-8 text only".to_owned())
}

/// `None`: refused.
fn wrap(plain: bool, encrypt: bool, kek: &[u8], data: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let kek = kek.try_into().map_err(text)?;
    let (kw, kwp) = (AesKw::<Sm4>::new(kek), AesKwp::<Sm4>::new(kek));
    let mut out = vec![0; data.len() + 16];
    let done = match (encrypt, plain) {
        (true, true) => kw.wrap_key(data, &mut out),
        (true, false) => kwp.wrap_key(data, &mut out),
        (false, true) => kw.unwrap_key(data, &mut out),
        (false, false) => kwp.unwrap_key(data, &mut out),
    };
    match done.map(<[u8]>::to_vec) {
        Ok(done) => Ok(Some(done)),
        Err(aes_kw::Error::IntegrityCheckFailed) => Ok(None),
        Err(error) => Err(text(error)),
    }
}

fn ff1(
    encrypt: bool,
    key: &[u8],
    radix: u32,
    tweak: &[u8],
    data: &[u8],
) -> Result<Vec<u8>, String> {
    let ff1 = FF1::<Sm4>::new(key, radix).map_err(text)?;
    let numerals: Vec<u16> = data.as_chunks().0.iter().map(|x| u16::from_be_bytes(*x)).collect();
    let numerals = FlexibleNumeralString::from(numerals);
    let done = if encrypt { ff1.encrypt(tweak, &numerals) } else { ff1.decrypt(tweak, &numerals) };
    let done: Vec<u16> = done.map_err(text)?.into();
    Ok(done.iter().flat_map(|x| x.to_be_bytes()).collect())
}
