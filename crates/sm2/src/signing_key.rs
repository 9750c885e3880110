//! Keys bound to an ID, for code written against the `signature` traits.

use signature::{Keypair, RandomizedSigner, SignatureEncoding, Verifier};
use spki::{AlgorithmIdentifierRef, AssociatedAlgorithmIdentifier, SignatureAlgorithmIdentifier};

use crate::{
    DerSignature, Error, Id, PublicKey, SM2_WITH_SM3_OID, SecretKey, Signature,
    rand_core::TryCryptoRng, sign::sign_e, verify::verify_e,
};

/// A private key that signs under one ID.
///
/// ```
/// use gmkit_sm2::{Id, SecretKey, Signature, SigningKey};
/// use gmkit_sm2::signature::{Keypair, RandomizedSigner, Verifier};
/// # use rand::rngs::SysRng;
///
/// let key = SigningKey::new(SecretKey::generate(&mut SysRng)?, Id::DEFAULT);
/// let signature: Signature = key.try_sign_with_rng(&mut SysRng, b"message")?;
/// key.verifying_key().verify(b"message", &signature)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SigningKey {
    secret: SecretKey,
    z: [u8; 32],
}

impl SigningKey {
    /// Binds a key to an ID. Z is computed here, once.
    #[must_use]
    pub fn new(secret: SecretKey, id: Id<'_>) -> Self {
        let z = secret.public_key().z(id);
        Self { secret, z }
    }

    /// Signs `message` under the key's ID.
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn sign<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        message: &[u8],
    ) -> Result<Signature, Error> {
        sign_e(rng, &self.secret, &gmkit_sm3::digest(&[&self.z, message]))
    }
}

impl Keypair for SigningKey {
    type VerifyingKey = VerifyingKey;

    fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey { public: *self.secret.public_key(), z: self.z }
    }
}

impl RandomizedSigner<Signature> for SigningKey {
    fn try_sign_with_rng<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        message: &[u8],
    ) -> Result<Signature, signature::Error> {
        Ok(self.sign(rng, message)?)
    }
}

impl RandomizedSigner<DerSignature> for SigningKey {
    fn try_sign_with_rng<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        message: &[u8],
    ) -> Result<DerSignature, signature::Error> {
        Ok(self.sign(rng, message)?.to_der())
    }
}

impl SignatureAlgorithmIdentifier for SigningKey {
    type Params = spki::der::AnyRef<'static>;
    const SIGNATURE_ALGORITHM_IDENTIFIER: AlgorithmIdentifierRef<'static> =
        AlgorithmIdentifierRef { oid: SM2_WITH_SM3_OID, parameters: None };
}

/// A public key that verifies under one ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    public: PublicKey,
    z: [u8; 32],
}

impl VerifyingKey {
    /// Binds a key to an ID. Z is computed here, once.
    #[must_use]
    pub fn new(public: PublicKey, id: Id<'_>) -> Self {
        Self { public, z: public.z(id) }
    }

    fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), Error> {
        verify_e(&self.public, &gmkit_sm3::digest(&[&self.z, message]), signature)
    }
}

impl Verifier<Signature> for VerifyingKey {
    fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), signature::Error> {
        Ok(self.verify(message, signature)?)
    }
}

impl Verifier<DerSignature> for VerifyingKey {
    fn verify(&self, message: &[u8], signature: &DerSignature) -> Result<(), signature::Error> {
        let signature = Signature::from_der(signature.as_bytes())?;
        Ok(self.verify(message, &signature)?)
    }
}

impl AssociatedAlgorithmIdentifier for VerifyingKey {
    type Params = spki::der::AnyRef<'static>;
    const ALGORITHM_IDENTIFIER: AlgorithmIdentifierRef<'static> =
        crate::spki_traits::ALGORITHM_IDENTIFIER;
}

#[cfg(feature = "alloc")]
impl spki::EncodePublicKey for VerifyingKey {
    fn to_public_key_der(&self) -> spki::Result<spki::Document> {
        self.public.to_public_key_der()
    }
}

/// r ‖ s.
impl SignatureEncoding for Signature {
    type Repr = [u8; 64];
}

impl TryFrom<&[u8]> for Signature {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_raw(bytes)
    }
}

impl From<Signature> for [u8; 64] {
    fn from(signature: Signature) -> Self {
        signature.to_raw()
    }
}

impl SignatureEncoding for DerSignature {
    type Repr = Self;
}

impl TryFrom<&[u8]> for DerSignature {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        Signature::from_der(bytes).map(|signature| signature.to_der())
    }
}

#[cfg(feature = "alloc")]
impl spki::SignatureBitStringEncoding for DerSignature {
    fn to_bitstring(&self) -> der::Result<der::asn1::BitString> {
        der::asn1::BitString::from_bytes(self.as_bytes())
    }
}
