//! What a log says before it deletes records: it is the key that says so, and not only a line in the log, as
//! anybody who can write to the folder puts lines behind the last checkpoint.

use gmkit_keys::PrivateKey;
use gmkit_sm2::PublicKey;

use crate::{
    Error,
    checkpoint::decimal,
    note::{self, Note},
};

/// The first line, so that it is no checkpoint.
const KIND: &str = "gmkit.org/audit-prune";

/// The records before `first` were kept for so many days, and may be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pruning {
    pub(crate) origin: String,
    pub(crate) first: u64,
    pub(crate) days: u64,
}

impl Pruning {
    /// A signed note.
    pub(crate) fn sign(&self, key: &dyn PrivateKey) -> Result<String, Error> {
        let Self { origin, first, days } = self;
        note::sign(&format!("{KIND}\n{origin}\n{first}\n{days}\n"), origin, key)
    }

    /// What the key of the log with this name has signed; `None` for anything else.
    pub(crate) fn open(note: &str, origin: &str, key: &PublicKey) -> Option<Self> {
        let text = Note::parse(note.as_bytes()).ok()?.open(origin, key).ok()?.to_owned();
        let mut lines = text.split('\n');
        let is_kind = lines.next() == Some(KIND) && lines.next() == Some(origin);
        let (first, days) = (decimal(lines.next()?)?, decimal(lines.next()?)?);
        let ends = lines.eq([""]);
        (is_kind && ends).then(|| Self { origin: origin.to_owned(), first, days })
    }
}

#[cfg(test)]
mod tests {
    use gmkit_keys::SoftwareKey;

    use super::*;
    use crate::Checkpoint;

    #[test]
    fn only_what_the_key_has_signed_for_this_log() {
        let key = SoftwareKey::generate().unwrap();
        let pruning = Pruning { origin: "a.example".into(), first: 512, days: 190 };
        let note = pruning.sign(&key).unwrap();
        let open = |note: &str, origin| Pruning::open(note, origin, key.public_key());
        assert_eq!(open(&note, "a.example"), Some(pruning.clone()));
        assert_eq!(open(&note, "b.example"), None);
        assert_eq!(open(&note.replace("512", "768"), "a.example"), None);
        let other = SoftwareKey::generate().unwrap();
        assert_eq!(Pruning::open(&note, "a.example", other.public_key()), None);
        // Neither stands for the other.
        assert!(Checkpoint::open(note.as_bytes(), key.public_key()).is_err());
        let checkpoint = Checkpoint { origin: "a.example".into(), size: 7, root: [1; 32] };
        assert_eq!(open(&checkpoint.sign(&key).unwrap(), "a.example"), None);
    }
}
