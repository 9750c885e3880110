//! Key URIs: one string that names a key, wherever it lives.

use std::{fmt, path::PathBuf};

use crate::Error;

/// Where a URI came from, which decides what it may do. A URI can name files, and some schemes can
/// load code (`module-path` of RFC 7512).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Typed on the command line, or read from a configuration that only the operator can write.
    Operator,
    /// Anything else: a policy, a network message, a certificate.
    Untrusted,
}

/// The name of a key: `file:ca.key.pem`, a plain path, or another scheme that a registered
/// [`crate::KeyOpener`] understands.
///
/// ```
/// use gmkit_keys::{KeyUri, Origin};
///
/// let uri = KeyUri::parse("file:keys/ca.pem", Origin::Operator)?;
/// assert_eq!(uri.scheme(), "file");
/// let path = KeyUri::parse("keys/ca.pem", Origin::Operator)?;
/// assert_eq!(path.to_file_path()?, uri.to_file_path()?);
/// # Ok::<(), gmkit_keys::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct KeyUri {
    scheme: String,
    rest: String,
    /// Written as a plain path, without percent-encoding.
    plain: bool,
    origin: Origin,
}

impl KeyUri {
    /// Takes a URI, or a path. A path that looks like a URI is written with `./` in front.
    ///
    /// # Errors
    /// [`Error::Uri`] for an empty name or one with a NUL byte.
    pub fn parse(text: &str, origin: Origin) -> Result<Self, Error> {
        if text.is_empty() || text.contains('\0') {
            return Err(Error::Uri { reason: "empty, or contains a NUL byte" });
        }
        let (scheme, rest, plain) = match text.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest, false),
            _ => ("file".to_owned(), text, true),
        };
        Ok(Self { scheme, rest: rest.to_owned(), plain, origin })
    }

    /// The scheme in lower case; `file` for a plain path.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// What follows the scheme's colon.
    #[must_use]
    pub fn rest(&self) -> &str {
        &self.rest
    }

    /// Where the URI came from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The path of a `file:` URI: `file:relative`, `file:/absolute` or `file:///absolute` (RFC
    /// 8089), percent-decoded.
    ///
    /// # Errors
    /// [`Error::Uri`] for another scheme, a host, a query or a broken percent-encoding.
    pub fn to_file_path(&self) -> Result<PathBuf, Error> {
        if self.scheme != "file" {
            return Err(Error::Uri { reason: "not a file" });
        }
        if self.plain {
            return Ok(PathBuf::from(&self.rest));
        }
        if self.rest.contains(['?', '#']) {
            return Err(Error::Uri { reason: "file: takes no query or fragment" });
        }
        let path = match self.rest.strip_prefix("//") {
            Some(rest) if rest.starts_with('/') => rest,
            Some(_) => {
                return Err(Error::Uri { reason: "file: takes no host" });
            }
            None => &self.rest,
        };
        percent_decode(path).map(PathBuf::from)
    }
}

/// Prints no more than the scheme: the rest of some URIs holds the way to a PIN.
impl fmt::Debug for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyUri({}:..)", self.scheme)
    }
}

/// RFC 3986, 3.1; one letter alone is a drive.
fn is_scheme(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn percent_decode(text: &str) -> Result<String, Error> {
    let broken = Error::Uri { reason: "broken percent-encoding" };
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits = [bytes.next(), bytes.next()].map(|b| b.and_then(|b| (b as char).to_digit(16)));
        match digits {
            [Some(high), Some(low)] if (high, low) != (0, 0) => out.push((high * 16 + low) as u8),
            _ => return Err(broken),
        }
    }
    String::from_utf8(out).map_err(|_| broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Result<PathBuf, Error> {
        KeyUri::parse(text, Origin::Operator)?.to_file_path()
    }

    #[test]
    fn files() {
        for (text, want) in [
            ("a.pem", "a.pem"),
            ("/k/a.pem", "/k/a.pem"),
            ("./pkcs11:x", "./pkcs11:x"),
            ("100%.pem", "100%.pem"),
            ("file:a.pem", "a.pem"),
            ("FILE:/k/a.pem", "/k/a.pem"),
            ("file:///k/a%20b.pem", "/k/a b.pem"),
        ] {
            assert_eq!(path(text).unwrap(), PathBuf::from(want), "{text}");
        }
    }

    #[test]
    fn broken_uris() {
        for text in [
            "",
            "a\0b",
            "file://host/a",
            "file:a?x",
            "file:a%2",
            "file:a%00",
            "file:%ff",
            "pkcs11:a",
        ] {
            assert!(matches!(path(text), Err(Error::Uri { .. })), "{text}");
        }
    }
}
