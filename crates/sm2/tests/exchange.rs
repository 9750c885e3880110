//! Key exchange: both sides agree, and any change of a message or an identity ends it.

use gmkit_sm2::{
    Error, Id, PublicKey, SecretKey,
    exchange::{Exchange, MAX_KLEN, Role},
};
use rand::rngs::SysRng;

struct Parties {
    a: SecretKey,
    b: SecretKey,
}

impl Parties {
    fn new() -> Self {
        let key = || SecretKey::generate(&mut SysRng).unwrap();
        Self { a: key(), b: key() }
    }

    fn start<'k>(
        &self,
        role: Role,
        key: &'k SecretKey,
        id: &[u8],
        peer: &SecretKey,
        peer_id: &[u8],
    ) -> Exchange<'k> {
        let (id, peer_id) = (Id::new(id).unwrap(), Id::new(peer_id).unwrap());
        Exchange::start(&mut SysRng, role, key, id, peer.public_key(), peer_id).unwrap()
    }

    fn both(&self) -> (Exchange<'_>, Exchange<'_>) {
        (
            self.start(Role::Initiator, &self.a, b"A", &self.b, b"B"),
            self.start(Role::Responder, &self.b, b"B", &self.a, b"A"),
        )
    }
}

/// Whether the two end with the same confirmed key. Both confirmations must agree about it.
fn agree(a: Exchange<'_>, b: Exchange<'_>, r_a: &PublicKey, r_b: &PublicKey) -> bool {
    let (a, b) = (a.agree(r_b, 32).unwrap(), b.agree(r_a, 32).unwrap());
    let (s_a, s_b) = (a.confirmation(), b.confirmation());
    match (a.confirm(&s_b), b.confirm(&s_a)) {
        (Ok(k_a), Ok(k_b)) => {
            assert_eq!(k_a, k_b);
            true
        }
        (Err(Error::Rejected), Err(Error::Rejected)) => false,
        (a, b) => panic!("{a:?} {b:?}"),
    }
}

#[test]
fn honest_parties_agree_and_never_twice_on_the_same_key() {
    let parties = Parties::new();
    let mut keys = Vec::new();
    for _ in 0..4 {
        let (a, b) = parties.both();
        let (r_a, r_b) = (*a.ephemeral(), *b.ephemeral());
        let agreed = a.agree(&r_b, 16).unwrap().without_confirmation();
        assert_eq!(agreed, b.agree(&r_a, 16).unwrap().without_confirmation());
        assert!(!keys.contains(&agreed));
        keys.push(agreed);
    }
}

#[test]
fn every_change_is_refused() {
    let (parties, others) = (Parties::new(), Parties::new());
    let (a, b) = parties.both();
    let (r_a, r_b) = (*a.ephemeral(), *b.ephemeral());
    assert!(agree(a, b, &r_a, &r_b));

    // Another R on the way, in either direction.
    let stranger = *others.both().0.ephemeral();
    let (a, b) = parties.both();
    let r_b = *b.ephemeral();
    assert!(!agree(a, b, &stranger, &r_b));
    let (a, b) = parties.both();
    let r_a = *a.ephemeral();
    assert!(!agree(a, b, &r_a, &stranger));

    // The parties mean other identities, or other keys.
    let wrong: [(&[u8], &[u8], &SecretKey); 3] =
        [(b"A", b"b", &parties.b), (b"a", b"B", &parties.b), (b"A", b"B", &others.b)];
    for (id_a, id_b, key_b) in wrong {
        let a = parties.start(Role::Initiator, &parties.a, id_a, key_b, id_b);
        let b = parties.start(Role::Responder, &parties.b, b"B", &parties.a, b"A");
        let (r_a, r_b) = (*a.ephemeral(), *b.ephemeral());
        assert!(!agree(a, b, &r_a, &r_b));
    }

    // Both in the same role.
    let a = parties.start(Role::Initiator, &parties.a, b"A", &parties.b, b"B");
    let b = parties.start(Role::Initiator, &parties.b, b"B", &parties.a, b"A");
    let (r_a, r_b) = (*a.ephemeral(), *b.ephemeral());
    assert!(!agree(a, b, &r_a, &r_b));
}

#[test]
fn every_bit_of_a_confirmation_counts_and_none_is_its_own_answer() {
    let parties = Parties::new();
    for bit in 0..256 {
        let (a, b) = parties.both();
        let (r_a, r_b) = (*a.ephemeral(), *b.ephemeral());
        let (a, b) = (a.agree(&r_b, 16).unwrap(), b.agree(&r_a, 16).unwrap());
        let mut s_b = b.confirmation();
        s_b[bit / 8] ^= 1 << (bit % 8);
        let s_a = a.confirmation();
        assert_eq!(a.confirm(&s_b).err(), Some(Error::Rejected));
        if bit == 0 {
            // Sent back to its sender.
            let own = b.confirmation();
            assert_ne!(s_a, own);
            assert_eq!(b.confirm(&own).err(), Some(Error::Rejected));
        }
    }
}

#[test]
fn lengths() {
    let parties = Parties::new();
    for klen in [0, MAX_KLEN + 1, usize::MAX] {
        let (a, b) = parties.both();
        assert!(matches!(a.agree(b.ephemeral(), klen), Err(Error::KeyLength)), "{klen}");
    }
    // One byte that is zero is a key like any other.
    let one_byte = |_| {
        let (a, b) = parties.both();
        a.agree(b.ephemeral(), 1).is_ok()
    };
    assert!((0..300).all(one_byte));
}
