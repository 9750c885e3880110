//! Whom to believe.

use gmkit_sm2::{Id, PublicKey};

use crate::{Certificate, Crl, Error, Purpose, Verifier};

/// What makes a signature of a message good: whose it has to be, and under which conditions.
#[derive(Clone, Debug)]
pub struct Policy {
    trust: Trust,
    only: Option<Box<Certificate>>,
    id: Vec<u8>,
    certificates: Vec<Certificate>,
    bare: bool,
    time_stamps: Option<Box<Verifier>>,
}

/// What the trust in a signer rests on.
#[derive(Clone, Debug)]
pub(super) enum Trust {
    /// Certificates of authorities.
    Chain(Box<Verifier>),
    /// This certificate, which the caller has from somewhere safe.
    Certificate(Box<Certificate>),
    /// This key.
    Key(Box<PublicKey>),
}

impl Policy {
    fn new(trust: Trust) -> Self {
        let id = Id::DEFAULT.as_bytes().to_vec();
        Self { trust, only: None, id, certificates: Vec::new(), bare: false, time_stamps: None }
    }

    /// Signers whose certificates a verifier trusts for [`Purpose::Sign`], whatever its own purpose is. The
    /// certificates of the message may stand between.
    #[must_use]
    pub fn chain(verifier: Verifier) -> Self {
        Self::new(Trust::Chain(Box::new(verifier.with_purpose(Purpose::Sign))))
    }

    /// Signers of time stamps, by a verifier for them.
    pub(super) fn for_time_stamps(verifier: Verifier) -> Self {
        Self::new(Trust::Chain(Box::new(verifier)))
    }

    /// The signer with this certificate. What it says of dates and usages counts; nobody vouches for it.
    #[must_use]
    pub fn certificate(certificate: Certificate) -> Self {
        Self::new(Trust::Certificate(Box::new(certificate)))
    }

    /// The signer with this key. Certificates do not count.
    #[must_use]
    pub fn key(key: PublicKey) -> Self {
        Self::new(Trust::Key(Box::new(key)))
    }

    /// Asks about the signer with this certificate alone. A verifier must trust it still.
    #[must_use]
    pub fn only(mut self, signer: Certificate) -> Self {
        self.only = Some(Box::new(signer));
        self
    }

    /// Another ID than the default one, under which signers sign.
    #[must_use]
    pub fn with_id(mut self, id: Id<'_>) -> Self {
        self.id = id.as_bytes().to_vec();
        self
    }

    /// Certificates that may be a signer's or stand between, beside those in the message. They are not
    /// trusted for being here.
    #[must_use]
    pub fn with_certificates(mut self, more: impl IntoIterator<Item = Certificate>) -> Self {
        self.certificates.extend(more);
        self
    }

    /// Revocation lists, for signers whose certificates are verified.
    ///
    /// # Errors
    /// As [`Verifier::with_crls`]; [`Error::Request`] where a certificate or key is given, and nobody looks
    /// at lists.
    pub fn with_crls(mut self, crls: impl IntoIterator<Item = Crl>) -> Result<Self, Error> {
        let Trust::Chain(verifier) = self.trust else {
            return Err(Error::Request { reason: "revocation lists are for signers with a chain" });
        };
        self.trust = Trust::Chain(Box::new(verifier.with_crls(crls)?));
        Ok(self)
    }

    /// Takes signatures without signed attributes in the forms of OpenSSL, over SM3 of the content, and of
    /// GmSSL, over SM3 of the content in its framing.
    ///
    /// Neither hashes Z, the signer's ID and key, as GB/T 32918.2 asks for: such a signature does not say
    /// which key it is of, and can be one over something else. Only for peers that can do nothing else.
    #[must_use]
    pub fn with_bare_signatures(mut self) -> Self {
        self.bare = true;
        self
    }

    /// Who may say when a signature was there (RFC 3161): a verifier, which is asked for
    /// [`Purpose::TimeStamping`] whatever its own purpose is. Where a time stamp is good, the signer's chain is checked for its time.
    #[must_use]
    pub fn with_time_stamps(mut self, authorities: Verifier) -> Self {
        self.time_stamps = Some(Box::new(authorities.with_purpose(Purpose::TimeStamping)));
        self
    }

    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The ID under which signers sign.
    ///
    /// # Panics
    /// Never: it was an ID when it came in.
    #[must_use]
    pub fn id(&self) -> Id<'_> {
        Id::new(&self.id).expect("it was an ID")
    }

    /// The only signer who is asked about.
    pub(super) fn only_signer(&self) -> Option<&Certificate> {
        match &self.trust {
            Trust::Certificate(certificate) => Some(certificate),
            _ => self.only.as_deref(),
        }
    }

    pub(super) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.only_signer().into_iter().chain(&self.certificates)
    }

    pub(super) fn allows_bare(&self) -> bool {
        self.bare
    }

    pub(super) fn time_stamp_verifier(&self) -> Option<&Verifier> {
        self.time_stamps.as_deref()
    }
}
