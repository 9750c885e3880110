//! A path from an end entity to an anchor, found by webpki.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::{
    CertRevocationList, EndEntityCert, Error, ExpirationPolicy, RevocationCheckDepth as Depth,
    RevocationOptions, RevocationOptionsBuilder, UnknownStatusPolicy as Unknown, VerifiedPath,
    anchor_from_trusted_cert,
};

use super::{Anchor, Purpose, algorithms};
use crate::Certificate;

/// What a path is looked for with. All anchors sign under one ID.
pub(super) struct Search<'a> {
    pub(super) id: &'a [u8],
    pub(super) classic: bool,
    pub(super) leaf: &'a Certificate,
    pub(super) purpose: Purpose,
    pub(super) name: Option<&'a ServerName<'static>>,
    pub(super) time: i64,
    pub(super) lists: Vec<&'a CertRevocationList<'static>>,
}

/// End entity first, anchor last.
type Path = Vec<Certificate>;

impl Search<'_> {
    /// Finds a path on which nobody is revoked as far as the lists know. With `all` each certificate must be
    /// known to them; with `sure` the end entity's must, and webpki, which has one policy for all of a path,
    /// is asked about the path that it found a second time.
    pub(super) fn find(
        &self,
        anchors: &[&Anchor],
        authorities: &[&Certificate],
        sure: bool,
        all: bool,
    ) -> Result<Path, Error> {
        let unknown = if all { Unknown::Deny } else { Unknown::Allow };
        let path = self.path(anchors, authorities, Depth::Chain, unknown)?;
        if let (true, false, [_, between @ .., last]) = (sure, all, &path[..]) {
            let between: Vec<_> = between.iter().collect();
            let last: Vec<_> =
                anchors.iter().copied().filter(|anchor| *anchor.certificate == *last).collect();
            self.path(&last, &between, Depth::EndEntity, Unknown::Deny)?;
        }
        Ok(path)
    }

    fn path(
        &self,
        anchors: &[&Anchor],
        authorities: &[&Certificate],
        depth: Depth,
        unknown: Unknown,
    ) -> Result<Path, Error> {
        let algorithms = algorithms::all(self.id, anchors, self.classic);
        let algorithms: Vec<_> = algorithms.iter().map(AsRef::as_ref).collect();
        let ders: Vec<_> =
            anchors.iter().map(|a| CertificateDer::from(a.certificate.as_der())).collect();
        let roots = ders.iter().map(anchor_from_trusted_cert).collect::<Result<Vec<_>, _>>()?;
        let between: Vec<_> =
            authorities.iter().map(|c| CertificateDer::from(c.as_der())).collect();
        let der = CertificateDer::from(self.leaf.as_der());
        let end_entity = EndEntityCert::try_from(&der)?;
        let path = end_entity.verify_for_usage(
            &algorithms,
            &roots,
            &between,
            UnixTime::since_unix_epoch(Duration::from_secs(self.time.max(0).unsigned_abs())),
            self.purpose.extended(),
            self.revocation(depth, unknown)?,
            Some(&|path| within_anchors_limit(path, &roots, anchors)),
        )?;
        if let Some(name) = self.name {
            end_entity.verify_is_valid_for_subject_name(name)?;
        }
        let mut found = vec![self.leaf.clone()];
        for used in path.intermediate_certificates() {
            let used = used.der();
            found.extend(authorities.iter().find(|c| c.as_der() == &*used).map(|c| (*c).clone()));
        }
        let root = roots.iter().position(|root| root == path.anchor());
        found.extend(root.map(|root| anchors[root].certificate().clone()));
        Ok(found)
    }

    fn revocation(
        &self,
        depth: Depth,
        unknown: Unknown,
    ) -> Result<Option<RevocationOptions<'_>>, Error> {
        match RevocationOptionsBuilder::new(&self.lists) {
            Ok(builder) => {
                let builder = builder.with_depth(depth).with_status_policy(unknown);
                Ok(Some(builder.with_expiration_policy(ExpirationPolicy::Enforce).build()))
            }
            Err(_) if unknown == Unknown::Deny => Err(Error::UnknownRevocationStatus),
            Err(_) => Ok(None),
        }
    }
}

/// An anchor is a key and a name to webpki: how long a path its certificate permits is looked at here. Of
/// several certificates with one key, name and name constraints, the strictest counts.
fn within_anchors_limit(
    path: &VerifiedPath<'_>,
    roots: &[TrustAnchor<'_>],
    anchors: &[&Anchor],
) -> Result<(), Error> {
    let below = path.intermediate_certificates().count();
    let same = roots.iter().zip(anchors).filter(|(root, _)| *root == path.anchor());
    let mut limits = same.filter_map(|(_, anchor)| {
        anchor
            .certificate
            .extensions()
            .basic_constraints
            .and_then(|constraints| constraints.path_len)
    });
    match limits.any(|limit| usize::try_from(limit).is_ok_and(|limit| below > limit)) {
        true => Err(Error::PathLenConstraintViolated),
        false => Ok(()),
    }
}
