//! What is in the file: bags in contents, some of them encrypted (RFC 7292, 4).

use der::{Encode, asn1::ObjectIdentifier};
use gmkit_keys::{KeyFormat, Passphrase, SoftwareKey, content};

use crate::{
    Certificate, Error, Form, parts,
    strict::{self, Fault},
};

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.1");
const SHROUDED_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const CERT_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const SAFE_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.6");
const X509: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");
const FRIENDLY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.20");
const LOCAL_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.21");

const SET: u8 = 0x31;
const BMP_STRING: u8 = 0x1e;

/// Encrypted parts that are opened: each costs a key derivation.
const MAX_ENCRYPTED: usize = 8;

/// Most certificates.
const MAX_CERTIFICATES: usize = 256;

/// Bags in bags.
const MAX_DEPTH: u8 = 4;

/// What has been read so far.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) keys: Vec<SoftwareKey>,
    pub(super) certificates: Vec<Certificate>,
    pub(super) unread: usize,
    pub(super) name: Option<String>,
}

fn fault(reason: Fault) -> Error {
    Form::Pkcs12.fault()(reason)
}

fn oid(der: &[u8]) -> Result<ObjectIdentifier, Fault> {
    der::Decode::from_der(der).map_err(|_| "not an object identifier")
}

/// The content of an OCTET STRING.
fn octets(der: &[u8]) -> Result<&[u8], Fault> {
    match der.first() {
        Some(0x04) => parts::content(der),
        _ => Err("not an octet string where one should be"),
    }
}

/// The content of ContentInfo with data.
pub(super) fn data(info: &[u8]) -> Result<&[u8], Fault> {
    match *parts::members(info)? {
        [kind, explicit @ [0xa0, ..]] if oid(kind)? == DATA => octets(parts::content(explicit)?),
        _ => Err("not protected by a password"),
    }
}

impl Contents {
    /// AuthenticatedSafe.
    pub(super) fn read_safe(&mut self, safe: &[u8], password: &Passphrase) -> Result<(), Error> {
        strict::check(safe).map_err(fault)?;
        let mut encrypted = 0;
        for info in parts::members(safe).map_err(fault)? {
            let members = parts::members(info).map_err(fault)?;
            let [kind, explicit @ [0xa0, ..]] = *members else {
                return Err(fault("not a content with its type"));
            };
            match oid(kind).map_err(fault)? {
                DATA => self.read_bags(data(info).map_err(fault)?, password, &mut encrypted, 0)?,
                ENCRYPTED_DATA => {
                    count(&mut encrypted)?;
                    let (algorithm, data) = encrypted_content(explicit).map_err(fault)?;
                    let plain = content::decrypt(algorithm, data, password)?;
                    self.read_bags(&plain, password, &mut encrypted, 0)?;
                }
                _ => return Err(fault("a content that is encrypted to a key, not to a password")),
            }
        }
        Ok(())
    }

    /// SafeContents.
    fn read_bags(
        &mut self,
        bags: &[u8],
        password: &Passphrase,
        encrypted: &mut usize,
        depth: u8,
    ) -> Result<(), Error> {
        strict::check(bags).map_err(fault)?;
        for bag in parts::members(bags).map_err(fault)? {
            let (kind, explicit, attributes) = match *parts::members(bag).map_err(fault)? {
                [kind, explicit @ [0xa0, ..]] => (kind, explicit, None),
                [kind, explicit @ [0xa0, ..], attributes @ [SET, ..]] => {
                    (kind, explicit, Some(attributes))
                }
                _ => return Err(fault("not a bag")),
            };
            let value = parts::content(explicit).map_err(fault)?;
            match oid(kind).map_err(fault)? {
                kind @ (KEY_BAG | SHROUDED_BAG) => {
                    // An encrypted one in the bag of plain keys would not be counted.
                    let first = parts::members(value).map_err(fault)?.first().map(|first| first[0]);
                    match kind {
                        SHROUDED_BAG => count(encrypted)?,
                        _ if first == Some(0x02) => {}
                        _ => return Err(fault("a private key that is not one")),
                    }
                    let key = SoftwareKey::from_file_bytes(value, || Ok(password.clone()))?;
                    self.keys.push(key);
                    let name = attributes.map(friendly_name).transpose().map_err(fault)?;
                    self.name = self.name.take().or(name.flatten());
                }
                CERT_BAG => self.read_certificate(value).map_err(fault)?,
                SAFE_BAG if depth == MAX_DEPTH => return Err(fault("nested too deep")),
                SAFE_BAG => self.read_bags(value, password, encrypted, depth + 1)?,
                // Revocation lists and secrets.
                _ => {}
            }
        }
        Ok(())
    }

    fn read_certificate(&mut self, bag: &[u8]) -> Result<(), Fault> {
        let [kind, explicit @ [0xa0, ..]] = *parts::members(bag)? else {
            return Err("not a certificate in its bag");
        };
        let der = match oid(kind)? {
            X509 => octets(parts::content(explicit)?)?,
            _ => &[],
        };
        if self.certificates.len() + self.unread == MAX_CERTIFICATES {
            return Err("more than 256 certificates");
        }
        match Certificate::from_der(der) {
            Ok(certificate) if self.certificates.contains(&certificate) => {}
            Ok(certificate) => self.certificates.push(certificate),
            Err(_) => self.unread += 1,
        }
        Ok(())
    }
}

fn count(encrypted: &mut usize) -> Result<(), Error> {
    *encrypted += 1;
    match *encrypted > MAX_ENCRYPTED {
        true => Err(fault("more than 8 encrypted parts")),
        false => Ok(()),
    }
}

/// Algorithm and ciphertext of EncryptedData.
fn encrypted_content(explicit: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let [_version, info, ..] = *parts::members(parts::content(explicit)?)? else {
        return Err("not an encrypted content");
    };
    match *parts::members(info)? {
        [kind, algorithm @ [0x30, ..], data @ [0x80, ..]] if oid(kind)? == DATA => {
            Ok((algorithm, parts::content(data)?))
        }
        _ => Err("not an encrypted content"),
    }
}

fn friendly_name(attributes: &[u8]) -> Result<Option<String>, Fault> {
    for attribute in parts::members_within(parts::content(attributes)?)? {
        let [kind, values] = *parts::members(attribute)? else { return Err("not an attribute") };
        if oid(kind)? != FRIENDLY_NAME {
            continue;
        }
        let [value @ [BMP_STRING, ..]] = *parts::members_within(parts::content(values)?)? else {
            return Err("a name that is not one");
        };
        let (units, []) = parts::content(value)?.as_chunks() else {
            return Err("a name that is not UTF-16");
        };
        let units = units.iter().map(|&unit| u16::from_be_bytes(unit));
        let name: Result<String, _> = char::decode_utf16(units).collect();
        // What is shown to people has no business with the terminal.
        return name
            .map(|name| Some(name.replace(char::is_control, "")))
            .map_err(|_| "a name that is not UTF-16");
    }
    Ok(None)
}

/// A password in the form of PKCS#12: UTF-16, big-endian.
pub(super) fn utf16(text: &str) -> impl Iterator<Item = u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes)
}

fn encode(oid: ObjectIdentifier) -> Vec<u8> {
    oid.to_der().expect("an OID encodes")
}

fn explicit(value: &[u8]) -> Vec<u8> {
    parts::wrap(0xa0, &[value])
}

fn octet_string(content: &[u8]) -> Vec<u8> {
    parts::wrap(0x04, &[content])
}

/// ContentInfo with data.
pub(super) fn write_data(content: &[u8]) -> Vec<u8> {
    parts::sequence(&[&encode(DATA), &explicit(&octet_string(content))])
}

/// AuthenticatedSafe with the certificates in one encrypted part, and the key encrypted in another.
pub(super) fn write(
    key: &SoftwareKey,
    certificates: &[Certificate],
    name: Option<&str>,
    (password, format): (&Passphrase, KeyFormat),
) -> Result<Vec<u8>, Error> {
    // The key and its own certificate find each other by this.
    let leaf = certificates.first().map(Certificate::fingerprint_sm3).unwrap_or_default();
    let attributes = attributes(&leaf[..20], name);
    let mut bags = Vec::new();
    for (i, certificate) in certificates.iter().enumerate() {
        let value = explicit(&octet_string(certificate.as_der()));
        let value = parts::sequence(&[&encode(X509), &value]);
        let attributes: &[u8] = if i == 0 { &attributes } else { &[] };
        bags.push(parts::sequence(&[&encode(CERT_BAG), &explicit(&value), attributes]));
    }
    let (algorithm, data) =
        content::encrypt(&parts::wrap(0x30, &[&bags.concat()]), password, format)?;
    let info = parts::sequence(&[&encode(DATA), &algorithm, &parts::wrap(0x80, &[&data])]);
    let encrypted = parts::sequence(&[&[2, 1, 0], &info]);
    let encrypted = parts::sequence(&[&encode(ENCRYPTED_DATA), &explicit(&encrypted)]);

    let key = key.to_encrypted_der(password, format)?;
    let bag = parts::sequence(&[&encode(SHROUDED_BAG), &explicit(&key), &attributes]);
    Ok(parts::sequence(&[&encrypted, &write_data(&parts::sequence(&[&bag]))]))
}

fn attributes(key_id: &[u8], name: Option<&str>) -> Vec<u8> {
    let attribute =
        |oid, value: &[u8]| parts::sequence(&[&encode(oid), &parts::wrap(SET, &[value])]);
    let mut list = vec![attribute(LOCAL_KEY_ID, &octet_string(key_id))];
    if let Some(name) = name {
        let utf16: Vec<u8> = utf16(name).collect();
        list.push(attribute(FRIENDLY_NAME, &parts::wrap(BMP_STRING, &[&utf16])));
    }
    list.sort();
    parts::wrap(SET, &[&list.concat()])
}
