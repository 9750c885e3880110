//! Chains that are not to be trusted.

use std::sync::Arc;

use gmkit_keys::{PrivateKey, SoftwareKey};
use gmkit_sm2::Id;
use rcgen::{BasicConstraints, IsCa, KeyUsagePurpose, NameConstraints};

use super::{Careless, ca_params, params};
use crate::{
    Anchor, Certificate, Error, Issuer, Profile, Purpose, Request, Untrusted, Verifier, now, parts,
    san, signed, subtrees, validity::date,
};

#[test]
fn usages_and_times() {
    let root = Careless::new("CN=root");
    let verify =
        |profile, purpose| root.verifier(purpose).verify(&root.issue(params(profile)).0).map(drop);
    use {Profile as P, Purpose as U};
    for (profile, good) in [
        (P::Sign, &[U::Any, U::Sign][..]),
        (P::Encrypt, &[U::Any, U::Encrypt]),
        (P::TlsServer, &[U::Any, U::TlsServer]),
        (P::TlsClient, &[U::Any, U::TlsClient]),
        (P::Ocsp, &[U::Any, U::OcspSigning]),
        (P::Ca, &[]),
    ] {
        for purpose in [U::Any, U::Sign, U::Encrypt, U::TlsServer, U::TlsClient, U::OcspSigning] {
            assert_eq!(
                verify(profile, purpose).is_ok(),
                good.contains(&purpose),
                "{profile:?} {purpose:?}"
            );
        }
    }
    assert!(matches!(verify(P::Encrypt, U::Sign), Err(Untrusted::KeyUsage { .. })));
    assert_eq!(verify(P::TlsServer, U::TlsClient), Err(Untrusted::ExtendedKeyUsage));
    assert!(matches!(verify(P::Ca, U::Any), Err(Untrusted::AuthorityAsEndEntity { .. })));
    let mut none = params(P::Sign);
    none.key_usages.clear();
    let none = root.issue(none).0;
    assert!(matches!(root.verifier(U::Any).verify(&none), Err(Untrusted::NoKeyUsage { .. })));

    let leaf = root.issue(params(P::Sign)).0;
    let at = |time| root.verifier(U::Sign).at(time).verify(&leaf).map(drop);
    let (begin, end) = (leaf.validity().not_before, leaf.validity().not_after);
    assert!(at(begin).is_ok() && at(end).is_ok());
    assert!(matches!(at(begin - 1), Err(Untrusted::NotYetValid { .. })));
    assert!(matches!(at(end + 1), Err(Untrusted::Expired { .. })));
    // The anchor's own end counts too.
    let mut long = params(P::Sign);
    long.not_after = date(now() + 1000 * 86_400).unwrap();
    let long = root.issue(long).0;
    let reason = root.verifier(U::Sign).at(now() + 500 * 86_400).verify(&long).unwrap_err();
    assert!(
        matches!(&reason, Untrusted::Expired { subject, .. } if subject == "CN=root"),
        "{reason}"
    );
}

#[test]
fn authorities_that_may_not() {
    let root = Careless::new("CN=root");
    let through = |sub: &Careless| {
        let leaf = sub.issue(params(Profile::Sign)).0;
        root.verifier(Purpose::Sign)
            .with_intermediates([sub.certificate.clone()])
            .verify(&leaf)
            .map(drop)
    };
    assert!(through(&root.below(ca_params("CN=sub"))).is_ok());
    let mut no_sign = ca_params("CN=sub");
    no_sign.key_usages = vec![KeyUsagePurpose::CrlSign];
    let reason = through(&root.below(no_sign)).unwrap_err();
    assert!(matches!(reason, Untrusted::KeyUsage { wanted: "keyCertSign", .. }), "{reason}");
    let mut no_usage = ca_params("CN=sub");
    no_usage.key_usages.clear();
    assert!(matches!(through(&root.below(no_usage)), Err(Untrusted::NoKeyUsage { .. })));
    let mut no_ca = ca_params("CN=sub");
    no_ca.is_ca = rcgen::IsCa::NoCa;
    assert!(matches!(through(&root.below(no_ca)), Err(Untrusted::NotAnAuthority { .. })));
    // One that has nothing to do with it is not the reason.
    let stray = root.below({
        let mut params = ca_params("CN=stray");
        params.key_usages.clear();
        params
    });
    let lost = Careless::new("CN=lost").issue(params(Profile::Sign)).0;
    let reason = root
        .verifier(Purpose::Sign)
        .with_intermediates([stray.certificate])
        .verify(&lost)
        .unwrap_err();
    assert!(matches!(reason, Untrusted::UnknownIssuer { .. }), "{reason}");
    // An anchor is trusted to be one, and all the same must be an authority.
    let leaf = root.issue(params(Profile::Sign));
    let fake = Careless { certificate: leaf.0, key: Arc::new(leaf.1) };
    let below = fake.issue(params(Profile::Sign)).0;
    let reason = fake.verifier(Purpose::Sign).verify(&below).unwrap_err();
    assert!(matches!(reason, Untrusted::NotAnAuthority { .. }), "{reason}");
    assert!(Issuer::new(fake.certificate, fake.key).is_err());

    let mut short = ca_params("CN=short");
    short.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    let short = root.below(short);
    assert!(through(&short).is_ok());
    let deep = short.below(ca_params("CN=deep"));
    let leaf = deep.issue(params(Profile::Sign)).0;
    let between = [short.certificate.clone(), deep.certificate.clone()];
    let reason =
        root.verifier(Purpose::Sign).with_intermediates(between).verify(&leaf).unwrap_err();
    assert_eq!(reason, Untrusted::PathLength);
    let issuer = Issuer::new(short.certificate.clone(), short.key.clone()).unwrap();
    let key = SoftwareKey::generate().unwrap();
    assert!(matches!(
        issuer.issue(ca_params("CN=deep"), key.public_key()),
        Err(Error::Request { .. })
    ));
}

#[test]
fn name_constraints() {
    let root = Careless::new("CN=root");
    let mut limited = ca_params("CN=sub");
    limited.name_constraints = Some(NameConstraints {
        permitted_subtrees: subtrees("DNS:example.com").unwrap(),
        excluded_subtrees: subtrees("DNS:secret.example.com").unwrap(),
    });
    let sub = root.below(limited);
    let named = |name: &str| {
        let mut params = params(Profile::TlsServer);
        params.subject_alt_names = san(name).unwrap();
        params
    };
    let issuer = Issuer::new(sub.certificate.clone(), sub.key.clone()).unwrap();
    let key = SoftwareKey::generate().unwrap();
    for (name, good) in [
        ("DNS:a.example.com", true),
        ("DNS:a.example.org", false),
        ("DNS:x.secret.example.com", false),
    ] {
        let leaf = sub.issue(named(name)).0;
        let verifier =
            root.verifier(Purpose::TlsServer).with_intermediates([sub.certificate.clone()]);
        let wanted = if good { Ok(()) } else { Err(Untrusted::NameConstraints) };
        assert_eq!(verifier.verify(&leaf).map(drop), wanted, "{name}");
        assert_eq!(issuer.issue(named(name), key.public_key()).is_ok(), good, "{name}");
    }
}

#[test]
fn signatures_keys_and_hosts() {
    let (root, other) = (Careless::new("CN=root"), Careless::new("CN=root"));
    let mut server = params(Profile::TlsServer);
    server.subject_alt_names = san("DNS:*.a.example,IP:127.0.0.1").unwrap();
    let leaf = root.issue(server).0;
    // The same name, and another key.
    assert_eq!(other.verifier(Purpose::Any).verify(&leaf).unwrap_err(), Untrusted::BadSignature);
    let stranger = Careless::new("CN=stranger");
    let reason = stranger.verifier(Purpose::Any).verify(&leaf).unwrap_err();
    assert!(matches!(reason, Untrusted::UnknownIssuer { .. }), "{reason}");
    // Under another ID.
    let alice = Anchor::new(root.certificate.clone()).with_id(Id::new(b"alice").unwrap());
    let reason = Verifier::new(vec![alice.clone()], Purpose::Any).verify(&leaf).unwrap_err();
    assert_eq!(reason, Untrusted::BadSignature);
    let issuer = Issuer::new(root.certificate.clone(), root.key.clone()).unwrap();
    let issuer = issuer.with_id(Id::new(b"alice").unwrap());
    let under =
        issuer.issue(params(Profile::Sign), SoftwareKey::generate().unwrap().public_key()).unwrap();
    assert!(Verifier::new(vec![alice], Purpose::Any).verify(&under).is_ok());
    assert!(root.verifier(Purpose::Any).verify(&under).is_err());

    let host =
        |name: &str| root.verifier(Purpose::TlsServer).named(name).unwrap().verify(&leaf).map(drop);
    assert!(host("b.a.example").is_ok() && host("127.0.0.1").is_ok());
    for name in ["a.example", "c.b.a.example", "127.0.0.2", "leaf"] {
        assert!(matches!(host(name), Err(Untrusted::WrongName { .. })), "{name}");
    }
    // Each byte of the signed part and of the signature counts.
    for at in (0..leaf.as_der().len()).step_by(7) {
        let mut bytes = leaf.as_der().to_vec();
        bytes[at] ^= 1;
        if let Ok(twin) = Certificate::from_der(&bytes) {
            assert!(root.verifier(Purpose::Any).verify(&twin).is_err(), "byte {at}");
        }
    }
}

#[test]
fn classic_signatures_are_not_national() {
    let root = Careless::new("CN=root");
    // ecdsa-with-SHA256 inside and out, by a key of SM2.
    let ecdsa = parts::sequence(&[&[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]]);
    let tbs = root.tbs(params(Profile::Sign), &SoftwareKey::generate().unwrap());
    let mut members: Vec<_> = parts::members(&tbs).unwrap();
    members[2] = &ecdsa;
    let made = root.sign(&parts::sequence(&members));
    let outer = parts::members(&made).unwrap();
    let leaf = Certificate::from_der(&parts::sequence(&[outer[0], &ecdsa, outer[2]])).unwrap();
    let reason = root.verifier(Purpose::Sign).verify(&leaf).unwrap_err();
    assert!(matches!(reason, Untrusted::NotNational { .. }), "{reason}");
}

/// An anchor is a key and a name to webpki, but its certificate may limit the path.
#[test]
fn an_anchors_path_length_counts() {
    let mut short = ca_params("CN=root");
    short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let key = Arc::new(SoftwareKey::generate().unwrap());
    let certificate = Issuer::self_signed(short, key.clone()).unwrap().certificate().clone();
    let root = Careless { key, certificate };
    let direct = root.issue(params(Profile::Sign)).0;
    assert!(root.verifier(Purpose::Sign).verify(&direct).is_ok());
    let sub = root.below(ca_params("CN=sub"));
    let leaf = sub.issue(params(Profile::Sign)).0;
    let verifier = root.verifier(Purpose::Sign).with_intermediates([sub.certificate.clone()]);
    assert_eq!(verifier.verify(&leaf).unwrap_err(), Untrusted::PathLength);
    // Another certificate of the same name and key does not lift the limit.
    let lifted = Issuer::self_signed(ca_params("CN=root"), root.key.clone()).unwrap();
    let anchors = [root.certificate.clone(), lifted.certificate().clone()].map(Anchor::new);
    let verifier = Verifier::new(anchors.to_vec(), Purpose::Sign)
        .with_intermediates([sub.certificate.clone()]);
    assert_eq!(verifier.verify(&leaf).unwrap_err(), Untrusted::PathLength);
}

/// Names of hosts are granted to servers and clients; an authority or responder gets none; a twin that
/// encrypts is no authority.
#[test]
fn what_a_request_is_not_granted() {
    let mut wanted = params(Profile::Sign);
    wanted.subject_alt_names = san("DNS:bank.example,IP:10.0.0.1,email:a@bank.example").unwrap();
    let request = Request::make(&wanted, &SoftwareKey::generate().unwrap()).unwrap();
    let granted =
        |profile: Profile| profile.params_for(&request, 9).unwrap().subject_alt_names.len();
    use Profile as P;
    let granted = [P::TlsServer, P::TlsClient, P::Sign, P::Encrypt, P::Ca, P::Ocsp].map(granted);
    assert_eq!(granted, [3, 3, 1, 1, 0, 0]);

    let root = Careless::new("CN=root");
    let twin = root.issue(Profile::encryption_twin(&ca_params("CN=sub"))).0;
    assert!(!twin.extensions().is_ca());
    let mut silent = ca_params("CN=sub");
    silent.key_usages = vec![KeyUsagePurpose::KeyAgreement];
    let refused = root.issuer().issue(silent, SoftwareKey::generate().unwrap().public_key());
    assert!(matches!(refused, Err(Error::Request { .. })));
}

/// A certificate that is renewed is checked as one that is issued.
#[test]
fn renewal_lifts_no_limit() {
    let root = Careless::new("CN=root");
    let sub = root.below(ca_params("CN=sub")).certificate;
    let mut short = ca_params("CN=root");
    short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let short = Issuer::self_signed(short, root.key.clone()).unwrap();
    assert!(root.issuer().renew(&sub, sub.validity()).is_ok());
    assert!(matches!(short.renew(&sub, sub.validity()), Err(Error::Request { .. })));
    let forged = Careless::new("CN=root").below(ca_params("CN=sub")).certificate;
    assert!(matches!(root.issuer().renew(&forged, forged.validity()), Err(Error::Rejected)));
}

/// SM2 below an authority that signs with ECDSA over P-256, made by OpenSSL 4.
#[test]
fn a_mixed_chain_is_for_those_who_ask_for_it() {
    let chain = include_bytes!("../../testdata/mixed-chain.pem");
    let [leaf, sub, root] =
        <[_; 3]>::try_from(Certificate::all_from_file_bytes(chain).unwrap()).unwrap();
    assert!(leaf.is_national() && !sub.is_national() && root.public_key().is_err());
    let verifier =
        Verifier::new(vec![Anchor::new(root)], Purpose::TlsServer).with_intermediates([sub]);
    let reason = verifier.verify(&leaf).unwrap_err();
    assert!(matches!(reason, Untrusted::NotNational { .. }), "{reason}");
    #[cfg(feature = "classic")]
    {
        let verifier = verifier.with_classic();
        assert_eq!(verifier.verify(&leaf).unwrap().certificates.len(), 3);
        let mut forged = leaf.as_der().to_vec();
        *forged.last_mut().unwrap() ^= 1;
        let forged = Certificate::from_der(&forged).unwrap();
        assert_eq!(verifier.verify(&forged).unwrap_err(), Untrusted::BadSignature);
    }
}

/// What others write and is right all the same: NULL as parameters, if it is in both places; a key whose
/// algorithm is the curve (GM/T 0015-2023); a compressed point.
#[test]
fn other_encodings_that_are_right() {
    let root = Careless::new("CN=root");
    let key = SoftwareKey::generate().unwrap();
    let tbs = root.tbs(params(Profile::Sign), &key);
    let members = parts::members(&tbs).unwrap();
    let made = |inner: &[u8], outer: &[u8], spki: &[u8]| {
        let mut members = members.clone();
        (members[2], members[6]) = (inner, spki);
        let signed = root.sign(&parts::sequence(&members));
        let parts = parts::members(&signed).unwrap();
        Certificate::from_der(&parts::sequence(&[parts[0], outer, parts[2]]))
    };
    let (plain, null) = (signed::ALGORITHM, signed::ALGORITHM_NULL);
    let spki = members[6];
    let curve: &[u8] = &[6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d];
    let usual = parts::members(spki).unwrap()[0];
    let point = |bytes: &[u8]| parts::tagged(der::Tag::BitString, &[&[0], bytes]);
    let compressed = point(&key.public_key().to_compressed_bytes());
    let full = point(&key.public_key().to_sec1_bytes());
    for (algorithm, spki) in [
        (null, spki.to_vec()),
        (plain, parts::sequence(&[&parts::sequence(&[curve, curve]), &full])),
        (plain, parts::sequence(&[usual, &compressed])),
    ] {
        let leaf = made(algorithm, algorithm, &spki).unwrap();
        assert_eq!(leaf.public_key().unwrap(), key.public_key());
        assert!(root.verifier(Purpose::Sign).verify(&leaf).is_ok());
    }
    assert!(made(plain, null, spki).is_err() && made(null, plain, spki).is_err());
}
