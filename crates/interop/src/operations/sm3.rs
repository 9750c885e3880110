//! SM3 and what is built on it.

use gmkit::sm3::{self, kdfs};

use super::{Asking, Step, words};
use crate::draw::Draw;

pub(super) fn digest(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let message = draw.some(0, 3000);
    peer.expect(words!("sm3", message), &[&sm3::digest(&[&message])])
}

pub(super) fn hmac(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    use kdfs::hmac::{KeyInit, Mac};
    let (key, message) = (draw.some(1, 200), draw.some(0, 2000));
    let mac = kdfs::Hmac::new_from_slice(&key).map_err(|error| error.to_string())?;
    let tag = mac.chain_update(&message).finalize().into_bytes();
    peer.expect(words!("hmac", key, message), &[&tag])
}

pub(super) fn kdf(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (z, len) = (draw.some(1, 200), draw.len(1, 500));
    let mut out = vec![0; len];
    sm3::kdf(&[&z], &mut out).map_err(|error| error.to_string())?;
    peer.expect(words!("sm2-kdf", z, len), &[&out])
}

pub(super) fn hkdf(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (ikm, salt, info) = (draw.some(1, 100), draw.some(1, 100), draw.some(1, 100));
    let len = draw.len(1, 500);
    let mut out = vec![0; len];
    let hkdf = kdfs::Hkdf::new(Some(&salt), &ikm);
    hkdf.expand(&info, &mut out).map_err(|error| error.to_string())?;
    peer.expect(words!("hkdf", ikm, salt, info, len), &[&out])
}

pub(super) fn pbkdf2(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (password, salt) = (draw.some(1, 100), draw.some(8, 64));
    let (rounds, len) = (1 + draw.below(50), draw.len(16, 200));
    let mut out = vec![0; len];
    let nonzero = u32::try_from(rounds).and_then(TryInto::try_into);
    kdfs::pbkdf2(&password, &salt, nonzero.map_err(|error| error.to_string())?, &mut out);
    peer.expect(words!("pbkdf2", password, salt, rounds, len), &[&out])
}

pub(super) fn tls12_prf(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (secret, label, seed) = (draw.some(1, 64), draw.some(1, 20), draw.some(1, 80));
    let len = draw.len(1, 300);
    let mut out = vec![0; len];
    kdfs::tls12_prf(&secret, &label, &[&seed], &mut out);
    peer.expect(words!("tls12-prf", secret, label, seed, len), &[&out])
}

pub(super) fn tls13_label(peer: &mut Asking<'_>, draw: &mut Draw) -> Result<Step, String> {
    let (secret, label): ([u8; 32], _) = (draw.array(), draw.some(1, 12));
    let (context, len) = (draw.some(1, 32), draw.len(1, 300));
    let mut out = vec![0; len];
    kdfs::tls13_expand_label(&secret, &label, &context, &mut out)
        .map_err(|error| error.to_string())?;
    peer.expect(words!("tls13-label", secret, label, context, len), &[&out])
}
