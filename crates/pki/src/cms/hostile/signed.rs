//! Signatures that must not count.

use super::*;
use crate::cms::{Trusted, policy::Trust, signer_info::EntityId};

const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE: &str = "1.2.840.113549.1.9.16.2.47";

#[test]
fn no_changed_bit_changes_what_is_believed() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    let message = attached(&alice);
    let policy = world.policy();
    let original = verify(&message, &policy);
    assert!(original.is_good());
    let (mut refused, mut same) = (0, 0);
    for bit in 0..message.len() * 8 {
        let mut changed = message.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let Ok((content, read, digest)) = read(&changed) else {
            refused += 1;
            continue;
        };
        let report = read.verify(&digest, &policy);
        if !report.is_good() {
            refused += 1;
            continue;
        }
        // What nobody signs, as version numbers: all that is believed is as it was.
        same += 1;
        assert_eq!(content, CONTENT, "bit {bit}");
        assert_eq!(report.signers[0].certificate.as_ref(), Some(&alice.certificate), "bit {bit}");
        assert_eq!(report.signers[0].claimed_time, original.signers[0].claimed_time, "bit {bit}");
    }
    assert!(refused > message.len() * 7, "{refused} refused, {same} the same");
    for len in 0..message.len() {
        assert!(read(&message[..len]).is_err(), "{len}");
    }
    assert!(read(&[&message[..], &[0]].concat()).is_err());
}

#[test]
fn content_and_attributes_of_two_messages() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    let original = Draft::of(&attached(&alice));
    let mut other = original.clone();
    other.content = Some(b"pay Eve 900 yuan".to_vec());
    assert_eq!(refusal(&other.write(), &world.policy()), Refusal::Rejected);

    // Attributes of the other message, each signed by Alice, under this signature.
    let signing = Signing::new(Dialect::Rfc5652).at(crate::now() + 1000);
    let mut writer = signing.with_signer(&alice.credential()).unwrap().attached(Vec::new());
    writer.update(b"pay Eve 900 yuan").unwrap();
    let second = Draft::of(&writer.finish().unwrap());
    let mut mixed = original.clone();
    mixed.signers[0].attributes = second.signers[0].attributes.clone();
    assert_eq!(refusal(&mixed.write(), &world.policy()), Refusal::Rejected);
    mixed.signers[0].signature = second.signers[0].signature.clone();
    assert_eq!(refusal(&mixed.write(), &world.policy()), Refusal::Rejected);
    mixed.content = second.content.clone();
    assert!(verify(&mixed.write(), &world.policy()).is_good());
}

#[test]
fn somebody_elses_certificate() {
    let world = World::new();
    let (alice, eve) = (world.signer("CN=Alice"), world.signer("CN=Eve"));
    let mut draft = Draft::of(&attached(&alice));
    draft.certificates = vec![eve.certificate.as_der().to_vec()];
    assert_eq!(refusal(&draft.write(), &world.policy()), Refusal::NoCertificate);
    // Eve claims the signature: the signed attributes name Alice's certificate.
    draft.signers[0].id = EntityId::of(&eve.certificate).write();
    assert_eq!(refusal(&draft.write(), &world.policy()), Refusal::OtherCertificate);
    // And without that attribute the signature is not by her key.
    let at = draft.position(SIGNING_CERTIFICATE);
    draft.attributes().remove(at);
    assert_eq!(refusal(&draft.write(), &world.policy()), Refusal::Rejected);

    // An authority nobody trusts, with Alice's name and serial number.
    let forger = World::new();
    let key = SoftwareKey::generate().unwrap();
    let mut params = Profile::Sign.params(subject("CN=Alice").unwrap(), 10).unwrap();
    params.serial_number = Some(alice.certificate.serial().to_rcgen());
    let twin = forger.ca.issue(params, key.public_key()).unwrap();
    assert!(EntityId::of(&alice.certificate).names(&twin));
    let credential = Credential::new(vec![twin.as_der().to_vec()], Arc::new(key)).unwrap();
    let signing = Signing::new(Dialect::Rfc5652).with_signer(&credential).unwrap();
    let mut writer = signing.with_certificate(&alice.certificate).attached(Vec::new());
    writer.update(CONTENT).unwrap();
    let message = writer.finish().unwrap();
    assert!(!verify(&message, &world.policy()).is_good());
    assert_eq!(
        refusal(&message, &Policy::certificate(alice.certificate.clone())),
        Refusal::OtherCertificate
    );
    // Alice's own message is good with the twin in it, too.
    let mut draft = Draft::of(&attached(&alice));
    draft.certificates.insert(0, twin.as_der().to_vec());
    assert!(verify(&draft.write(), &world.policy()).is_good());
}

#[test]
fn attributes_that_are_missing_or_there_twice() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    let original = Draft::of(&attached(&alice));
    for oid in [CONTENT_TYPE, MESSAGE_DIGEST] {
        let mut draft = original.clone();
        let at = draft.position(oid);
        let attribute = draft.attributes().remove(at);
        let message = draft.sign(&alice.key).write();
        assert!(matches!(refusal(&message, &world.policy()), Refusal::Attributes(_)), "{oid}");

        draft.attributes().extend([attribute.clone(), attribute.clone()]);
        let message = draft.sign(&alice.key).write();
        assert!(matches!(refusal(&message, &world.policy()), Refusal::Attributes(_)), "{oid}");

        draft.attributes().pop();
        assert!(verify(&draft.sign(&alice.key).write(), &world.policy()).is_good());

        // Two values in one attribute, and none.
        let [oid_der, values] = &owned(&attribute)[..] else { panic!() };
        let value = &owned(values)[0];
        for values in [vec![value.clone(), [0x04, 1, 0].to_vec()], vec![]] {
            let changed = parts::sequence(&[oid_der, &frame::set_of(SET, values)]);
            let last = draft.attributes().len() - 1;
            draft.attributes()[last] = changed;
            let message = draft.sign(&alice.key).write();
            assert!(matches!(refusal(&message, &world.policy()), Refusal::Attributes(_)), "{oid}");
        }
    }
    let mut draft = original;
    draft.signers[0].attributes = Some(Vec::new());
    let message = draft.sign(&alice.key).write();
    assert!(matches!(refusal(&message, &world.policy()), Refusal::Attributes(_)));
}

#[test]
fn attributes_about_something_else() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    let original = Draft::of(&attached(&alice));
    let mut draft = original.clone();
    let at = draft.position(CONTENT_TYPE);
    let gm = data_oid(Dialect::Gmt0010);
    let [oid, _] = &owned(&draft.attributes()[at])[..] else { panic!() };
    draft.attributes()[at] = parts::sequence(&[oid, &frame::wrap(SET, &[&gm])]);
    let message = draft.sign(&alice.key).write();
    assert!(matches!(refusal(&message, &world.policy()), Refusal::Attributes(_)));
    draft.content_type = gm;
    assert!(verify(&draft.write(), &world.policy()).is_good(), "a GM content in an RFC message");
}

#[test]
fn other_algorithms() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    let original = Draft::of(&attached(&alice));
    let sha256 = hex::decode("300b0609608648016503040201").unwrap();
    let ecdsa = hex::decode("300a06082a8648ce3d040302").unwrap();
    let odd = hex::decode("300d06082a811ccf5501837504 0100".replace(' ', "")).unwrap();
    let changes: [fn(&mut Draft, Vec<u8>); 3] = [
        |draft, algorithm| draft.signers[0].digest = algorithm,
        |draft, algorithm| draft.digests = frame::wrap(SET, &[&algorithm]),
        |draft, algorithm| draft.signers[0].algorithm = algorithm,
    ];
    for (change, algorithm) in changes.into_iter().zip([sha256.clone(), sha256, ecdsa]) {
        for algorithm in [algorithm, odd.clone()] {
            let mut draft = original.clone();
            change(&mut draft, algorithm);
            let signers = read(&draft.write())
                .map(|(_, message, digest)| message.verify(&digest, &world.policy()));
            let refused = signers.map(|report| report.signers[0].verdict.clone().unwrap_err());
            // Parameters of the digest set do not count.
            assert!(matches!(refused, Ok(Refusal::Algorithm)), "{refused:?}");
        }
    }
    let mut draft = original;
    draft.digests = frame::wrap(SET, &[]);
    assert_eq!(refusal(&draft.write(), &world.policy()), Refusal::Algorithm);
}

#[test]
fn nobody_has_signed() {
    let world = World::new();
    let mut draft = Draft::of(&attached(&world.signer("CN=Alice")));
    draft.signers.clear();
    let report = verify(&draft.write(), &world.policy());
    assert!(report.signers.is_empty() && !report.is_good());
    assert!(matches!(
        Signing::new(Dialect::Rfc5652).detached().finish(),
        Err(Error::Request { .. })
    ));
}

#[test]
fn all_signers_must_be_good() {
    let world = World::new();
    let (alice, eve) = (world.signer("CN=Alice"), World::new().signer("CN=Eve"));
    let signing = Signing::new(Dialect::Gmt0010).with_signer(&alice.credential()).unwrap();
    let mut both = signing.with_signer(&eve.credential()).unwrap().attached(Vec::new());
    both.update(CONTENT).unwrap();
    let both = both.finish().unwrap();
    let report = verify(&both, &world.policy());
    assert_eq!(report.signers.iter().filter(|signer| signer.verdict.is_ok()).count(), 1);
    assert!(!report.is_good());
    // Asked about one, the other does not count.
    for policy in
        [Policy::certificate(alice.certificate.clone()), Policy::key(*alice.key.public_key())]
    {
        let report = verify(&both, &policy);
        assert!(report.is_good());
        let verdicts = report.signers.iter().map(|signer| &signer.verdict);
        let mut verdicts: Vec<_> = verdicts.collect();
        verdicts.sort_by_key(|verdict| verdict.is_err());
        assert!(matches!(verdicts[..], [Ok(Trusted::Given), Err(Refusal::NotAsked)]));
    }
    let stranger = SoftwareKey::generate().unwrap();
    assert!(!verify(&both, &Policy::key(*stranger.public_key())).is_good());
}

#[test]
fn keys_that_may_not_sign_documents() {
    let world = World::new();
    for profile in [Profile::Encrypt, Profile::TlsServer, Profile::Ocsp] {
        let person = world.person("CN=Bob", profile);
        let signing = Signing::new(Dialect::Rfc5652).with_signer(&person.credential());
        assert!(matches!(signing, Err(Error::Untrusted(_))), "{profile:?}");
        // Signed all the same.
        let mut draft = Draft::of(&attached(&world.signer("CN=Alice")));
        draft.certificates = vec![person.certificate.as_der().to_vec()];
        draft.signers[0].id = EntityId::of(&person.certificate).write();
        let at = draft.position(SIGNING_CERTIFICATE);
        draft.attributes().remove(at);
        let message = draft.sign(&person.key).write();
        for policy in [world.policy(), Policy::certificate(person.certificate.clone())] {
            assert!(matches!(refusal(&message, &policy), Refusal::Untrusted(_)), "{profile:?}");
        }
        assert!(verify(&message, &Policy::key(*person.key.public_key())).is_good());
    }
}

#[test]
fn other_ids() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    let id = Id::new(b"alice@example").unwrap();
    let signing = Signing::new(Dialect::Rfc5652).with_signer_id(&alice.credential(), id).unwrap();
    let mut signer = signing.detached();
    signer.update(CONTENT);
    let signature = signer.finish().unwrap();
    let (message, _) = SignedReader::new(&signature[..]).unwrap().finish().unwrap();
    assert!(!message.is_attached());
    let good = |policy: &Policy| {
        let mut hasher = message.hasher(policy);
        hasher.update(CONTENT);
        message.verify(&hasher.finish(), policy).is_good()
    };
    assert!(!good(&world.policy()));
    assert!(good(&world.policy().with_id(id)));
}

#[test]
fn more_than_is_read() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    let original = Draft::of(&attached(&alice));
    let mut draft = original.clone();
    draft.signers = vec![original.signers[0].clone(); 65];
    assert!(matches!(read(&draft.write()), Err(Error::Malformed { .. })));
    draft.signers.pop();
    assert!(verify(&draft.write(), &world.policy()).is_good());
    let mut draft = original;
    draft.certificates = vec![vec![0x30, 0]; 257];
    assert!(matches!(read(&draft.write()), Err(Error::Malformed { .. })));
    // Many that could be the signer's: eight are tried.
    draft.certificates.truncate(0);
    for _ in 0..20 {
        let mut params = Profile::Sign.params(subject("CN=Twin").unwrap(), 5).unwrap();
        params.serial_number = Some(alice.certificate.serial().to_rcgen());
        let key = SoftwareKey::generate().unwrap();
        let twin = world.ca.issue(params, key.public_key()).unwrap();
        draft.certificates.push(twin.as_der().to_vec());
    }
    let (_, message, digest) = read(&draft.write()).unwrap();
    assert_eq!(message.certificates().len(), 20);
    assert!(!message.verify(&digest, &world.policy()).is_good());
    draft.signers[0].attributes = None;
    let (_, message, _) = read(&draft.write()).unwrap();
    assert_eq!(message.keys_without_attributes(&world.policy()).len(), 8);
}

/// Authorities in a message count where an anchor, or one below it, has signed them.
#[test]
fn authorities_that_nobody_vouches_for() {
    let world = World::new();
    let below = |ca: &Issuer, name: &str, days| {
        let key = Arc::new(SoftwareKey::generate().unwrap());
        let params = Profile::Ca.params(subject(name).unwrap(), days).unwrap();
        let certificate = ca.issue(params, key.public_key()).unwrap();
        World { ca: Issuer::new(certificate, key).unwrap() }
    };
    let (sub, stranger) = (below(&world.ca, "CN=sub", 50), below(&World::new().ca, "CN=sub", 50));
    let subsub = below(&sub.ca, "CN=subsub", 40);
    let alice = subsub.signer("CN=Alice");
    let ders = [&subsub, &stranger, &sub].map(|world| world.ca.certificate().clone());
    let Trust::Chain(verifier) = world.policy().trust().clone() else { panic!() };
    let vouched = verifier.vouched(&ders);
    assert_eq!(vouched.len(), 2);
    let mut draft = Draft::of(&attached(&alice));
    draft.certificates.extend(ders.iter().map(|certificate| certificate.as_der().to_vec()));
    assert!(verify(&draft.write(), &world.policy()).is_good());
    draft.certificates.pop();
    assert!(matches!(refusal(&draft.write(), &world.policy()), Refusal::Untrusted(_)));
}

#[test]
fn one_signer_under_an_authority() {
    let world = World::new();
    let (alice, bob) = (world.signer("CN=Alice"), world.signer("CN=Bob"));
    let policy = world.policy().only(alice.certificate.clone());
    assert!(verify(&attached(&alice), &policy).is_good());
    assert_eq!(refusal(&attached(&bob), &policy), Refusal::NotAsked);
    let elsewhere = World::new().policy().only(alice.certificate.clone());
    assert!(matches!(refusal(&attached(&alice), &elsewhere), Refusal::Untrusted(_)));
    assert!(Policy::key(*alice.key.public_key()).with_crls([]).is_err());
}

#[test]
fn times_that_cannot_be_written() {
    let alice = World::new().signer("CN=Alice");
    let signing = Signing::new(Dialect::Rfc5652).with_signer(&alice.credential()).unwrap();
    for time in [-1, 253_402_300_800, i64::MAX] {
        assert!(signing.clone().at(time).detached().finish().is_err(), "{time}");
    }
}
