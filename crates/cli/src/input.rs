//! Files that are read, `-` being standard input.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use zeroize::Zeroizing;

use crate::{
    failure::{Context, Failure},
    progress::Progress,
};

/// Standard input can be read once.
static STDIN_TAKEN: AtomicBool = AtomicBool::new(false);

/// Most bytes that one piece has. Together with the output's buffers a command stays in a few MiB.
pub(crate) const CHUNK: usize = 256 * 1024;

/// Room for the whole content of a pipe.
const MAX_PIPED: usize = 16 << 20;

fn too_large(limit: usize) -> String {
    match limit {
        0..0x10_0000 => format!("is larger than {} KiB", limit >> 10),
        _ => format!("is larger than {} MiB", limit >> 20),
    }
}

/// A file or standard input.
pub(crate) struct Input<'p> {
    path: &'p Path,
    reader: Box<dyn Read>,
    len: Option<u64>,
}

impl<'p> Input<'p> {
    pub(crate) fn open(path: &'p Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            if STDIN_TAKEN.swap(true, Ordering::Relaxed) {
                return Err(Failure::input("standard input (-) is named twice"));
            }
            return Ok(Self { path, reader: Box::new(io::stdin().lock()), len: None });
        }
        let file = File::open(path).about(path)?;
        let metadata = file.metadata().about(path)?;
        if metadata.is_dir() {
            return Err(Failure::about(path.display(), Failure::input("is a directory")));
        }
        let len = metadata.is_file().then_some(metadata.len());
        Ok(Self { path, reader: Box::new(file), len })
    }

    /// Hands the content to `each`, piece by piece. The pieces may be changed in place.
    pub(crate) fn for_each(
        mut self,
        mut each: impl FnMut(&mut [u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut progress = Progress::new(self.len);
        let mut buffer = Zeroizing::new(vec![0; CHUNK]);
        loop {
            let n = self.read(&mut buffer)?;
            if n == 0 {
                return Ok(());
            }
            each(&mut buffer[..n])?;
            progress.add(n);
        }
    }

    /// The whole content, if it has at most `limit` bytes.
    pub(crate) fn read_all(self, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let path = self.path;
        // All at once: a buffer that grows leaves copies behind. The length of a pipe is unknown.
        let len = self.len.and_then(|len| usize::try_from(len).ok()).unwrap_or(MAX_PIPED);
        let mut content = Zeroizing::new(Vec::with_capacity(len.min(limit)));
        self.for_each(|piece| {
            if content.len() + piece.len() > limit {
                return Err(Failure::about(path.display(), Failure::input(too_large(limit))));
            }
            content.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(content)
    }

    /// How long the content is, where that is known before it is read.
    pub(crate) fn len(&self) -> Option<u64> {
        self.len
    }

    /// The content for those who read by themselves.
    pub(crate) fn into_read(self) -> impl Read + use<> {
        Watched { reader: self.reader, progress: Progress::new(self.len) }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.about(self.path),
            }
        }
    }
}

/// Shows how far reading is.
struct Watched {
    reader: Box<dyn Read>,
    progress: Progress,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.progress.add(n);
        Ok(n)
    }
}
