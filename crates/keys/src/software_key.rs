//! SM2 private keys in this process's memory.

use std::fmt;

use gmkit_sm2::{
    self as sm2, Ciphertext, Id, PublicKey, Signature,
    exchange::{Agreed, Exchange, Role},
};
use zeroize::Zeroizing;

use crate::{
    Error, ExchangeContext, KeyFormat, Passphrase, PrivateKey, SigningContext, SysRng,
    error::der_fault,
    hazmat::SignE,
    pbes2, pem,
    selftest::{self, Algorithm},
};

/// An SM2 private key in memory, zeroized on drop.
///
/// The crate's front page has an example.
pub struct SoftwareKey {
    key: sm2::SecretKey,
}

const PLAIN: &str = "PRIVATE KEY";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
const SEC1: &str = "EC PRIVATE KEY";
/// How OpenSSL 3 labels the same content for an SM2 key.
const SEC1_OF_OPENSSL3: &str = "SM2 PRIVATE KEY";
/// Blocks that may stand before the key: the curve, once more.
const PARAMETERS: [&str; 2] = ["EC PARAMETERS", "SM2 PARAMETERS"];

impl SoftwareKey {
    /// Makes a key with the operating system's generator and runs the pairwise test on it.
    ///
    /// # Errors
    /// [`Error::Rng`], [`Error::SelfTest`].
    pub fn generate() -> Result<Self, Error> {
        selftest::require(Algorithm::Sm2Signature)?;
        selftest::require(Algorithm::Sm2Encryption)?;
        let key = sm2::SecretKey::generate(&mut SysRng)?;
        selftest::pairwise(&key)?;
        Ok(Self { key })
    }

    /// Reads a key file: PKCS#8, encrypted PKCS#8 or SEC1, in PEM or DER. `passphrase` is asked
    /// only when the key is encrypted.
    ///
    /// # Errors
    /// [`Error::NotAKey`], [`Error::Pem`], [`Error::PemLabel`], [`Error::Key`],
    /// [`Error::Encryption`], [`Error::WrongPassphrase`], and what `passphrase` returns.
    pub fn from_file_bytes(
        bytes: &[u8],
        passphrase: impl FnOnce() -> Result<Passphrase, Error>,
    ) -> Result<Self, Error> {
        // Reading a key computes its public key.
        selftest::require(Algorithm::Sm2Signature)?;
        if !pem::looks_like_pem(bytes) {
            return Self::from_der(bytes, passphrase);
        }
        let (label, der) = pem::first_other_than(bytes, &PARAMETERS)?;
        let key = match label.as_str() {
            PLAIN => sm2::SecretKey::from_private_key_info(&der)?,
            SEC1 | SEC1_OF_OPENSSL3 => sm2::SecretKey::from_sec1_der(&der)?,
            ENCRYPTED => decrypt(&der, passphrase)?,
            _ => {
                return Err(Error::PemLabel { found: label, expected: "a private key" });
            }
        };
        Ok(Self { key })
    }

    /// The three structures are told apart by their second element: an INTEGER and a SEQUENCE, an
    /// INTEGER and an OCTET STRING, or a SEQUENCE at once.
    fn from_der(
        bytes: &[u8],
        passphrase: impl FnOnce() -> Result<Passphrase, Error>,
    ) -> Result<Self, Error> {
        use der::{Decode, Reader, SliceReader, Tag, asn1::AnyRef};
        if bytes.first() != Some(&0x30) {
            return Err(Error::NotAKey);
        }
        let outer = AnyRef::from_der(bytes).map_err(der_fault)?;
        let mut reader = SliceReader::new(outer.value()).map_err(der_fault)?;
        let key = match Tag::peek(&reader).map_err(der_fault)? {
            Tag::Sequence => decrypt(bytes, passphrase)?,
            Tag::Integer => {
                reader.decode::<AnyRef<'_>>().map_err(der_fault)?;
                match Tag::peek(&reader).map_err(der_fault)? {
                    Tag::OctetString => sm2::SecretKey::from_sec1_der(bytes)?,
                    _ => sm2::SecretKey::from_private_key_info(bytes)?,
                }
            }
            _ => return Err(Error::NotAKey),
        };
        Ok(Self { key })
    }

    /// Writes PKCS#8 in PEM, **not encrypted**.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        pem::encode(PLAIN, &self.key.to_private_key_info()[..])
    }

    /// Writes encrypted PKCS#8 in PEM.
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn to_encrypted_pem(
        &self,
        passphrase: &Passphrase,
        format: KeyFormat,
    ) -> Result<String, Error> {
        Ok(pem::encode(ENCRYPTED, &self.to_encrypted_der(passphrase, format)?).to_string())
    }

    /// Writes encrypted PKCS#8 in DER.
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn to_encrypted_der(
        &self,
        passphrase: &Passphrase,
        format: KeyFormat,
    ) -> Result<Vec<u8>, Error> {
        match format {
            KeyFormat::GmSsl => {
                pbes2::encrypt(&self.key.to_private_key_info_with_curve()[..], passphrase, format)
            }
            _ => pbes2::encrypt(&self.key.to_private_key_info()[..], passphrase, format),
        }
    }

    /// d, for an envelope.
    pub(crate) fn d(&self) -> Zeroizing<[u8; 32]> {
        self.key.to_bytes()
    }
}

fn decrypt(
    der: &[u8],
    passphrase: impl FnOnce() -> Result<Passphrase, Error>,
) -> Result<sm2::SecretKey, Error> {
    let encrypted = pbes2::Encrypted::parse(der)?;
    let plain = encrypted.decrypt(&passphrase()?)?;
    // One wrong passphrase in about 250 leaves something that looks padded; it is then no DER.
    sm2::SecretKey::from_private_key_info(&plain).map_err(|error| match error {
        sm2::Error::Der(_) => Error::WrongPassphrase,
        error => error.into(),
    })
}

impl From<sm2::SecretKey> for SoftwareKey {
    fn from(key: sm2::SecretKey) -> Self {
        Self { key }
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SoftwareKey").field(self.key.public_key()).finish()
    }
}

impl PrivateKey for SoftwareKey {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn start_signing(&self, id: Id<'_>) -> Result<Box<dyn SigningContext + '_>, Error> {
        selftest::require(Algorithm::Sm2Signature)?;
        Ok(Box::new(SoftwareSigning(self.key.signer(id))))
    }

    fn sign_many(&self, id: Id<'_>, messages: &[&[u8]]) -> Vec<Result<Signature, Error>> {
        if selftest::require(Algorithm::Sm2Signature).is_err() {
            let refused = |_| selftest::require(Algorithm::Sm2Signature).and(Err(Error::Rejected));
            return messages.iter().map(refused).collect();
        }
        let signatures = sm2::batch::sign(&mut SysRng, &self.key, id, messages);
        signatures.into_iter().map(|signature| Ok(signature?)).collect()
    }

    fn decrypt(&self, ciphertext: &Ciphertext) -> Result<Zeroizing<Vec<u8>>, Error> {
        selftest::require(Algorithm::Sm2Encryption)?;
        Ok(self.key.decrypt(ciphertext)?)
    }

    fn start_exchange(
        &self,
        role: Role,
        id: Id<'_>,
        peer: &PublicKey,
        peer_id: Id<'_>,
    ) -> Result<Box<dyn ExchangeContext + '_>, Error> {
        // The same arithmetic, KDF and hash as in decryption.
        selftest::require(Algorithm::Sm2Encryption)?;
        let exchange = Exchange::start(&mut SysRng, role, &self.key, id, peer, peer_id)?;
        Ok(Box::new(SoftwareExchange(exchange)))
    }

    fn as_sign_e(&self) -> Option<&dyn SignE> {
        Some(self)
    }
}

impl SignE for SoftwareKey {
    fn sign_e(&self, e: &[u8; 32]) -> Result<Signature, Error> {
        selftest::require(Algorithm::Sm2Signature)?;
        Ok(sm2::hazmat::sign_e(&mut SysRng, &self.key, e)?)
    }
}

struct SoftwareSigning<'k>(sm2::Signer<'k>);

impl SigningContext for SoftwareSigning<'_> {
    fn update(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.0.update(piece);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Signature, Error> {
        selftest::require(Algorithm::Sm2Signature)?;
        Ok(self.0.sign(&mut SysRng)?)
    }
}

struct SoftwareExchange<'k>(Exchange<'k>);

impl ExchangeContext for SoftwareExchange<'_> {
    fn ephemeral(&self) -> &PublicKey {
        self.0.ephemeral()
    }

    fn agree(self: Box<Self>, peer_ephemeral: &PublicKey, klen: usize) -> Result<Agreed, Error> {
        selftest::require(Algorithm::Sm2Encryption)?;
        Ok(self.0.agree(peer_ephemeral, klen)?)
    }
}
