//! OCSP responses that are not to be believed.

use der::{Encode, Tag, TagNumber, asn1::GeneralizedTime};
use gmkit_sm2::Id;

use super::{Careless, params};
use crate::{
    Certificate, Error, Profile, Untrusted, now,
    ocsp::{CertId, Hash, Response, Status},
    parts::{content, sequence, tagged},
    signed,
};

const GOOD: &[u8] = &[0x80, 0];
const UNKNOWN: &[u8] = &[0x82, 0];

fn context(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

fn time(seconds: i64) -> Vec<u8> {
    let since = std::time::Duration::from_secs(seconds.unsigned_abs());
    GeneralizedTime::from_unix_duration(since).unwrap().to_der().unwrap()
}

fn revoked() -> Vec<u8> {
    tagged(context(1), &[&time(now() - 9)])
}

/// An answer about a certificate, from a time on, for some seconds.
fn single(
    issuer: &Careless,
    about: &Certificate,
    status: &[u8],
    from: i64,
    life: Option<i64>,
) -> Vec<u8> {
    let id = CertId::new(Hash::Sm3, &issuer.certificate, about.serial()).to_der();
    let next = life.map(|life| tagged(context(0), &[&time(from + life)])).unwrap_or_default();
    sequence(&[&id, status, &time(from), &next])
}

/// A response by whoever, signed by whoever.
fn response(
    by: &Careless,
    named: &Certificate,
    with: &[&Certificate],
    singles: &[Vec<u8>],
) -> Response {
    let name = tagged(context(1), &[named.subject().as_der()]);
    let singles = sequence(&singles.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let made =
        signed::sign(&sequence(&[&name, &time(now()), &singles]), &*by.key, Id::DEFAULT).unwrap();
    let with: Vec<_> = with.iter().map(|certificate| certificate.as_der()).collect();
    let basic = sequence(&[content(&made).unwrap(), &tagged(context(0), &[&sequence(&with)])]);
    let basic_oid = [6, 9, 0x2b, 6, 1, 5, 5, 7, 48, 1, 1];
    let bytes = sequence(&[&basic_oid, &tagged(Tag::OctetString, &[&basic])]);
    Response::from_der(&sequence(&[&[0x0a, 1, 0], &tagged(context(0), &[&bytes])])).unwrap()
}

fn ask(response: &Response, about: &Certificate, issuer: &Careless) -> Result<Status, Error> {
    response.status_of(about, &issuer.certificate, Id::DEFAULT, now(), None)
}

#[test]
fn times_and_several_answers() {
    let root = Careless::new("CN=root");
    let (leaf, _) = root.issue(params(Profile::Sign));
    let (other, _) = root.issue(params(Profile::Sign));
    let say =
        |singles: &[Vec<u8>]| ask(&response(&root, &root.certificate, &[], singles), &leaf, &root);
    let at = |from, life| say(&[single(&root, &leaf, GOOD, now() + from, life)]);
    assert_eq!(at(-9, Some(60)).unwrap(), Status::Good);
    assert_eq!(at(-9, None).unwrap(), Status::Good);
    for (from, life) in [(-90, Some(60)), (-3 * 86_400, None), (3600, Some(7200)), (3600, None)] {
        let refused = at(from, life);
        assert!(
            matches!(refused, Err(Error::Untrusted(Untrusted::RevocationUnknown))),
            "{from} {life:?}"
        );
    }
    let answer = |status: &[u8]| single(&root, &leaf, status, now() - 9, Some(60));
    assert!(say(&[single(&root, &other, GOOD, now(), Some(60))]).is_err());
    for order in
        [[GOOD.to_vec(), revoked(), UNKNOWN.to_vec()], [UNKNOWN.to_vec(), revoked(), GOOD.to_vec()]]
    {
        let singles: Vec<_> = order.iter().map(|status| answer(status)).collect();
        assert!(matches!(say(&singles), Ok(Status::Revoked { .. })));
    }
    assert_eq!(say(&[answer(GOOD), answer(UNKNOWN)]).unwrap(), Status::Unknown);
}

#[test]
fn who_may_answer() {
    let (root, fake) = (Careless::new("CN=root"), Careless::new("CN=root"));
    let (leaf, _) = root.issue(params(Profile::Sign));
    let good = || [single(&root, &leaf, GOOD, now() - 9, Some(60))];
    let rejected =
        |response: &Response| matches!(ask(response, &leaf, &root), Err(Error::Rejected));
    // Somebody of the same name; somebody who names the authority; nobody who is there.
    assert!(rejected(&response(&fake, &fake.certificate, &[&fake.certificate], &good())));
    assert!(rejected(&response(&fake, &root.certificate, &[&root.certificate], &good())));
    let delegate = |of: &Careless, profile| of.below(params(profile));
    let right = delegate(&root, Profile::Ocsp);
    assert!(rejected(&response(&right, &right.certificate, &[], &good())));
    let by = |who: &Careless| {
        ask(&response(who, &who.certificate, &[&who.certificate], &good()), &leaf, &root)
    };
    assert_eq!(by(&right).unwrap(), Status::Good);
    // Another authority's, one that is not for this, one that is over.
    assert!(matches!(
        by(&delegate(&fake, Profile::Ocsp)),
        Err(Error::Untrusted(Untrusted::BadSignature))
    ));
    assert!(matches!(
        by(&delegate(&root, Profile::Sign)),
        Err(Error::Untrusted(Untrusted::ExtendedKeyUsage))
    ));
    let mut over = params(Profile::Ocsp);
    over.not_before = crate::validity::date(now() - 90_000).unwrap();
    over.not_after = crate::validity::date(now() - 9).unwrap();
    assert!(matches!(by(&root.below(over)), Err(Error::Untrusted(Untrusted::Expired { .. }))));
    // Signed by another key than the delegate's.
    let mixed = response(&fake, &right.certificate, &[&right.certificate], &good());
    assert!(rejected(&mixed));
}

/// An answer is about a number: a certificate that only says that it has the number is not vouched for.
#[test]
fn a_forged_certificate_is_not_good() {
    let root = Careless::new("CN=root");
    let (leaf, _) = root.issue(params(Profile::Sign));
    let mut bytes = leaf.as_der().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let forged = Certificate::from_der(&bytes).unwrap();
    let answer =
        response(&root, &root.certificate, &[], &[single(&root, &leaf, GOOD, now() - 9, Some(60))]);
    assert_eq!(ask(&answer, &leaf, &root).unwrap(), Status::Good);
    assert!(matches!(ask(&answer, &forged, &root), Err(Error::Rejected)));
}

/// Each bit of what is signed counts.
#[test]
fn flipped_bits() {
    let root = Careless::new("CN=root");
    let (leaf, _) = root.issue(params(Profile::Sign));
    let answer =
        response(&root, &root.certificate, &[], &[single(&root, &leaf, GOOD, now() - 9, Some(60))]);
    let der = answer.as_der();
    let mut refused = 0;
    for at in 0..der.len() {
        let mut twin = der.to_vec();
        twin[at] ^= 1;
        let Ok(twin) = Response::from_der(&twin) else { continue };
        refused += 1;
        assert!(ask(&twin, &leaf, &root).is_err(), "byte {at}");
    }
    assert!(refused > 64, "only {refused} twins could be read at all");
}
