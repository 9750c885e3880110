//! Time stamps (RFC 3161), and what they are worth.

use der::asn1::ObjectIdentifier;
use rcgen::ExtendedKeyUsagePurpose;

use super::*;
use crate::{
    cms::{EntityId, attributes::SignedAttributes},
    now, rfc3339,
};

struct Stamps {
    authority: Person,
    verifier: Verifier,
}

fn stamps(purpose: ExtendedKeyUsagePurpose) -> Stamps {
    let world = World::new();
    let key = Arc::new(SoftwareKey::generate().unwrap());
    let mut params = Profile::Sign.params(subject("CN=TSA").unwrap(), 10).unwrap();
    params.extended_key_usages = vec![purpose];
    let certificate = world.ca.issue(params, key.public_key()).unwrap();
    let anchor = Anchor::new(world.ca.certificate().clone());
    Stamps {
        authority: Person { key, certificate },
        verifier: Verifier::new(vec![anchor], Purpose::TimeStamping),
    }
}

fn oid(text: &str) -> Vec<u8> {
    der::Encode::to_der(&ObjectIdentifier::new_unwrap(text)).unwrap()
}

impl Stamps {
    /// A token over `signature` at `time`.
    fn token(&self, signature: &[u8], time: i64) -> Vec<u8> {
        let hash = octet_string(&gmkit_sm3::digest(&[signature]));
        let sm3 = parts::sequence(&[&oid("1.2.156.10197.1.401")]);
        let text: String = rfc3339(time).chars().filter(|c| c.is_ascii_digit()).collect();
        let time = frame::wrap(0x18, &[text.as_bytes(), b"Z"]);
        let info = parts::sequence(&[
            VERSION_1,
            &oid("1.2.3.4"),
            &parts::sequence(&[&sm3, &hash]),
            &[2, 1, 7],
            &time,
        ]);
        self.signed(info, &oid("1.2.840.113549.1.9.16.1.4"))
    }

    fn signed(&self, content: Vec<u8>, content_type: &[u8]) -> Vec<u8> {
        let mut draft = Draft::of(&attached(&World::new().signer("CN=x")));
        draft.content_type = content_type.to_vec();
        draft.certificates = vec![self.authority.certificate.as_der().to_vec()];
        draft.signers[0].id = EntityId::of(&self.authority.certificate).write();
        let digest = gmkit_sm3::digest(&[&content]);
        let certificate = &self.authority.certificate;
        let of_type = der::Decode::from_der(content_type).unwrap();
        let signed = SignedAttributes::write(of_type, &digest, now(), certificate);
        draft.signers[0].attributes = Some(owned(&signed));
        draft.content = Some(content);
        draft.sign(&self.authority.key).write()
    }
}

fn stamped(message: &[u8], token: &[u8]) -> Vec<u8> {
    let mut draft = Draft::of(message);
    let attribute =
        parts::sequence(&[&oid("1.2.840.113549.1.9.16.2.14"), &frame::wrap(SET, &[token])]);
    draft.signers[0].unsigned.push(attribute);
    draft.write()
}

#[test]
fn a_good_stamp_says_when() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    let stamps = stamps(ExtendedKeyUsagePurpose::TimeStamping);
    let message = attached(&alice);
    let signature = Draft::of(&message).signers[0].signature.clone();
    let time = now();
    let policy = world.policy().with_time_stamps(stamps.verifier.clone());
    let with_stamp = stamped(&message, &stamps.token(&signature, time));
    let report = verify(&with_stamp, &policy);
    assert!(report.is_good());
    assert_eq!(report.signers[0].unsigned_attributes, 1);
    assert_eq!(report.signers[0].time_stamps[0].as_ref().unwrap().time, time);
    // Without authorities for stamps, it does not count, and does no harm.
    let report = verify(&with_stamp, &world.policy());
    assert!(report.is_good());
    assert_eq!(report.signers[0].time_stamps[0].as_ref().unwrap_err(), &Refusal::NoTimeAuthority);
}

#[test]
fn a_certificate_that_has_expired_since() {
    let stamps = stamps(ExtendedKeyUsagePurpose::TimeStamping);
    let world = World::new();
    let key = Arc::new(SoftwareKey::generate().unwrap());
    let mut params = Profile::Sign.params(subject("CN=Alice").unwrap(), 10).unwrap();
    params.not_after = params.not_before + std::time::Duration::from_secs(1);
    let certificate = world.ca.issue(params, key.public_key()).unwrap();
    let then = certificate.validity().not_after;
    let alice = Person { key, certificate };
    let signing = Signing::new(Dialect::Rfc5652).at(then);
    let mut writer = signing.with_signer(&alice.credential()).unwrap().attached(Vec::new());
    writer.update(CONTENT).unwrap();
    let message = writer.finish().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(matches!(refusal(&message, &world.policy()), Refusal::Untrusted(_)));

    let signature = Draft::of(&message).signers[0].signature.clone();
    let policy = world.policy().with_time_stamps(stamps.verifier.clone());
    let message_then = stamped(&message, &stamps.token(&signature, then));
    assert!(verify(&message_then, &policy).is_good());
    let too_late = stamped(&message, &stamps.token(&signature, then + 1));
    assert!(matches!(refusal(&too_late, &policy), Refusal::Untrusted(_)));
}

#[test]
fn stamps_that_do_not_count() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    let good = stamps(ExtendedKeyUsagePurpose::TimeStamping);
    let mut wrong = stamps(ExtendedKeyUsagePurpose::EmailProtection);
    // The purpose is the library's, not the caller's.
    wrong.verifier = wrong.verifier.with_purpose(Purpose::Any);
    let message = attached(&alice);
    let signature = Draft::of(&message).signers[0].signature.clone();
    let day_before_its_certificate = good.authority.certificate.validity().not_before - 86_400;
    let other_verifier = stamps(ExtendedKeyUsagePurpose::TimeStamping).verifier;
    for (token, verifier) in [
        (two_signers(&good.token(&signature, now())), &good.verifier),
        (without_certificate(&good, &good.token(&signature, now())), &good.verifier),
        (good.token(b"another signature", now()), &good.verifier),
        (good.token(&signature, day_before_its_certificate), &good.verifier),
        (good.token(&signature, now()), &other_verifier),
        (wrong.token(&signature, now()), &wrong.verifier),
        (good.signed(b"no time".to_vec(), &oid("1.2.840.113549.1.9.16.1.4")), &good.verifier),
        (good.signed(b"no time".to_vec(), &oid("1.2.840.113549.1.7.1")), &good.verifier),
        (attached(&alice), &good.verifier),
        (vec![0x30, 0], &good.verifier),
    ] {
        let policy = world.policy().with_time_stamps(verifier.clone());
        let report = verify(&stamped(&message, &token), &policy);
        assert!(report.signers[0].time_stamps[0].is_err());
        assert!(report.is_good(), "anybody can add a stamp");
    }
}

fn two_signers(token: &[u8]) -> Vec<u8> {
    let mut draft = Draft::of(token);
    draft.signers.push(draft.signers[0].clone());
    draft.write()
}

/// A token whose signer does not say which certificate is meant (RFC 3161, 2.4.2).
fn without_certificate(stamps: &Stamps, token: &[u8]) -> Vec<u8> {
    let mut draft = Draft::of(token);
    let at = draft.position("1.2.840.113549.1.9.16.2.47");
    draft.attributes().remove(at);
    draft.sign(&stamps.authority.key).write()
}
