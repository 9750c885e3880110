//! Sharp tools.

use gmkit_sm2::Signature;

use crate::Error;

/// Signing a bare `e`: for protocols that form e = SM3(Z ‖ M) themselves. Whoever may choose `e`
/// gets signatures over messages of unknown content.
pub trait SignE {
    /// Signs `e`, 32 big-endian bytes.
    ///
    /// # Errors
    /// [`Error::Rng`], [`Error::SelfTest`], and what the device says.
    fn sign_e(&self, e: &[u8; 32]) -> Result<Signature, Error>;
}
