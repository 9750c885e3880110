//! Private keys on their way to their owner: the SM2 enveloped key of GB/T 35276-2017, 7.4
//! (GM/T 0009-2012, 7.4; GM/T 0010 uses the same).

use std::fmt;

use der::{
    Decode, Encode, Sequence,
    asn1::{AnyRef, BitStringRef, ObjectIdentifier},
};
use getrandom::rand_core::TryRng;
use gmkit_sm2::{self as sm2, Ciphertext, PublicKey};
use gmkit_sm4::{Sm4, hazmat};
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use crate::{
    Error, PrivateKey, SoftwareKey, SysRng,
    error::der_fault,
    selftest::{self, Algorithm},
};

/// SM4 in ECB mode (GM/T 0006).
const SM4_ECB: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.104.1");

/// SM4 without a mode, which some write where ECB is meant.
const SM4: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.104");

/// An encryption key pair that somebody else has made, as a certification authority does for the
/// encryption certificate of a pair: the private key under a fresh SM4 key, and that under the
/// recipient's (signing) public key.
///
/// Nothing says who has made it: it comes inside something that is signed.
///
/// ```
/// use gmkit_keys::{EnvelopedKey, PrivateKey, SoftwareKey};
///
/// let (owner, made) = (SoftwareKey::generate()?, SoftwareKey::generate()?);
/// let sent = EnvelopedKey::seal(&made, owner.public_key())?.to_der()?;
///
/// let received = EnvelopedKey::from_der(&sent)?.open(&owner)?;
/// assert_eq!(received.public_key(), made.public_key());
/// # Ok::<(), gmkit_keys::Error>(())
/// ```
#[derive(Clone)]
pub struct EnvelopedKey {
    symmetric_key: Ciphertext,
    public: PublicKey,
    encrypted_private: [u8; 32],
}

/// SM2EnvelopedKey.
#[derive(Sequence)]
struct Structure<'a> {
    sym_alg_id: AlgorithmIdentifierRef<'a>,
    sym_encrypted_key: AnyRef<'a>,
    sm2_public_key: BitStringRef<'a>,
    sm2_encrypted_private_key: BitStringRef<'a>,
}

impl EnvelopedKey {
    /// Puts `key` into an envelope that only `recipient` can open.
    ///
    /// # Errors
    /// [`Error::Rng`], [`Error::SelfTest`].
    pub fn seal(key: &SoftwareKey, recipient: &PublicKey) -> Result<Self, Error> {
        selftest::require(Algorithm::Sm4)?;
        selftest::require(Algorithm::Sm2Encryption)?;
        let mut sm4_key = Zeroizing::new([0; 16]);
        SysRng.try_fill_bytes(&mut *sm4_key).map_err(|_| Error::Rng)?;
        let mut d = key.d();
        hazmat::ecb_encrypt(&Sm4::new(&sm4_key), d.as_chunks_mut().0);
        Ok(Self {
            symmetric_key: recipient.encrypt(&mut SysRng, &*sm4_key)?,
            public: *key.public_key(),
            encrypted_private: *d,
        })
    }

    /// Opens the envelope with the recipient's key.
    ///
    /// # Errors
    /// [`Error::Rejected`] when it is for somebody else, or what is inside is not the private key
    /// of [`EnvelopedKey::public_key`]; [`Error::Unsupported`], [`Error::SelfTest`], and what the
    /// recipient's device says.
    pub fn open(&self, recipient: &dyn PrivateKey) -> Result<SoftwareKey, Error> {
        selftest::require(Algorithm::Sm4)?;
        selftest::require(Algorithm::Sm2Signature)?;
        // One verdict for all that can be wrong inside.
        let sm4_key = recipient.decrypt(&self.symmetric_key)?;
        let sm4_key = sm4_key.as_slice().try_into().map_err(|_| Error::Rejected)?;
        let mut d = Zeroizing::new(self.encrypted_private);
        hazmat::ecb_decrypt(&Sm4::new(sm4_key), d.as_chunks_mut().0);
        let key = sm2::SecretKey::from_bytes(&d).map_err(|_| Error::Rejected)?;
        if *key.public_key() == self.public { Ok(key.into()) } else { Err(Error::Rejected) }
    }

    /// The public key of the pair inside.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Reads strict DER. The private key must be encrypted with SM4 in ECB mode, without padding:
    /// 32 bytes.
    ///
    /// # Errors
    /// [`Error::Key`] with the fault, [`Error::Encryption`] for another cipher.
    pub fn from_der(bytes: &[u8]) -> Result<Self, Error> {
        use crate::EncryptionFault::{Cipher, Parameters};
        let structure = Structure::from_der(bytes).map_err(der_fault)?;
        let algorithm = structure.sym_alg_id;
        if ![SM4_ECB, SM4].contains(&algorithm.oid) {
            return Err(Cipher(algorithm.oid).into());
        }
        if algorithm.parameters.is_some_and(|parameters| parameters != AnyRef::NULL) {
            return Err(Parameters.into());
        }
        let point = octets(structure.sm2_public_key)?;
        let encrypted_private = octets(structure.sm2_encrypted_private_key)?;
        let cipher = structure.sym_encrypted_key.to_der().map_err(der_fault)?;
        Ok(Self {
            symmetric_key: Ciphertext::from_der(&cipher)?,
            public: PublicKey::from_sec1_bytes(point)?,
            encrypted_private: encrypted_private.try_into().map_err(|_| Parameters)?,
        })
    }

    /// Writes DER, with SM4-ECB and NULL parameters, as national software expects.
    ///
    /// # Errors
    /// [`Error::Key`], for a key from a device whose ciphertext is beyond DER's lengths only.
    pub fn to_der(&self) -> Result<Vec<u8>, Error> {
        let cipher = self.symmetric_key.to_der()?;
        let point = self.public.to_sec1_bytes();
        let structure = Structure {
            sym_alg_id: AlgorithmIdentifierRef { oid: SM4_ECB, parameters: Some(AnyRef::NULL) },
            sym_encrypted_key: AnyRef::from_der(&cipher).map_err(der_fault)?,
            sm2_public_key: BitStringRef::from_bytes(&point).map_err(der_fault)?,
            sm2_encrypted_private_key: BitStringRef::from_bytes(&self.encrypted_private)
                .map_err(der_fault)?,
        };
        structure.to_der().map_err(der_fault)
    }
}

/// A bit string of whole bytes.
fn octets(bits: BitStringRef<'_>) -> Result<&[u8], Error> {
    bits.as_bytes().ok_or(Error::Key(sm2::Error::Der(sm2::DerFault::Value)))
}

impl fmt::Debug for EnvelopedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvelopedKey").field("public", &self.public).finish_non_exhaustive()
    }
}
