//! Which revocation lists are used.

use std::{cmp::Reverse, sync::Arc};

use gmkit_sm2::Id;
use webpki::{BorrowedCertRevocationList, CertRevocationList};

use super::Untrusted;
use crate::{Certificate, Crl, Error, Form, KeyUsage, issuer::may};

/// Revocation lists, newest first: of several of one issuer, webpki takes the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists(Vec<List>);

/// Shared: a verifier may be copied for each certificate that it checks.
#[derive(Clone, Debug)]
struct List(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    crl: Crl,
    prepared: CertRevocationList<'static>,
}

/// What there is for an end entity.
pub(super) struct Usable<'l> {
    lists: Vec<&'l Inner>,
    /// Whether one that says to be of the end entity's issuer is left out, as it is not.
    pub(super) fake: bool,
    /// Whether one is for all that the end entity's issuer has issued.
    pub(super) covers_leaf: bool,
}

impl<'l> Usable<'l> {
    pub(super) fn prepared(&self) -> Vec<&'l CertRevocationList<'static>> {
        self.lists.iter().map(|list| &list.prepared).collect()
    }
}

impl Inner {
    /// Whether it says that a certificate of its issuer's is revoked.
    fn names(&self, certificate: &Certificate) -> bool {
        let found = self.prepared.find_serial(&certificate.serial().to_integer());
        certificate.issuer() == self.crl.issuer() && found.is_ok_and(|found| found.is_some())
    }

    /// Whether it would say that a certificate was revoked before it was used at `signed`: made since then, or
    /// the current one, and at a time when the certificate had not expired, as lists drop what has.
    fn knows_since(&self, signed: i64, now: i64, leaf: &Certificate) -> bool {
        let made = self.crl.this_update();
        made <= leaf.validity().not_after && (made >= signed || self.crl.next_update() > now)
    }

    /// One that may hold a part of an authority's certificates only is used where certificates say which
    /// part they belong to.
    fn is_for(&self, leaf: &Certificate, authorities: &[&Certificate]) -> bool {
        let told_apart = |certificate: &Certificate| {
            certificate.issuer() != self.crl.issuer()
                || !certificate.extensions().crl_urls.is_empty()
        };
        !self.crl.is_partial() || (told_apart(leaf) && authorities.iter().all(|c| told_apart(c)))
    }
}

impl Lists {
    pub(super) fn add(&mut self, crl: Crl) -> Result<(), Error> {
        let prepared =
            BorrowedCertRevocationList::from_der(crl.as_der()).and_then(|list| list.to_owned());
        let prepared =
            prepared.map_err(|_| "of a kind that is not used here").map_err(Form::Crl.fault())?;
        self.0.push(List(Arc::new(Inner { crl, prepared: CertRevocationList::Owned(prepared) })));
        self.0.sort_by_key(|List(list)| Reverse((list.crl.this_update(), list.crl.number())));
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that are not from the future, and of one of the authorities that may sign them.
    pub(super) fn usable<'l>(
        &'l self,
        leaf: &Certificate,
        authorities: &[&Certificate],
        id: Id<'_>,
        classic: bool,
        (time, stamped): (i64, Option<(i64, i64)>),
    ) -> Usable<'l> {
        let mut usable = Usable { lists: Vec::new(), fake: false, covers_leaf: false };
        let knows =
            |list: &Inner| stamped.is_none_or(|(signed, now)| list.knows_since(signed, now, leaf));
        let current = self.current(time);
        let current = current.filter(|list| knows(list) && list.is_for(leaf, authorities));
        let current: Vec<_> = current.collect();
        for &list in &current {
            let crl = &list.crl;
            // Webpki takes the first list of an issuer by its name, and then checks the signature. Where there
            // are several it must be the authority's own that it finds.
            let alone =
                current.iter().filter(|other| other.crl.issuer() == crl.issuer()).count() == 1;
            let signed = |by: &&Certificate| {
                by.subject() == crl.issuer()
                    && may(by, KeyUsage::CRL_SIGN)
                    && (alone
                        || by.public_key().is_ok_and(|key| crl.verify_signature(key, id).is_ok()))
            };
            let of_leaf = crl.issuer() == leaf.issuer();
            // Lists of classic authorities are checked by webpki alone.
            if authorities.iter().any(signed) || (classic && !crl.is_national()) {
                usable.lists.push(list);
                usable.covers_leaf |= of_leaf && !crl.is_partial();
            } else {
                usable.fake |= of_leaf;
            }
        }
        usable
    }

    fn current(&self, time: i64) -> impl Iterator<Item = &Inner> {
        self.0.iter().map(|List(list)| &**list).filter(move |list| list.crl.this_update() <= time)
    }

    /// Looks at a chain that was found once more. Whoever has signed a list that was used must be one who
    /// may, the anchor too, which is only a key and a name to webpki. And bad news counts, whichever list it
    /// is in: an older one, by a clock that was put right since, or one that was not used as it may hold a part
    /// only.
    pub(super) fn check(
        &self,
        chain: &[Certificate],
        used: &Usable<'_>,
        id: Id<'_>,
        time: i64,
    ) -> Result<(), Untrusted> {
        for pair in chain.windows(2) {
            let [certificate, issuer] = pair else { continue };
            let of_issuer = |list: &Inner| list.crl.issuer() == issuer.subject();
            if !may(issuer, KeyUsage::CRL_SIGN) && used.lists.iter().any(|list| of_issuer(list)) {
                return Err(Untrusted::CrlNotAuthentic);
            }
            let believed = |list: &Inner| match issuer.public_key() {
                Ok(key) if list.crl.is_national() => list.crl.verify_signature(key, id).is_ok(),
                // A classic authority's: nothing here can tell that it is not.
                _ => !list.crl.is_national(),
            };
            if self.current(time).any(|list| list.names(certificate) && believed(list)) {
                return Err(Untrusted::Revoked);
            }
        }
        Ok(())
    }
}
