//! Where the files of a log are.

use std::path::{Path, PathBuf};

/// The folder of a log.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    dir: PathBuf,
}

impl Layout {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Who holds its lock writes.
    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// The latest checkpoint.
    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.dir.join("checkpoint")
    }

    /// How many events were offered.
    pub(crate) fn counters(&self) -> PathBuf {
        self.dir.join("counters")
    }

    /// Disk space for a gap record when there is no other.
    pub(crate) fn reserve(&self) -> PathBuf {
        self.dir.join("reserve")
    }

    pub(crate) fn segments(&self) -> PathBuf {
        self.dir.join("segments")
    }

    /// The records from `first` on.
    pub(crate) fn segment(&self, first: u64) -> PathBuf {
        self.segments().join(format!("{first:020}.jsonl"))
    }

    /// A full tile (C2SP tlog-tiles).
    pub(crate) fn tile(&self, level: usize, index: u64) -> PathBuf {
        self.dir.join("tile").join(level.to_string()).join(index_path(index))
    }

    /// Where the partial forms of a tile are.
    pub(crate) fn partial_tiles(&self, level: usize, index: u64) -> PathBuf {
        let mut path = self.tile(level, index).into_os_string();
        path.push(".p");
        path.into()
    }

    /// A tile that has so many hashes yet.
    pub(crate) fn partial_tile(&self, level: usize, index: u64, width: usize) -> PathBuf {
        self.partial_tiles(level, index).join(width.to_string())
    }
}

/// The first index of a segment with this file name.
pub(crate) fn segment_first(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".jsonl").filter(|digits| digits.len() == 20)?;
    let first = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok());
    // No log gets as long; and what is added to one of these stays a number.
    first.flatten().filter(|first| *first < 1 << 62)
}

/// 1234067 is x001/x234/067.
fn index_path(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let cases = [(0, "000"), (999, "999"), (1000, "x001/000"), (1_234_067, "x001/x234/067")];
        for (index, path) in cases {
            assert_eq!(index_path(index), path);
        }
        let layout = Layout::new(Path::new("log"));
        let name = layout.segment(256).file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(segment_first(&name), Some(256));
        for name in ["256.jsonl", "00000000000000000256", "0000000000000000025x.jsonl", ".jsonl"] {
            assert_eq!(segment_first(name), None);
        }
        assert_eq!(segment_first("99999999999999999999.jsonl"), None);
        assert_eq!(segment_first("18446744073709551615.jsonl"), None);
    }
}
