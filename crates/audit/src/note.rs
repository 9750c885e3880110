//! Signed notes (C2SP signed-note, profiled for SM2 and SM3: "Formats of the audit log" in the book).

use base64ct::{Base64, Encoding};
use gmkit_keys::PrivateKey;
use gmkit_sm2::{Id, PublicKey, Signature};

use crate::Error;

/// Longest note, in bytes.
pub(crate) const MAX_NOTE: usize = 65_536;

/// Most signatures of a note.
const MAX_SIGNATURES: usize = 64;

/// What goes before a public key in the hash that is a key's ID: the byte for types without a number, and
/// a name of ours.
const LOG_TYPE: &[u8] = b"\xffgmkit.org/sm2-with-sm3";

/// The same for cosignatures of witnesses.
const WITNESS_TYPE: &[u8] = b"\xffgmkit.org/cosignature-sm2-with-sm3";

/// The ID of a key with a name: the first four bytes of SM3 over name, line break, type and key.
fn key_id(name: &str, kind: &[u8], key: &PublicKey) -> [u8; 4] {
    let hash = gmkit_sm3::digest(&[name.as_bytes(), b"\n", kind, &key.to_sec1_bytes()]);
    [hash[0], hash[1], hash[2], hash[3]]
}

/// Whether a text can be the name of a key: not empty, no space, no plus, no control character.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// A note that was read. Its text says nothing before a signature was checked.
#[derive(Clone, Debug)]
pub(crate) struct Note<'a> {
    text: &'a str,
    signatures: Vec<Line<'a>>,
}

#[derive(Clone, Debug)]
struct Line<'a> {
    name: &'a str,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl<'a> Note<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let fault = |reason| Error::Malformed { reason };
        if bytes.len() > MAX_NOTE {
            return Err(fault("the note is longer than 65,536 bytes"));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| fault("the note is not UTF-8"))?;
        if note.contains(|c: char| c.is_ascii_control() && c != '\n') {
            return Err(fault("the note has control characters"));
        }
        let split = note.rfind("\n\n").ok_or(fault("the note has no signatures"))?;
        let (text, lines) = (&note[..=split], &note[split + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(fault("the note does not end its last line"))?;
        let signatures = lines
            .split('\n')
            .map(|line| Line::parse(line).ok_or(fault("a line of the note is no signature")));
        let signatures: Vec<_> = signatures.collect::<Result<_, _>>()?;
        match signatures.len() <= MAX_SIGNATURES {
            true => Ok(Self { text, signatures }),
            false => Err(fault("the note has more than 64 signatures")),
        }
    }

    /// Checks the signatures of a key: there is one at least, and all of them are right.
    fn check(
        &self,
        name: &str,
        id: [u8; 4],
        mut check: impl FnMut(&[u8]) -> Option<()>,
    ) -> Result<(), Error> {
        let mut own = self.signatures.iter().filter(|line| line.name == name && line.id == id);
        let mut found = Err(Error::Rejected);
        own.try_for_each(|line| {
            found = Ok(());
            check(&line.signature).ok_or(Error::Rejected)
        })?;
        found
    }

    /// The text, once the key of that name has signed it.
    pub(crate) fn open(&self, name: &str, key: &PublicKey) -> Result<&'a str, Error> {
        self.check(name, key_id(name, LOG_TYPE, key), |signature| {
            let signature = Signature::from_raw(signature).ok()?;
            key.verify(Id::DEFAULT, self.text.as_bytes(), &signature).ok()
        })?;
        Ok(self.text)
    }

    /// When a witness says that it has seen it, in seconds since 1970. Of several times the latest.
    pub(crate) fn witnessed(&self, name: &str, key: &PublicKey) -> Result<u64, Error> {
        let mut seen = 0;
        self.check(name, key_id(name, WITNESS_TYPE, key), |cosignature| {
            let (time, signature) = cosignature.split_first_chunk()?;
            let time = u64::from_be_bytes(*time);
            let signature = Signature::from_raw(signature).ok()?;
            seen = seen.max(time);
            key.verify(Id::DEFAULT, cosigned(time, self.text).as_bytes(), &signature).ok()
        })?;
        Ok(seen)
    }

    /// The note with no other signatures than those of a key, once they were checked.
    pub(crate) fn only(&self, name: &str, key: &PublicKey) -> Result<String, Error> {
        let text = self.open(name, key)?;
        let id = key_id(name, LOG_TYPE, key);
        let own = self.signatures.iter().filter(|found| found.name == name && found.id == id);
        // One says as much as many.
        let signature =
            own.take(1).map(|found| line(name, id, &[&found.signature])).collect::<String>();
        Ok(format!("{text}\n{signature}"))
    }

    /// The text, before anything was checked.
    pub(crate) fn unchecked_text(&self) -> &'a str {
        self.text
    }

    /// The names of who has signed, as they say.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.signatures.iter().map(|line| line.name)
    }
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = Base64::decode_vec(signature).ok()?;
        let (id, signature) = bytes.split_first_chunk()?;
        is_name(name).then(|| Self { name, id: *id, signature: signature.to_vec() })
    }
}

/// What a witness signs.
fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

fn line(name: &str, id: [u8; 4], parts: &[&[u8]]) -> String {
    format!("— {name} {}\n", Base64::encode_string(&[&id, &*parts.concat()].concat()))
}

/// Signs a text, which ends its last line, as the log of that name.
pub(crate) fn sign(text: &str, name: &str, key: &dyn PrivateKey) -> Result<String, Error> {
    let signature = key.sign(Id::DEFAULT, text.as_bytes())?;
    let id = key_id(name, LOG_TYPE, key.public_key());
    Ok(format!("{text}\n{}", line(name, id, &[&signature.to_raw()])))
}

/// The line by which a witness says that it has seen a text, to be added to the note.
pub(crate) fn cosign(
    text: &str,
    time: u64,
    name: &str,
    key: &dyn PrivateKey,
) -> Result<String, Error> {
    let signature = key.sign(Id::DEFAULT, cosigned(time, text).as_bytes())?;
    let id = key_id(name, WITNESS_TYPE, key.public_key());
    Ok(line(name, id, &[&time.to_be_bytes(), &signature.to_raw()]))
}

#[cfg(test)]
mod tests {
    use gmkit_keys::SoftwareKey;

    use super::*;

    const TEXT: &str = "first\n\nlast\n";

    #[test]
    fn signed_by_who_it_says() {
        let (key, witness) = (SoftwareKey::generate().unwrap(), SoftwareKey::generate().unwrap());
        let mut note = sign(TEXT, "a.example/log", &key).unwrap();
        note += &cosign(TEXT, 1_234, "w.example", &witness).unwrap();
        let parsed = Note::parse(note.as_bytes()).unwrap();
        assert_eq!(parsed.open("a.example/log", key.public_key()).unwrap(), TEXT);
        assert_eq!(parsed.witnessed("w.example", witness.public_key()).unwrap(), 1_234);
        assert_eq!(parsed.names().collect::<Vec<_>>(), ["a.example/log", "w.example"]);
        // Nobody signs for another, or as what they are not.
        assert!(parsed.open("w.example", witness.public_key()).is_err());
        assert!(parsed.open("a.example/log", witness.public_key()).is_err());
        assert!(parsed.witnessed("a.example/log", key.public_key()).is_err());
        assert!(parsed.witnessed("w.example", key.public_key()).is_err());
        // A second signature of a key that is wrong spoils the note.
        let other = sign("other\n", "a.example/log", &key).unwrap();
        let spoilt = format!("{note}{}\n", other.lines().last().unwrap());
        let spoilt = Note::parse(spoilt.as_bytes()).unwrap();
        assert!(spoilt.open("a.example/log", key.public_key()).is_err());
        assert!(spoilt.witnessed("w.example", witness.public_key()).is_ok());
    }

    #[test]
    fn every_changed_byte_is_seen() {
        let key = SoftwareKey::generate().unwrap();
        let note = sign(TEXT, "log", &key).unwrap().into_bytes();
        for i in 0..note.len() {
            for bit in [1, 0x10] {
                let mut changed = note.clone();
                changed[i] ^= bit;
                let open = Note::parse(&changed)
                    .and_then(|note| note.open("log", key.public_key()).map(str::to_owned));
                assert!(open.is_err(), "byte {i}");
            }
            assert!(
                Note::parse(&note[..i])
                    .and_then(|note| note.open("log", key.public_key()).map(drop))
                    .is_err()
            );
        }
    }

    #[test]
    fn names() {
        for name in ["", "a b", "a+b", "a\u{2003}b", "a\nb", "a\u{7f}b"] {
            assert!(!is_name(name), "{name:?}");
        }
        assert!(is_name("例.example/日志"));
    }
}
