//! Distinguished names.

use std::fmt;

use x509_parser::{
    asn1_rs::{Any, Oid, Tag},
    prelude::FromDer,
    x509::X509Name,
};

use crate::strict::Fault;

/// Types with a short name, which `subject` reads and [`Name`] prints (RFC 4514, and what OpenSSL has).
pub(crate) const TYPES: [(&str, &[u64]); 14] = [
    ("CN", &[2, 5, 4, 3]),
    ("SN", &[2, 5, 4, 4]),
    ("serialNumber", &[2, 5, 4, 5]),
    ("C", &[2, 5, 4, 6]),
    ("L", &[2, 5, 4, 7]),
    ("ST", &[2, 5, 4, 8]),
    ("street", &[2, 5, 4, 9]),
    ("O", &[2, 5, 4, 10]),
    ("OU", &[2, 5, 4, 11]),
    ("title", &[2, 5, 4, 12]),
    ("GN", &[2, 5, 4, 42]),
    ("DC", &[0, 9, 2342, 19200300, 100, 1, 25]),
    ("UID", &[0, 9, 2342, 19200300, 100, 1, 1]),
    ("emailAddress", &[1, 2, 840, 113549, 1, 9, 1]),
];

/// A distinguished name. Two names are equal when their DER is: what differs in case or in the type of
/// a string is another name, for issuers as for webpki.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name {
    der: Vec<u8>,
    text: String,
    common_name: Option<String>,
}

impl Name {
    pub(crate) fn read(name: &X509Name<'_>) -> Result<Self, Fault> {
        let (mut text, mut common_name) = (String::new(), None);
        for rdn in name.iter() {
            for (i, attribute) in rdn.iter().enumerate() {
                let value = value(attribute.attr_value())?;
                let separator = match (text.is_empty(), i) {
                    (true, _) => "",
                    (_, 0) => ", ",
                    _ => " + ",
                };
                let name = short_name(attribute.attr_type());
                if name == "CN" {
                    common_name = Some(value.clone());
                }
                text.push_str(&format!("{separator}{name}={}", escaped(&value)));
            }
        }
        Ok(Self { der: name.as_raw().to_vec(), text, common_name })
    }

    /// Reads a name in DER.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, Fault> {
        match X509Name::from_der(der) {
            Ok(([], name)) => Self::read(&name),
            _ => Err("not a name"),
        }
    }

    /// The name in DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The last common name, if there is one.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// In the order of the certificate, with RFC 4514's escapes: `CN=a.example, O=Example\, Ltd, C=CN`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({})", self.text)
    }
}

fn short_name(oid: &Oid<'_>) -> String {
    let arcs: Option<Vec<u64>> = oid.iter().map(Iterator::collect);
    let known = TYPES.iter().find(|(_, known)| arcs.as_deref() == Some(known));
    known.map_or_else(|| oid.to_id_string(), |(name, _)| (*name).to_owned())
}

/// A string of any of the types of DirectoryString, or a few more. Control characters have no place in
/// a name: NUL fools those who compare C strings, and the others those who look at a terminal.
fn value(value: &Any<'_>) -> Result<String, Fault> {
    let bytes = value.data;
    let text = match value.tag() {
        Tag::Utf8String => {
            std::str::from_utf8(bytes).map_err(|_| "a name that is not UTF-8")?.to_owned()
        }
        Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii());
            text.ok_or("a name that is not ASCII where it should be")?.to_owned()
        }
        Tag::BmpString => utf16(bytes).ok_or("a name that is not UTF-16 where it should be")?,
        // What is called T.61 is Latin-1 in practice.
        Tag::T61String => bytes.iter().map(|&byte| char::from(byte)).collect(),
        Tag::UniversalString => {
            utf32(bytes).ok_or("a name that is not UTF-32 where it should be")?
        }
        _ => return Err("a name that is not a string"),
    };
    if text.contains(char::is_control) {
        return Err("a control character in a name");
    }
    Ok(text)
}

fn utf16(bytes: &[u8]) -> Option<String> {
    let (units, []) = bytes.as_chunks() else { return None };
    char::decode_utf16(units.iter().map(|&unit| u16::from_be_bytes(unit)))
        .collect::<Result<_, _>>()
        .ok()
}

fn utf32(bytes: &[u8]) -> Option<String> {
    let (units, []) = bytes.as_chunks() else { return None };
    units.iter().map(|&unit| char::from_u32(u32::from_be_bytes(unit))).collect()
}

/// Characters that change how others are seen, or are not seen themselves.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// RFC 4514, 2.4.
fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(value.len());
    for (i, c) in value.chars().enumerate() {
        let outer_space = c == ' ' && (i == 0 || i == last);
        if outer_space || (c == '#' && i == 0) || ",+\"\\<>;=".contains(c) {
            out.push('\\');
        }
        match is_unseen(c) {
            true => c
                .encode_utf8(&mut [0; 4])
                .bytes()
                .for_each(|byte| out.push_str(&format!("\\{byte:02x}"))),
            false => out.push(c),
        }
    }
    out
}
