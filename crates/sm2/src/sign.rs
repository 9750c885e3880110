//! Signing, GB/T 32918.2-2016, 6.1.

use core::fmt;

use gmkit_sm3::{Digest, Sm3};
use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use crate::{
    Error, Id, SecretKey, Signature,
    arith::{FieldElement, Scalar},
    backend,
    nonce::NonceKey,
};

/// Signs a message that comes in pieces.
///
/// ```
/// use gmkit_sm2::{Id, SecretKey};
/// # use rand::rngs::SysRng;
///
/// let key = SecretKey::generate(&mut SysRng)?;
/// let mut signer = key.signer(Id::DEFAULT);
/// signer.update(b"a long ");
/// signer.update(b"message");
/// let signature = signer.sign(&mut SysRng)?;
/// key.public_key().verify(Id::DEFAULT, b"a long message", &signature)?;
/// # Ok::<(), gmkit_sm2::Error>(())
/// ```
pub struct Signer<'k> {
    key: &'k SecretKey,
    hash: Sm3,
}

impl<'k> Signer<'k> {
    pub(crate) fn new(key: &'k SecretKey, id: Id<'_>) -> Self {
        Self { key, hash: Sm3::new().chain_update(key.public_key().z(id)) }
    }

    /// Adds the next piece of the message.
    pub fn update(&mut self, piece: &[u8]) {
        self.hash.update(piece);
    }

    /// Signs what has come in.
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn sign<R: TryCryptoRng + ?Sized>(self, rng: &mut R) -> Result<Signature, Error> {
        sign_e(rng, self.key, &self.hash.finalize().into())
    }
}

impl fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("key", self.key).finish_non_exhaustive()
    }
}

/// Steps A3 to A7 for e = SM3(Z ‖ M).
pub(crate) fn sign_e<R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    key: &SecretKey,
    e: &[u8; 32],
) -> Result<Signature, Error> {
    let mut nonces = NonceKey::new(key.d()).nonces(rng, e)?;
    loop {
        let mut k = nonces.next();
        let signature = sign_e_with_k(key, e, &k);
        k.zeroize();
        if let Some(signature) = signature {
            return Ok(signature);
        }
    }
}

/// Steps A4 to A6 for a given k in [1, n-1]; `None` asks for another k.
pub(crate) fn sign_e_with_k(key: &SecretKey, e: &[u8; 32], k: &Scalar) -> Option<Signature> {
    let mut point = backend::chosen().1.multiply_generator(k)?;
    let signature = finish(key, e, k, &point.x);
    point.zeroize();
    signature
}

/// Steps A5 and A6, from x1 of \[k\]G on.
pub(crate) fn finish(
    key: &SecretKey,
    e: &[u8; 32],
    k: &Scalar,
    x1: &FieldElement,
) -> Option<Signature> {
    let r = Scalar::from_bytes_reduced(e) + Scalar::from_bytes_reduced(&x1.to_bytes());
    // Whether k is refused depends on r, which a signature publishes, and on r + k = n, which
    // happens with chance 2^-256.
    if bool::from(r.is_zero() | (r + *k).is_zero()) {
        return None;
    }
    // s = (1+d)^-1 (k - r d) = (1+d)^-1 (k + r) - r: the same number with one product less.
    let mut sum = *k + r;
    let s = *key.one_plus_d_inverse() * sum - r;
    sum.zeroize();
    if bool::from(s.is_zero()) { None } else { Some(Signature { r, s }) }
}
