//! Which certificate is meant.

use der::Tag;
use sha1::Digest;

use crate::{Certificate, Serial, parts, strict::Fault};

/// The hash that names an issuer. It only names: nothing rests on its strength (RFC 6960, 4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hash {
    /// What OpenSSL asks with unless told otherwise.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SM3.
    #[default]
    Sm3,
}

impl Hash {
    const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sm3];

    /// The OID in DER.
    fn oid(self) -> &'static [u8] {
        match self {
            Self::Sha1 => &[6, 5, 0x2b, 14, 3, 2, 26],
            Self::Sha256 => &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1],
            Self::Sm3 => &[6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x11],
        }
    }

    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => sha1::Sha1::digest(bytes).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
            Self::Sm3 => gmkit_sm3::digest(&[bytes]).to_vec(),
        }
    }
}

/// CertID: the issuer by the hashes of its name and key, and the serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertId {
    hash: Hash,
    name_hash: Vec<u8>,
    key_hash: Vec<u8>,
    serial: Serial,
}

impl CertId {
    /// Names a certificate of an issuer.
    #[must_use]
    pub fn new(hash: Hash, issuer: &Certificate, serial: &Serial) -> Self {
        Self {
            hash,
            name_hash: hash.digest(issuer.subject().as_der()),
            key_hash: hash.digest(&key_bits(issuer.spki_der())),
            serial: serial.clone(),
        }
    }

    /// The serial number.
    #[must_use]
    pub fn serial(&self) -> &Serial {
        &self.serial
    }

    /// Whether a certificate with this number, of this issuer, is meant.
    #[must_use]
    pub fn is_of(&self, issuer: &Certificate, serial: &Serial) -> bool {
        *self == Self::new(self.hash, issuer, serial)
    }

    pub(super) fn from_der(der: &[u8]) -> Result<Self, Fault> {
        let [algorithm, name_hash @ [4, ..], key_hash @ [4, ..], serial @ [2, ..]] =
            *parts::members(der)?
        else {
            return Err("not the fields of a CertID");
        };
        let oid = match *parts::members(algorithm)? {
            [oid] | [oid, [5, 0]] => oid,
            _ => return Err("a hash with parameters"),
        };
        let hash = Hash::ALL.into_iter().find(|hash| hash.oid() == oid);
        Ok(Self {
            hash: hash.ok_or("a hash that is not supported")?,
            name_hash: parts::content(name_hash)?.to_vec(),
            key_hash: parts::content(key_hash)?.to_vec(),
            serial: Serial::from_integer(parts::content(serial)?)
                .ok_or("a serial number that is negative or longer than 20 bytes")?,
        })
    }

    pub(crate) fn to_der(&self) -> Vec<u8> {
        // NULL for the older hashes, as everybody writes it; absent for SM3.
        let parameters: &[u8] = if self.hash == Hash::Sm3 { &[] } else { &[5, 0] };
        let algorithm = parts::sequence(&[self.hash.oid(), parameters]);
        let [name, key] =
            [&self.name_hash, &self.key_hash].map(|hash| parts::tagged(Tag::OctetString, &[hash]));
        let serial = parts::tagged(Tag::Integer, &[&self.serial.to_integer()]);
        parts::sequence(&[&algorithm, &name, &key, &serial])
    }
}

/// The key's bit string without its count of unused bits: what issuerKeyHash and a responder's KeyHash
/// are over.
pub(super) fn key_bits(spki: &[u8]) -> Vec<u8> {
    let bits = parts::members(spki).ok().and_then(|members| members.get(1).copied());
    let bits = bits.and_then(|bits| parts::content(bits).ok()).unwrap_or(&[0]);
    bits.get(1..).unwrap_or(&[]).to_vec()
}

/// SHA-1 of a responder's key: KeyHash of RFC 6960, 4.2.1.
pub(super) fn responder_key_hash(certificate: &Certificate) -> Vec<u8> {
    Hash::Sha1.digest(&key_bits(certificate.spki_der()))
}
