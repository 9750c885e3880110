//! Subjects and alternative names as people type them.

use rcgen::{
    CidrSubnet, DistinguishedName, DnType, DnValue, GeneralSubtree, SanType,
    string::{Ia5String, PrintableString},
};
use rustls_pki_types::DnsName;

use crate::{Error, GeneralName, name::TYPES};

/// Reads a subject: `CN=Test CA,O=Example,C=CN`. The order stays; a comma in a value is written `\,`; a
/// type is a short name, as [`crate::Name`] prints them, or an OID. Countries become PrintableString, as
/// the standard wants it and GmSSL insists on; mail addresses and domains IA5String; all else UTF8String.
///
/// ```
/// let name = gmkit_pki::subject(r"CN=收单行,O=Example\, Ltd,C=CN")?;
/// assert_eq!(name.iter().count(), 3);
/// # Ok::<(), gmkit_pki::Error>(())
/// ```
///
/// # Errors
/// [`Error::Text`].
pub fn subject(text: &str) -> Result<DistinguishedName, Error> {
    let mut name = DistinguishedName::new();
    for part in split(text) {
        let (kind, value) = typed(part, '=', "not of the form TYPE=value")?;
        let reason = "not a type that is known: CN, O, OU, C, ST, L, ...";
        let oid = oid_of(kind).ok_or_else(|| fault(part, reason))?;
        let kind = DnType::from_oid(&oid);
        if name.get(&kind).is_some() {
            return Err(fault(part, "a type may be there once"));
        }
        name.push(kind, dn_value(&oid, &value).map_err(|reason| fault(part, reason))?);
    }
    Ok(name)
}

/// Reads alternative names: `DNS:a.example,IP:127.0.0.1,email:a@b.example,URI:https://a.example/`.
///
/// # Errors
/// [`Error::Text`].
pub fn san(text: &str) -> Result<Vec<SanType>, Error> {
    let name = |part| {
        let (kind, value) = typed(part, ':', "not of the form KIND:value")?;
        let name = match kind.to_ascii_lowercase().as_str() {
            "dns" => GeneralName::Dns(value),
            "ip" => GeneralName::Ip(value.parse().map_err(|_| fault(part, "not an IP address"))?),
            "email" => GeneralName::Email(value),
            "uri" => GeneralName::Uri(value),
            _ => return Err(fault(part, "not a kind that is known: DNS, IP, email, URI")),
        };
        san_of(&name).map_err(|reason| fault(part, reason))
    };
    split(text).into_iter().map(name).collect()
}

/// Reads name constraints: `DNS:example.com,IP:10.0.0.0/8`. A domain stands for itself
/// and all below it. Those for mail addresses are left out: webpki refuses every address below one.
///
/// # Errors
/// [`Error::Text`].
pub fn subtrees(text: &str) -> Result<Vec<GeneralSubtree>, Error> {
    let subtree = |part| {
        let (kind, value) = typed(part, ':', "not of the form KIND:value")?;
        match kind.to_ascii_lowercase().as_str() {
            "dns" => match DnsName::try_from(value.as_str()) {
                Ok(_) => Ok(GeneralSubtree::DnsName(value)),
                Err(_) => Err(fault(part, "not a domain")),
            },
            "ip" => match network(&value) {
                Some(network) => Ok(GeneralSubtree::IpAddress(network)),
                None => Err(fault(part, "not a network")),
            },
            _ => Err(fault(part, "not a kind that is known: DNS, IP")),
        }
    };
    split(text).into_iter().map(subtree).collect()
}

fn fault(part: &str, reason: &'static str) -> Error {
    Error::Text { part: part.to_owned(), reason }
}

/// What a part is of, and its value without escapes.
fn typed<'t>(
    part: &'t str,
    separator: char,
    form: &'static str,
) -> Result<(&'t str, String), Error> {
    let (kind, value) = part.split_once(separator).ok_or_else(|| fault(part, form))?;
    let value = unescaped(value).map_err(|reason| fault(part, reason))?;
    if value.is_empty() || value.contains(char::is_control) {
        return Err(fault(part, "a value is not empty and has no control characters"));
    }
    Ok((kind.trim(), value))
}

/// An address and a length in bits that it can have.
fn network(text: &str) -> Option<CidrSubnet> {
    let (address, prefix) = text.split_once('/')?;
    let address: std::net::IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.parse().ok().filter(|prefix| *prefix <= most)?;
    Some(CidrSubnet::from_addr_prefix(address, prefix))
}

/// A name that may go into a certificate.
pub(crate) fn san_of(name: &GeneralName) -> Result<SanType, &'static str> {
    let ascii =
        |text: &str| Ia5String::try_from(text).map_err(|_| "not ASCII: write names in Punycode");
    Ok(match name {
        GeneralName::Dns(host) => {
            let plain = host.strip_prefix("*.").unwrap_or(host);
            DnsName::try_from(plain).map_err(|_| "not a host name")?;
            SanType::DnsName(ascii(host)?)
        }
        GeneralName::Ip(address) => SanType::IpAddress(*address),
        GeneralName::Email(address) if address.contains('@') => {
            SanType::Rfc822Name(ascii(address)?)
        }
        GeneralName::Email(_) => return Err("not a mail address"),
        GeneralName::Uri(uri) if uri.contains(':') => SanType::URI(ascii(uri)?),
        GeneralName::Uri(_) => return Err("not a URI"),
        _ => return Err("not a kind of name that is issued here"),
    })
}

/// Splits at commas that have no backslash in front. The escapes stay.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut escaped) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        if c == ',' && !escaped {
            parts.push(&text[begin..at]);
            begin = at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(&text[begin..]);
    parts
}

/// A value without the spaces around it and without its escapes (RFC 4514, 2.4): a backslash stands before a
/// character that is meant, or before a byte in hexadecimal. Of all that is blank only U+0020 goes: others
/// are printed as they are, so they are meant.
fn unescaped(raw: &str) -> Result<String, &'static str> {
    let raw = raw.trim_start_matches(' ');
    let mut trimmed = raw.trim_end_matches(' ');
    let backslashes = trimmed.bytes().rev().take_while(|&byte| byte == b'\\').count();
    if backslashes % 2 == 1 {
        // The space behind it is meant.
        trimmed = &raw[..raw.len().min(trimmed.len() + 1)];
    }
    let (mut out, mut bytes) = (Vec::new(), trimmed.bytes().peekable());
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let first = bytes.next().ok_or("it ends with a backslash")?;
        match (digit(first), bytes.peek().copied().and_then(digit)) {
            (Some(high), Some(low)) => {
                bytes.next();
                out.push((high * 16 + low) as u8);
            }
            _ => out.push(first),
        }
    }
    String::from_utf8(out).map_err(|_| "its escapes are not UTF-8")
}

fn oid_of(kind: &str) -> Option<Vec<u64>> {
    let known = TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind));
    if let Some((_, oid)) = known {
        return Some(oid.to_vec());
    }
    let oid: Vec<u64> = kind.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    // X.660: the first arc is 0 to 2, and the second below 40 under the first two.
    match *oid {
        [0 | 1, 0..40, _, ..] | [2, _, _, ..] => Some(oid),
        _ => None,
    }
}

fn dn_value(oid: &[u64], value: &str) -> Result<DnValue, &'static str> {
    let printable = || PrintableString::try_from(value).map(DnValue::PrintableString);
    match oid {
        [2, 5, 4, 6] if value.len() == 2 => printable().map_err(|_| "a country is two letters"),
        [2, 5, 4, 6] => Err("a country is two letters"),
        [2, 5, 4, 5] => {
            printable().map_err(|_| "a serialNumber has letters, digits and '()+,-./:=? only")
        }
        [0, 9, 2342, 19200300, 100, 1, 25] | [1, 2, 840, 113549, 1, 9, 1] => {
            Ia5String::try_from(value).map(DnValue::Ia5String).map_err(|_| "not ASCII")
        }
        _ => Ok(DnValue::Utf8String(value.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_refused() {
        for text in [
            "",
            "CN",
            "CN=",
            "XX=a",
            "C=CHN",
            "C=中国",
            "CN=a,CN=b",
            "CN=a\0b",
            "3.1.2=a",
            "1.99.1=a",
        ] {
            assert!(matches!(subject(text), Err(Error::Text { .. })), "{text}");
        }
        for text in [
            "",
            "a.example",
            "DNS:",
            "DNS:a b",
            "DNS:*.*.a",
            "IP:1.2.3",
            "email:a",
            "URI:a",
            "X:1",
            "DNS:中",
        ] {
            assert!(matches!(san(text), Err(Error::Text { .. })), "{text}");
        }
    }

    proptest::proptest! {
        /// What is printed is what can be typed.
        #[test]
        fn printed_names_are_read_back(cn in "\\PC{1,20}", o in "[ ,+\"\\\\<>;=#a\u{200b}中]{1,9}") {
            let mut name = DistinguishedName::new();
            name.push(DnType::CommonName, cn);
            name.push(DnType::OrganizationName, o);
            let key = std::sync::Arc::new(gmkit_keys::SoftwareKey::generate().unwrap());
            let params = crate::Profile::Ca.params(name.clone(), 1).unwrap();
            if let Ok(root) = crate::Issuer::self_signed(params, key) {
                let printed = root.certificate().subject().to_string();
                proptest::prop_assert_eq!(subject(&printed).unwrap(), name, "{}", printed);
            }
        }
    }

    #[test]
    fn escapes() {
        for (text, value) in [
            (r"CN=\20a\ ", " a "),
            (r" CN = a\,b ", "a,b"),
            (r"CN=a\\", r"a\"),
            (r"CN=\e4\b8\ad", "中"),
            (r"CN=a\\ ", r"a\"),
            ("CN=\u{a0}", "\u{a0}"),
            ("CN= \u{3000}a\u{3000} ", "\u{3000}a\u{3000}"),
        ] {
            assert_eq!(
                subject(text).unwrap().get(&DnType::CommonName),
                Some(&DnValue::from(value)),
                "{text}"
            );
        }
        for text in ["CN=a\\", r"CN=\ff", r"CN=\00a", "CN=   "] {
            assert!(subject(text).is_err(), "{text}");
        }
    }

    #[test]
    fn networks() {
        assert!(subtrees("DNS:example.com,IP:10.0.0.0/8,IP:fd00::/8").is_ok());
        for text in ["IP:10.0.0.0", "IP:10.0.0.0/33", "IP:::/129", "DNS:a b", "URI:x", "email:a"] {
            assert!(matches!(subtrees(text), Err(Error::Text { .. })), "{text}");
        }
    }

    #[test]
    fn commas_in_values() {
        let name = subject(r"O=a\, b\\, 1.2.156.1=x").unwrap();
        let values: Vec<_> = name.iter().map(|(_, value)| value.clone()).collect();
        assert_eq!(values, [DnValue::from(r"a, b\"), DnValue::from("x")]);
    }
}
