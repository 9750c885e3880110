//! Key derivation with HMAC-SM3.

use std::num::NonZeroU32;

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm3::kdfs,
};
use zeroize::Zeroizing;

use crate::{
    export::export,
    fault::Fault,
    pointer::{In, Out},
};

export! {
    /// HKDF with SM3 (RFC 5869): writes `len` bytes, at most 8160. `salt` and `info` may be empty,
    /// the secret `ikm` may not.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_hkdf_sm3(
        ikm: In,
        ikm_len: usize,
        salt: In,
        salt_len: usize,
        info: In,
        info_len: usize,
        out: Out,
        len: usize,
    ) {
        let (ikm, salt) = (secret_bytes(&ikm, ikm_len)?, salt.bytes(salt_len)?);
        let info = info.bytes(info_len)?;
        derived(&out, len, |okm| {
            kdfs::Hkdf::new(Some(salt), ikm).expand(info, okm).map_err(|_| too_long())
        })
    }

    /// PBKDF2 with HMAC-SM3 (RFC 8018): writes `len` bytes, at most 8160. For passwords that people
    /// choose, at least 600,000 rounds.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT, also for no rounds at all or an empty password.
    fn gmkit_pbkdf2_sm3(
        password: In,
        password_len: usize,
        salt: In,
        salt_len: usize,
        rounds: u32,
        out: Out,
        len: usize,
    ) {
        let (password, salt) = (secret_bytes(&password, password_len)?, salt.bytes(salt_len)?);
        let rounds = NonZeroU32::new(rounds)
            .ok_or_else(|| Fault::argument("PBKDF2 needs at least one round"))?;
        derived(&out, len, |key| {
            kdfs::pbkdf2(password, salt, rounds, key);
            Ok(())
        })
    }

    /// The PRF of TLS 1.2 (RFC 5246, 5) and TLCP (GB/T 38636-2020) with SM3: writes `len` bytes, at
    /// most 8160. The secret is not empty; `seed` is the concatenation that the protocol asks for.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_tls12_prf_sm3(
        secret: In,
        secret_len: usize,
        label: In,
        label_len: usize,
        seed: In,
        seed_len: usize,
        out: Out,
        len: usize,
    ) {
        let (secret, label) = (secret_bytes(&secret, secret_len)?, label.bytes(label_len)?);
        let seed = seed.bytes(seed_len)?;
        derived(&out, len, |key| {
            kdfs::tls12_prf(secret, label, &[seed], key);
            Ok(())
        })
    }

    /// HKDF-Expand-Label of TLS 1.3 (RFC 8446, 7.1) with SM3: writes `len` bytes, at most 8160. The
    /// secret has at least 32 bytes, the label comes without its "tls13 ".
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_tls13_expand_label_sm3(
        secret: In,
        secret_len: usize,
        label: In,
        label_len: usize,
        context: In,
        context_len: usize,
        out: Out,
        len: usize,
    ) {
        let (secret, label) = (secret_bytes(&secret, secret_len)?, label.bytes(label_len)?);
        let context = context.bytes(context_len)?;
        derived(&out, len, |key| {
            kdfs::tls13_expand_label(secret, label, context, key).map_err(|_| too_long())
        })
    }
}

/// A secret of no bytes is a mistake: everybody can derive from it.
fn secret_bytes(secret: &In, len: usize) -> Result<&[u8], Fault> {
    if len == 0 {
        return Err(Fault::argument("the secret is empty"));
    }
    secret.bytes(len)
}

/// What HKDF with SM3 gives at most.
const MOST: usize = 255 * 32;

/// Derives into a buffer of its own: `out` may lie over the inputs.
fn derived(
    out: &Out,
    len: usize,
    derive: impl FnOnce(&mut [u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    selftest::require(Algorithm::HmacSm3)?;
    if len > MOST {
        return Err(too_long());
    }
    out.check_room(len)?;
    let mut key = Zeroizing::new(vec![0; len]);
    derive(&mut key)?;
    out.write(&key)
}

fn too_long() -> Fault {
    Fault::argument("a length that this derivation does not allow")
}
