//! `curveSM2MLKEM768`: curveSM2 and ML-KEM-768 (FIPS 203) side by side, so that what is recorded today
//! stays closed to a quantum computer of tomorrow, and is as safe as SM2 should ML-KEM fail.
//!
//! The curve's part comes first, in both shares and in the secret, which is X ‖ K, 64 bytes
//! (draft-yang-tls-hybrid-sm2-mlkem).

use std::fmt;

use gmkit_keys::SysRng;
use gmkit_sm2::rand_core::TryRng;
use ml_kem::{
    B32, Seed,
    kem::{Decapsulate, KeyExport},
    ml_kem_768::{DecapsulationKey, EncapsulationKey},
};
use rustls::{
    Error, NamedGroup, PeerMisbehaved, ProtocolVersion,
    crypto::{
        ActiveKeyExchange, CompletedKeyExchange, GetRandomFailed, SharedSecret, SupportedKxGroup,
    },
    ffdhe_groups::FfdheGroup,
};
use zeroize::{Zeroize, Zeroizing};

use crate::{CURVE_SM2_MLKEM768, kx::CurveSm2};

/// 04 ‖ X ‖ Y.
const POINT: usize = 65;

#[derive(Debug)]
pub(crate) struct CurveSm2MlKem768;

impl SupportedKxGroup for CurveSm2MlKem768 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let curve = CurveSm2.start()?;
        let lattice = DecapsulationKey::from_seed(*random::<Seed>()?);
        let public = [curve.pub_key(), &lattice.encapsulation_key().to_bytes()].concat();
        Ok(Box::new(Ephemeral { curve, lattice, public }))
    }

    fn start_and_complete(&self, client: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let (point, key) = client.split_at_checked(POINT).ok_or(BAD_SHARE)?;
        // Of the right length, and with coefficients below q (FIPS 203, 7.2).
        let key = key.try_into().map_err(|_| BAD_SHARE)?;
        let key = EncapsulationKey::new(key).map_err(|_| BAD_SHARE)?;
        let curve = CurveSm2.start_and_complete(point)?;
        let (ciphertext, mut shared) = key.encapsulate_deterministic(&*random::<B32>()?);
        let secret = both(&curve.secret, &shared);
        shared.zeroize();
        let pub_key = [&curve.pub_key[..], &ciphertext].concat();
        Ok(CompletedKeyExchange { group: CURVE_SM2_MLKEM768, pub_key, secret })
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        CURVE_SM2_MLKEM768
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

const BAD_SHARE: Error = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);

/// A client's keys for one handshake; a server has none beyond its answer.
struct Ephemeral {
    curve: Box<dyn ActiveKeyExchange>,
    lattice: DecapsulationKey,
    public: Vec<u8>,
}

impl fmt::Debug for Ephemeral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ephemeral(curveSM2MLKEM768)")
    }
}

impl ActiveKeyExchange for Ephemeral {
    fn complete(self: Box<Self>, server: &[u8]) -> Result<SharedSecret, Error> {
        let (point, ciphertext) = server.split_at_checked(POINT).ok_or(BAD_SHARE)?;
        let ciphertext = ciphertext.try_into().map_err(|_| BAD_SHARE)?;
        let curve = self.curve.complete(point)?;
        let mut shared = self.lattice.decapsulate(ciphertext);
        let secret = both(&curve, &shared);
        shared.zeroize();
        Ok(secret)
    }

    /// A server that knows curveSM2 only need not ask again.
    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        Some((self.curve.group(), self.curve.pub_key()))
    }

    fn complete_hybrid_component(self: Box<Self>, server: &[u8]) -> Result<SharedSecret, Error> {
        self.curve.complete(server)
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        CURVE_SM2_MLKEM768
    }
}

/// rustls wipes what it is given; of its exact size, so that no copy stays behind.
fn both(curve: &SharedSecret, lattice: &[u8]) -> SharedSecret {
    SharedSecret::from([curve.secret_bytes(), lattice].concat())
}

/// Bytes of the operating system's generator.
fn random<B: Default + AsMut<[u8]> + Zeroize>() -> Result<Zeroizing<B>, Error> {
    let mut bytes = Zeroizing::new(B::default());
    SysRng.try_fill_bytes(bytes.as_mut()).map_err(|_| GetRandomFailed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree_on_both_parts() {
        let client = CurveSm2MlKem768.start().unwrap();
        assert_eq!(client.pub_key().len(), 65 + 1184);
        let server = CurveSm2MlKem768.start_and_complete(client.pub_key()).unwrap();
        assert_eq!((server.pub_key.len(), server.secret.secret_bytes().len()), (65 + 1088, 64));
        let secret = client.complete(&server.pub_key).unwrap();
        assert_eq!(secret.secret_bytes(), server.secret.secret_bytes());
    }

    #[test]
    fn a_client_that_is_answered_with_the_curve_alone() {
        let client = CurveSm2MlKem768.start().unwrap();
        let (group, share) = client.hybrid_component().unwrap();
        assert_eq!(group, crate::CURVE_SM2);
        let server = CurveSm2.start_and_complete(share).unwrap();
        let secret = client.complete_hybrid_component(&server.pub_key).unwrap();
        assert_eq!(secret.secret_bytes(), server.secret.secret_bytes());
    }

    #[test]
    fn bad_shares_are_refused() {
        let client = CurveSm2MlKem768.start().unwrap().pub_key().to_vec();
        let server = |share: &[u8]| CurveSm2MlKem768.start_and_complete(share).is_ok();
        assert!(server(&client));
        let mut off_curve = client.clone();
        off_curve[64] ^= 1;
        // The first coefficient is 0xfff: not below q.
        let mut not_reduced = client.clone();
        not_reduced[65] = 0xff;
        not_reduced[66] |= 0x0f;
        let longer = [&client[..], &[0]].concat();
        for bad in [&off_curve, &not_reduced, &client[..65], &client[..1248], &longer, &[]] {
            assert!(!server(bad));
        }
        let answered = |change: &dyn Fn(&mut Vec<u8>)| {
            let client = CurveSm2MlKem768.start().unwrap();
            let server = CurveSm2MlKem768.start_and_complete(client.pub_key()).unwrap();
            let mut share = server.pub_key;
            change(&mut share);
            let secret = client.complete(&share).ok()?;
            Some(secret.secret_bytes() == server.secret.secret_bytes())
        };
        assert_eq!(answered(&|_| ()), Some(true));
        assert_eq!(answered(&|share| share[64] ^= 1), None);
        assert_eq!(answered(&|share| share.truncate(1152)), None);
        // ML-KEM answers a changed ciphertext with another secret, and tells nobody.
        assert_eq!(answered(&|share| share[100] ^= 1), Some(false));
    }
}
