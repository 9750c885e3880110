//! Where a copy goes on whose keeper cannot be asked.

use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};

use super::Last;
use crate::{Error, disk, note::is_name};

const HEAD: &str = "gmkit-audit-cursor/1";

/// Stands where nothing was sent.
const NOTHING: &str = "-";

/// Longest file, in bytes.
const MAX: usize = 4096;

/// A file that says up to where the records of one log were sent to one server.
///
/// Whoever loses it sends everything again.
#[derive(Debug)]
pub(super) struct Cursor {
    path: PathBuf,
    origin: String,
    server: String,
}

impl Cursor {
    pub(super) fn new(path: &Path, origin: &str, server: &str) -> Result<Self, Error> {
        match is_name(origin) && is_name(server) {
            true => Ok(Self {
                path: path.to_owned(),
                origin: origin.to_owned(),
                server: server.to_owned(),
            }),
            false => Err(Error::Options { reason: "not a log's name" }),
        }
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Up to where; `None` where nothing was sent.
    fn last(&self) -> Result<Option<Last>, Error> {
        let text = match disk::read(&self.path, MAX) {
            Err(error) if disk::is_missing(&error) => return Ok(None),
            text => text?,
        };
        let damaged = |reason| Error::Damaged { path: self.path.clone(), reason };
        let (origin, server, last) = parse(&text).ok_or(damaged("not a cursor of gmkit"))?;
        match (origin == self.origin, server == self.server) {
            (true, true) => Ok(last),
            (false, _) => Err(damaged("the cursor is of another log")),
            (_, false) => Err(damaged("the cursor is of another server: give each its own")),
        }
    }

    /// The same; and what cannot be set is found out before something is sent that would go again and again.
    pub(super) fn proven(&self) -> Result<Option<Last>, Error> {
        let last = self.last()?;
        self.set(last)?;
        Ok(last)
    }

    /// Behind records that were sent.
    pub(super) fn advance(&self, first: u64, records: &[Vec<u8>]) -> Result<(), Error> {
        match (records.len() as u64).checked_sub(1).zip(records.last()) {
            Some((more, last)) => self.set(Some(Last::new(first + more, last))),
            None => Ok(()),
        }
    }

    /// Sets it, durably.
    fn set(&self, last: Option<Last>) -> Result<(), Error> {
        let Self { path, origin, server } = self;
        let last = last.map_or_else(
            || NOTHING.to_owned(),
            |last| format!("{} {}", last.index, Base64::encode_string(&last.hash)),
        );
        disk::replace(path, format!("{HEAD}\n{origin}\n{server}\n{last}\n").as_bytes(), true)
    }
}

fn parse(text: &[u8]) -> Option<(&str, &str, Option<Last>)> {
    let mut lines = std::str::from_utf8(text).ok()?.strip_suffix('\n')?.split('\n');
    let (HEAD, origin, server) = (lines.next()?, lines.next()?, lines.next()?) else { return None };
    let last = match lines.next()? {
        NOTHING => None,
        last => {
            let (index, hash) = last.split_once(' ')?;
            let index: u64 = index.parse().ok().filter(|index| *index < u64::MAX)?;
            let hash = Base64::decode_vec(hash).ok()?.try_into().ok()?;
            Some(Last { index, hash })
        }
    };
    lines.next().is_none().then_some((origin, server, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_and_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cursor");
        let cursor = Cursor::new(&path, "bank/log", "host:6514").unwrap();
        assert_eq!(cursor.last().unwrap(), None);
        let last = Last::new(41, b"{}");
        cursor.set(None).unwrap();
        assert_eq!(cursor.last().unwrap(), None);
        cursor.set(Some(last)).unwrap();
        assert_eq!(cursor.last().unwrap(), Some(last));
        let other = Cursor::new(&path, "bank/other", "host:6514").unwrap();
        assert!(matches!(other.last(), Err(Error::Damaged { .. })));
        let other = Cursor::new(&path, "bank/log", "other:6514").unwrap();
        assert!(matches!(other.last(), Err(Error::Damaged { .. })));

        // Cut off, longer, or with one character less or another: none is believed to say something else.
        let text = std::fs::read(&path).unwrap();
        let mut bad: Vec<Vec<u8>> = (0..text.len()).map(|end| text[..end].to_vec()).collect();
        bad.push([&text[..], b"\n"].concat());
        bad.push(text.repeat(2));
        bad.push(vec![b'x'; MAX + 1]);
        bad.push(String::from_utf8(text.clone()).unwrap().replace("41", "-1").into_bytes());
        for bad in bad {
            std::fs::write(&path, &bad).unwrap();
            let refused = cursor.last();
            assert!(
                matches!(refused, Err(Error::Damaged { .. } | Error::Io { .. })),
                "{refused:?}"
            );
        }
        assert!(Cursor::new(&path, "two\nlines", "host:6514").is_err());
    }
}
