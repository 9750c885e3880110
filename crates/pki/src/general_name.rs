//! Alternative names of a subject, and where to find things.

use std::{fmt, net::IpAddr};

use x509_parser::extensions::GeneralName as Parsed;

use crate::{Name, strict::Fault};

/// A name of RFC 5280, 4.2.1.6.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeneralName {
    /// A host.
    Dns(String),
    /// An address of a host.
    Ip(IpAddr),
    /// A mail address.
    Email(String),
    /// A URI.
    Uri(String),
    /// A distinguished name.
    Directory(Name),
    /// A network, in a name constraint: address and mask as they stand.
    Network(Vec<u8>),
    /// Another kind, which is not used here.
    Other,
}

impl GeneralName {
    pub(crate) fn read(name: &Parsed<'_>) -> Result<Self, Fault> {
        let checked = |text: &str| match text.is_ascii() && !text.contains(char::is_control) {
            true => Ok(text.to_owned()),
            false => Err("an alternative name with a character that has no place there"),
        };
        Ok(match name {
            Parsed::DNSName(text) => Self::Dns(checked(text)?),
            Parsed::RFC822Name(text) => Self::Email(checked(text)?),
            Parsed::URI(text) => Self::Uri(checked(text)?),
            Parsed::IPAddress(bytes) => match bytes.len() {
                4 => Self::Ip(<[u8; 4]>::try_from(*bytes).expect("four bytes").into()),
                16 => Self::Ip(<[u8; 16]>::try_from(*bytes).expect("sixteen bytes").into()),
                _ => return Err("an address that is neither IPv4 nor IPv6"),
            },
            Parsed::DirectoryName(name) => Self::Directory(Name::read(name)?),
            Parsed::Invalid(..) => return Err("an alternative name that is not readable"),
            _ => Self::Other,
        })
    }

    /// In a name constraint an address comes with a mask.
    pub(crate) fn read_subtree(name: &Parsed<'_>) -> Result<Self, Fault> {
        match name {
            Parsed::IPAddress(bytes) if matches!(bytes.len(), 8 | 32) => {
                Ok(Self::Network(bytes.to_vec()))
            }
            Parsed::IPAddress(_) => Err("a network that is neither IPv4 nor IPv6"),
            name => Self::read(name),
        }
    }
}

impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(text) => write!(f, "DNS:{}", escaped(text)),
            Self::Ip(address) => write!(f, "IP:{address}"),
            Self::Email(text) => write!(f, "email:{}", escaped(text)),
            Self::Uri(text) => write!(f, "URI:{}", escaped(text)),
            Self::Directory(name) => write!(f, "DirName:{name}"),
            Self::Network(bytes) => write!(f, "IP:{}", network(bytes)),
            Self::Other => f.write_str("another kind of name"),
        }
    }
}

/// So that one name is not read as two.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(',', "\\,")
}

fn network(bytes: &[u8]) -> String {
    let (address, mask) = bytes.split_at(bytes.len() / 2);
    let text = |bytes: &[u8]| match <[u8; 4]>::try_from(bytes) {
        Ok(four) => IpAddr::from(four).to_string(),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(bytes).unwrap_or_default()).to_string(),
    };
    format!("{}/{}", text(address), text(mask))
}
