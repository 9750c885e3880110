//! Certificate revocation lists that are read (RFC 5280, 5).

use std::fmt;

use gmkit_sm2::{Id, PublicKey};
use rustls_pki_types::CertificateRevocationListDer;
use x509_parser::{
    extensions::ParsedExtension, prelude::FromDer, revocation_list::CertificateRevocationList,
};

use crate::{
    Error, Form, Name, Serial, parts, pem,
    signed::{Signed, is_sm2},
    strict::Fault,
};

/// Room for 400,000 entries, in bytes. Reading takes up to 25 times as much memory.
const MAX: usize = 16 << 20;

/// A revocation list of version 2, read strictly. That it can be read says nothing about who has signed
/// it: see [`Crl::verify_signature`] and [`crate::Verifier`].
#[derive(Clone)]
pub struct Crl {
    der: Vec<u8>,
    issuer: Name,
    this_update: i64,
    next_update: i64,
    number: Option<u64>,
    authority_key_id: Option<Vec<u8>>,
    revoked: Vec<Revoked>,
    partial: bool,
    national: bool,
}

/// A certificate that was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revoked {
    /// Which.
    pub serial: Serial,
    /// When, in seconds since 1970.
    pub time: i64,
    /// Why, as the standard numbers the reasons; `None` is "unspecified".
    pub reason: Option<u8>,
}

impl Crl {
    /// Reads DER.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        Self::read(der).map_err(Form::Crl.fault())
    }

    fn read(der: &[u8]) -> Result<Self, Fault> {
        if der.len() > MAX {
            return Err("longer than 16 MiB");
        }
        let signed = Signed::read(der)?;
        let (rest, parsed) = CertificateRevocationList::from_der(der)
            .map_err(|_| "not the fields of a revocation list")?;
        if !rest.is_empty() || parsed.version().is_none_or(|version| version.0 != 1) {
            return Err("not of version 2");
        }
        if parts::members(signed.tbs)?.get(1) != Some(&signed.algorithm) {
            return Err("the signature's algorithm is another one inside");
        }
        let mut crl = Self {
            der: der.to_vec(),
            issuer: Name::read(parsed.issuer())?,
            this_update: parsed.last_update().timestamp(),
            next_update: parsed
                .next_update()
                .ok_or("it does not say when the next one comes")?
                .timestamp(),
            number: None,
            authority_key_id: None,
            revoked: Vec::new(),
            partial: false,
            national: is_sm2(signed.algorithm),
        };
        for entry in parsed.iter_revoked_certificates() {
            crl.revoked.push(Revoked {
                serial: Serial::from_integer(entry.raw_serial())
                    .ok_or("a serial number that is negative or longer than 20 bytes")?,
                time: entry.revocation_date.timestamp(),
                reason: entry.reason_code().map(|(_, reason)| reason.0),
            });
        }
        for extension in parsed.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::CRLNumber(number) => {
                    crl.number = u64::try_from(number).ok();
                }
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    crl.authority_key_id = id.key_identifier.as_ref().map(|id| id.0.to_vec());
                }
                ParsedExtension::IssuingDistributionPoint(_) => crl.partial = true,
                ParsedExtension::ParseError { .. } => {
                    return Err("an extension that is not readable");
                }
                _ => {}
            }
        }
        Ok(crl)
    }

    /// Reads a file: DER, or PEM with one list or several.
    ///
    /// # Errors
    /// [`Error::Pem`], [`Error::NotFound`], [`Error::Malformed`].
    pub fn all_from_file_bytes(bytes: &[u8]) -> Result<Vec<Self>, Error> {
        let files = pem::read::<CertificateRevocationListDer<'_>>(bytes, Form::Crl)?;
        files.iter().map(|der| Self::from_der(der)).collect()
    }

    /// The list in DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The list in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write("X509 CRL", &self.der)
    }

    /// Who has issued it, by what it says.
    #[must_use]
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// When it was made, in seconds since 1970.
    #[must_use]
    pub fn this_update(&self) -> i64 {
        self.this_update
    }

    /// When the next one comes at the latest, in seconds since 1970: after that it is not to be used.
    #[must_use]
    pub fn next_update(&self) -> i64 {
        self.next_update
    }

    /// Its number, which grows, if it has one of at most 64 bits.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.number
    }

    /// The identifier of the key that has signed it.
    #[must_use]
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.authority_key_id.as_deref()
    }

    /// What is revoked, in the list's order.
    #[must_use]
    pub fn revoked(&self) -> &[Revoked] {
        &self.revoked
    }

    /// Whether it may hold a part of the authority's certificates only (issuingDistributionPoint).
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.partial
    }

    /// Whether its signature is of SM2.
    #[must_use]
    pub fn is_national(&self) -> bool {
        self.national
    }

    /// Checks the signature with a key, under the signer's ID.
    ///
    /// # Errors
    /// [`Error::Rejected`].
    pub fn verify_signature(&self, key: &PublicKey, id: Id<'_>) -> Result<(), Error> {
        Signed::read(&self.der).map_err(Form::Crl.fault())?.verify(key, id)
    }
}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crl({}, {} revoked)", self.issuer, self.revoked.len())
    }
}
