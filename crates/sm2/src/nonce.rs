//! Nonces k.
//!
//! For signatures, k = HMAC-SM3(d, 32 fresh random bytes ‖ e ‖ counter), taken when it is in [1, n-1], else tried
//! again with the next counter. e contains Z and so the ID and the public key.
//!
//! With a good generator this is as random as the generator. If the generator repeats itself, k
//! still differs for different e, so that no two messages ever share a nonce; if it is predictable,
//! k is still a pseudo-random function of the message under the secret d. A generator that fails
//! stops the signature.

use gmkit_sm3::{BLOCK_SIZE, Sm3};
use hmac::{Hmac, KeyInit, Mac};
use rand_core::TryCryptoRng;
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, arith::Scalar};

/// What nonces for signatures are drawn with: the keyed HMAC-SM3.
pub(crate) struct NonceKey(Hmac<Sm3>);

impl NonceKey {
    pub(crate) fn new(d: &Scalar) -> Self {
        Self(keyed(&Zeroizing::new(d.to_bytes())))
    }

    /// For a signature over e.
    pub(crate) fn nonces<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        e: &[u8; 32],
    ) -> Result<Nonces, Error> {
        let random = random(rng)?;
        Ok(Nonces::new(self.0.clone(), [&*random, e]))
    }
}

/// Yields candidates for k, all in [1, n-1].
pub(crate) struct Nonces {
    mac: Hmac<Sm3>,
    counter: u32,
}

impl Nonces {
    /// For encryption, where there is no secret key: k = HMAC-SM3(random bytes, public key ‖
    /// plaintext ‖ counter). If the generator repeats itself, different plaintexts still do not
    /// share a mask.
    #[cfg(feature = "alloc")]
    pub(crate) fn for_encryption<R: TryCryptoRng + ?Sized>(
        rng: &mut R,
        public_key: &[u8; 65],
        plaintext: &[u8],
    ) -> Result<Self, Error> {
        Ok(Self::new(keyed(&*random(rng)?), [public_key, plaintext]))
    }

    fn new(mut mac: Hmac<Sm3>, input: [&[u8]; 2]) -> Self {
        input.iter().for_each(|part| mac.update(part));
        Self { mac, counter: 0 }
    }

    pub(crate) fn next(&mut self) -> Scalar {
        loop {
            let mut mac = self.mac.clone();
            mac.update(&self.counter.to_be_bytes());
            self.counter = self.counter.wrapping_add(1);
            let mut candidate: [u8; 32] = mac.finalize().into_bytes().into();
            let k = Scalar::from_bytes_nonzero(&candidate);
            candidate.zeroize();
            // A candidate is outside [1, n-1] once in 2^32 times. That a second one was needed
            // shows in the time, but is independent of the k that is used.
            if let Some(k) = k {
                return k;
            }
        }
    }
}

fn keyed(key: &[u8; 32]) -> Hmac<Sm3> {
    // HMAC pads shorter keys with zeros to its block size; doing it here avoids a fallible call.
    let mut padded = Zeroizing::new([0; BLOCK_SIZE]);
    padded[..32].copy_from_slice(key);
    Hmac::new((&*padded).into())
}

fn random<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    rng.try_fill_bytes(&mut *bytes).map_err(|_| Error::Rng)?;
    Ok(bytes)
}
