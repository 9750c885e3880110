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

use gmkit::keys::{KeyUri, Origin};

use crate::{
    args::PrivateKeyArgs,
    failure::{Context, Failure},
};

/// Most authenticated plaintext that is held back for standard output until its tag is checked.
const MAX_HELD_BACK: usize = 16 << 20;

const NOT_TO_A_TERMINAL: &str = "binary output does not go to a terminal: give -o FILE";

/// Who may read the new file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody, as the umask says.
    Public,
    /// The owner (0600): keys and decrypted content.
    Secret,
    /// Everybody, and may run it.
    Executable,
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
    replace: bool,
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
                return Err(Failure::input(NOT_TO_A_TERMINAL));
            }
            Content::Unverified => Sink::Stdout.held_back(),
            _ => Sink::Stdout,
        };
        Ok(Self { path: PathBuf::from("standard output"), sink, replace: true })
    }

    fn file(path: &Path, content: Content, access: Access) -> Result<Self, Failure> {
        let refused = |reason| Err(Failure::about(path.display(), Failure::input(reason)));
        let sink = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => return refused("is a directory"),
            Ok(metadata) if !metadata.is_file() => device(path, content)?,
            // Renaming would replace the link, following it would write where a link in a shared
            // folder was planted to point: either may not be what is meant.
            _ if path.is_symlink() => {
                return refused("is a symbolic link: name the file it points to");
            }
            _ => Sink::File(temporary(path, access).about(path)?),
        };
        Ok(Self { path: path.to_owned(), sink, replace: true })
    }

    /// Makes [`Output::commit`] fail if there is a file of that name by then.
    pub(crate) fn without_replacing(mut self) -> Self {
        self.replace = false;
        self
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match &mut self.sink {
            Sink::File(file) => file.write_all(bytes).about(&self.path),
            Sink::Special(file) => file.write_all(bytes).about(&self.path),
            Sink::Stdout => io::stdout().lock().write_all(bytes).about(&self.path),
            Sink::HeldBack { held, .. } => hold_back(held, bytes),
        }
    }

    /// The output for those who write by themselves.
    pub(crate) fn as_write(&mut self) -> impl Write {
        Writer(self)
    }

    /// Makes the output visible: all is written, and what had to be checked was good.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        match self.sink {
            Sink::File(file) => {
                file.as_file().sync_all().about(&self.path)?;
                let named = if self.replace {
                    file.persist(&self.path)
                } else {
                    file.persist_noclobber(&self.path)
                };
                named.map(drop).map_err(|error| error.error).about(&self.path)
            }
            Sink::Special(mut file) => file.flush().about(&self.path),
            Sink::Stdout => io::stdout().lock().flush().about(&self.path),
            Sink::HeldBack { held, then } => {
                let terminal = match &*then {
                    Sink::Special(device) => device.is_terminal(),
                    _ => io::stdout().is_terminal(),
                };
                if terminal {
                    check_printable(&held)?;
                }
                let mut released = Self { path: self.path, sink: *then, replace: true };
                released.write(&held)?;
                released.commit()
            }
        }
    }
}

struct Writer<'o>(&'o mut Output);

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let kind = |failure: &Failure| match failure.is_broken_pipe() {
            true => io::ErrorKind::BrokenPipe,
            false => io::ErrorKind::Other,
        };
        self.0
            .write(bytes)
            .map_err(|failure| io::Error::new(kind(&failure), failure.to_string()))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
fn check_printable(held: &[u8]) -> Result<(), Failure> {
    let printable = |text: &str| !text.chars().any(|c| c.is_control() && !"\n\r\t".contains(c));
    if std::str::from_utf8(held).is_ok_and(printable) {
        Ok(())
    } else {
        Err(Failure::input(NOT_TO_A_TERMINAL))
    }
}

/// A device, pipe or socket.
fn device(path: &Path, content: Content) -> Result<Sink, Failure> {
    let device = OpenOptions::new().write(true).open(path).about(path)?;
    match content {
        Content::Binary if device.is_terminal() => Err(Failure::input(NOT_TO_A_TERMINAL)),
        Content::Unverified => Ok(Sink::Special(device).held_back()),
        _ => Ok(Sink::Special(device)),
    }
}

fn temporary(target: &Path, access: Access) -> io::Result<NamedTempFile> {
    let mode = match access {
        Access::Public => 0o666,
        Access::Secret => 0o600,
        Access::Executable => 0o777,
    };
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

/// Prints a line of a report. That nobody reads it does not stop the command: its verdict, which
/// is the exit code, must not depend on who listens.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match print_bytes(text.as_bytes()) {
        Err(failure) if failure.is_broken_pipe() => Ok(()),
        result => result,
    }
}

/// Prints a line of output that is made for others to read.
pub(crate) fn print_bytes(line: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(line)?;
    stdout.write_all(b"\n")?;
    Ok(())
}

/// Tells the user what went wrong, if anybody listens. File names in it come from elsewhere: their
/// control characters must neither forge lines nor command the terminal.
pub(crate) fn complain(what: &impl std::fmt::Display) {
    let text = format!("gmkit: {what}").replace(char::is_control, "?");
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether two paths name one file, which need not exist yet.
pub(crate) fn same_file(a: &Path, b: &Path) -> bool {
    matches!((resolved(a), resolved(b)), (Some(a), Some(b)) if a == b)
}

fn resolved(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok().or_else(|| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = fs::canonicalize(parent.unwrap_or(Path::new("."))).ok()?;
        Some(parent.join(path.file_name()?))
    })
}

/// Refuses an output that would replace a key that is being used.
pub(crate) fn spare_key(output: Option<&Path>, key: &Path) -> Result<(), Failure> {
    match output {
        Some(output) if same_file(output, key) => {
            let reason = Failure::input("is the key that is being used, and would be replaced");
            Err(Failure::about(output.display(), reason))
        }
        _ => Ok(()),
    }
}

/// The same for a private key that is named by a file or URI, and its passphrase file.
pub(crate) fn spare_private_key(
    output: Option<&Path>,
    key: &PrivateKeyArgs,
) -> Result<(), Failure> {
    let uri = KeyUri::parse(&key.key, Origin::Operator)?;
    let file = uri.to_file_path().ok();
    for path in [file, key.passphrase_file.clone()].into_iter().flatten() {
        spare_key(output, &path)?;
    }
    Ok(())
}

/// Colours go to terminals only, and not where `NO_COLOR` is set.
pub(crate) fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
