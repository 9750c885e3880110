//! Public-key encryption, GB/T 32918.4-2016.

use alloc::vec::Vec;

use gmkit_sm3::{Digest, Sm3, kdf};
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Ciphertext, Error, PublicKey, SecretKey, arith::Scalar, backend, curve::Affine, nonce::Nonces,
};

/// Times that a new k is tried when KDF gives zeros only. For a plaintext of one byte each try
/// fails with chance 1/256, so a hundred failures are a broken generator.
const MAX_TRIES: usize = 100;

impl PublicKey {
    /// Encrypts a plaintext of at least one byte (GB/T 32918.4-2016, 6.1).
    ///
    /// # Errors
    /// [`Error::EmptyPlaintext`], [`Error::Rng`], and [`Error::TooLong`] from about 128 GiB on.
    ///
    /// ```
    /// use gmkit_sm2::{Ciphertext, SecretKey};
    /// # use rand::rngs::SysRng;
    ///
    /// let key = SecretKey::generate(&mut SysRng)?;
    /// let sent = key.public_key().encrypt(&mut SysRng, b"a session key")?.to_der()?;
    /// let plaintext = key.decrypt(&Ciphertext::from_der(&sent)?)?;
    /// assert_eq!(&plaintext[..], b"a session key");
    /// # Ok::<(), gmkit_sm2::Error>(())
    /// ```
    pub fn encrypt<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        plaintext: &[u8],
    ) -> Result<Ciphertext, Error> {
        let mut nonces = Nonces::for_encryption(rng, &self.to_sec1_bytes(), plaintext)?;
        for _ in 0..MAX_TRIES {
            let mut k = nonces.next();
            let ciphertext = encrypt_with_k(self, &k, plaintext);
            k.zeroize();
            if let Some(ciphertext) = ciphertext? {
                return Ok(ciphertext);
            }
        }
        Err(Error::Rng)
    }
}

/// Steps A1 to A7 for a given k in [1, n-1]; `None` asks for another k.
pub(crate) fn encrypt_with_k(
    key: &PublicKey,
    k: &Scalar,
    plaintext: &[u8],
) -> Result<Option<Ciphertext>, Error> {
    if plaintext.is_empty() {
        return Err(Error::EmptyPlaintext);
    }
    let c1 = backend::chosen().1.multiply_generator(k);
    let Some((c1, shared)) = c1.zip(Shared::new(k, key.point())) else {
        return Ok(None); // k = 0 mod n only, which the caller excludes
    };
    let mut c2 = plaintext.to_vec();
    if !shared.apply_mask(&mut c2)? {
        c2.zeroize();
        return Ok(None);
    }
    Ok(Some(Ciphertext { c1, c3: shared.hash(plaintext), c2 }))
}

impl SecretKey {
    /// Decrypts (GB/T 32918.4-2016, 7.1). The plaintext is zeroized on drop.
    ///
    /// # Errors
    /// [`Error::Rejected`] when C3 does not fit; nothing of the plaintext is given out then.
    pub fn decrypt(&self, ciphertext: &Ciphertext) -> Result<Zeroizing<Vec<u8>>, Error> {
        let shared = Shared::new(self.d(), &ciphertext.c1).ok_or(Error::Rejected)?;
        let mut plaintext = Zeroizing::new(ciphertext.c2.clone());
        let mask_is_good = shared.apply_mask(&mut plaintext).map_err(|_| Error::Rejected)?;
        let hash = Zeroizing::new(shared.hash(&plaintext));
        if mask_is_good & bool::from(hash.ct_eq(&ciphertext.c3)) {
            Ok(plaintext)
        } else {
            Err(Error::Rejected)
        }
    }
}

/// (x2, y2), the point that both sides compute.
struct Shared {
    x2: Zeroizing<[u8; 32]>,
    y2: Zeroizing<[u8; 32]>,
}

impl Shared {
    fn new(k: &Scalar, point: &Affine) -> Option<Self> {
        backend::chosen().1.multiply(k, point).map(|mut point| {
            let shared = Self {
                x2: Zeroizing::new(point.x.to_bytes()),
                y2: Zeroizing::new(point.y.to_bytes()),
            };
            point.zeroize();
            shared
        })
    }

    /// Adds t = KDF(x2 ‖ y2, klen) to `data`. `false` when t is all zeros: the standard forbids
    /// such a t, as it would leave the plaintext as it is.
    fn apply_mask(&self, data: &mut [u8]) -> Result<bool, Error> {
        let mut t = Zeroizing::new(alloc::vec![0; data.len()]);
        kdf(&[&*self.x2, &*self.y2], &mut t).map_err(|_| Error::TooLong)?;
        let mut any = 0;
        for (d, t) in data.iter_mut().zip(t.iter()) {
            *d ^= t;
            any |= t;
        }
        Ok(any != 0)
    }

    /// C3 = SM3(x2 ‖ M ‖ y2).
    fn hash(&self, plaintext: &[u8]) -> [u8; 32] {
        Sm3::new()
            .chain_update(&self.x2[..])
            .chain_update(plaintext)
            .chain_update(&self.y2[..])
            .finalize()
            .into()
    }
}
