//! Private keys.

use core::fmt;

use rand_core::TryCryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Error, Id, PublicKey, Signature, arith::Scalar, backend, sign::Signer};

/// A private key d in [1, n-2], with its public key and (1 + d)^-1, which every signature needs.
///
/// Zeroized on drop; not `Clone`, and `Debug` shows the public key only.
pub struct SecretKey {
    d: Scalar,
    one_plus_d_inverse: Scalar,
    public: PublicKey,
}

impl SecretKey {
    /// Makes a key from `rng` (GB/T 32918.1-2016, 6.1).
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, Error> {
        loop {
            let mut d = Scalar::random(rng)?;
            let key = Self::from_scalar(d);
            d.zeroize();
            // Only d = n-1 fails here, with chance 2^-256.
            if let Ok(key) = key {
                return Ok(key);
            }
        }
    }

    /// A key from 32 big-endian bytes.
    ///
    /// # Errors
    /// [`Error::PrivateKeyRange`] for 0, n-1 and above.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, Error> {
        let mut d = Scalar::from_bytes_nonzero(bytes).ok_or(Error::PrivateKeyRange)?;
        let key = Self::from_scalar(d);
        d.zeroize();
        key
    }

    fn from_scalar(d: Scalar) -> Result<Self, Error> {
        let mut one_plus_d = d + Scalar::ONE;
        if bool::from(one_plus_d.is_zero() | d.is_zero()) {
            return Err(Error::PrivateKeyRange);
        }
        let one_plus_d_inverse = one_plus_d.invert();
        one_plus_d.zeroize();
        let point = backend::chosen().1.multiply_generator(&d).ok_or(Error::PrivateKeyRange)?;
        Ok(Self { d, one_plus_d_inverse, public: PublicKey::from_point(point) })
    }

    /// d as 32 big-endian bytes, in a container that is zeroized on drop.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.d.to_bytes())
    }

    /// The public key, \[d\]G.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message` under `id` (GB/T 32918.2-2016, 6.1).
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn sign<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        id: Id<'_>,
        message: &[u8],
    ) -> Result<Signature, Error> {
        let mut signer = self.signer(id);
        signer.update(message);
        signer.sign(rng)
    }

    /// Starts signing a message that comes in pieces.
    #[must_use]
    pub fn signer(&self, id: Id<'_>) -> Signer<'_> {
        Signer::new(self, id)
    }

    pub(crate) const fn d(&self) -> &Scalar {
        &self.d
    }

    pub(crate) const fn one_plus_d_inverse(&self) -> &Scalar {
        &self.one_plus_d_inverse
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.d.zeroize();
        self.one_plus_d_inverse.zeroize();
    }
}

impl ZeroizeOnDrop for SecretKey {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("public", &self.public).finish_non_exhaustive()
    }
}
