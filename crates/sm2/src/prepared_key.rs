//! Public keys prepared for many verifications.

use core::fmt;

use gmkit_sm3::digest;

use crate::{Error, Id, PublicKey, Signature, backend, curve::Multiples, verify};

/// A public key with a table of its multiples (86 KiB) and Z under one ID: for a certificate
/// authority, a device, or any other peer whose signatures are verified again and again. Preparing
/// it costs as much as about ten verifications, each of which then takes a third to an eighth of
/// the time.
///
/// Works on public values only, and in variable time.
///
/// ```
/// use gmkit_sm2::{Id, PreparedKey, SecretKey};
/// # use rand::rngs::SysRng;
///
/// let key = SecretKey::generate(&mut SysRng)?;
/// let prepared = PreparedKey::new(key.public_key(), Id::DEFAULT);
/// for message in [b"first", b"other"] {
///     let signature = key.sign(&mut SysRng, Id::DEFAULT, message)?;
///     prepared.verify(message, &signature)?;
/// }
/// # Ok::<(), gmkit_sm2::Error>(())
/// ```
#[derive(Clone)]
pub struct PreparedKey {
    key: PublicKey,
    z: [u8; 32],
    multiples: Multiples,
}

impl PreparedKey {
    /// Prepares a key.
    #[must_use]
    pub fn new(key: &PublicKey, id: Id<'_>) -> Self {
        Self { key: *key, z: key.z(id), multiples: backend::chosen().1.multiples(key.point()) }
    }

    /// The key.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Verifies a signature over `message` made under the ID (GB/T 32918.2-2016, 7.1).
    ///
    /// # Errors
    /// [`Error::Rejected`].
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), Error> {
        self.verify_e(&digest(&[&self.z, message]), signature)
    }

    /// [`crate::hazmat::verify_e`] with the prepared key.
    pub(crate) fn verify_e(&self, e: &[u8; 32], signature: &Signature) -> Result<(), Error> {
        let (t, x1) = (verify::t(signature)?, verify::x1(e, signature));
        if backend::chosen().1.prepared_combination_has_x(&signature.s, &t, &self.multiples, &x1) {
            Ok(())
        } else {
            Err(Error::Rejected)
        }
    }
}

impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedKey").field("key", &self.key).finish_non_exhaustive()
    }
}
