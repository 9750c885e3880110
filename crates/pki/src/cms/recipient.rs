//! Who can decrypt a message (RFC 5652, 6.2).

use der::asn1::ObjectIdentifier;
use gmkit_keys::{
    PrivateKey, SysRng,
    selftest::{self, Algorithm},
};
use gmkit_sm2::{Ciphertext, PublicKey};
use zeroize::Zeroizing;

use super::{
    Dialect, EntityId,
    attributes::{octet_string, octets},
    content_cipher::ContentKey,
    frame,
    kind::{self, write_algorithm},
    source::SEQUENCE,
};
use crate::{Certificate, Error, Purpose, issuer::key_id, parts, strict::Fault, validity::now};

/// The SM2 encryption algorithm (GB/T 33560).
const SM2_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301.3");

/// The SM2 key exchange, under which GmSSL has keys encrypted.
const SM2_EXCHANGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301.2");

/// What keys are met as encrypted under, SM2 without more among them.
const ENCRYPTIONS: [ObjectIdentifier; 3] =
    [SM2_ENCRYPTION, SM2_EXCHANGE, ObjectIdentifier::new_unwrap("1.2.156.10197.1.301")];

/// Somebody who is to be able to decrypt.
#[derive(Clone, Debug)]
pub struct Recipient {
    id: EntityId,
    key: PublicKey,
}

impl Recipient {
    /// The owner of a certificate, named by issuer and serial number. Whether the certificate is genuine,
    /// [`crate::Verifier`] says.
    ///
    /// # Errors
    /// [`Error::Untrusted`] when the certificate says that its key does not encrypt, or not now;
    /// [`Error::NotSm2`].
    pub fn certificate(certificate: &Certificate) -> Result<Self, Error> {
        Purpose::Encrypt.check(certificate, now())?;
        Ok(Self { id: EntityId::of(certificate), key: *certificate.public_key()? })
    }

    /// The owner of a key, named by the first 20 bytes of SM3 over it, as certificates of
    /// [`crate::Issuer`] name keys.
    #[must_use]
    pub fn key(key: &PublicKey) -> Self {
        Self { id: EntityId::KeyId(key_id(key)), key: *key }
    }

    /// KeyTransRecipientInfo.
    pub(super) fn write(
        &self,
        key: &ContentKey,
        dialect: Dialect,
        exchange_oid: bool,
    ) -> Result<Vec<u8>, Error> {
        selftest::require(Algorithm::Sm2Encryption)?;
        let version = match (&self.id, dialect) {
            (EntityId::KeyId(_), _) => 2,
            (EntityId::IssuerAndSerial(..), Dialect::Rfc5652) => 0,
            (EntityId::IssuerAndSerial(..), Dialect::Gmt0010) => 1,
        };
        let encrypted = self.key.encrypt(&mut SysRng, &**key)?.to_der()?;
        let oid = if exchange_oid { SM2_EXCHANGE } else { SM2_ENCRYPTION };
        Ok(frame::wrap(
            SEQUENCE,
            &[
                &[2, 1, version],
                &self.id.write(),
                &write_algorithm(oid, &[]),
                &octet_string(&encrypted),
            ],
        ))
    }

    pub(super) fn has_key_id(&self) -> bool {
        matches!(self.id, EntityId::KeyId(_))
    }
}

/// A recipient who was read: with an SM2 key.
#[derive(Clone)]
pub(super) struct RecipientInfo {
    pub(super) id: EntityId,
    encrypted_key: Vec<u8>,
}

impl RecipientInfo {
    /// Reads KeyTransRecipientInfo; `None` for keys that are not SM2's.
    pub(super) fn read(der: &[u8]) -> Result<Option<Self>, Fault> {
        let [version @ [2, ..], id, algorithm, key] = *parts::members(der)? else {
            return Err("not a recipient");
        };
        if version.len() != 3 {
            return Err("a recipient of a version that is none");
        }
        let (oid, parameters) = kind::algorithm(algorithm)?;
        if !ENCRYPTIONS.contains(&oid) || parameters.is_some() {
            return Ok(None);
        }
        let id = EntityId::read(id)?;
        Ok(Some(Self { id, encrypted_key: octets(key)?.to_vec() }))
    }

    /// The key of the content, if this recipient's is `key`. One verdict for all that can be wrong.
    pub(super) fn open(&self, key: &dyn PrivateKey) -> Result<ContentKey, Error> {
        for ciphertext in readings(&self.encrypted_key) {
            match key.decrypt(&ciphertext) {
                Ok(opened) => {
                    let opened = opened.as_slice().try_into();
                    return opened.map(Zeroizing::new).map_err(|_| Error::NotDecrypted);
                }
                Err(gmkit_keys::Error::Rejected) => {}
                // The device's fault, or the caller's.
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::NotDecrypted)
    }
}

/// What the bytes of an encrypted key can mean: DER as the standard has it, or raw as CFCA has it, in the order
/// of 2012 or that of before, with the point's first byte or without. C3 tells which it is.
fn readings(bytes: &[u8]) -> Vec<Ciphertext> {
    if let Ok(ciphertext) = Ciphertext::from_der(bytes) {
        return vec![ciphertext];
    }
    let raw = match bytes.len() {
        112 => [&[4], bytes].concat(),
        _ => bytes.to_vec(),
    };
    let forms = [Ciphertext::from_c1c3c2(&raw), Ciphertext::from_c1c2c3(&raw)];
    forms.into_iter().flatten().collect()
}
