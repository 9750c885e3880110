//! Nonces k for signatures.
//!
//! k = HMAC-SM3(d, 32 fresh random bytes ‖ e ‖ counter), taken when it is in [1, n-1], else tried
//! again with the next counter. e contains Z and so the ID and the public key.
//!
//! With a good generator this is as random as the generator. If the generator repeats itself, k
//! still differs for different e, so that no two messages ever share a nonce; if it is predictable,
//! k is still a pseudo-random function of the message under the secret d. A generator that fails
//! stops the signature.

use gmkit_sm3::Sm3;
use hmac::{Hmac, KeyInit, Mac};
use rand_core::TryCryptoRng;
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, arith::Scalar};

/// Yields candidates for k, all in [1, n-1].
pub(crate) struct Nonces {
    mac: Hmac<Sm3>,
    counter: u32,
}

impl Nonces {
    pub(crate) fn new<R: TryCryptoRng + ?Sized>(
        rng: &mut R,
        d: &Scalar,
        e: &[u8; 32],
    ) -> Result<Self, Error> {
        let mut random = Zeroizing::new([0; 32]);
        rng.try_fill_bytes(&mut *random).map_err(|_| Error::Rng)?;
        let d = Zeroizing::new(d.to_bytes());
        let mut mac = Hmac::<Sm3>::new(&hmac_key(&d));
        mac.update(&*random);
        mac.update(e);
        Ok(Self { mac, counter: 0 })
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

/// HMAC pads shorter keys with zeros to its block size; saying so avoids a fallible call.
fn hmac_key(d: &[u8; 32]) -> hmac::digest::Key<Hmac<Sm3>> {
    let mut key = hmac::digest::Key::<Hmac<Sm3>>::default();
    key[..32].copy_from_slice(d);
    key
}
