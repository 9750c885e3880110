//! Signatures without signed attributes, in the forms that are met; others that differ from what is written
//! here.

use super::*;
use crate::cms::{Form, signer_info::EntityId};

/// A message without signed attributes; `e` makes the hash that is signed.
fn without_attributes(alice: &Person, content: &[u8], e: impl Fn(&[u8]) -> [u8; 32]) -> Vec<u8> {
    let mut draft = Draft::of(&attached(alice));
    draft.signers[0].attributes = None;
    draft.content = Some(content.to_vec());
    let inner = frame::wrap(
        SEQUENCE,
        &[&draft.content_type, &frame::wrap(context(0), &[&frame::wrap(OCTETS, &[content])])],
    );
    let signature = alice.key.as_sign_e().unwrap().sign_e(&e(&inner)).unwrap();
    draft.signers[0].signature = signature.to_der().as_bytes().to_vec();
    draft.write()
}

fn with_z(alice: &Person, content: &[u8]) -> [u8; 32] {
    gmkit_sm3::digest(&[&alice.key.public_key().z(Id::DEFAULT), content])
}

#[test]
fn over_the_content_with_z() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    let message = without_attributes(&alice, CONTENT, |_| with_z(&alice, CONTENT));
    let policy = world.policy();
    assert_eq!(refusal(&message, &policy), Refusal::ReadAgain);
    let (_, first, digest) = read(&message).unwrap();
    assert!(first.verify(&digest, &policy).must_read_again());
    let keys = first.keys_without_attributes(&policy);
    assert_eq!(keys, [*alice.key.public_key()]);
    let reader = SignedReader::with_keys(&message[..], &keys, Id::DEFAULT).unwrap();
    let (again, digest) = reader.finish().unwrap();
    let report = again.verify(&digest, &policy);
    assert!(report.is_good());
    assert_eq!(report.signers[0].form, Form::Content);

    let forged = without_attributes(&alice, b"pay Eve 100 yuan", |_| with_z(&alice, CONTENT));
    let reader = SignedReader::with_keys(&forged[..], &keys, Id::DEFAULT).unwrap();
    let (again, digest) = reader.finish().unwrap();
    assert_eq!(
        again.verify(&digest, &policy).signers[0].verdict.clone().unwrap_err(),
        Refusal::Rejected
    );
}

#[test]
fn without_z_only_where_it_is_allowed() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    let openssl = without_attributes(&alice, CONTENT, |_| gmkit_sm3::digest(&[CONTENT]));
    let gmssl = without_attributes(&alice, CONTENT, |inner| gmkit_sm3::digest(&[inner]));
    for (message, form) in [(openssl, Form::BareContent), (gmssl, Form::BareFramed)] {
        assert_eq!(refusal(&message, &world.policy()), Refusal::Bare);
        let report = verify(&message, &world.policy().with_bare_signatures());
        assert!(report.is_good());
        assert_eq!(report.signers[0].form, form);
    }
    // What was signed with Z is no bare signature over Z and that.
    let z = [&alice.key.public_key().z(Id::DEFAULT), CONTENT].concat();
    let moved = without_attributes(&alice, &z, |_| with_z(&alice, CONTENT));
    assert_eq!(refusal(&moved, &world.policy().with_bare_signatures()), Refusal::Ambiguous);
    let other = without_attributes(&alice, CONTENT, |_| gmkit_sm3::digest(&[b"other"]));
    assert!(!verify(&other, &world.policy().with_bare_signatures()).is_good());
}

/// The signed attributes of a message, taken for the content of one without (RFC 8933's neighbour: the
/// hash is the same, and so is the signature).
#[test]
fn attributes_as_content() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    let original = Draft::of(&attached(&alice));
    let attributes = original.signers[0].attributes.as_ref().unwrap();
    let mut draft = original.clone();
    draft.content = Some(frame::wrap(SET, &[&attributes.concat()]));
    draft.signers[0].attributes = None;
    let message = draft.write();
    // The signature does hold.
    let signature = gmkit_sm2::Signature::from_der(&original.signers[0].signature).unwrap();
    let content = draft.content.as_ref().unwrap();
    alice.key.public_key().verify(Id::DEFAULT, content, &signature).unwrap();
    for policy in [
        world.policy(),
        world.policy().with_bare_signatures(),
        Policy::key(*alice.key.public_key()),
    ] {
        let keys = [*alice.key.public_key()];
        let reader = SignedReader::with_keys(&message[..], &keys, Id::DEFAULT).unwrap();
        let (again, digest) = reader.finish().unwrap();
        let report = again.verify(&digest, &policy);
        assert!(!report.is_good());
        assert_eq!(report.signers[0].verdict.clone().unwrap_err(), Refusal::Ambiguous);
    }
}

#[test]
fn signers_named_by_their_key() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    let mut draft = Draft::of(&attached(&alice));
    let id = alice.certificate.extensions().subject_key_id.clone().unwrap();
    draft.signers[0].id = EntityId::KeyId(id).write();
    assert!(verify(&draft.write(), &world.policy()).is_good());
    draft.signers[0].id = EntityId::KeyId(vec![7; 20]).write();
    assert_eq!(refusal(&draft.write(), &world.policy()), Refusal::NoCertificate);
}

#[test]
fn algorithms_as_others_name_them() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    let original = Draft::of(&attached(&alice));
    // SM3 with NULL, SM2 signatures as the standard and gmsm name them, SM2.
    let digest = hex::decode("300c06082a811ccf550183110500").unwrap();
    for algorithm in
        ["300d06092a811ccf5501822d010500", "300b06092a811ccf5501822d01", "300a06082a811ccf5501822d"]
    {
        let mut draft = original.clone();
        draft.signers[0].digest = digest.clone();
        draft.digests = frame::wrap(SET, &[&digest]);
        draft.signers[0].algorithm = hex::decode(algorithm).unwrap();
        assert!(verify(&draft.write(), &world.policy()).is_good(), "{algorithm}");
    }
}

#[test]
fn signatures_are_added_to_those_of_the_same_content() {
    let world = World::new();
    let (alice, bob) = (world.signer("CN=Alice"), world.signer("CN=Bob"));
    let (_, first, _) = read(&attached(&alice)).unwrap();
    let cosign = |content: &[u8]| {
        let signing = Signing::new(Dialect::Rfc5652).with_signer(&bob.credential()).unwrap();
        let mut writer = signing.with_signatures_of(&first).unwrap().attached(Vec::new());
        writer.update(content).unwrap();
        writer.finish()
    };
    let report = verify(&cosign(CONTENT).unwrap(), &world.policy());
    assert_eq!(report.signers.len(), 2);
    assert!(report.is_good());
    assert!(matches!(cosign(b"something else"), Err(Error::Request { .. })));
    assert!(Signing::new(Dialect::Gmt0010).with_signatures_of(&first).is_err());
}

#[test]
fn content_of_every_size_and_both_dialects() {
    let world = World::new();
    let alice = world.signer("CN=Alice");
    for dialect in [Dialect::Rfc5652, Dialect::Gmt0010] {
        for len in [0, 1, 127, 128, 70_000, (8 << 20) - 1, 8 << 20, (8 << 20) + 1, 9 << 20] {
            let content: Vec<u8> = (0..len).map(|i: u32| (i % 251) as u8).collect();
            let signing = Signing::new(dialect).with_signer(&alice.credential()).unwrap();
            let mut writer = signing.attached(Vec::new());
            content.chunks(100_003).for_each(|piece| writer.update(piece).unwrap());
            let message = writer.finish().unwrap();
            assert_eq!(message[1] == 0x80, len > 8 << 20, "DER as long as it can be held");
            let mut reader = SignedReader::new(&message[..]).unwrap();
            let (mut found, mut buffer) = (Vec::new(), vec![0; 50_021]);
            while let n @ 1.. = reader.read(&mut buffer).unwrap() {
                found.extend_from_slice(&buffer[..n]);
            }
            assert!(found == content, "{len}");
            let (message, digest) = reader.finish().unwrap();
            assert_eq!(message.dialect(), dialect);
            assert!(message.verify(&digest, &world.policy()).is_good(), "{len}");
        }
    }
}
