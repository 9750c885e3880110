//! Errors of commands and their exit codes.

use std::{error::Error, fmt, io, path::Path, process::ExitCode};

use gmkit::{keys, pki, sm2};

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// 1: a check failed.
    Check,
    /// 2: usage or bad input.
    Input,
    /// 3: a device or the network refused.
    Device,
    /// 141, as if by SIGPIPE: nobody reads the output any more, so it is incomplete.
    BrokenPipe,
}

impl Failure {
    /// A signature, tag, checksum or self-test that does not hold.
    pub(crate) fn check(message: impl Into<String>) -> Self {
        Self { kind: Kind::Check, message: message.into() }
    }

    /// Something the caller typed or gave that cannot be used.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self { kind: Kind::Input, message: message.into() }
    }

    /// A device that does not do its work.
    pub(crate) fn device(error: impl fmt::Display) -> Self {
        Self { kind: Kind::Device, message: error.to_string() }
    }

    /// An error with its causes, about `name`.
    pub(crate) fn about(name: impl fmt::Display, error: impl Into<Self>) -> Self {
        let error = error.into();
        Self { message: format!("{name}: {}", error.message), ..error }
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.kind == Kind::BrokenPipe
    }

    pub(crate) fn is_failed_check(&self) -> bool {
        self.kind == Kind::Check
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Check => 1,
            Kind::Input => 2,
            Kind::Device => 3,
            Kind::BrokenPipe => 141,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The message with those of its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let broken = error.kind() == io::ErrorKind::BrokenPipe;
        let kind = if broken { Kind::BrokenPipe } else { Kind::Input };
        Self { kind, message: error.to_string() }
    }
}

impl From<keys::Error> for Failure {
    fn from(error: keys::Error) -> Self {
        let kind = match error {
            keys::Error::Rejected | keys::Error::SelfTest { .. } => Kind::Check,
            keys::Error::Rng | keys::Error::Device(_) => Kind::Device,
            _ => Kind::Input,
        };
        Self { kind, message: chain(&error) }
    }
}

impl From<pki::Error> for Failure {
    fn from(error: pki::Error) -> Self {
        match error {
            pki::Error::Key(error) => error.into(),
            pki::Error::Stream(error) => error.into(),
            pki::Error::NotDecrypted | pki::Error::Rejected | pki::Error::Untrusted(_) => {
                Self::check(chain(&error))
            }
            error => Self::input(chain(&error)),
        }
    }
}

impl From<sm2::Error> for Failure {
    fn from(error: sm2::Error) -> Self {
        let kind = match error {
            sm2::Error::Rejected => Kind::Check,
            sm2::Error::Rng => Kind::Device,
            _ => Kind::Input,
        };
        Self { kind, message: error.to_string() }
    }
}

/// Adds the name of a file to an error.
pub(crate) trait Context<T> {
    fn about(self, path: &Path) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> Context<T> for Result<T, E> {
    fn about(self, path: &Path) -> Result<T, Failure> {
        self.map_err(|error| Failure::about(path.display(), error))
    }
}
