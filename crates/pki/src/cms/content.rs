//! Hashes of the content, taken while it passes.

use gmkit_sm2::{Id, PublicKey};
use gmkit_sm3::{Sm3, digest::Digest};

/// Enough of the content's start to see whether it could be somebody's signed attributes.
const START: usize = 32;

/// Hashes content that comes in pieces.
#[derive(Clone, Default)]
pub struct ContentHasher {
    plain: Sm3,
    /// With Z in front, for those who sign the content itself.
    keyed: Vec<(PublicKey, Sm3)>,
    start: Vec<u8>,
}

/// What signatures of a message are about.
#[derive(Clone)]
pub struct ContentDigest {
    pub(super) plain: [u8; 32],
    pub(super) keyed: Vec<(PublicKey, [u8; 32])>,
    /// Over the content with its type and framing, where that came in one piece.
    pub(super) framed: Option<[u8; 32]>,
    pub(super) start: Vec<u8>,
}

impl ContentHasher {
    /// Hashes for signatures over signed attributes, and for those that these keys have made over the
    /// content itself, under `id`.
    #[must_use]
    pub fn new(keys: &[PublicKey], id: Id<'_>) -> Self {
        let keyed = keys.iter().map(|key| (*key, Sm3::new().chain_update(key.z(id)))).collect();
        Self { keyed, ..Self::default() }
    }

    /// Adds the next piece of the content.
    pub fn update(&mut self, piece: &[u8]) {
        self.plain.update(piece);
        self.keyed.iter_mut().for_each(|(_, hash)| hash.update(piece));
        let missing = START.saturating_sub(self.start.len()).min(piece.len());
        self.start.extend_from_slice(&piece[..missing]);
    }

    /// The hashes of what has come in.
    #[must_use]
    pub fn finish(self) -> ContentDigest {
        let keyed = self.keyed.into_iter().map(|(key, hash)| (key, hash.finalize().into()));
        ContentDigest {
            plain: self.plain.finalize().into(),
            keyed: keyed.collect(),
            framed: None,
            start: self.start,
        }
    }
}

impl ContentDigest {
    /// SM3 over the content.
    #[must_use]
    pub fn sm3(&self) -> &[u8; 32] {
        &self.plain
    }

    /// SM3(Z ‖ content) for a key.
    pub(super) fn keyed(&self, key: &PublicKey) -> Option<&[u8; 32]> {
        self.keyed.iter().find(|(known, _)| known == key).map(|(_, digest)| digest)
    }
}

/// Whether content that begins so can be the signed attributes of a message: a SET whose first member is a
/// SEQUENCE with an OID.
///
/// A signature over attributes is one over content that is these attributes, and the other way round. Whoever
/// takes the attributes out of a message and puts them into the place of the content has a signature without
/// attributes, which is refused here; and whoever gets a bare signature over such content, as
/// [`gmkit_keys::PrivateKey::sign`] makes it, has a message about what the attributes name. 32 bytes are enough.
#[must_use]
pub fn can_be_signed_attributes(start: &[u8]) -> bool {
    let inside = |bytes: &[u8], tag: u8| -> Option<usize> {
        match *bytes {
            [first, 0..=0x80, ..] if first == tag => Some(2),
            [first, long @ 0x81..=0x88, ..] if first == tag => Some(2 + usize::from(long & 0x7f)),
            _ => None,
        }
    };
    let member = inside(start, 0x31).and_then(|at| start.get(at..));
    let oid = member.and_then(|member| member.get(inside(member, 0x30)?..));
    oid.is_some_and(|oid| oid.first() == Some(&6))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(content: &[u8]) -> ContentDigest {
        let mut hasher = ContentHasher::default();
        content.chunks(3).for_each(|piece| hasher.update(piece));
        hasher.finish()
    }

    #[test]
    fn content_that_could_be_attributes() {
        for start in ["310530030601", "31818030818106", "3182123430820123060900", "3180308006"] {
            assert!(can_be_signed_attributes(&hex::decode(start).unwrap()), "{start}");
        }
        for start in ["", "31", "3105", "31053003", "300530030601", "310530030201", "310531030601"]
        {
            assert!(!can_be_signed_attributes(&hex::decode(start).unwrap()), "{start}");
        }
        let long = [7; 100];
        assert_eq!(*digest(&long).sm3(), gmkit_sm3::digest(&[&long]));
        assert_eq!(digest(&long).start, long[..32]);
    }
}
