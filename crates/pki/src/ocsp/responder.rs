//! Who answers.

use std::{sync::Arc, time::Duration};

use der::{Encode, Tag, TagNumber, asn1::GeneralizedTime};
use gmkit_keys::PrivateKey;
use gmkit_sm2::Id;

use super::{Request, Response, cert_id::responder_key_hash, extension};
use crate::{
    Certificate, Error, State,
    parts::{self, sequence, tagged},
    signed,
    validity::{DAY, now},
};

/// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1, in DER.
pub(super) const BASIC: &[u8] = &[6, 9, 0x2b, 6, 1, 5, 5, 7, 48, 1, 1];

/// Answers for an authority, with its own key or with one whose certificate the authority has issued for
/// that ([`crate::Profile::Ocsp`]).
#[derive(Clone, Debug)]
pub struct Responder {
    issuer: Certificate,
    certificate: Certificate,
    key: Arc<dyn PrivateKey>,
    id: Vec<u8>,
}

impl Responder {
    /// Answers for `issuer`, with the key that belongs to `certificate`.
    ///
    /// # Errors
    /// [`Error::Key`] when key and certificate do not belong together; [`Error::Untrusted`] when the
    /// certificate does not permit to answer for this authority.
    pub fn new(
        issuer: Certificate,
        certificate: Certificate,
        key: Arc<dyn PrivateKey>,
    ) -> Result<Self, Error> {
        if certificate.public_key()? != key.public_key() {
            return Err(gmkit_keys::Error::CertificateMismatch.into());
        }
        let id = Id::DEFAULT;
        if certificate != issuer {
            super::response::check_delegate(&certificate, &issuer, id, now())?;
        }
        Ok(Self { issuer, certificate, key, id: id.as_bytes().to_vec() })
    }

    /// Answers a request by what the authority's database knows. The answer may be used for `days`.
    ///
    /// # Errors
    /// [`Error::Request`] for no days, [`Error::Key`].
    pub fn respond(&self, request: &Request, state: &State, days: u32) -> Result<Response, Error> {
        let this_update = now();
        let next_update = this_update + i64::from(days) * DAY;
        if days == 0 {
            return Err(Error::Request { reason: "an answer may be used for at least a day" });
        }
        let single = |id: &super::CertId| -> Result<Vec<u8>, Error> {
            let next = tagged(context(0), &[&time(next_update)?]);
            Ok(sequence(&[&id.to_der(), &self.status(id, state)?, &time(this_update)?, &next]))
        };
        let singles = request.ids().iter().map(single).collect::<Result<Vec<_>, _>>()?;
        let singles = sequence(&singles.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let key_hash = tagged(Tag::OctetString, &[&responder_key_hash(&self.certificate)]);
        let by_key = tagged(context(2), &[&key_hash]);
        let extensions = request
            .nonce()
            .map(|nonce| tagged(context(1), &[&extension::with_nonce(nonce)]))
            .unwrap_or_default();
        let tbs = sequence(&[&by_key, &time(this_update)?, &singles, &extensions]);
        let id = Id::new(&self.id)?;
        let signed = signed::sign(&tbs, &*self.key, id)?;
        let certificates = tagged(context(0), &[&sequence(&[self.certificate.as_der()])]);
        let basic = sequence(&[parts::content(&signed).unwrap_or(&[]), &certificates]);
        let bytes = sequence(&[BASIC, &tagged(Tag::OctetString, &[&basic])]);
        Response::from_der(&sequence(&[&[0x0a, 1, 0], &tagged(context(0), &[&bytes])]))
    }

    /// `[0]` good, `[1]` revoked or `[2]` unknown.
    fn status(&self, id: &super::CertId, state: &State) -> Result<Vec<u8>, Error> {
        let record = match state.record(id.serial()) {
            Ok(record) if id.is_of(&self.issuer, id.serial()) => record,
            _ => return Ok(vec![0x82, 0]),
        };
        let Some((since, reason)) = record.revoked() else { return Ok(vec![0x80, 0]) };
        let reason = match reason.code() {
            0 => Vec::new(),
            code => tagged(context(0), &[&[0x0a, 1, code]]),
        };
        Ok(tagged(context(1), &[&time(since)?, &reason]))
    }
}

/// `[number]`, constructed.
fn context(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

fn time(seconds: i64) -> Result<Vec<u8>, Error> {
    let wrong = |_| Error::Request { reason: "not a time that a response can have" };
    let time =
        GeneralizedTime::from_unix_duration(Duration::from_secs(seconds.max(0).unsigned_abs()));
    time.and_then(|time| time.to_der()).map_err(wrong)
}
