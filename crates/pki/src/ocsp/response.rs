//! What is answered.

use std::fmt;

use der::{Decode, asn1::GeneralizedTime};
use gmkit_sm2::Id;

use super::{CertId, Request, cert_id::responder_key_hash, extension, responder::BASIC};
use crate::{
    Anchor, Certificate, Error, Form, Purpose, Untrusted, Verifier, parts,
    signed::Signed,
    strict::{self, Fault},
};

/// Larger than any response, in bytes.
const MAX: usize = 1 << 20;

/// How far another clock may be ahead, in seconds.
const SKEW: i64 = 300;

/// For how long an answer that does not say is used, in seconds.
const DEFAULT_LIFE: i64 = 86_400;

/// An OCSP response that could be read. Nothing in it is to be believed before [`Response::status_of`].
#[derive(Clone)]
pub struct Response {
    der: Vec<u8>,
    basic: Vec<u8>,
    responder: ResponderId,
    singles: Vec<Single>,
    nonce: Option<Vec<u8>>,
    certificates: Vec<Certificate>,
}

#[derive(Clone)]
enum ResponderId {
    Name(Vec<u8>),
    KeyHash(Vec<u8>),
}

/// The answer about one certificate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Single {
    /// Which.
    pub id: CertId,
    /// What the responder says.
    pub status: Status,
    /// Since when this is known to be so, in seconds since 1970.
    pub this_update: i64,
    /// Until when, in seconds since 1970.
    pub next_update: Option<i64>,
}

/// What a responder says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked {
        /// When, in seconds since 1970.
        time: i64,
        /// Why, as the standard numbers the reasons.
        reason: Option<u8>,
    },
    /// The responder does not know of it.
    Unknown,
}

impl Response {
    /// Reads DER.
    ///
    /// # Errors
    /// [`Error::Malformed`], also when the responder says that it has no answer.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        Self::read(der).map_err(Form::OcspResponse.fault())
    }

    fn read(der: &[u8]) -> Result<Self, Fault> {
        if der.len() > MAX {
            return Err("longer than 1 MiB");
        }
        strict::check(der)?;
        let bytes = match *parts::members(der)? {
            [[0x0a, 1, 0], wrapped @ [0xa0, ..]] => parts::content(wrapped)?,
            [[0x0a, 1, 1], ..] => return Err("the responder says: malformed request"),
            [[0x0a, 1, 3], ..] => return Err("the responder says: try later"),
            [[0x0a, 1, 6], ..] => return Err("the responder says: unauthorized"),
            _ => return Err("the responder has no answer"),
        };
        let [BASIC, basic @ [4, ..]] = *parts::members(bytes)? else {
            return Err("not a basic response");
        };
        let basic = parts::content(basic)?;
        let (signed, certificates) = split(basic)?;
        strict::check(&signed)?;
        let mut response = Self {
            der: der.to_vec(),
            responder: ResponderId::Name(Vec::new()),
            singles: Vec::new(),
            nonce: None,
            certificates,
            basic: signed,
        };
        let signed = response.basic.clone();
        response.read_data(Signed::read(&signed)?.tbs)?;
        Ok(response)
    }

    fn read_data(&mut self, data: &[u8]) -> Result<(), Fault> {
        let mut fields = parts::members(data)?.into_iter().peekable();
        let version = fields.next_if(|field| field[0] == 0xa0);
        if version.is_some_and(|version| version != [0xa0, 3, 2, 1, 0]) {
            return Err("not of version 1");
        }
        self.responder = match fields.next() {
            Some(name @ [0xa1, ..]) => ResponderId::Name(parts::content(name)?.to_vec()),
            Some(hash @ [0xa2, ..]) => {
                ResponderId::KeyHash(parts::content(parts::content(hash)?)?.to_vec())
            }
            _ => return Err("it does not say who answers"),
        };
        let _produced_at = time(fields.next().ok_or("no time")?)?;
        let singles = parts::members(fields.next().ok_or("no answers")?)?;
        self.singles = singles.into_iter().map(Single::read).collect::<Result<_, _>>()?;
        self.nonce = match fields.next() {
            Some(wrapped @ [0xa1, ..]) => extension::nonce(parts::content(wrapped)?)?,
            Some(_) => return Err("not the fields of a response"),
            None => None,
        };
        fields.next().map_or(Ok(()), |_| Err("more fields than a response has"))
    }

    /// The response in DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// What is answered, whoever has signed it.
    #[must_use]
    pub fn singles(&self) -> &[Single] {
        &self.singles
    }

    /// What an authority, or somebody it has told to, says of a certificate at a time. With the request at
    /// hand, the nonce must be the same.
    ///
    /// # Errors
    /// [`Error::Rejected`] when it or the certificate is not signed by them, or the nonce is another; [`Error::Untrusted`]
    /// when whoever has signed it may not; [`Untrusted::RevocationUnknown`] when it does not speak of the
    /// certificate, or not of that time.
    pub fn status_of(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        id: Id<'_>,
        time: i64,
        request: Option<&Request>,
    ) -> Result<Status, Error> {
        self.check_signature(issuer, id, time)?;
        // It speaks of a serial number: of a certificate only if that is the issuer's.
        certificate.verify_signature(issuer.public_key()?, id)?;
        let asked = request.and_then(Request::nonce);
        if asked.is_some_and(|asked| self.nonce.as_deref() != Some(asked)) {
            return Err(Error::Rejected);
        }
        let about = |single: &&Single| {
            certificate.issuer() == issuer.subject()
                && single.id.is_of(issuer, certificate.serial())
                && single.is_current(time)
        };
        // Of several answers the worst counts.
        let answers = self.singles.iter().filter(about).map(|single| single.status);
        let worst = answers.max_by_key(|status| match status {
            Status::Good => 0,
            Status::Unknown => 1,
            Status::Revoked { .. } => 2,
        });
        Ok(worst.ok_or(Untrusted::RevocationUnknown)?)
    }

    fn check_signature(&self, issuer: &Certificate, id: Id<'_>, time: i64) -> Result<(), Error> {
        let signed = Signed::read(&self.basic).map_err(Form::OcspResponse.fault())?;
        if self.is_responder(issuer) {
            return signed.verify(issuer.public_key()?, id);
        }
        let delegate = self.certificates.iter().find(|certificate| self.is_responder(certificate));
        let delegate = delegate.ok_or(Error::Rejected)?;
        check_delegate(delegate, issuer, id, time)?;
        signed.verify(delegate.public_key()?, id)
    }

    fn is_responder(&self, certificate: &Certificate) -> bool {
        match &self.responder {
            ResponderId::Name(name) => name == certificate.subject().as_der(),
            ResponderId::KeyHash(hash) => *hash == responder_key_hash(certificate),
        }
    }
}

/// RFC 6960, 4.2.2.2: issued by the authority itself, for this.
pub(super) fn check_delegate(
    delegate: &Certificate,
    issuer: &Certificate,
    id: Id<'_>,
    time: i64,
) -> Result<(), Untrusted> {
    let anchor = Anchor::new(issuer.clone()).with_id(id);
    Verifier::new(vec![anchor], Purpose::OcspSigning).at(time).verify(delegate).map(drop)
}

impl Single {
    fn read(der: &[u8]) -> Result<Self, Fault> {
        let fields = parts::members(der)?;
        let [id, status, this_update, ref rest @ ..] = *fields else {
            return Err("not the fields of an answer");
        };
        let mut rest = rest.iter().copied().peekable();
        let next_update = rest.next_if(|field| field[0] == 0xa0);
        let next_update = next_update.map(|wrapped| time(parts::content(wrapped)?)).transpose()?;
        if let Some(wrapped) = rest.next_if(|field| field[0] == 0xa1) {
            extension::nonce(parts::content(wrapped)?)?;
        }
        if rest.next().is_some() {
            return Err("more fields than an answer has");
        }
        let status = match status {
            [0x80, 0] => Status::Good,
            [0x82, 0] => Status::Unknown,
            revoked @ [0xa1, ..] => Self::read_revoked(revoked)?,
            _ => return Err("not a status"),
        };
        Ok(Self { id: CertId::from_der(id)?, status, this_update: time(this_update)?, next_update })
    }

    fn read_revoked(der: &[u8]) -> Result<Status, Fault> {
        let fields = parts::members_within(parts::content(der)?)?;
        let reason = match fields.get(1) {
            Some([0xa0, 3, 0x0a, 1, reason]) => Some(*reason),
            Some(_) => return Err("not a reason"),
            None => None,
        };
        Ok(Status::Revoked { time: time(fields.first().ok_or("no time")?)?, reason })
    }

    /// Whether it speaks of this time.
    fn is_current(&self, time: i64) -> bool {
        let end = self.next_update.unwrap_or(self.this_update.saturating_add(DEFAULT_LIFE));
        (self.this_update.saturating_sub(SKEW)..=end).contains(&time)
    }
}

/// A BasicOCSPResponse is the three parts of something signed, and certificates. Those that are not of a
/// kind that could have signed are passed over.
fn split(basic: &[u8]) -> Result<(Vec<u8>, Vec<Certificate>), Fault> {
    match *parts::members(basic)? {
        [tbs, algorithm, signature, ref rest @ ..] => {
            let certificates = match *rest {
                [] => Vec::new(),
                [wrapped @ [0xa0, ..]] => parts::members(parts::content(wrapped)?)?,
                _ => return Err("not the fields of a basic response"),
            };
            let certificates =
                certificates.iter().filter_map(|der| Certificate::from_der(der).ok());
            Ok((parts::sequence(&[tbs, algorithm, signature]), certificates.collect()))
        }
        _ => Err("not the fields of a basic response"),
    }
}

fn time(der: &[u8]) -> Result<i64, Fault> {
    let time = GeneralizedTime::from_der(der).map_err(|_| "not a time")?;
    i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| "not a time")
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("singles", &self.singles).finish_non_exhaustive()
    }
}
