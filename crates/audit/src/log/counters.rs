//! How many events were offered, refused and dropped, in a file of its own: what a process has written
//! there stays when it is killed, and tells how many events were lost with it.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use crate::Error;

/// How far ahead of what was offered the bound is that is on the disk.
const AHEAD: u64 = 65_536;

/// offered, refused, dropped, bound: each of eight bytes, lowest first; then the ID of the boot.
const LEN: usize = 32 + 36;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) offered: u64,
    pub(super) refused: u64,
    pub(super) dropped: u64,
}

/// What the last process left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Every number, as this system has written it since it started.
    Exact(Counts),
    /// The system has started again since: what was not on the disk then is lost, but not more than
    /// `bound` events were ever offered.
    AtMost { counts: Counts, bound: u64 },
    /// Nothing.
    Nothing,
}

#[derive(Debug)]
pub(super) struct Counters {
    file: File,
    path: PathBuf,
    counts: Counts,
    bound: u64,
    /// Zeros while the numbers are upper bounds: so they stay for who reads them next.
    boot: [u8; 36],
}

impl Counters {
    pub(super) fn open(path: &Path) -> Result<(Self, Found), Error> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(Error::io(path))?;
        let mut bytes = [0; LEN];
        let found = match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => read(&bytes),
            Err(_) => Found::Nothing,
        };
        let counters = Self {
            file,
            path: path.to_owned(),
            counts: Counts::default(),
            bound: 0,
            boot: [0; 36],
        };
        Ok((counters, found))
    }

    /// Takes new numbers, as the log says that they are, and makes them durable.
    pub(super) fn set(&mut self, counts: Counts) -> Result<(), Error> {
        self.write(counts, counts.offered.saturating_add(AHEAD))
    }

    /// The same, for numbers that are exact from now on.
    pub(super) fn settle(&mut self, counts: Counts) -> Result<(), Error> {
        self.boot = boot_id();
        self.set(counts)
    }

    /// Nothing more will be offered: the numbers are exact for whatever comes after.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        self.write(self.counts, self.counts.offered)
    }

    fn write(&mut self, counts: Counts, bound: u64) -> Result<(), Error> {
        let mut bytes = [0; LEN];
        bytes[..24].copy_from_slice(&encode(counts));
        bytes[24..32].copy_from_slice(&bound.to_le_bytes());
        bytes[32..].copy_from_slice(&self.boot);
        let write = self.file.write_all_at(&bytes, 0).and_then(|()| self.file.sync_all());
        write.map_err(Error::io(&self.path))?;
        (self.counts, self.bound) = (counts, bound);
        Ok(())
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Counts an event that is offered, before anything else is done with it.
    pub(super) fn offer(&mut self) -> Result<(), Error> {
        if self.counts.offered >= self.bound {
            self.set(self.counts)?;
        }
        self.update(Counts { offered: self.counts.offered + 1, ..self.counts })
    }

    pub(super) fn refuse(&mut self, n: u64) -> Result<(), Error> {
        self.update(Counts { refused: self.counts.refused + n, ..self.counts })
    }

    pub(super) fn drop_one(&mut self) -> Result<(), Error> {
        self.update(Counts { dropped: self.counts.dropped + 1, ..self.counts })
    }

    fn update(&mut self, counts: Counts) -> Result<(), Error> {
        self.file.write_all_at(&encode(counts), 0).map_err(Error::io(&self.path))?;
        self.counts = counts;
        Ok(())
    }
}

fn encode(counts: Counts) -> [u8; 24] {
    let mut bytes = [0; 24];
    let (words, _) = bytes.as_chunks_mut::<8>();
    words[0] = counts.offered.to_le_bytes();
    words[1] = counts.refused.to_le_bytes();
    words[2] = counts.dropped.to_le_bytes();
    bytes
}

fn read(bytes: &[u8; LEN]) -> Found {
    let (words, boot) = bytes.split_at(32);
    let (words, _) = words.as_chunks::<8>();
    let counts = Counts {
        offered: u64::from_le_bytes(words[0]),
        refused: u64::from_le_bytes(words[1]),
        dropped: u64::from_le_bytes(words[2]),
    };
    let own = boot_id();
    match own != [0; 36] && boot == own {
        true => Found::Exact(counts),
        false => Found::AtMost { counts, bound: u64::from_le_bytes(words[3]) },
    }
}

/// A text that is another one each time the system starts; zeros where nobody knows it.
fn boot_id() -> [u8; 36] {
    let text = fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.first_chunk().copied().unwrap_or([0; 36])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outlive_their_writer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("counters");
        let (mut counters, found) = Counters::open(&path).unwrap();
        assert_eq!(found, Found::Nothing);
        counters.settle(Counts::default()).unwrap();
        for _ in 0..5 {
            counters.offer().unwrap();
        }
        counters.refuse(2).unwrap();
        counters.drop_one().unwrap();
        let counts = Counts { offered: 5, refused: 2, dropped: 1 };
        assert_eq!(counters.counts(), counts);
        let (_, found) = Counters::open(&path).unwrap();
        assert_eq!(found, Found::Exact(counts));
        // As another start of the system sees it.
        let mut bytes = fs::read(&path).unwrap();
        bytes[40] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let (_, found) = Counters::open(&path).unwrap();
        assert_eq!(found, Found::AtMost { counts, bound: AHEAD });
        fs::write(&path, &bytes[..50]).unwrap();
        assert_eq!(Counters::open(&path).unwrap().1, Found::Nothing);
        // Upper bounds stay such until somebody settles them; an end in good order leaves none.
        let (mut counters, _) = Counters::open(&path).unwrap();
        counters.set(counts).unwrap();
        let bound = counts.offered + AHEAD;
        assert_eq!(Counters::open(&path).unwrap().1, Found::AtMost { counts, bound });
        counters.finish().unwrap();
        let bound = counts.offered;
        assert_eq!(Counters::open(&path).unwrap().1, Found::AtMost { counts, bound });
    }

    #[test]
    fn the_bound_stays_ahead() {
        let dir = tempfile::tempdir().unwrap();
        let (mut counters, _) = Counters::open(&dir.path().join("counters")).unwrap();
        counters.set(Counts::default()).unwrap();
        for _ in 0..=AHEAD {
            counters.offer().unwrap();
            assert!(counters.counts().offered <= counters.bound);
        }
        assert_eq!(counters.bound, 2 * AHEAD);
    }
}
