//! What is trusted because the caller says so.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use gmkit_sm2::{Id, PreparedKey, PublicKey, Signature};

use crate::Certificate;

/// Preparing a key costs as much as it saves in so many verifications. Who prepares only then never spends
/// more than twice what was needed, however many are still to come.
const PREPARED_AFTER: usize = 12;

/// A certificate that is trusted because the caller says so, with the ID under which its key signs.
///
/// Copies are cheap, and share a table of multiples of the key (86 KiB): it is made when the key has been
/// asked for a dozen times, and verifications take a third to an eighth of the time from then on.
#[derive(Clone, Debug)]
pub struct Anchor {
    pub(super) certificate: Arc<Certificate>,
    pub(super) id: Arc<[u8]>,
    often: Arc<Often>,
}

impl Anchor {
    /// Trusts `certificate`, which signs under the default ID.
    #[must_use]
    pub fn new(certificate: Certificate) -> Self {
        Self {
            certificate: Arc::new(certificate),
            id: Id::DEFAULT.as_bytes().into(),
            often: Arc::default(),
        }
    }

    /// The ID under which this anchor, and everybody below it, signs (RFC 8998 warns that there are such
    /// authorities).
    #[must_use]
    pub fn with_id(self, id: Id<'_>) -> Self {
        // A prepared key is prepared for one ID.
        Self { id: id.as_bytes().into(), often: Arc::default(), ..self }
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    fn is(&self, key: &PublicKey, id: Id<'_>) -> bool {
        *self.id == *id.as_bytes() && self.certificate.public_key().is_ok_and(|own| own == key)
    }
}

/// How often a key was asked for, and its prepared form from some number on.
#[derive(Default)]
struct Often {
    times: AtomicUsize,
    prepared: OnceLock<PreparedKey>,
}

impl Often {
    fn verify(
        &self,
        key: &PublicKey,
        id: Id<'_>,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), gmkit_sm2::Error> {
        // The number decides about time only: it does not matter which thread counts first.
        if self.times.fetch_add(1, Ordering::Relaxed) < PREPARED_AFTER {
            return key.verify(id, message, signature);
        }
        self.prepared.get_or_init(|| PreparedKey::new(key, id)).verify(message, signature)
    }
}

impl fmt::Debug for Often {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Often({:?})", self.times)
    }
}

/// Verifies a signature with any key, and faster if it is an anchor's.
pub(super) fn verify(
    anchors: &[Anchor],
    key: &PublicKey,
    id: Id<'_>,
    message: &[u8],
    signature: &Signature,
) -> Result<(), gmkit_sm2::Error> {
    match anchors.iter().find(|anchor| anchor.is(key, id)) {
        Some(anchor) => anchor.often.verify(key, id, message, signature),
        None => key.verify(id, message, signature),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use gmkit_keys::{PrivateKey, SoftwareKey};

    use super::*;
    use crate::{Issuer, Profile, subject};

    fn anchor(key: &Arc<SoftwareKey>) -> Anchor {
        let params = Profile::Ca.params(subject("CN=Root").unwrap(), 30).unwrap();
        let root = Issuer::self_signed(params, Arc::clone(key) as Arc<dyn PrivateKey>).unwrap();
        Anchor::new(root.certificate().clone())
    }

    /// Before and after the key is prepared, for the right and the wrong of everything.
    #[test]
    fn a_prepared_key_says_the_same() {
        let (key, other) = (SoftwareKey::generate().unwrap(), SoftwareKey::generate().unwrap());
        let (key, other) = (Arc::new(key), Arc::new(other));
        let own = Id::new(b"own").unwrap();
        let anchors = [anchor(&key), anchor(&other), anchor(&key).with_id(own)];
        let default = key.sign(Id::DEFAULT, b"message").unwrap();
        let under_own = key.sign(own, b"message").unwrap();
        let check = |id, key: &SoftwareKey, message: &[u8], signature| {
            verify(&anchors, key.public_key(), id, message, signature).is_ok()
        };
        for _ in 0..2 * PREPARED_AFTER {
            assert!(check(Id::DEFAULT, &key, b"message", &default));
            assert!(check(own, &key, b"message", &under_own));
            assert!(!check(own, &key, b"message", &default));
            assert!(!check(Id::DEFAULT, &key, b"message", &under_own));
            assert!(!check(Id::DEFAULT, &key, b"massage", &default));
            assert!(!check(Id::DEFAULT, &other, b"message", &default));
        }
        let times = anchors.each_ref().map(|anchor| anchor.often.times.load(Relaxed));
        let asked = 2 * PREPARED_AFTER;
        assert_eq!(times, [3 * asked, asked, 2 * asked]);
        assert!(anchors.iter().all(|anchor| anchor.often.prepared.get().is_some()));
        let [first, ..] = anchors;
        let copy = first.clone();
        assert!(copy.often.prepared.get().is_some());
        // Another ID has another Z.
        assert!(copy.with_id(own).often.prepared.get().is_none());
        // A key that is no anchor's is nobody's but its own.
        let stranger = SoftwareKey::generate().unwrap();
        let signature = stranger.sign(Id::DEFAULT, b"message").unwrap();
        let result = verify(&[first], stranger.public_key(), Id::DEFAULT, b"message", &signature);
        assert!(result.is_ok());
    }
}
