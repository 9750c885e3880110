//! The `.sm2` files of CFCA: a private key under a password, and its certificate.

use gmkit_keys::{Passphrase, PrivateKey, SoftwareKey};
use gmkit_sm2::SecretKey;
use zeroize::Zeroizing;

use crate::{
    Certificate, Error, Form, parts,
    strict::{self, Fault},
};

/// Data, 1.2.156.10197.6.1.4.2.1, in DER.
const DATA: &[u8] = &[6, 10, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 6, 1, 4, 2, 1];

/// SM4, and SM4 in CBC mode, in DER.
const CIPHERS: [&[u8]; 2] = [
    &[6, 7, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x68],
    &[6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x68, 2],
];

/// Largest file that is read, in bytes.
const MAX: usize = 1 << 20;

/// Reads a `.sm2` file of CFCA's toolkit: DER, or its base64 with or without PEM's lines around it.
///
/// The password is stretched by one round of a KDF, without salt: whoever has the file can try very many
/// passwords. Such files are read so that keys can be brought elsewhere, and not written.
///
/// # Errors
/// [`Error::Malformed`]; [`Error::Key`] with `WrongPassphrase`, which is also the verdict where key and
/// certificate do not belong together.
pub fn read_cfca(file: &[u8], password: &Passphrase) -> Result<(SoftwareKey, Certificate), Error> {
    let fault = Form::Cfca.fault();
    if file.len() > MAX {
        return Err(fault("longer than 1 MiB"));
    }
    let der = match file.first() {
        Some(0x30) => file.to_vec(),
        _ => unarmoured(file).map_err(&fault)?,
    };
    let (encrypted, certificate) = read(&der).map_err(&fault)?;
    let certificate = Certificate::from_der(certificate)?;
    let key = decrypt(encrypted, password).ok_or(gmkit_keys::Error::WrongPassphrase)?;
    match certificate.public_key()? == key.public_key() {
        true => Ok((key, certificate)),
        false => Err(gmkit_keys::Error::WrongPassphrase.into()),
    }
}

/// Ciphertext and certificate.
fn read(der: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    strict::check(der)?;
    let [[2, 1, 1], key, certificate] = *parts::members(der)? else {
        return Err("not a key and a certificate");
    };
    let [DATA, cipher, encrypted @ [4, ..]] = *parts::members(key)? else {
        return Err("not an encrypted key");
    };
    if !CIPHERS.contains(&cipher) {
        return Err("encrypted with something else than SM4");
    }
    let certificate = match *parts::members(certificate)? {
        [DATA, octets @ [4, ..]] => parts::content(octets)?,
        [DATA, certificate @ [0x30, ..]] => certificate,
        _ => return Err("not a certificate"),
    };
    Ok((parts::content(encrypted)?, certificate))
}

/// `None` for a wrong password.
fn decrypt(encrypted: &[u8], password: &Passphrase) -> Option<SoftwareKey> {
    let mut derived = Zeroizing::new([0; 32]);
    gmkit_sm3::kdf(&[password.as_bytes()], &mut *derived).ok()?;
    let (iv, key) = derived.split_at(16);
    let (iv, key) = (iv.try_into().ok()?, key.try_into().ok()?);
    let plain = Zeroizing::new(gmkit_sm4::cbc::decrypt(key, iv, encrypted).ok()?);
    // Some leave zeros in front out.
    let mut d = Zeroizing::new([0; 32]);
    let start = d.len().checked_sub(plain.len())?;
    d[start..].copy_from_slice(&plain);
    SecretKey::from_bytes(&d).ok().map(SoftwareKey::from)
}

/// Base64, without what stands around it.
fn unarmoured(file: &[u8]) -> Result<Vec<u8>, Fault> {
    let text = std::str::from_utf8(file).map_err(|_| "neither DER nor text")?;
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    let base64: String = lines.collect();
    let pem = format!("-----BEGIN X-----\n{base64}\n-----END X-----\n");
    let mut decoder = pem_rfc7468::Decoder::new_detect_wrap(pem.as_bytes())
        .map_err(|_| "neither DER nor base64")?;
    let mut der = Vec::new();
    decoder.decode_to_end(&mut der).map_err(|_| "neither DER nor base64")?;
    Ok(der)
}
