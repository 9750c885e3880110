//! Revocation lists that say less than they seem to.

use std::sync::Arc;

use gmkit_keys::SoftwareKey;
use rcgen::KeyUsagePurpose;

use super::{Careless, ca_params, params};
use crate::{
    Anchor, Certificate, Crl, Database, Error, Issuer, Profile, Purpose, Reason, Untrusted,
    Verifier, now, subject, validity::date,
};

#[test]
fn revocation_lists() {
    let root = Careless::new("CN=root");
    let issuer = Issuer::new(root.certificate.clone(), root.key.clone()).unwrap();
    let (leaf, _) = root.issue(params(Profile::Sign));
    let list = |issuer: &Issuer, revoked: bool, age: i64, days: i64| {
        let entry = rcgen::RevokedCertParams {
            serial_number: leaf.serial().to_rcgen(),
            revocation_time: date(now()).unwrap(),
            reason_code: None,
            invalidity_date: None,
        };
        issuer
            .crl(rcgen::CertificateRevocationListParams {
                this_update: date(now() - age).unwrap(),
                next_update: date(now() - age + days * 86_400).unwrap(),
                crl_number: if revoked { 2 } else { 1 }.into(),
                issuing_distribution_point: None,
                revoked_certs: if revoked { vec![entry] } else { Vec::new() },
                key_identifier_method: rcgen::KeyIdMethod::PreSpecified(Vec::new()),
            })
            .unwrap()
    };
    let verify = |crls: Vec<Crl>| {
        root.verifier(Purpose::Sign).with_crls(crls).unwrap().verify(&leaf).map(drop)
    };
    let (good, bad) = (list(&issuer, false, 100, 1), list(&issuer, true, 50, 1));
    assert_eq!(verify(vec![good.clone()]), Ok(()));
    assert_eq!(verify(vec![bad.clone()]), Err(Untrusted::Revoked));
    // The newest counts, in whatever order they come.
    assert_eq!(verify(vec![good.clone(), bad.clone()]), Err(Untrusted::Revoked));
    assert_eq!(verify(vec![bad.clone(), good.clone()]), Err(Untrusted::Revoked));
    // So it does among lists of one second.
    let tie = list(&issuer, false, 50, 1);
    assert_eq!(verify(vec![bad.clone(), tie.clone()]), Err(Untrusted::Revoked));
    assert_eq!(verify(vec![tie, bad.clone()]), Err(Untrusted::Revoked));
    assert_eq!(verify(vec![list(&issuer, false, 3 * 86_400, 1)]), Err(Untrusted::CrlExpired));
    // One from the future says nothing yet, and one of somebody else never does.
    assert_eq!(verify(vec![list(&issuer, false, -1000, 1)]), Err(Untrusted::RevocationUnknown));
    let stranger = Careless::new("CN=stranger");
    let stranger = Issuer::new(stranger.certificate.clone(), stranger.key.clone()).unwrap();
    assert_eq!(verify(vec![list(&stranger, false, 100, 1)]), Err(Untrusted::RevocationUnknown));
    let impostor = Careless::new("CN=root");
    let impostor = Issuer::new(impostor.certificate.clone(), impostor.key.clone()).unwrap();
    assert_eq!(verify(vec![list(&impostor, false, 10, 1)]), Err(Untrusted::CrlNotAuthentic));
    // It does not keep the right one from being looked at, either.
    assert_eq!(verify(vec![list(&impostor, false, 10, 1), good.clone()]), Ok(()));
    assert_eq!(verify(vec![list(&impostor, false, 10, 1), bad]), Err(Untrusted::Revoked));
    for len in 0..good.as_der().len() {
        assert!(Crl::from_der(&good.as_der()[..len]).is_err());
    }
}

/// Of two certificates of one authority one is revoked: the chain that is told has the other.
#[test]
fn a_chain_has_no_revoked_authority() {
    let dir = tempfile::tempdir().unwrap();
    let root = Careless::new("CN=root");
    let mut database = Database::of(dir.path(), &root.certificate).unwrap();
    let key = SoftwareKey::generate().unwrap();
    let mut sub = || {
        let key = gmkit_keys::PrivateKey::public_key(&key);
        database.issue(&root.issuer(), ca_params("CN=sub"), key).unwrap()
    };
    let (revoked, good) = (sub(), sub());
    database.revoke(revoked.serial(), Reason::Superseded).unwrap();
    let root_crl = database.crl(&root.issuer(), 7).unwrap();
    let sub = Careless { certificate: good.clone(), key: Arc::new(key) };
    let leaf = sub.issue(params(Profile::Sign)).0;
    let other = tempfile::tempdir().unwrap();
    let sub_crl = Database::of(other.path(), &good).unwrap().crl(&sub.issuer(), 7).unwrap();
    for between in [[&revoked, &good], [&good, &revoked]] {
        let verifier =
            root.verifier(Purpose::Sign).with_intermediates(between.map(Certificate::clone));
        let verifier = verifier.with_crls([root_crl.clone(), sub_crl.clone()]).unwrap();
        assert_eq!(verifier.verify(&leaf).unwrap().certificates[1], good);
    }
    let verifier = root.verifier(Purpose::Sign).with_intermediates([revoked]);
    let verifier = verifier.with_crls([root_crl, sub_crl]).unwrap();
    assert_eq!(verifier.verify(&leaf).unwrap_err(), Untrusted::Revoked);
}

/// An anchor that may not sign lists does not, either.
#[test]
fn lists_of_an_anchor_that_may_not_sign_them() {
    let key = Arc::new(SoftwareKey::generate().unwrap());
    let root = |usages: &[KeyUsagePurpose]| {
        let mut params = ca_params("CN=root");
        params.key_usages = usages.to_vec();
        let certificate = Issuer::self_signed(params, key.clone()).unwrap().certificate().clone();
        Careless { key: key.clone(), certificate }
    };
    let (full, silent) = (
        root(&[KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign]),
        root(&[KeyUsagePurpose::KeyCertSign]),
    );
    let dir = tempfile::tempdir().unwrap();
    let crl = Database::of(dir.path(), &full.certificate).unwrap().crl(&full.issuer(), 7).unwrap();
    let leaf = full.issue(params(Profile::Sign)).0;
    let verify = |root: &Careless| {
        root.verifier(Purpose::Sign).with_crls([crl.clone()]).unwrap().verify(&leaf).map(drop)
    };
    assert_eq!(verify(&full), Ok(()));
    assert_eq!(verify(&silent), Err(Untrusted::CrlNotAuthentic));
    let other = tempfile::tempdir().unwrap();
    let silent_crl = Database::of(other.path(), &silent.certificate).unwrap();
    assert!(matches!({ silent_crl }.crl(&silent.issuer(), 7), Err(Error::Request { .. })));
}

/// What a clock that was ahead, a wrong folder or another authority could do to lists.
#[test]
fn a_database_keeps_what_is_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let (root, other) = (Careless::new("CN=root"), Careless::new("CN=other"));
    let mut database = Database::of(dir.path(), &root.certificate).unwrap();
    let key = SoftwareKey::generate().unwrap();
    let leaf = database
        .issue(&root.issuer(), params(Profile::Sign), gmkit_keys::PrivateKey::public_key(&key))
        .unwrap();
    database.revoke(leaf.serial(), Reason::KeyCompromise).unwrap();
    let index = dir.path().join("index.jsonl");
    let lines = std::fs::read_to_string(&index).unwrap();
    std::fs::write(
        &index,
        lines + "{\"event\":\"crl\",\"time\":\"2099-01-01T00:00:00Z\",\"number\":1}\n",
    )
    .unwrap();
    let mut database = Database::existing(dir.path(), &root.certificate).unwrap();
    // No days: nothing is written down.
    assert!(database.crl(&root.issuer(), 0).is_err());
    let crl = database.crl(&root.issuer(), 7).unwrap();
    assert_eq!((crl.number(), crl.revoked().len()), (Some(2), 1));

    assert!(database.crl(&other.issuer(), 7).is_err());
    assert!(
        database
            .issue(&other.issuer(), params(Profile::Sign), root.certificate.public_key().unwrap())
            .is_err()
    );
    assert!(Database::existing(dir.path(), &other.certificate).is_err());
    let empty = tempfile::tempdir().unwrap();
    assert!(Database::existing(empty.path(), &root.certificate).is_err());
    std::fs::write(empty.path().join("index.jsonl"), "").unwrap();
    assert!(Database::open(empty.path()).is_err());
    // An older copy put in its place is noticed.
    std::fs::copy(&index, dir.path().join("copy")).unwrap();
    std::fs::rename(dir.path().join("copy"), &index).unwrap();
    assert!(matches!(database.refresh(), Err(Error::Database { .. })));
    let mut database = Database::existing(dir.path(), &root.certificate).unwrap();
    // A second line for a certificate does not take back that it is revoked.
    let lines = std::fs::read_to_string(&index).unwrap();
    let issued = lines.lines().nth(1).unwrap().to_owned();
    std::fs::write(&index, format!("{lines}{issued}\n")).unwrap();
    assert!(database.refresh().is_err());
    assert!(database.state().record(leaf.serial()).unwrap().revoked().is_some());
}

/// A list by an authority, of a part of its certificates or of all.
fn list(
    of: &Careless,
    revoked: &[&Certificate],
    age: i64,
    number: u64,
    partial: Option<&str>,
) -> Crl {
    let entry = |certificate: &&Certificate| rcgen::RevokedCertParams {
        serial_number: certificate.serial().to_rcgen(),
        revocation_time: date(now() - 9).unwrap(),
        reason_code: None,
        invalidity_date: None,
    };
    let point = |url: &str| rcgen::CrlIssuingDistributionPoint {
        distribution_point: rcgen::CrlDistributionPoint { uris: vec![url.to_owned()] },
        scope: None,
    };
    of.issuer()
        .crl(rcgen::CertificateRevocationListParams {
            this_update: date(now() - age).unwrap(),
            next_update: date(now() + 86_400).unwrap(),
            crl_number: number.into(),
            issuing_distribution_point: partial.map(point),
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: rcgen::KeyIdMethod::PreSpecified(Vec::new()),
        })
        .unwrap()
}

const URL: &str = "http://a.example/part.crl";

fn at_url(mut params: rcgen::CertificateParams) -> rcgen::CertificateParams {
    crate::publish_crl_at(&mut params, URL).unwrap();
    params
}

/// A list that may be partial is not believed about everybody, and yet what it names is revoked.
#[test]
fn bad_news_of_a_partial_list_counts() {
    let root = Careless::new("CN=root");
    let sub = root.below(at_url(ca_params("CN=sub")));
    let leaf = sub.issue(params(Profile::Sign)).0;
    let sub_list = list(&sub, &[], 9, 1, None);
    let check = |crls: &[&Crl], extra: Option<&Certificate>| {
        let between = [Some(&sub.certificate), extra].into_iter().flatten().cloned();
        let verifier = root.verifier(Purpose::Sign).with_intermediates(between);
        verifier.with_crls(crls.iter().map(|crl| (*crl).clone())).unwrap().verify(&leaf).map(drop)
    };
    assert_eq!(check(&[&sub_list], None), Ok(()));
    let root_part = list(&root, &[&sub.certificate], 9, 1, Some(URL));
    assert_eq!(check(&[&sub_list, &root_part], None), Err(Untrusted::Revoked));
    // A stray certificate of the same issuer does not hide it, nor does an older full list.
    let stray = root.below(ca_params("CN=stray")).certificate;
    assert_eq!(check(&[&sub_list, &root_part], Some(&stray)), Err(Untrusted::Revoked));
    let sub_part = list(&sub, &[&leaf], 5, 2, Some(URL));
    assert_eq!(check(&[&sub_list, &sub_part], None), Err(Untrusted::Revoked));
    // Alone, a part says nothing good of a certificate that does not say which part it is in ...
    let good_part = list(&sub, &[], 5, 2, Some(URL));
    assert_eq!(check(&[&good_part], None), Err(Untrusted::RevocationUnknown));
    // ... and somebody else's names nobody.
    let impostor = Careless::new("CN=root");
    let fake = list(&impostor, &[&sub.certificate], 9, 1, Some(URL));
    assert_eq!(check(&[&sub_list, &fake], None), Ok(()));
    // Where certificates say it, the part is used.
    let leaf = sub.issue(at_url(params(Profile::Sign))).0;
    let root = Careless { certificate: sub.certificate.clone(), key: sub.key.clone() };
    let verifier =
        root.verifier(Purpose::Sign).with_crls([list(&sub, &[], 5, 2, Some(URL))]).unwrap();
    assert!(verifier.verify(&leaf).is_ok());
}

/// A clock that was ahead made a list that seems to be the newest.
#[test]
fn bad_news_of_an_older_list_counts() {
    let root = Careless::new("CN=root");
    let leaf = root.issue(params(Profile::Sign)).0;
    let (ahead, right) = (list(&root, &[], 9, 5, None), list(&root, &[&leaf], 99, 6, None));
    let verifier = root.verifier(Purpose::Sign).with_crls([ahead, right]).unwrap();
    assert_eq!(verifier.verify(&leaf).unwrap_err(), Untrusted::Revoked);
}

/// The usage that an anchor lacks is not lent by a certificate of its name.
#[test]
fn no_one_lends_an_anchor_the_right_to_sign_lists() {
    let full = Careless::new("CN=root");
    let mut silent = ca_params("CN=root");
    silent.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let silent = Issuer::self_signed(silent, full.key.clone()).unwrap().certificate().clone();
    let leaf = full.issue(params(Profile::Sign)).0;
    let anchor = crate::Anchor::new(silent);
    for lender in [full.certificate.clone(), Careless::new("CN=root").certificate] {
        let verifier = crate::Verifier::new(vec![anchor.clone()], Purpose::Sign)
            .with_intermediates([lender])
            .with_crls([list(&full, &[], 9, 1, None)])
            .unwrap();
        assert_eq!(verifier.verify(&leaf).unwrap_err(), Untrusted::CrlNotAuthentic);
    }
}

/// With a time stamp: a list counts that was made since, while the certificate was valid, or that is current
/// for a certificate that is valid still. One that had run out when the key was stolen, and one that has dropped
/// what has expired, say nothing.
#[test]
fn lists_and_time_stamps() {
    const DAY: i64 = 86_400;
    let root = Careless::new("CN=root");
    let key = SoftwareKey::generate().unwrap();
    let mut root_params = Profile::Ca.params(subject("CN=root,C=CN").unwrap(), 100).unwrap();
    root_params.not_before = date(now() - 2000 * DAY).unwrap();
    let old = Issuer::self_signed(root_params, root.key.clone()).unwrap();
    let issue = |until: i64| {
        let mut params = params(Profile::Sign);
        params.not_before = date(now() - 1000 * DAY).unwrap();
        params.not_after = date(now() + until * DAY).unwrap();
        old.issue(params, gmkit_keys::PrivateKey::public_key(&key)).unwrap()
    };
    let list = |leaf: &Certificate, revoked: bool, made: i64, days: i64| {
        let entry = rcgen::RevokedCertParams {
            serial_number: leaf.serial().to_rcgen(),
            revocation_time: date(now() + made * DAY).unwrap(),
            reason_code: None,
            invalidity_date: None,
        };
        old.crl(rcgen::CertificateRevocationListParams {
            this_update: date(now() + made * DAY).unwrap(),
            next_update: date(now() + (made + days) * DAY).unwrap(),
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: if revoked { vec![entry] } else { Vec::new() },
            key_identifier_method: rcgen::KeyIdMethod::PreSpecified(Vec::new()),
        })
        .unwrap()
    };
    let verify = |leaf: &Certificate, crl: Crl| {
        let anchor = Anchor::new(old.certificate().clone());
        let verifier = Verifier::new(vec![anchor], Purpose::Sign).with_crls([crl]).unwrap();
        verifier.signed_at(now() - 500 * DAY).verify(leaf).map(drop)
    };
    let (valid, expired) = (issue(10), issue(-100));
    for (leaf, made, days, verdict) in [
        (&valid, -600, 200, Err(Untrusted::RevocationUnknown)),
        (&valid, -450, 10, Ok(())),
        (&valid, -600, 700, Ok(())),
        (&valid, -1, 2, Ok(())),
        (&expired, -1, 2, Err(Untrusted::RevocationUnknown)),
        (&expired, -450, 10, Ok(())),
    ] {
        assert_eq!(verify(leaf, list(leaf, false, made, days)), verdict.clone(), "{made} {days}");
        let named = verify(leaf, list(leaf, true, made, days));
        // A list that says nothing good is not the one that is looked for.
        let refused = verdict.and(Err(Untrusted::Revoked));
        assert_eq!(named, refused, "{made} {days}");
    }
}
