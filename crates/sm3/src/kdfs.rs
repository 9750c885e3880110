//! Key derivation with HMAC-SM3, for the most part the `hkdf` and `pbkdf2` crates' work. Those wipe
//! their hash states, but not every block that they pass on. The KDF of SM2 itself is
//! [`crate::kdf()`].

use core::{fmt, num::NonZeroU32};

use digest::zeroize::Zeroize;
pub use hkdf;
pub use hmac;
use hmac::{KeyInit, Mac};

use crate::{OUTPUT_SIZE, Sm3};

/// HMAC with SM3 (RFC 2104; GM/T 0042-2015).
pub type Hmac = hmac::Hmac<Sm3>;

/// HKDF with SM3 (RFC 5869).
///
/// ```
/// let mut okm = [0; 42];
/// gmkit_sm3::kdfs::Hkdf::new(Some(b"salt"), b"shared secret").expand(b"info", &mut okm)?;
/// # assert_ne!(okm, [0; 42]);
/// # Ok::<(), gmkit_sm3::kdfs::hkdf::InvalidLength>(())
/// ```
pub type Hkdf = hkdf::Hkdf<Sm3>;

/// PBKDF2 with HMAC-SM3 (RFC 8018, 5.2): a key from a password. At least 600,000 `rounds` for
/// passwords that people choose.
///
/// ```
/// let (rounds, mut key) = (600_000.try_into()?, [0; 16]);
/// gmkit_sm3::kdfs::pbkdf2(b"password", b"a random salt", rounds, &mut key);
/// # assert_ne!(key, [0; 16]);
/// # Ok::<(), core::num::TryFromIntError>(())
/// ```
pub fn pbkdf2(password: &[u8], salt: &[u8], rounds: NonZeroU32, out: &mut [u8]) {
    pbkdf2::pbkdf2_hmac::<Sm3>(password, salt, rounds.get(), out);
}

/// The PRF of TLS 1.2 (RFC 5246, 5) with SM3, which is TLCP's too (GB/T 38636-2020): fills
/// `out` with P_hash(secret, label ‖ seed). `seed` is the concatenation of its parts.
///
/// ```
/// let (client, server) = ([1; 32], [2; 32]);
/// let mut master_secret = [0; 48];
/// gmkit_sm3::kdfs::tls12_prf(&[3; 48], b"master secret", &[&client, &server], &mut master_secret);
/// # assert_ne!(master_secret, [0; 48]);
/// ```
///
/// # Panics
/// Never: HMAC takes keys of any length.
pub fn tls12_prf(secret: &[u8], label: &[u8], seed: &[&[u8]], out: &mut [u8]) {
    let hmac = Hmac::new_from_slice(secret).expect("HMAC takes keys of any length");
    let with_seed = |mac: Hmac| seed.iter().fold(mac.chain_update(label), Mac::chain_update);
    let mut a = with_seed(hmac.clone()).finalize().into_bytes();
    for chunk in out.chunks_mut(OUTPUT_SIZE) {
        let mut block = with_seed(hmac.clone().chain_update(a)).finalize().into_bytes();
        chunk.copy_from_slice(&block[..chunk.len()]);
        block.zeroize();
        a = hmac.clone().chain_update(a).finalize().into_bytes();
    }
    a.zeroize();
}

/// HKDF-Expand-Label of TLS 1.3 (RFC 8446, 7.1) with SM3. `label` comes without its "tls13 ".
///
/// # Errors
/// [`LengthError`]: the secret has less than 32 bytes, the label more than 249, the context more
/// than 255, or `out` more than 8160.
///
/// ```
/// let mut key = [0; 16];
/// gmkit_sm3::kdfs::tls13_expand_label(&[7; 32], b"key", b"", &mut key)?;
/// # assert_ne!(key, [0; 16]);
/// # Ok::<(), gmkit_sm3::kdfs::LengthError>(())
/// ```
pub fn tls13_expand_label(
    secret: &[u8],
    label: &[u8],
    context: &[u8],
    out: &mut [u8],
) -> Result<(), LengthError> {
    const PREFIX: &[u8] = b"tls13 ";
    let hkdf = Hkdf::from_prk(secret).map_err(|_| LengthError)?;
    let length = u16::try_from(out.len()).map_err(|_| LengthError)?.to_be_bytes();
    let label_len = [u8::try_from(PREFIX.len() + label.len()).map_err(|_| LengthError)?];
    let context_len = [u8::try_from(context.len()).map_err(|_| LengthError)?];
    let info: [&[u8]; 6] = [&length, &label_len, PREFIX, label, &context_len, context];
    hkdf.expand_multi_info(&info, out).map_err(|_| LengthError)
}

/// A secret, a label, a context or an output has a length that HKDF does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthError;

impl fmt::Display for LengthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length that HKDF does not allow")
    }
}

impl core::error::Error for LengthError {}
