//! PKCS#11 URIs (RFC 7512).

use std::{fmt, path::PathBuf};

use gmkit_keys::{FileOpener, KeyUri, Origin, Passphrase, PassphraseSource};
use percent_encoding::percent_decode_str;

use crate::{Checks, Error};

/// What kind of object a URI names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObjectType {
    /// `public`
    Public,
    /// `private`
    Private,
    /// `cert`
    Certificate,
    /// `secret-key`
    SecretKey,
    /// `data`
    Data,
}

/// Where the PIN is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinSource {
    /// In a file, whose first line it is.
    File(PathBuf),
}

/// A URI of RFC 7512, taken apart: what is absent matches anything.
///
/// ```
/// use gmkit_hsm::Uri;
/// use gmkit_keys::{KeyUri, Origin};
///
/// let uri = KeyUri::parse("pkcs11:token=prod;object=my%20ca;id=%01%02", Origin::Operator)?;
/// let uri = Uri::parse(&uri)?;
/// assert_eq!(uri.token.as_deref(), Some("prod"));
/// assert_eq!(uri.object.as_deref(), Some("my ca"));
/// assert_eq!(uri.id.as_deref(), Some(&[1, 2][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uri {
    /// Label of the token.
    pub token: Option<String>,
    /// Its manufacturer.
    pub manufacturer: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Number of the slot.
    pub slot_id: Option<u64>,
    /// Manufacturer of the library.
    pub library_manufacturer: Option<String>,
    /// Description of the library.
    pub library_description: Option<String>,
    /// Label of the object.
    pub object: Option<String>,
    /// CKA_ID of the object.
    pub id: Option<Vec<u8>>,
    /// What kind of object it is.
    pub kind: Option<ObjectType>,
    /// Where the PIN is.
    pub pin_source: Option<PinSource>,
    /// The module's library.
    pub module_path: Option<PathBuf>,
    /// Name of the profile (gmkit's own attribute, `x-profile`).
    pub profile: Option<String>,
    /// All tokens that match hold the same key, and stand in for each other (gmkit's own attribute,
    /// `x-failover=yes`).
    pub failover: Option<bool>,
    /// Which signatures are verified (gmkit's own attribute, `x-checks=always|opening|signing`).
    pub checks: Option<Checks>,
}

impl Uri {
    /// Takes a `pkcs11:` URI apart.
    ///
    /// # Errors
    /// [`Error::Uri`]: another scheme, an attribute that is unknown or stands twice, a broken
    /// percent-encoding; `pin-value` and a command as `pin-source`, which are never done;
    /// `module-path`, `pin-source` and `x-checks` in a URI that is not the operator's.
    pub fn parse(uri: &KeyUri) -> Result<Self, Error> {
        if uri.scheme() != "pkcs11" {
            return fault("its scheme is not pkcs11");
        }
        let (path, query) = match uri.rest().split_once('?') {
            None => (uri.rest(), None),
            Some((path, query)) => (path, Some(query)),
        };
        let mut parsed = Self::default();
        for part in path.split(';').filter(|part| !part.is_empty()) {
            parsed.path_attribute(part, uri.origin())?;
        }
        for part in query.iter().flat_map(|query| query.split('&')).filter(|part| !part.is_empty())
        {
            parsed.query_attribute(part, uri.origin())?;
        }
        Ok(parsed)
    }

    /// The PIN: from the file that the URI names, or asked of `source`.
    pub(crate) fn pin(
        &self,
        label: &str,
        source: &dyn PassphraseSource,
    ) -> Result<Passphrase, Error> {
        match &self.pin_source {
            Some(PinSource::File(path)) => {
                Ok(Passphrase::from_file_bytes(&FileOpener::read(path)?))
            }
            None => Ok(source.passphrase(&format!("token {}", label.escape_debug()))?),
        }
    }

    fn path_attribute(&mut self, part: &str, origin: Origin) -> Result<(), Error> {
        let (name, value) = split(part)?;
        match name {
            "token" => set(&mut self.token, text(value)?),
            "manufacturer" => set(&mut self.manufacturer, text(value)?),
            "serial" => set(&mut self.serial, text(value)?),
            "model" => set(&mut self.model, text(value)?),
            "library-manufacturer" => set(&mut self.library_manufacturer, text(value)?),
            "library-description" => set(&mut self.library_description, text(value)?),
            "object" => set(&mut self.object, text(value)?),
            "id" => set(&mut self.id, bytes(value)?),
            "x-profile" => set(&mut self.profile, text(value)?),
            "x-failover" => match value {
                "yes" => set(&mut self.failover, true),
                "no" => set(&mut self.failover, false),
                _ => fault("x-failover is yes or no"),
            },
            "x-checks" => {
                operators(origin)?;
                let fault = Error::Uri { reason: "x-checks is always, opening or signing" };
                set(&mut self.checks, Checks::named(value).ok_or(fault)?)
            }
            "slot-id" => {
                let number = value.parse().or(fault("slot-id is not a number"))?;
                set(&mut self.slot_id, number)
            }
            "type" => set(&mut self.kind, kind(value)?),
            // An attribute that is not understood must match nothing (RFC 7512, 2.3 and 2.5).
            _ => fault("has an attribute that is not known here"),
        }
    }

    fn query_attribute(&mut self, part: &str, origin: Origin) -> Result<(), Error> {
        let (name, value) = split(part)?;
        match name {
            "pin-value" => fault(
                "a PIN does not belong into a URI: use pin-source=file:... or a passphrase file",
            ),
            "pin-source" => {
                operators(origin)?;
                let value = text(value)?;
                if value.starts_with('|') {
                    return fault("a pin-source that is a command is never run");
                }
                let source =
                    KeyUri::parse(&value, origin).ok().filter(|uri| uri.scheme() == "file");
                let path = source.and_then(|uri| uri.to_file_path().ok());
                let path = path.ok_or(Error::Uri { reason: "pin-source is not a file" })?;
                set(&mut self.pin_source, PinSource::File(path))
            }
            "module-path" => {
                operators(origin)?;
                set(&mut self.module_path, PathBuf::from(text(value)?))
            }
            "module-name" => fault("module-name is not looked up here: give module-path"),
            _ => fault("has an attribute that is not known here"),
        }
    }
}

/// Prints nothing: the rest of a URI leads to a PIN.
impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Uri(pkcs11:..)")
    }
}

fn fault<T>(reason: &'static str) -> Result<T, Error> {
    Err(Error::Uri { reason })
}

/// What loads code or reads files is for the operator's URIs alone.
fn operators(origin: Origin) -> Result<(), Error> {
    match origin {
        Origin::Operator => Ok(()),
        Origin::Untrusted => fault("this source must not name modules or files"),
    }
}

fn split(part: &str) -> Result<(&str, &str), Error> {
    part.split_once('=').ok_or(Error::Uri { reason: "an attribute has no value" })
}

fn set<T>(place: &mut Option<T>, value: T) -> Result<(), Error> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => fault("an attribute stands twice"),
    }
}

fn kind(value: &str) -> Result<ObjectType, Error> {
    match value {
        "public" => Ok(ObjectType::Public),
        "private" => Ok(ObjectType::Private),
        "cert" => Ok(ObjectType::Certificate),
        "secret-key" => Ok(ObjectType::SecretKey),
        "data" => Ok(ObjectType::Data),
        _ => fault("its type is not known"),
    }
}

/// Decodes, and refuses a `%` that begins nothing, which the crate would let pass.
fn bytes(value: &str) -> Result<Vec<u8>, Error> {
    let escapes = value.split('%').skip(1);
    let whole = |rest: &str| {
        rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !escapes.into_iter().all(whole) {
        return fault("broken percent-encoding");
    }
    Ok(percent_decode_str(value).collect())
}

fn text(value: &str) -> Result<String, Error> {
    let text = String::from_utf8(bytes(value)?).ok().filter(|text| !text.contains('\0'));
    text.ok_or(Error::Uri { reason: "not UTF-8" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, origin: Origin) -> Result<Uri, Error> {
        Uri::parse(&KeyUri::parse(text, origin).unwrap())
    }

    #[test]
    fn attributes() {
        let uri = parse(
            "pkcs11:token=a%20b;object=k;id=%00%ff;type=private;slot-id=17;serial=1;model=m;x-checks=opening;\
             manufacturer=x;x-profile=sansec?module-path=/opt/a%3bb.so&pin-source=file:/etc/pin",
            Origin::Operator,
        )
        .unwrap();
        assert_eq!(uri.token.as_deref(), Some("a b"));
        assert_eq!(uri.id, Some(vec![0, 255]));
        assert_eq!(uri.kind, Some(ObjectType::Private));
        assert_eq!(uri.slot_id, Some(17));
        assert_eq!(uri.profile.as_deref(), Some("sansec"));
        assert_eq!(uri.checks, Some(Checks::AtOpening));
        assert_eq!(uri.module_path, Some("/opt/a;b.so".into()));
        assert_eq!(uri.pin_source, Some(PinSource::File("/etc/pin".into())));
        assert!(!format!("{uri:?}").contains("etc"));
        assert_eq!(parse("pkcs11:", Origin::Operator).unwrap(), Uri::default());
    }

    #[test]
    fn refused_whoever_says_so() {
        for text in [
            "pkcs11:token",
            "pkcs11:token=a;token=b",
            "pkcs11:nonsense=1",
            "pkcs11:object=%zz",
            "pkcs11:object=%4",
            "pkcs11:object=%",
            "pkcs11:object=a%00b",
            "pkcs11:object=%ff",
            "pkcs11:type=secret",
            "pkcs11:slot-id=-1",
            "pkcs11:x-failover=maybe",
            "pkcs11:?pin-value=1234",
            "pkcs11:?pin-source=|cat%20/etc/pin",
            "pkcs11:?pin-source=%7Ccat",
            "pkcs11:?pin-source=http://pin",
            "pkcs11:?module-name=softhsm2",
            "pkcs11:?x=1",
            "file:a",
        ] {
            assert!(matches!(parse(text, Origin::Operator), Err(Error::Uri { .. })), "{text}");
        }
    }

    #[test]
    fn an_untrusted_uri_loads_no_module_and_reads_no_file() {
        for text in [
            "pkcs11:?module-path=/tmp/evil.so",
            "pkcs11:?pin-source=file:/etc/shadow",
            "pkcs11:x-checks=opening",
        ] {
            assert!(parse(text, Origin::Operator).is_ok());
            assert!(matches!(parse(text, Origin::Untrusted), Err(Error::Uri { .. })), "{text}");
        }
    }
}
