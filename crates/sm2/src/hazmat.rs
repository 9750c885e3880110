//! Sharp tools: signing a bare `e`, and operations with a given nonce `k`.
//!
//! Whoever can choose `e` freely gets signatures over messages of unknown content; whoever uses
//! one `k` twice, or lets a few of its bits be guessed, gives the private key away. These
//! functions are for devices and protocols that hash elsewhere, and for known-answer tests.

use rand_core::TryCryptoRng;

use crate::{Error, PublicKey, SecretKey, Signature, arith::Scalar, sign, verify};

/// Signs e = SM3(Z ‖ M), computed elsewhere.
///
/// # Errors
/// [`Error::Rng`].
pub fn sign_e<R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    key: &SecretKey,
    e: &[u8; 32],
) -> Result<Signature, Error> {
    sign::sign_e(rng, key, e)
}

/// Verifies a signature over a bare e.
///
/// # Errors
/// [`Error::Rejected`].
pub fn verify_e(key: &PublicKey, e: &[u8; 32], signature: &Signature) -> Result<(), Error> {
    verify::verify_e(key, e, signature)
}

/// [`verify_e`] with a prepared key, whose ID does not count then.
///
/// # Errors
/// [`Error::Rejected`].
#[cfg(feature = "alloc")]
pub fn verify_e_prepared(
    key: &crate::PreparedKey,
    e: &[u8; 32],
    signature: &Signature,
) -> Result<(), Error> {
    key.verify_e(e, signature)
}

/// Signs e with the nonce `k`, 32 big-endian bytes.
///
/// # Errors
/// [`Error::NonceRange`] when k is not in [1, n-1] or leads to r = 0, r + k = n or s = 0.
pub fn sign_e_with_k(key: &SecretKey, e: &[u8; 32], k: &[u8; 32]) -> Result<Signature, Error> {
    let k = Scalar::from_bytes_nonzero(k).ok_or(Error::NonceRange)?;
    sign::sign_e_with_k(key, e, &k).ok_or(Error::NonceRange)
}

/// Plain elliptic-curve Diffie-Hellman on the SM2 curve: the x coordinate of \[d\]P, big-endian, as TLS
/// 1.3 uses it with `curveSM2` (RFC 8998, 3.2.2). It is not the SM2 key exchange, and no key yet: it must
/// go through a key derivation. Constant time; the cofactor is 1, so that every point of the curve
/// but the one at infinity, which no [`PublicKey`] holds, is good.
///
/// ```
/// use gmkit_sm2::{SecretKey, hazmat::ecdh};
/// # use rand::rngs::SysRng;
///
/// let (a, b) = (SecretKey::generate(&mut SysRng)?, SecretKey::generate(&mut SysRng)?);
/// assert_eq!(ecdh(&a, b.public_key()), ecdh(&b, a.public_key()));
/// # Ok::<(), gmkit_sm2::Error>(())
/// ```
///
/// # Panics
/// Never: d is in [1, n-2], so that \[d\]P is not the point at infinity.
#[cfg(feature = "alloc")]
#[must_use]
pub fn ecdh(key: &SecretKey, peer: &PublicKey) -> zeroize::Zeroizing<[u8; 32]> {
    let mut point = crate::backend::chosen().1.multiply(key.d(), peer.point());
    // By reference: a point that is moved leaves a copy behind.
    let shared = point.as_mut().expect("[d]P of a point of prime order n, with d in [1, n-2]");
    let x = zeroize::Zeroizing::new(shared.x.to_bytes());
    zeroize::Zeroize::zeroize(shared);
    x
}

/// Encrypts with the nonce `k`, 32 big-endian bytes.
///
/// # Errors
/// [`Error::NonceRange`] when k is not in [1, n-1] or KDF gives zeros only; else as
/// [`PublicKey::encrypt`].
#[cfg(feature = "alloc")]
pub fn encrypt_with_k(
    key: &PublicKey,
    k: &[u8; 32],
    plaintext: &[u8],
) -> Result<crate::Ciphertext, Error> {
    let k = Scalar::from_bytes_nonzero(k).ok_or(Error::NonceRange)?;
    crate::encrypt::encrypt_with_k(key, &k, plaintext)?.ok_or(Error::NonceRange)
}

/// Starts a key exchange with the ephemeral key `r`, 32 big-endian bytes.
///
/// # Errors
/// [`Error::NonceRange`] when r is not in [1, n-1].
#[cfg(feature = "alloc")]
pub fn exchange_with_r<'k>(
    role: crate::exchange::Role,
    key: &'k SecretKey,
    id: crate::Id<'_>,
    peer: &PublicKey,
    peer_id: crate::Id<'_>,
    r: &[u8; 32],
) -> Result<crate::exchange::Exchange<'k>, Error> {
    let r = Scalar::from_bytes_nonzero(r).ok_or(Error::NonceRange)?;
    crate::exchange::Exchange::with_r(role, key, id, peer, peer_id, r)
}
