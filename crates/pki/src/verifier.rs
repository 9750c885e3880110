//! Chains of certificates, checked.

mod algorithms;
mod anchor;
mod lists;
mod path;
mod purpose;
mod untrusted;

use std::fmt;

use gmkit_sm2::Id;
use rustls_pki_types::ServerName;

use crate::{
    Certificate, Crl, Error, KeyUsage, Name, Validity,
    ocsp::{Response, Status},
    validity::now,
};
pub use anchor::Anchor;
use lists::Lists;
use path::Search;
pub use purpose::Purpose;
pub use untrusted::Untrusted;

/// Signatures that are looked at to see which certificates of a message are anybody's.
const MAX_VOUCHING: usize = 512;

/// A chain that was checked: end entity first, anchor last.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Chain {
    /// The certificates.
    pub certificates: Vec<Certificate>,
    /// The ID that all of their signatures are under.
    pub id: Vec<u8>,
    /// Whether revocation lists or OCSP said that the end entity's certificate is not revoked.
    pub revocation_checked: bool,
}

impl Chain {
    /// The certificate that is trusted because the caller says so.
    #[must_use]
    pub fn anchor(&self) -> &Certificate {
        self.certificates.last().unwrap_or_else(|| self.issuer())
    }

    /// The certificate of whoever has issued the end entity's.
    #[must_use]
    pub fn issuer(&self) -> &Certificate {
        self.certificates.get(1).unwrap_or(&self.certificates[0])
    }
}

/// Checks certificates against anchors, for a purpose.
///
/// Paths, validity, basic and name constraints, extended key usages, critical extensions, revocation
/// lists and host names are `rustls-webpki`'s work. On top of it: every certificate of the chain, the
/// anchor too, has SM2 key and signature, is valid at the time, and has a key usage that permits what it
/// does: keyCertSign for authorities, and what the [`Purpose`] needs for the end entity.
///
/// See the crate's front page for an example.
#[derive(Clone)]
pub struct Verifier {
    anchors: Vec<Anchor>,
    purpose: Purpose,
    intermediates: Vec<Certificate>,
    lists: Lists,
    ocsp: Vec<Response>,
    all_revocation: bool,
    name: Option<ServerName<'static>>,
    time: Option<i64>,
    signed: Option<i64>,
    classic: bool,
}

impl Verifier {
    /// Trusts these anchors, for this purpose.
    #[must_use]
    pub fn new(anchors: Vec<Anchor>, purpose: Purpose) -> Self {
        Self {
            anchors,
            purpose,
            intermediates: Vec::new(),
            lists: Lists::default(),
            ocsp: Vec::new(),
            all_revocation: false,
            name: None,
            time: None,
            signed: None,
            classic: false,
        }
    }

    /// Trusts another anchor, too.
    #[must_use]
    pub fn with_anchor(mut self, anchor: Anchor) -> Self {
        self.anchors.push(anchor);
        self
    }

    /// Checks for another purpose.
    #[must_use]
    pub fn with_purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// Certificates that may stand between; they are not trusted for being here.
    #[must_use]
    pub fn with_intermediates(
        mut self,
        certificates: impl IntoIterator<Item = Certificate>,
    ) -> Self {
        self.intermediates.extend(certificates);
        self
    }

    /// Revocation lists. Once there are any, the end entity's status must be known from one, and no
    /// authority of the chain may be revoked by one.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a list that cannot be used: a delta, or one with entries of other issuers.
    pub fn with_crls(mut self, crls: impl IntoIterator<Item = Crl>) -> Result<Self, Error> {
        crls.into_iter().try_for_each(|crl| self.lists.add(crl))?;
        Ok(self)
    }

    /// OCSP responses. Once there are any, one of them must say that the end entity's certificate is good,
    /// and none that it is revoked. Whether the certificate of a responder was revoked is not looked at: such
    /// certificates are short-lived (RFC 6960, 4.2.2.2.1).
    #[must_use]
    pub fn with_ocsp(mut self, responses: impl IntoIterator<Item = Response>) -> Self {
        self.ocsp.extend(responses);
        self
    }

    /// Asks for a revocation list for every certificate below the anchor, not for the end entity's only.
    #[must_use]
    pub fn with_all_revocation(mut self) -> Self {
        self.all_revocation = true;
        self
    }

    /// Asks that the certificate is for this host: a name or an address, among its alternative names.
    ///
    /// # Errors
    /// [`Error::Text`] when it is neither.
    pub fn named(mut self, host: &str) -> Result<Self, Error> {
        let fault =
            |_| Error::Text { part: host.to_owned(), reason: "neither a host name nor an address" };
        self.name = Some(ServerName::try_from(host.to_owned()).map_err(fault)?);
        Ok(self)
    }

    /// The time to check for, in seconds since 1970, instead of now.
    #[must_use]
    pub fn at(mut self, time: i64) -> Self {
        self.time = Some(time);
        self
    }

    /// Certificates that may stand between, as a peer shows them that nobody has checked yet: those that no
    /// anchor stands behind are left out before any other work is done with them.
    #[must_use]
    pub fn with_shown(self, certificates: &[Certificate]) -> Self {
        let vouched = self.vouched(certificates);
        self.with_intermediates(vouched)
    }

    /// OCSP responses as in [`Verifier::with_ocsp`], in the place of all others.
    #[must_use]
    pub fn with_only_ocsp(mut self, responses: impl IntoIterator<Item = Response>) -> Self {
        self.ocsp.clear();
        self.with_ocsp(responses)
    }

    /// Of certificates that come from anybody, those that an anchor or another one of them has signed, with SM2:
    /// so that nobody else can make the search for a path long.
    pub(crate) fn vouched(&self, certificates: &[Certificate]) -> Vec<Certificate> {
        let mut work = MAX_VOUCHING;
        let mut kept: Vec<Certificate> = Vec::new();
        let mut rest: Vec<&Certificate> =
            certificates.iter().filter(|found| found.extensions().is_ca()).collect();
        loop {
            let before = kept.len();
            rest.retain(|found| {
                let anchors = self.anchors.iter().map(Anchor::certificate);
                let known = anchors.chain(&self.intermediates);
                let above = known.chain(&kept).filter(|above| above.subject() == found.issuer());
                let signed = above.into_iter().any(|above| {
                    work = work.saturating_sub(1);
                    work > 0 && self.has_signed(above, found)
                });
                if signed {
                    kept.push((*found).clone());
                }
                !signed
            });
            if kept.len() == before {
                return kept;
            }
        }
    }

    /// Whether a certificate was signed with the key of another, under the ID of any anchor.
    fn has_signed(&self, above: &Certificate, found: &Certificate) -> bool {
        let Ok(key) = above.public_key() else { return false };
        let mut ids: Vec<_> = self.anchors.iter().map(|anchor| &anchor.id[..]).collect();
        ids.dedup();
        ids.into_iter().filter_map(|id| Id::new(id).ok()).any(|id| {
            found.has_signature(|message, signature| {
                anchor::verify(&self.anchors, key, id, message, signature).is_ok()
            })
        })
    }

    /// A time at which a signature was there, as a time stamp says: certificates are looked at as they were
    /// then. A revocation list counts if it was made since, while the certificate was valid, or is the current
    /// one of a certificate that is valid still: lists drop what has expired. A time that was chosen by the
    /// caller stands.
    pub(crate) fn signed_at(mut self, time: i64) -> Self {
        self.signed = self.time.is_none().then_some(time);
        self
    }

    /// Lets RSA, ECDSA and Ed25519 stand in a chain, too.
    #[cfg(feature = "classic")]
    #[must_use]
    pub fn with_classic(mut self) -> Self {
        self.classic = true;
        self
    }

    /// Checks a certificate, and says which chain it was trusted for.
    ///
    /// # Errors
    /// [`Untrusted`], with the reason.
    pub fn verify(&self, leaf: &Certificate) -> Result<Chain, Untrusted> {
        let current = self.time.unwrap_or_else(now);
        let time = self.signed.unwrap_or(current);
        self.check_end_entity(leaf, time)?;
        let mut unfit = Vec::new();
        let authorities: Vec<_> =
            self.intermediates.iter().filter(|c| self.fits(c, time, &mut unfit)).collect();
        let anchors: Vec<_> =
            self.anchors.iter().filter(|a| self.fits(&a.certificate, time, &mut unfit)).collect();
        let mut result = Err(Untrusted::UnknownIssuer { issuer: leaf.issuer().to_string() });
        let mut ids: Vec<&[u8]> = anchors.iter().map(|anchor| &*anchor.id).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let anchors: Vec<_> =
                anchors.iter().copied().filter(|anchor| *anchor.id == *id).collect();
            match self.verify_under(id, leaf, &anchors, &authorities, (time, current)) {
                Ok(chain) => return self.check_ocsp(chain, current),
                Err(Untrusted::UnknownIssuer { .. }) => {}
                Err(reason) => result = Err(reason),
            }
        }
        // An authority that was left out may be the one that is missing.
        let missing =
            |name: &Name| leaf.issuer() == name || authorities.iter().any(|c| c.issuer() == name);
        let mut unfit = unfit.into_iter().filter(|(authority, _)| missing(authority.subject()));
        match (result, unfit.next()) {
            (Err(Untrusted::UnknownIssuer { .. }), Some((_, reason))) => Err(reason),
            (result, _) => result,
        }
    }

    fn check_end_entity(&self, leaf: &Certificate, time: i64) -> Result<(), Untrusted> {
        self.check_algorithms(leaf)?;
        self.purpose.check_usages(leaf, time)
    }

    /// Whether an authority may be one; the reasons against one are kept.
    fn fits<'c>(
        &self,
        authority: &'c Certificate,
        time: i64,
        unfit: &mut Vec<(&'c Certificate, Untrusted)>,
    ) -> bool {
        let checked = self.check_authority(authority, time);
        let fits = checked.is_ok();
        unfit.extend(checked.err().map(|reason| (authority, reason)));
        fits
    }

    fn check_authority(&self, authority: &Certificate, time: i64) -> Result<(), Untrusted> {
        let subject = || authority.subject().to_string();
        let extensions = authority.extensions();
        if let Some(oid) = extensions.unknown_critical().next() {
            return Err(Untrusted::CriticalExtension { subject: subject(), oid: oid.to_owned() });
        }
        self.check_algorithms(authority)?;
        check_time(authority, time)?;
        if !extensions.is_ca() {
            return Err(Untrusted::NotAnAuthority { subject: subject() });
        }
        match extensions.key_usage {
            None => Err(Untrusted::NoKeyUsage { subject: subject() }),
            Some(found) if !found.any_of(KeyUsage::KEY_CERT_SIGN) => {
                Err(Untrusted::KeyUsage { subject: subject(), wanted: "keyCertSign", found })
            }
            Some(_) => Ok(()),
        }
    }

    fn check_algorithms(&self, certificate: &Certificate) -> Result<(), Untrusted> {
        match self.classic || certificate.is_national() {
            true => Ok(()),
            false => Err(Untrusted::NotNational { subject: certificate.subject().to_string() }),
        }
    }

    fn verify_under(
        &self,
        id: &[u8],
        leaf: &Certificate,
        anchors: &[&Anchor],
        between: &[&Certificate],
        (time, current): (i64, i64),
    ) -> Result<Chain, Untrusted> {
        let signer = Id::new(id).map_err(|_| Untrusted::BadSignature)?;
        let authorities: Vec<_> = anchors
            .iter()
            .map(|anchor| anchor.certificate())
            .chain(between.iter().copied())
            .collect();
        let stamped = self.signed.map(|signed| (signed, current));
        let usable =
            self.lists.usable(leaf, &authorities, signer, self.classic, (current, stamped));
        let search = Search {
            id,
            classic: self.classic,
            leaf,
            purpose: self.purpose,
            name: self.name.as_ref(),
            time,
            lists: usable.prepared(),
        };
        let with_lists = !self.lists.is_empty();
        // A list for all of the issuer's certificates has been asked by then.
        let sure = with_lists && !usable.covers_leaf;
        match search.find(anchors, between, sure, self.all_revocation) {
            Ok(certificates) => {
                self.lists.check(&certificates, &usable, signer, current)?;
                Ok(Chain { certificates, id: id.to_vec(), revocation_checked: with_lists })
            }
            Err(webpki::Error::UnknownRevocationStatus) if usable.fake => {
                Err(Untrusted::CrlNotAuthentic)
            }
            Err(error) => Err(Untrusted::from_webpki(error, leaf, self.name.as_ref())),
        }
    }

    fn check_ocsp(&self, mut chain: Chain, time: i64) -> Result<Chain, Untrusted> {
        if self.ocsp.is_empty() {
            return Ok(chain);
        }
        let id = Id::new(&chain.id).map_err(|_| Untrusted::BadSignature)?;
        let mut reason = Err(Untrusted::RevocationUnknown);
        for response in &self.ocsp {
            match response.status_of(&chain.certificates[0], chain.issuer(), id, time, None) {
                Ok(Status::Good) => reason = Ok(()),
                Ok(Status::Revoked { .. }) => return Err(Untrusted::Revoked),
                Ok(Status::Unknown) | Err(Error::Untrusted(Untrusted::RevocationUnknown)) => {}
                Err(Error::Untrusted(why)) => reason = reason.or(Err(why)),
                Err(_) => reason = reason.or(Err(Untrusted::OcspNotAuthentic)),
            }
        }
        chain.revocation_checked = true;
        reason.map(|()| chain)
    }
}

fn check_time(certificate: &Certificate, time: i64) -> Result<(), Untrusted> {
    let Validity { not_before, not_after } = certificate.validity();
    let subject = || certificate.subject().to_string();
    if time < not_before {
        return Err(Untrusted::NotYetValid { subject: subject(), not_before });
    }
    if time > not_after {
        return Err(Untrusted::Expired { subject: subject(), not_after });
    }
    Ok(())
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("anchors", &self.anchors)
            .field("purpose", &self.purpose)
            .field("intermediates", &self.intermediates)
            .finish_non_exhaustive()
    }
}
