//! Public key files.

use gmkit_sm2::{PublicKey, spki::EncodePublicKey};

use crate::{Error, pem};

const LABEL: &str = "PUBLIC KEY";

/// Reads a SubjectPublicKeyInfo in PEM or DER.
///
/// # Errors
/// [`Error::NotAKey`], [`Error::Pem`], [`Error::PemLabel`], [`Error::Key`].
pub fn public_key_from_file_bytes(bytes: &[u8]) -> Result<PublicKey, Error> {
    if pem::looks_like_pem(bytes) {
        let (label, der) = pem::first_other_than(bytes, &[])?;
        if label != LABEL {
            return Err(Error::PemLabel { found: label, expected: "a public key" });
        }
        return Ok(PublicKey::from_spki_der(&der)?);
    }
    if bytes.first() != Some(&0x30) {
        return Err(Error::NotAKey);
    }
    Ok(PublicKey::from_spki_der(bytes)?)
}

/// Writes a SubjectPublicKeyInfo in PEM.
///
/// # Panics
/// Never: a public key's DER has 91 bytes.
#[must_use]
pub fn public_key_to_pem(key: &PublicKey) -> String {
    let der = key.to_public_key_der().expect("91 bytes of DER");
    pem::encode(LABEL, der.as_bytes()).to_string()
}
