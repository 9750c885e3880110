//! `curveSM2`: plain ECDH on the SM2 curve, not the SM2 key exchange (RFC 8998, 3.2.2).

use std::fmt;

use gmkit_keys::SysRng;
use gmkit_sm2::{PublicKey, SecretKey, hazmat::ecdh};
use rustls::{
    Error, NamedGroup, PeerMisbehaved, ProtocolVersion,
    crypto::{ActiveKeyExchange, GetRandomFailed, SharedSecret, SupportedKxGroup},
    ffdhe_groups::FfdheGroup,
};

use crate::CURVE_SM2;

#[derive(Debug)]
pub(crate) struct CurveSm2;

impl SupportedKxGroup for CurveSm2 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(Ephemeral::new()?))
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        CURVE_SM2
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

/// A key for one handshake.
struct Ephemeral {
    secret: SecretKey,
    /// 04 ‖ X ‖ Y.
    public: [u8; 65],
}

impl Ephemeral {
    fn new() -> Result<Self, Error> {
        let secret = SecretKey::generate(&mut SysRng).map_err(|_| GetRandomFailed)?;
        let public = secret.public_key().to_sec1_bytes();
        Ok(Self { secret, public })
    }
}

impl fmt::Debug for Ephemeral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ephemeral(curveSM2)")
    }
}

impl ActiveKeyExchange for Ephemeral {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        // A share is uncompressed (RFC 8446, 4.2.8.2), and a point of the curve; not at infinity,
        // which has no such form.
        let peer = match peer {
            [4, rest @ ..] if rest.len() == 64 => PublicKey::from_sec1_bytes(peer).ok(),
            _ => None,
        };
        let peer = peer.ok_or(PeerMisbehaved::InvalidKeyShare)?;
        Ok(SharedSecret::from(&ecdh(&self.secret, &peer)[..]))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        CURVE_SM2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_shares_are_refused() {
        let good = Ephemeral::new().unwrap().public;
        let on_curve = |bytes: &[u8]| CurveSm2.start().unwrap().complete(bytes).is_ok();
        assert!(on_curve(&good));
        let mut off = good;
        off[64] ^= 1;
        let compressed = PublicKey::from_sec1_bytes(&good).unwrap().to_compressed_bytes();
        let hybrid = [&[6 + (good[64] & 1)], &good[1..]].concat();
        for bad in [&off[..], &[], &[0], &good[..64], &[&good[..], &[0]].concat(), &compressed] {
            assert!(!on_curve(bad));
        }
        assert!(!on_curve(&hybrid) && !on_curve(&[0; 65]) && !on_curve(&[4; 65]));
    }

    #[test]
    fn both_sides_agree() {
        let (a, b) = (CurveSm2.start().unwrap(), CurveSm2.start().unwrap());
        let (share_a, share_b) = (a.pub_key().to_vec(), b.pub_key().to_vec());
        let (a, b) = (a.complete(&share_b).unwrap(), b.complete(&share_a).unwrap());
        assert_eq!(a.secret_bytes(), b.secret_bytes());
        assert_eq!(a.secret_bytes().len(), 32);
    }
}
