//! Checkpoints (C2SP tlog-checkpoint): what a log says of itself, and signs.

use base64ct::{Base64, Encoding};
use gmkit_keys::PrivateKey;
use gmkit_sm2::PublicKey;

use crate::{
    Error, Hash,
    note::{self, Note},
};

/// How many records a log has, and the root over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// How many records.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads a checkpoint that the log with this key has signed, whatever its name is.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Error::Rejected`] when the key has not signed it.
    pub fn open(note: &[u8], key: &PublicKey) -> Result<Self, Error> {
        let note = Note::parse(note)?;
        // The name is signed, too: nothing is taken from the text that the signature does not cover.
        let origin = note.unchecked_text().split('\n').next().unwrap_or_default();
        Self::parse(note.open(origin, key)?)
    }

    /// A note with nothing in it but the checkpoint that the log with this key has signed: what a witness adds
    /// its line to.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn stripped(note: &[u8], key: &PublicKey) -> Result<String, Error> {
        let origin = Self::open(note, key)?.origin;
        Note::parse(note)?.only(&origin, key)
    }

    /// Reads what a checkpoint says, and checks nothing.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn unchecked(note: &[u8]) -> Result<Self, Error> {
        Self::parse(Note::parse(note)?.unchecked_text())
    }

    /// When the witness of that name says that it has seen a checkpoint, in seconds since 1970.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Error::Rejected`] when the witness does not say so.
    pub fn witnessed(note: &[u8], name: &str, key: &PublicKey) -> Result<u64, Error> {
        Note::parse(note)?.witnessed(name, key)
    }

    /// When any witness with this key says that it has seen a checkpoint, whatever its name is.
    ///
    /// # Errors
    /// As [`Checkpoint::witnessed`].
    pub fn witnessed_by(note: &[u8], key: &PublicKey) -> Result<u64, Error> {
        let note = Note::parse(note)?;
        let times = note.names().filter_map(|name| note.witnessed(name, key).ok());
        times.max().ok_or(Error::Rejected)
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let fault = |reason| Error::Malformed { reason };
        let mut lines = text.split('\n');
        let mut next = || lines.next().filter(|line| !line.is_empty());
        let missing = fault("the checkpoint has not got its three lines");
        let origin = next().filter(|origin| note::is_name(origin)).ok_or(missing.clone())?;
        let size = next().and_then(decimal).ok_or(missing.clone())?;
        let root = next().and_then(decode_hash).ok_or(missing)?;
        match lines.eq([""]) {
            true => Ok(Self { origin: origin.to_owned(), size, root }),
            false => Err(fault("the checkpoint has more lines than this version knows")),
        }
    }

    pub(crate) fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, Base64::encode_string(&self.root))
    }

    pub(crate) fn sign(&self, key: &dyn PrivateKey) -> Result<String, Error> {
        note::sign(&self.text(), &self.origin, key)
    }

    /// The line by which a witness that has checked this checkpoint says so, to be added to the note.
    ///
    /// # Errors
    /// [`Error::Options`] for a name that cannot be one, [`Error::Key`].
    pub fn cosign(&self, time: u64, name: &str, key: &dyn PrivateKey) -> Result<String, Error> {
        if !note::is_name(name) {
            let reason = "a witness's name has no spaces, plus signs or control characters";
            return Err(Error::Options { reason });
        }
        note::cosign(&self.text(), time, name, key)
    }
}

/// A number without signs and leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

pub(crate) fn decode_hash(text: &str) -> Option<Hash> {
    Base64::decode_vec(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use gmkit_keys::SoftwareKey;

    use super::*;

    #[test]
    fn only_what_the_key_has_signed() {
        let key = SoftwareKey::generate().unwrap();
        let checkpoint = Checkpoint { origin: "a.example".into(), size: 77, root: [5; 32] };
        let note = checkpoint.sign(&key).unwrap();
        assert_eq!(Checkpoint::open(note.as_bytes(), key.public_key()).unwrap(), checkpoint);
        let other = SoftwareKey::generate().unwrap();
        let result = Checkpoint::open(note.as_bytes(), other.public_key());
        assert!(matches!(result, Err(Error::Rejected)));
        // The signature of one log under the name of another.
        let renamed = note.replace("a.example\n77", "b.example\n77");
        assert!(Checkpoint::open(renamed.as_bytes(), key.public_key()).is_err());
    }

    #[test]
    fn strict_lines() {
        let root = Base64::encode_string(&[5; 32]);
        let bad = [
            format!("a\n077\n{root}\n"),
            format!("a\n+77\n{root}\n"),
            format!("a\n18446744073709551616\n{root}\n"),
            format!("a\n77\n{}\n", &root[1..]),
            format!("a\n77\n{root}\nmore\n"),
            format!("a\n77\n{root}\n\n"),
            format!("a b\n77\n{root}\n"),
            format!("\n77\n{root}\n"),
            "a\n77\n".to_owned(),
        ];
        for text in bad {
            assert!(Checkpoint::parse(&text).is_err(), "{text}");
        }
        assert!(Checkpoint::parse(&format!("a\n77\n{root}\n")).is_ok());
    }
}
