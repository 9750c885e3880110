//! Certificates that are read.

use std::fmt;

use der::Decode;
use gmkit_sm2::{Id, PublicKey, Signature};
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::{
    certificate::{X509Certificate, X509CertificateParser},
    nom::Parser,
};

use crate::{
    Error, Extensions, Form, Name, Serial, Validity, parts, pem,
    signed::{Signed, is_sm2},
    strict::Fault,
};

/// id-ecPublicKey, 1.2.840.10045.2.1, in DER.
const EC_PUBLIC_KEY: &[u8] = &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];

/// The curve of SM2, 1.2.156.10197.1.301, in DER.
const SM2: &[u8] = &[6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d];

/// Larger than any certificate, and what webpki reads, in bytes.
const MAX: usize = 0xffff;

/// An X.509 certificate of version 3, read strictly. That it can be read says nothing about who has
/// signed it: that is [`crate::Verifier`]'s work.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    serial: Serial,
    issuer: Name,
    subject: Name,
    validity: Validity,
    spki: Vec<u8>,
    key: SubjectKey,
    extensions: Extensions,
    national: bool,
}

/// The key of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectKey {
    /// An SM2 key.
    Sm2(Box<PublicKey>),
    /// Another kind of key, by the OID of its algorithm.
    Other(String),
}

impl Certificate {
    /// Reads DER.
    ///
    /// # Errors
    /// [`Error::Malformed`]: also for an extension that is there twice, a control character in a name,
    /// a curve given by its parameters, algorithms that differ inside and outside.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        Self::read(der).map_err(Form::Certificate.fault())
    }

    fn read(der: &[u8]) -> Result<Self, Fault> {
        if der.len() > MAX {
            return Err("longer than 65,535 bytes");
        }
        let signed = Signed::read(der)?;
        let mut parser = X509CertificateParser::new().with_deep_parse_extensions(true);
        let (rest, parsed) = parser.parse(der).map_err(|_| "not the fields of a certificate")?;
        let tbs = &parsed.tbs_certificate;
        if !rest.is_empty() || tbs.version().0 != 2 {
            return Err("not of version 3");
        }
        let members = parts::members(signed.tbs)?;
        let [_, serial, algorithm, _, _, _, spki, ..] = *members else {
            return Err("not the fields of a certificate");
        };
        if algorithm != signed.algorithm {
            return Err("the signature's algorithm is another one inside");
        }
        Ok(Self {
            der: der.to_vec(),
            serial: Serial::from_integer(parts::content(serial)?)
                .ok_or("a serial number that is negative or longer than 20 bytes")?,
            issuer: Name::read(tbs.issuer())?,
            subject: Name::read(tbs.subject())?,
            validity: validity(&parsed)?,
            key: subject_key(spki)?,
            spki: spki.to_vec(),
            extensions: Extensions::read(tbs.extensions())?,
            national: is_sm2(signed.algorithm),
        })
    }

    /// Reads a file: DER, or PEM with one certificate or several, in their order.
    ///
    /// # Errors
    /// [`Error::Pem`], [`Error::NotFound`], and as [`Certificate::from_der`].
    pub fn all_from_file_bytes(bytes: &[u8]) -> Result<Vec<Self>, Error> {
        let files = pem::read::<CertificateDer<'_>>(bytes, Form::Certificate)?;
        files.iter().map(|der| Self::from_der(der)).collect()
    }

    /// The certificate in DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write("CERTIFICATE", &self.der)
    }

    /// The serial number.
    #[must_use]
    pub fn serial(&self) -> &Serial {
        &self.serial
    }

    /// Who has issued it, by what it says.
    #[must_use]
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// Whose key it is about.
    #[must_use]
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// From when to when it may be used.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The key, of whatever kind.
    #[must_use]
    pub fn subject_key(&self) -> &SubjectKey {
        &self.key
    }

    /// The SM2 key.
    ///
    /// # Errors
    /// [`Error::NotSm2`].
    pub fn public_key(&self) -> Result<&PublicKey, Error> {
        match &self.key {
            SubjectKey::Sm2(key) => Ok(key),
            SubjectKey::Other(_) => Err(Error::NotSm2),
        }
    }

    /// SubjectPublicKeyInfo in DER, as it stands in the certificate.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The extensions.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Whether key and signature are of SM2.
    #[must_use]
    pub fn is_national(&self) -> bool {
        self.national && matches!(self.key, SubjectKey::Sm2(_))
    }

    /// Whether it names itself as its issuer.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// SM3 over the DER.
    #[must_use]
    pub fn fingerprint_sm3(&self) -> [u8; 32] {
        gmkit_sm3::digest(&[&self.der])
    }

    /// SHA-256 over the DER, as other tools print it.
    #[must_use]
    pub fn fingerprint_sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.der).into()
    }

    /// Checks the signature with a key, under the signer's ID. Nothing else is looked at: see
    /// [`crate::Verifier`].
    ///
    /// # Errors
    /// [`Error::Rejected`].
    pub fn verify_signature(&self, key: &PublicKey, id: Id<'_>) -> Result<(), Error> {
        Signed::read(&self.der).map_err(Form::Certificate.fault())?.verify(key, id)
    }

    /// Whether the signature, over its message, is one that a check accepts.
    pub(crate) fn has_signature(&self, check: impl FnOnce(&[u8], &Signature) -> bool) -> bool {
        Signed::read(&self.der).is_ok_and(|signed| signed.has_signature(check))
    }

    /// The SM2 key of a certificate in DER of which nothing else is asked, as somebody has checked it.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::NotSm2`].
    pub fn public_key_in(der: &[u8]) -> Result<PublicKey, Error> {
        let read = || {
            let members = parts::members(Signed::read(der)?.tbs)?;
            subject_key(members.get(6).ok_or("not the fields of a certificate")?)
        };
        match read().map_err(Form::Certificate.fault())? {
            SubjectKey::Sm2(key) => Ok(*key),
            SubjectKey::Other(_) => Err(Error::NotSm2),
        }
    }

    pub(crate) fn extensions_der(&self) -> Result<Option<Vec<u8>>, Error> {
        let signed = Signed::read(&self.der).map_err(Form::Certificate.fault())?;
        let members = parts::members(signed.tbs).map_err(Form::Certificate.fault())?;
        Ok(members.get(7).filter(|last| last.first() == Some(&0xa3)).map(|last| last.to_vec()))
    }
}

fn validity(certificate: &X509Certificate<'_>) -> Result<Validity, Fault> {
    let validity = certificate.validity();
    let validity = Validity {
        not_before: validity.not_before.timestamp(),
        not_after: validity.not_after.timestamp(),
    };
    match validity.not_before <= validity.not_after {
        true => Ok(validity),
        false => Err("it ends before it begins"),
    }
}

/// SM2 keys are read, others only named.
pub(crate) fn subject_key(spki: &[u8]) -> Result<SubjectKey, Fault> {
    let fault = "not a public key with its algorithm";
    let algorithm = parts::members(parts::members(spki)?.first().ok_or(fault)?)?;
    let (algorithm, curve) = match *algorithm {
        [algorithm @ [6, ..]] => (algorithm, None),
        [algorithm @ [6, ..], parameters] => (algorithm, Some(parameters)),
        _ => return Err(fault),
    };
    match (algorithm, curve) {
        (EC_PUBLIC_KEY | SM2, Some(SM2)) => {
            let key =
                PublicKey::from_spki_der(spki).map_err(|_| "a point that is not on the curve")?;
            Ok(SubjectKey::Sm2(Box::new(key)))
        }
        (EC_PUBLIC_KEY, Some(curve @ [6, ..])) => Ok(SubjectKey::Other(oid_text(curve)?)),
        (EC_PUBLIC_KEY, _) => Err("a curve that is not given by its name"),
        _ => Ok(SubjectKey::Other(oid_text(algorithm)?)),
    }
}

fn oid_text(oid: &[u8]) -> Result<String, Fault> {
    let oid: der::asn1::ObjectIdentifier =
        Decode::from_der(oid).map_err(|_| "not an object identifier")?;
    Ok(oid.to_string())
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {})", self.serial, self.subject)
    }
}
