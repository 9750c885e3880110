//! Many signatures at once, with one answer for each.

use alloc::vec::Vec;

use gmkit_sm3::digest;
use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use crate::{
    Error, Id, PreparedKey, PublicKey, SecretKey, Signature, arith::Scalar, backend,
    nonce::NonceKey, sign,
};

/// From how many signatures on [`verify()`] prepares the key first.
const WORTH_PREPARING: usize = 16;

/// How many signatures share an inversion: bounds the memory that holds nonces.
const CHUNK: usize = 64;

/// Signs each message under `id`, each with a nonce of its own that is drawn as for a single
/// signature. The answers stand in the order of the messages.
///
/// ```
/// use gmkit_sm2::{Id, SecretKey, batch};
/// # use rand::rngs::SysRng;
///
/// let key = SecretKey::generate(&mut SysRng)?;
/// let messages: [&[u8]; 2] = [b"one", b"two"];
/// let signatures = batch::sign(&mut SysRng, &key, Id::DEFAULT, &messages);
/// for (message, signature) in messages.iter().zip(signatures) {
///     key.public_key().verify(Id::DEFAULT, message, &signature?)?;
/// }
/// # Ok::<(), gmkit_sm2::Error>(())
/// ```
///
/// # Errors
/// Per message: [`Error::Rng`].
pub fn sign<R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    key: &SecretKey,
    id: Id<'_>,
    messages: &[&[u8]],
) -> Vec<Result<Signature, Error>> {
    let z = key.public_key().z(id);
    let nonces = NonceKey::new(key.d());
    let mut signatures = Vec::with_capacity(messages.len());
    for chunk in messages.chunks(CHUNK) {
        let hashes: Vec<_> = chunk.iter().map(|message| digest(&[&z, message])).collect();
        sign_chunk(rng, key, &nonces, &hashes, &mut signatures);
    }
    signatures
}

fn sign_chunk<R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    key: &SecretKey,
    nonce_key: &NonceKey,
    hashes: &[[u8; 32]],
    signatures: &mut Vec<Result<Signature, Error>>,
) {
    let nonce =
        |e: &[u8; 32], rng: &mut R| nonce_key.nonces(rng, e).map(|mut nonces| nonces.next());
    let mut nonces: Vec<Result<Scalar, Error>> = hashes.iter().map(|e| nonce(e, rng)).collect();
    // Where no nonce could be drawn, one takes its place in the common inversion.
    let mut k: Vec<Scalar> =
        nonces.iter().map(|k| k.as_ref().copied().unwrap_or(Scalar::ONE)).collect();
    let mut affine = backend::chosen().1.multiply_generator_many(&k);
    k.iter_mut().for_each(Zeroize::zeroize);
    for ((e, k), point) in hashes.iter().zip(&nonces).zip(&affine) {
        let finished = k.as_ref().map_err(|error| *error).and_then(|k| {
            match point.and_then(|point| sign::finish(key, e, k, &point.x)) {
                Some(signature) => Ok(signature),
                // With chance 2^-256 a k does not do: a single signature draws others.
                None => sign::sign_e(rng, key, e),
            }
        });
        signatures.push(finished);
    }
    nonces.iter_mut().flatten().for_each(Zeroize::zeroize);
    affine.iter_mut().flatten().for_each(Zeroize::zeroize);
}

/// Verifies signatures of one signer, each over its own message. The answers stand in the order of
/// `items`: one wrong signature does not spoil the others.
///
/// ```
/// use gmkit_sm2::{Error, Id, SecretKey, batch};
/// # use rand::rngs::SysRng;
///
/// let key = SecretKey::generate(&mut SysRng)?;
/// let signature = key.sign(&mut SysRng, Id::DEFAULT, b"one")?;
/// let items: [(&[u8], _); 2] = [(b"one", signature), (b"two", signature)];
/// let answers = batch::verify(key.public_key(), Id::DEFAULT, &items);
/// assert_eq!(answers, [Ok(()), Err(Error::Rejected)]);
/// # Ok::<(), gmkit_sm2::Error>(())
/// ```
///
/// # Errors
/// Per signature: [`Error::Rejected`].
#[must_use]
pub fn verify(key: &PublicKey, id: Id<'_>, items: &[(&[u8], Signature)]) -> Vec<Result<(), Error>> {
    if items.len() >= WORTH_PREPARING {
        let prepared = PreparedKey::new(key, id);
        return items.iter().map(|(message, s)| prepared.verify(message, s)).collect();
    }
    let z = key.z(id);
    let one = |(message, s): &(&[u8], Signature)| {
        crate::verify::verify_e(key, &digest(&[&z, message]), s)
    };
    items.iter().map(one).collect()
}
