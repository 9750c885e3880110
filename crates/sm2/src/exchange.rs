//! Key exchange, GB/T 32918.3-2016: two parties with certified keys agree on a secret key, each
//! sure of the other's identity.
//!
//! The initiator A sends R_A. The responder B answers with R_B and, if the parties confirm, S_B.
//! A checks S_B and sends S_A, which B checks. TLCP leaves the confirmations out and lets its own
//! Finished messages do their work.
//!
//! ```
//! use gmkit_sm2::{Id, SecretKey, exchange::{Exchange, Role}};
//! # use rand::rngs::SysRng;
//!
//! let (key_a, key_b) = (SecretKey::generate(&mut SysRng)?, SecretKey::generate(&mut SysRng)?);
//! let (id_a, id_b) = (Id::new(b"Alice")?, Id::new(b"Bob")?);
//!
//! let rng = &mut SysRng;
//! let a = Exchange::start(rng, Role::Initiator, &key_a, id_a, key_b.public_key(), id_b)?;
//! let b = Exchange::start(rng, Role::Responder, &key_b, id_b, key_a.public_key(), id_a)?;
//! let (r_a, r_b) = (*a.ephemeral(), *b.ephemeral());
//!
//! let agreed_b = b.agree(&r_a, 16)?;
//! let s_b = agreed_b.confirmation(); // sent together with R_B
//! let agreed_a = a.agree(&r_b, 16)?;
//! let s_a = agreed_a.confirmation();
//! let k_a = agreed_a.confirm(&s_b)?; // and then A sends S_A
//! let k_b = agreed_b.confirm(&s_a)?;
//! assert_eq!(k_a, k_b);
//! # Ok::<(), gmkit_sm2::Error>(())
//! ```

use alloc::{vec, vec::Vec};
use core::fmt;

use gmkit_sm3::{Digest, Sm3, kdf};
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, Id, PublicKey, SecretKey, arith::Scalar, backend, curve::Affine};

/// Longest shared key, in bytes. The standard allows 128 GiB; longer keys than this are for a cipher
/// to make.
pub const MAX_KLEN: usize = 1 << 20;

/// Which side of the exchange a party is on. Both sides must not take the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A: sends first.
    Initiator,
    /// B: answers.
    Responder,
}

/// One party's side of an exchange under way. Holds a secret that is used once and zeroized on
/// drop.
pub struct Exchange<'k> {
    role: Role,
    key: &'k SecretKey,
    peer: PublicKey,
    /// Z of the initiator and of the responder.
    z: [[u8; 32]; 2],
    r: Scalar,
    ephemeral: PublicKey,
}

impl<'k> Exchange<'k> {
    /// Draws the ephemeral key r of this party (steps A1 and A2, or B1 and B2).
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn start<R: TryCryptoRng + ?Sized>(
        rng: &mut R,
        role: Role,
        key: &'k SecretKey,
        id: Id<'_>,
        peer: &PublicKey,
        peer_id: Id<'_>,
    ) -> Result<Self, Error> {
        let r = Scalar::random(rng)?;
        Self::with_r(role, key, id, peer, peer_id, r)
    }

    pub(crate) fn with_r(
        role: Role,
        key: &'k SecretKey,
        id: Id<'_>,
        peer: &PublicKey,
        peer_id: Id<'_>,
        r: Scalar,
    ) -> Result<Self, Error> {
        let point = backend::chosen().1.multiply_generator(&r).ok_or(Error::NonceRange)?;
        let (own, other) = (key.public_key().z(id), peer.z(peer_id));
        let z = match role {
            Role::Initiator => [own, other],
            Role::Responder => [other, own],
        };
        Ok(Self { role, key, peer: *peer, z, r, ephemeral: PublicKey::from_point(point) })
    }

    /// R, to be sent to the peer.
    #[must_use]
    pub const fn ephemeral(&self) -> &PublicKey {
        &self.ephemeral
    }

    /// Computes the shared key of `klen` bytes from the peer's R. The ephemeral secret is gone
    /// then, whatever comes out.
    ///
    /// # Errors
    /// [`Error::Rejected`] when the shared point is the point at infinity; [`Error::KeyLength`]
    /// unless `klen` is 1 to [`MAX_KLEN`].
    pub fn agree(self, peer_ephemeral: &PublicKey, klen: usize) -> Result<Agreed, Error> {
        if !(1..=MAX_KLEN).contains(&klen) {
            return Err(Error::KeyLength);
        }
        let mut u = self.shared_point(peer_ephemeral)?;
        let shared = Zeroizing::new(u.to_xy());
        u.zeroize();
        let mut key = Zeroizing::new(vec![0; klen]);
        kdf(&[&shared[..], &self.z[0], &self.z[1]], &mut key).map_err(|_| Error::TooLong)?;
        let (x, y) = shared.split_at(32);
        let [s_b, s_a] = self.confirmations(x, y, peer_ephemeral);
        let (own, expected) = match self.role {
            Role::Initiator => (s_a, s_b),
            Role::Responder => (s_b, s_a),
        };
        Ok(Agreed { key, own, expected })
    }

    /// U = \[t\](P + \[x̄(R)\]R) with t = d + x̄(own R) r; the cofactor is 1.
    fn shared_point(&self, peer_ephemeral: &PublicKey) -> Result<Affine, Error> {
        let mut t = *self.key.d() + x_bar(&self.ephemeral) * self.r;
        let backend = backend::chosen().1;
        let point =
            backend.multiply_add(&x_bar(peer_ephemeral), peer_ephemeral.point(), self.peer.point());
        let u = point.and_then(|point| backend.multiply(&t, &point));
        t.zeroize();
        u.ok_or(Error::Rejected)
    }

    /// S_B and S_A: SM3(tag ‖ yU ‖ SM3(xU ‖ ZA ‖ ZB ‖ R_A ‖ R_B)).
    fn confirmations(&self, x: &[u8], y: &[u8], peer_ephemeral: &PublicKey) -> [[u8; 32]; 2] {
        let (r_a, r_b) = match self.role {
            Role::Initiator => (&self.ephemeral, peer_ephemeral),
            Role::Responder => (peer_ephemeral, &self.ephemeral),
        };
        let inner = Sm3::new()
            .chain_update(x)
            .chain_update(self.z.as_flattened())
            .chain_update(r_a.point().to_xy())
            .chain_update(r_b.point().to_xy())
            .finalize();
        [2, 3].map(|tag| {
            Sm3::new().chain_update([tag]).chain_update(y).chain_update(inner).finalize().into()
        })
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        self.r.zeroize();
    }
}

impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("role", &self.role)
            .field("ephemeral", &self.ephemeral)
            .finish_non_exhaustive()
    }
}

/// x̄ = 2^127 + (x mod 2^127), for w = 127 (5.4.2 and 6.1).
fn x_bar(point: &PublicKey) -> Scalar {
    let x = point.point().x.to_words();
    Scalar::from_words([x[0], x[1] | 1 << 63, 0, 0])
}

/// A shared key that is not confirmed yet. Zeroized on drop.
pub struct Agreed {
    key: Zeroizing<Vec<u8>>,
    own: [u8; 32],
    expected: [u8; 32],
}

impl Agreed {
    /// This party's confirmation (S_A or S_B), to be sent to the peer. The initiator sends it after
    /// it has checked the responder's, with [`Agreed::confirm`].
    #[must_use]
    pub const fn confirmation(&self) -> [u8; 32] {
        self.own
    }

    /// Checks the peer's confirmation and gives out the key.
    ///
    /// # Errors
    /// [`Error::Rejected`] when the peer has not computed the same: somebody changed a message, or
    /// is not who they say they are.
    pub fn confirm(self, received: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, Error> {
        if bool::from(self.expected.ct_eq(received)) {
            Ok(self.without_confirmation())
        } else {
            Err(Error::Rejected)
        }
    }

    /// Gives out the key without a confirmation. Whoever takes it must make sure in another way
    /// that the peer has it too, as TLCP does by its Finished messages.
    #[must_use]
    pub fn without_confirmation(mut self) -> Zeroizing<Vec<u8>> {
        core::mem::take(&mut self.key)
    }
}

impl Drop for Agreed {
    fn drop(&mut self) {
        self.own.zeroize();
        self.expected.zeroize();
    }
}

impl fmt::Debug for Agreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agreed").finish_non_exhaustive()
    }
}
