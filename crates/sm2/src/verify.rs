//! Verification, GB/T 32918.2-2016, 7.1.

use core::fmt;

use gmkit_sm3::{Digest, Sm3};

use crate::{Error, Id, PublicKey, Signature, arith::Scalar, backend};

/// Verifies a signature over a message that comes in pieces.
#[derive(Clone)]
pub struct Verifier {
    key: PublicKey,
    hash: Sm3,
}

impl Verifier {
    pub(crate) fn new(key: &PublicKey, id: Id<'_>) -> Self {
        Self { key: *key, hash: Sm3::new().chain_update(key.z(id)) }
    }

    /// Adds the next piece of the message.
    pub fn update(&mut self, piece: &[u8]) {
        self.hash.update(piece);
    }

    /// Checks the signature over what has come in.
    ///
    /// # Errors
    /// [`Error::Rejected`].
    pub fn verify(self, signature: &Signature) -> Result<(), Error> {
        verify_e(&self.key, &self.hash.finalize().into(), signature)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Steps B5 to B7 for e = SM3(Z ‖ M). B1 and B2, r and s in [1, n-1], hold for every
/// [`Signature`].
pub(crate) fn verify_e(key: &PublicKey, e: &[u8; 32], signature: &Signature) -> Result<(), Error> {
    let t = t(signature)?;
    if backend::chosen().1.combination_has_x(&signature.s, &t, key.point(), &x1(e, signature)) {
        Ok(())
    } else {
        Err(Error::Rejected)
    }
}

/// t = (r + s) mod n, which must not be 0 (B5).
pub(crate) fn t(signature: &Signature) -> Result<Scalar, Error> {
    let t = signature.r + signature.s;
    if bool::from(t.is_zero()) { Err(Error::Rejected) } else { Ok(t) }
}

/// R = (e + x1) mod n = r, with the unknown on one side: x1 = r - e (B7).
pub(crate) fn x1(e: &[u8; 32], signature: &Signature) -> Scalar {
    signature.r - Scalar::from_bytes_reduced(e)
}
