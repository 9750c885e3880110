//! What is asked.

use der::{Tag, TagNumber};
use gmkit_keys::SysRng;
use gmkit_sm2::rand_core::TryRng;

use super::{cert_id::CertId, extension};
use crate::{
    Error, Form, parts,
    strict::{self, Fault},
};

/// Larger than any request, in bytes.
const MAX: usize = 1 << 16;

/// More than anybody asks about at once.
const MAX_IDS: usize = 100;

/// RFC 9654: 32 bytes are sent, and 1 to 128 are taken.
const NONCE: usize = 32;

/// An OCSP request. Signatures of requests are not looked at: anybody may ask.
///
/// ```
/// # use std::sync::Arc;
/// # use gmkit_keys::{PrivateKey, SoftwareKey};
/// # use gmkit_pki::{Issuer, Profile, ocsp::{CertId, Hash, Request}, subject};
/// # let params = Profile::Ca.params(subject("CN=Root")?, 9)?;
/// # let ca = Issuer::self_signed(params, Arc::new(SoftwareKey::generate()?))?;
/// # let serial = gmkit_pki::Serial::random()?;
/// let request = Request::make(vec![CertId::new(Hash::Sm3, ca.certificate(), &serial)], true)?;
/// assert_eq!(Request::from_der(request.as_der())?.ids()[0].serial(), &serial);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    der: Vec<u8>,
    ids: Vec<CertId>,
    nonce: Option<Vec<u8>>,
}

impl Request {
    /// Asks about certificates, with a nonce or without: some responders have no room for one, as their
    /// answers are made in advance.
    ///
    /// # Errors
    /// [`Error::Key`] when the random number generator fails.
    pub fn make(ids: Vec<CertId>, with_nonce: bool) -> Result<Self, Error> {
        let nonce = with_nonce.then(|| {
            let mut nonce = vec![0; NONCE];
            SysRng.try_fill_bytes(&mut nonce).map_err(|_| Error::Key(gmkit_keys::Error::Rng))?;
            Ok::<_, Error>(nonce)
        });
        let nonce = nonce.transpose()?;
        let list: Vec<_> = ids.iter().map(|id| parts::sequence(&[&id.to_der()])).collect();
        let list = parts::sequence(&list.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let extensions = nonce.as_ref().map(|nonce| {
            let tag = Tag::ContextSpecific { constructed: true, number: TagNumber(2) };
            parts::tagged(tag, &[&extension::with_nonce(nonce)])
        });
        let tbs = parts::sequence(&[&list, &extensions.unwrap_or_default()]);
        Ok(Self { der: parts::sequence(&[&tbs]), ids, nonce })
    }

    /// Reads DER.
    ///
    /// # Errors
    /// [`Error::Malformed`], also for more than 100 questions, and a hash that is not supported.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        Self::read(der).map_err(Form::OcspRequest.fault())
    }

    fn read(der: &[u8]) -> Result<Self, Fault> {
        if der.len() > MAX {
            return Err("longer than 64 KiB");
        }
        strict::check(der)?;
        let outer = parts::members(der)?;
        let mut fields = parts::members(outer.first().ok_or("empty")?)?.into_iter().peekable();
        let version = fields.next_if(|field| field[0] == 0xa0);
        if version.is_some_and(|version| version != [0xa0, 3, 2, 1, 0]) {
            return Err("not of version 1");
        }
        let _name = fields.next_if(|field| field[0] == 0xa1);
        let list = parts::members(fields.next().ok_or("no questions")?)?;
        if list.is_empty() || list.len() > MAX_IDS {
            return Err("not between 1 and 100 questions");
        }
        let ids = list.iter().map(|one| {
            let fields = parts::members(one)?;
            CertId::from_der(fields.first().ok_or("a question without a certificate")?)
        });
        let ids = ids.collect::<Result<_, _>>()?;
        let nonce = match fields.next() {
            Some(wrapped @ [0xa2, ..]) => extension::nonce(parts::content(wrapped)?)?,
            Some(_) => return Err("not the fields of a request"),
            None => None,
        };
        match fields.next() {
            Some(_) => Err("more fields than a request has"),
            None => Ok(Self { der: der.to_vec(), ids, nonce }),
        }
    }

    /// The request in DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Which certificates are asked about.
    #[must_use]
    pub fn ids(&self) -> &[CertId] {
        &self.ids
    }

    /// The nonce, which the answer should have.
    #[must_use]
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }
}
