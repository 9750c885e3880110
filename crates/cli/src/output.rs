//! Files that are written: beside their final place, then renamed, so that a reader never sees
//! half of one and a failure leaves nothing behind.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, IsTerminal, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::failure::{Context, Failure};

/// Most authenticated plaintext that is held back for standard output until its tag is checked.
const MAX_HELD_BACK: usize = 16 << 20;

/// Who may read the new file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody, as the umask says.
    Public,
    /// The owner (0600): keys and decrypted content.
    Secret,
}

/// What the bytes are, which decides whether they may go to a terminal, and when to a pipe.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// For people.
    Text,
    /// Not for terminals.
    Binary,
    /// Plaintext that must not be seen before its authenticity is known.
    Unverified,
}

/// An output that becomes visible with [`Output::commit`] only.
pub(crate) struct Output {
    path: PathBuf,
    sink: Sink,
}

enum Sink {
    File(NamedTempFile),
    /// A device, pipe or socket: cannot be replaced, is written to directly.
    Special(fs::File),
    Stdout,
    /// What comes in is kept in memory until it may be seen.
    HeldBack {
        held: Zeroizing<Vec<u8>>,
        then: Box<Sink>,
    },
}

impl Sink {
    fn held_back(self) -> Self {
        Self::HeldBack { held: Zeroizing::default(), then: Box::new(self) }
    }
}

impl Output {
    /// `path` is what was given with `-o`; without it, or with `-`, standard output.
    pub(crate) fn create(
        path: Option<&Path>,
        content: Content,
        access: Access,
    ) -> Result<Self, Failure> {
        match path {
            None => Self::stdout(content),
            Some(path) if path.as_os_str() == "-" => Self::stdout(content),
            Some(path) => Self::file(path, content, access),
        }
    }

    fn stdout(content: Content) -> Result<Self, Failure> {
        let sink = match content {
            Content::Binary if io::stdout().is_terminal() => {
                return Err(Failure::input(
                    "binary output does not go to a terminal: give -o FILE",
                ));
            }
            Content::Unverified => Sink::Stdout.held_back(),
            _ => Sink::Stdout,
        };
        Ok(Self { path: PathBuf::from("standard output"), sink })
    }

    fn file(path: &Path, content: Content, access: Access) -> Result<Self, Failure> {
        // Through a symbolic link, what it points to is replaced, not the link.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let sink = match fs::metadata(&target) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(Failure::about(path.display(), Failure::input("is a directory")));
            }
            Ok(metadata) if !metadata.is_file() => {
                let device = OpenOptions::new().write(true).open(&target).about(path)?;
                match content {
                    Content::Unverified => Sink::Special(device).held_back(),
                    _ => Sink::Special(device),
                }
            }
            _ => Sink::File(temporary(&target, access).about(path)?),
        };
        Ok(Self { path: target, sink })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match &mut self.sink {
            Sink::File(file) => file.write_all(bytes).about(&self.path),
            Sink::Special(file) => file.write_all(bytes).about(&self.path),
            Sink::Stdout => io::stdout().lock().write_all(bytes).about(&self.path),
            Sink::HeldBack { held, .. } => hold_back(held, bytes),
        }
    }

    /// Makes the output visible: all is written, and what had to be checked was good.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        match self.sink {
            Sink::File(file) => {
                file.as_file().sync_all().about(&self.path)?;
                file.persist(&self.path).map_err(|error| error.error).about(&self.path)?;
                Ok(())
            }
            Sink::Special(mut file) => file.flush().about(&self.path),
            Sink::Stdout => io::stdout().lock().flush().about(&self.path),
            Sink::HeldBack { held, then } => {
                if matches!(*then, Sink::Stdout) {
                    check_terminal(&held)?;
                }
                let mut released = Self { path: self.path, sink: *then };
                released.write(&held)?;
                released.commit()
            }
        }
    }
}

fn hold_back(held: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) -> Result<(), Failure> {
    if held.len() + bytes.len() > MAX_HELD_BACK {
        return Err(Failure::input(
            "more than 16 MiB would have to be held back until the tag is checked: give -o FILE",
        ));
    }
    if held.capacity() == 0 {
        // All at once: a buffer that grows leaves copies of the plaintext behind.
        held.reserve_exact(MAX_HELD_BACK);
    }
    held.extend_from_slice(bytes);
    Ok(())
}

/// A terminal gets text only: escape sequences in a plaintext could do things to it.
fn check_terminal(held: &[u8]) -> Result<(), Failure> {
    let printable = |text: &str| !text.chars().any(|c| c.is_control() && !"\n\r\t".contains(c));
    if io::stdout().is_terminal() && !std::str::from_utf8(held).is_ok_and(printable) {
        return Err(Failure::input("binary output does not go to a terminal: give -o FILE"));
    }
    Ok(())
}

fn temporary(target: &Path, access: Access) -> io::Result<NamedTempFile> {
    let mode = if access == Access::Secret { 0o600 } else { 0o666 };
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    tempfile::Builder::new()
        .prefix(".gmkit-")
        .suffix(".part")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(directory)
}

/// Prints a line of a report.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.write_all(b"\n")?;
    Ok(())
}

/// Colours go to terminals only, and not where `NO_COLOR` is set.
pub(crate) fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
