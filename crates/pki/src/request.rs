//! Certification requests that are read (PKCS#10, RFC 2986).

use std::fmt;

use gmkit_sm2::{Id, PublicKey};
use rustls_pki_types::CertificateSigningRequestDer;
use x509_parser::{
    certification_request::X509CertificationRequest, cri_attributes::ParsedCriAttribute,
    prelude::FromDer,
};

use crate::{
    Error, Extensions, Form, Name, SubjectKey, certificate::subject_key, parts, pem,
    signed::Signed, strict::Fault,
};

/// Larger than any request, in bytes.
const MAX: usize = 1 << 20;

/// A request whose signature is good: whoever made it has the private key.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    der: Vec<u8>,
    subject: Name,
    key: PublicKey,
    extensions: Extensions,
}

impl Request {
    /// Reads DER and checks the signature, under the default ID.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Error::NotSm2`]; [`Error::Rejected`] when the signature is not that of the
    /// key in the request.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        Self::from_der_with_id(der, Id::DEFAULT)
    }

    /// The same for a request that was signed under another ID.
    ///
    /// # Errors
    /// As [`Request::from_der`].
    pub fn from_der_with_id(der: &[u8], id: Id<'_>) -> Result<Self, Error> {
        let (subject, key, extensions) = read(der).map_err(Form::Request.fault())?;
        let SubjectKey::Sm2(key) = key else { return Err(Error::NotSm2) };
        Signed::read(der).map_err(Form::Request.fault())?.verify(&key, id)?;
        Ok(Self { der: der.to_vec(), subject, key: *key, extensions })
    }

    /// Reads a file, DER or PEM, with one request.
    ///
    /// # Errors
    /// [`Error::Pem`], [`Error::NotFound`], and as [`Request::from_der`].
    pub fn from_file_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_der(&pem::read_one::<CertificateSigningRequestDer<'_>>(bytes, Form::Request)?)
    }

    /// The request in DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The request in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write("CERTIFICATE REQUEST", &self.der)
    }

    /// Who asks, by what the request says.
    #[must_use]
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The key to be certified.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The extensions that are asked for. It is the authority that decides.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }
}

fn read(der: &[u8]) -> Result<(Name, SubjectKey, Extensions), Fault> {
    if der.len() > MAX {
        return Err("longer than 1 MiB");
    }
    let signed = Signed::read(der)?;
    let (rest, parsed) =
        X509CertificationRequest::from_der(der).map_err(|_| "not the fields of a request")?;
    let info = &parsed.certification_request_info;
    if !rest.is_empty() || info.version.0 != 0 {
        return Err("not of version 1");
    }
    let members = parts::members(signed.tbs)?;
    let spki = members.get(2).ok_or("not the fields of a request")?;
    let mut wanted =
        info.iter_attributes().filter_map(|attribute| match attribute.parsed_attribute() {
            ParsedCriAttribute::ExtensionRequest(request) => Some(&request.extensions),
            _ => None,
        });
    let extensions = match (wanted.next(), wanted.next()) {
        (None, _) => Extensions::default(),
        (Some(list), None) => Extensions::read(list)?,
        (Some(_), Some(_)) => return Err("extensions asked for twice"),
    };
    Ok((Name::read(&info.subject)?, subject_key(spki)?, extensions))
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({})", self.subject)
    }
}
