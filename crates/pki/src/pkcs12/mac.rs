//! What protects the file against changes: a MAC under a key from the password (RFC 7292, B; RFC 9579).

use der::asn1::ObjectIdentifier;
use gmkit_keys::{EncryptionFault, MAX_ITERATIONS, Passphrase, SysRng, content};
use gmkit_sm2::rand_core::TryRng;
use gmkit_sm3::Sm3;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512, digest::Digest};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::bags::utf16;
use crate::{Error, Form, cms::algorithm, parts, strict::Fault};

/// Iterations of what is written, as many as keys have.
const ITERATIONS: u32 = 600_000;

/// Longest salt that is read, in bytes.
const MAX_SALT: usize = 1024;

const PBMAC1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.14");

const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");

/// SM3 as an AlgorithmIdentifier, with NULL, as OpenSSL writes it.
const SM3_NULL: &[u8] = &[0x30, 12, 6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x11, 5, 0];

/// The hashes that are met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sm3,
}

const HASHES: [(ObjectIdentifier, Hash); 6] = [
    (ObjectIdentifier::new_unwrap("1.3.14.3.2.26"), Hash::Sha1),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.4"), Hash::Sha224),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1"), Hash::Sha256),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2"), Hash::Sha384),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3"), Hash::Sha512),
    (ObjectIdentifier::new_unwrap("1.2.156.10197.1.401"), Hash::Sm3),
];

/// The HMACs that PBMAC1 is met with.
const HMACS: [(ObjectIdentifier, Hash); 5] = [
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.9"), Hash::Sha256),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.10"), Hash::Sha384),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.11"), Hash::Sha512),
    (ObjectIdentifier::new_unwrap("1.2.156.10197.1.401.2"), Hash::Sm3),
    (ObjectIdentifier::new_unwrap("1.2.156.10197.1.401.3.1"), Hash::Sm3),
];

fn fault(reason: Fault) -> Error {
    Form::Pkcs12.fault()(reason)
}

/// MacData.
struct Parts<'a> {
    algorithm: &'a [u8],
    digest: &'a [u8],
    salt: &'a [u8],
    iterations: u64,
}

fn read(mac: &[u8]) -> Result<Parts<'_>, Fault> {
    let (info, salt, iterations) = match *parts::members(mac)? {
        [info, salt @ [4, ..]] => (info, salt, 1),
        [info, salt @ [4, ..], iterations @ [2, ..]] => {
            (info, salt, number(parts::content(iterations)?)?)
        }
        _ => return Err("not a MAC"),
    };
    let [algorithm, digest @ [4, ..]] = *parts::members(info)? else { return Err("not a MAC") };
    let (salt, digest) = (parts::content(salt)?, parts::content(digest)?);
    Ok(Parts { algorithm, digest, salt, iterations })
}

fn number(content: &[u8]) -> Result<u64, Fault> {
    let mut bytes = [0; 8];
    let content = content.strip_prefix(&[0]).unwrap_or(content);
    let start = 8_usize.checked_sub(content.len()).ok_or("a number that is too large")?;
    bytes[start..].copy_from_slice(content);
    Ok(u64::from_be_bytes(bytes))
}

/// Checks the MAC of a content.
pub(super) fn check(mac: &[u8], content: &[u8], password: &Passphrase) -> Result<(), Error> {
    let mac = read(mac).map_err(fault)?;
    let (oid, parameters) = algorithm(mac.algorithm).map_err(fault)?;
    let good = match oid {
        PBMAC1 => check_pbmac1(parameters.unwrap_or_default(), &mac, content, password)?,
        _ if parameters.is_some() => return Err(fault("a hash with parameters")),
        oid => {
            let known = HASHES.iter().find(|known| known.0 == oid);
            let hash = known.ok_or(fault("a MAC with a hash that is not read"))?.1;
            check_classic(hash, &mac, content, password)?
        }
    };
    if good { Ok(()) } else { Err(gmkit_keys::Error::WrongPassphrase.into()) }
}

fn check_classic(
    hash: Hash,
    mac: &Parts<'_>,
    content: &[u8],
    password: &Passphrase,
) -> Result<bool, Error> {
    let iterations = u32::try_from(mac.iterations).ok().filter(|n| *n > 0);
    let iterations = iterations.filter(|_| mac.iterations <= MAX_ITERATIONS);
    let iterations = iterations.ok_or_else(|| beyond(mac.iterations))?;
    if mac.salt.len() > MAX_SALT {
        return Err(fault("a salt longer than 1,024 bytes"));
    }
    let same = |form: &[u8]| -> bool {
        let own = match hash {
            Hash::Sha1 => classic::<Sha1>(form, mac.salt, iterations, content),
            Hash::Sha224 => classic::<Sha224>(form, mac.salt, iterations, content),
            Hash::Sha256 => classic::<Sha256>(form, mac.salt, iterations, content),
            Hash::Sha384 => classic::<Sha384>(form, mac.salt, iterations, content),
            Hash::Sha512 => classic::<Sha512>(form, mac.salt, iterations, content),
            Hash::Sm3 => classic::<Sm3>(form, mac.salt, iterations, content),
        };
        own.ct_eq(mac.digest).into()
    };
    // Some write no password at all where others write an empty one.
    Ok(same(&bmp(password)?) || (password.is_empty() && same(&[])))
}

fn beyond(iterations: u64) -> Error {
    gmkit_keys::Error::from(EncryptionFault::Iterations(iterations)).into()
}

/// PBMAC1-params: PBKDF2, and an HMAC.
fn check_pbmac1(
    parameters: &[u8],
    mac: &Parts<'_>,
    content: &[u8],
    password: &Passphrase,
) -> Result<bool, Error> {
    let [kdf, scheme] = *parts::members(parameters).map_err(fault)? else {
        return Err(fault("PBMAC1 without its parameters"));
    };
    let (oid, _) = algorithm(scheme).map_err(fault)?;
    let known = HMACS.iter().find(|known| known.0 == oid);
    let hash = known.ok_or(fault("a MAC with a hash that is not read"))?.1;
    let len = match hash {
        Hash::Sha384 => 48,
        Hash::Sha512 => 64,
        _ => 32,
    };
    check_pbkdf2(kdf).map_err(fault)?;
    let key = content::derive(kdf, password, len)?;
    let own = match hash {
        Hash::Sha384 => hmac::<Sha384>(&key, content),
        Hash::Sha512 => hmac::<Sha512>(&key, content),
        Hash::Sm3 => hmac::<Sm3>(&key, content),
        _ => hmac::<Sha256>(&key, content),
    };
    Ok(own.ct_eq(mac.digest).into())
}

/// RFC 9579, 4: PBKDF2, and the length of the key is said, lest it be stretched to one that is easy to guess.
fn check_pbkdf2(kdf: &[u8]) -> Result<(), Fault> {
    let (oid, parameters) = algorithm(kdf)?;
    let members = parts::members(parameters.unwrap_or_default())?;
    match oid == PBKDF2 && members.get(2).is_some_and(|len| len[0] == 2) {
        true => Ok(()),
        false => Err("PBMAC1 without PBKDF2 and the length of its key"),
    }
}

/// MacData with SM3.
pub(super) fn make(content: &[u8], password: &Passphrase) -> Result<Vec<u8>, Error> {
    let mut salt = [0; 16];
    SysRng.try_fill_bytes(&mut salt).map_err(|_| gmkit_keys::Error::Rng)?;
    let digest = classic::<Sm3>(&bmp(password)?, &salt, ITERATIONS, content);
    let octets = |content: &[u8]| parts::tagged(der::Tag::OctetString, &[content]);
    let info = parts::sequence(&[SM3_NULL, &octets(&digest)]);
    let [_, a, b, c] = ITERATIONS.to_be_bytes();
    Ok(parts::sequence(&[&info, &octets(&salt), &[2, 3, a, b, c]]))
}

/// The password as a BMPString that ends with zero (RFC 7292, B.1).
fn bmp(password: &Passphrase) -> Result<Zeroizing<Vec<u8>>, Error> {
    let text = std::str::from_utf8(password.as_bytes());
    let text = text.map_err(|_| Error::Request { reason: "the password is not UTF-8" })?;
    // All at once: a buffer that grows leaves copies behind.
    let mut form = Zeroizing::new(Vec::with_capacity(2 * text.len() + 2));
    form.extend(utf16(text));
    form.extend([0, 0]);
    Ok(form)
}

fn hmac<D: EagerHash>(key: &[u8], content: &[u8]) -> Vec<u8> {
    let mac = Hmac::<D>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.chain_update(content).finalize().into_bytes().to_vec()
}

fn classic<D: EagerHash + Digest>(
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    content: &[u8],
) -> Vec<u8> {
    hmac::<D>(&kdf::<D>(password, salt, iterations), content)
}

/// As much key as the hash is long, for a MAC (RFC 7292, B.2, with ID 3): one round of the algorithm, which the
/// longer outputs of other uses need more of.
fn kdf<D: Digest>(password: &[u8], salt: &[u8], iterations: u32) -> Zeroizing<Vec<u8>> {
    // The block of SHA-384 and SHA-512 has 128 bytes, that of the others 64.
    let v = if <D as Digest>::output_size() > 32 { 128 } else { 64 };
    let filled = |source: &[u8]| {
        let len = source.len().div_ceil(v) * v;
        Zeroizing::new(source.iter().copied().cycle().take(len).collect::<Vec<u8>>())
    };
    let first = D::new().chain_update(vec![3; v]);
    let first = first.chain_update(&*filled(salt)).chain_update(&*filled(password));
    let mut a = Zeroizing::new(first.finalize().to_vec());
    for _ in 1..iterations {
        a = Zeroizing::new(D::digest(&*a).to_vec());
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number(&[8, 0]), Ok(2048));
        assert_eq!(number(&[0, 0xff]), Ok(255));
        assert!(number(&[1; 9]).is_err());
    }
}
