//! From `rcgen`'s parameters to what is signed. `rcgen` cannot name SM2, and knows an issuer's name only
//! as far as it can hold one: it writes everything else, with a key and an issuer that are not there, and
//! the fields that matter are put in by their position.

use rcgen::{
    CertificateParams, CertificateRevocationListParams, CustomExtension, DnType, IsCa, Issuer,
    KeyIdMethod, PublicKeyData, SignatureAlgorithm, SigningKey,
};

use crate::{Error, Form, parts, signed::ALGORITHM};

/// subjectKeyIdentifier.
const SUBJECT_KEY_ID: &[u64] = &[2, 5, 29, 14];

/// No key: what it signs is thrown away.
struct NoKey;

impl PublicKeyData for NoKey {
    fn der_bytes(&self) -> &[u8] {
        &[]
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for NoKey {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(Vec::new())
    }
}

/// An issuer of whom only the key's identifier is written.
fn issuer(key_id: &[u8]) -> Issuer<'static, NoKey> {
    let mut params = CertificateParams::default();
    params.key_identifier_method = KeyIdMethod::PreSpecified(key_id.to_vec());
    Issuer::new(params, NoKey)
}

/// What only the issuer and the subject know.
pub(crate) struct Fields<'a> {
    /// The issuer's name; `None` for a certificate that is its own issuer.
    pub(crate) issuer: Option<&'a [u8]>,
    pub(crate) issuer_key_id: &'a [u8],
    /// The subject's name; `None` leaves what the parameters have.
    pub(crate) subject: Option<&'a [u8]>,
    pub(crate) subject_key_id: &'a [u8],
    pub(crate) spki: &'a [u8],
    /// `[3]` with the extensions; `None` leaves what the parameters have.
    pub(crate) extensions: Option<&'a [u8]>,
}

/// TBSCertificate. The parameters must have a serial number.
pub(crate) fn certificate(
    mut params: CertificateParams,
    fields: &Fields<'_>,
) -> Result<Vec<u8>, Error> {
    params.key_identifier_method = KeyIdMethod::PreSpecified(fields.subject_key_id.to_vec());
    if fields.subject.is_some() {
        // Something, as alternative names become critical where there is no name (RFC 5280, 4.2.1.6).
        params.distinguished_name.push(DnType::CommonName, "put in below");
    }
    if matches!(params.is_ca, IsCa::NoCa) {
        let id = parts::tagged(der::Tag::OctetString, &[fields.subject_key_id]);
        params.custom_extensions.insert(0, CustomExtension::from_oid_content(SUBJECT_KEY_ID, id));
    }
    let written = params.signed_by(&NoKey, &issuer(fields.issuer_key_id))?;
    take_apart(written.der(), Form::Certificate, |members| match *members {
        [version, serial, _, _, validity, written_subject, _, ref rest @ ..] => {
            let subject = fields.subject.unwrap_or(written_subject);
            let issuer = fields.issuer.unwrap_or(subject);
            let extensions = fields.extensions.or(rest.first().copied()).unwrap_or(&[]);
            let [algorithm, spki] = [ALGORITHM, fields.spki];
            Some(parts::sequence(&[
                version, serial, algorithm, issuer, validity, subject, spki, extensions,
            ]))
        }
        _ => None,
    })
}

/// CertificationRequestInfo.
pub(crate) fn request(params: &CertificateParams, spki: &[u8]) -> Result<Vec<u8>, Error> {
    let written = params.serialize_request(&NoKey)?;
    take_apart(written.der(), Form::Request, |members| match *members {
        [version, subject, _, attributes] => {
            Some(parts::sequence(&[version, subject, spki, attributes]))
        }
        _ => None,
    })
}

/// TBSCertList.
pub(crate) fn crl(
    mut params: CertificateRevocationListParams,
    issuer_name: &[u8],
    issuer_key_id: &[u8],
) -> Result<Vec<u8>, Error> {
    params.key_identifier_method = KeyIdMethod::PreSpecified(issuer_key_id.to_vec());
    let written = params.signed_by(&issuer(issuer_key_id))?;
    take_apart(written.der(), Form::Crl, |members| match *members {
        [version, _, _, ref rest @ ..] => {
            Some(parts::sequence(&[&[version, ALGORITHM, issuer_name], rest].concat()))
        }
        _ => None,
    })
}

/// The first of the three parts that rcgen has written, with other members.
fn take_apart(
    written: &[u8],
    form: Form,
    rebuilt: impl FnOnce(&[&[u8]]) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, Error> {
    let outer = parts::members(written).map_err(form.fault())?;
    let tbs = outer.first().ok_or("nothing was written").map_err(form.fault())?;
    rebuilt(&parts::members(tbs).map_err(form.fault())?)
        .ok_or("other fields than known")
        .map_err(form.fault())
}
