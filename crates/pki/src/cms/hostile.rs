//! Messages that nobody here would write: taken apart, changed, and put together again.

mod encrypted;
mod forms;
mod signed;
mod stamped;

use std::sync::Arc;

use gmkit_keys::{Credential, PrivateKey, SoftwareKey};
use gmkit_sm2::Id;

use super::{
    ContentDigest, Dialect, Policy, Refusal, Report, SignedMessage, SignedReader, Signing,
    attributes::octet_string,
    frame,
    signing::{VERSION_1, data_oid, digest_algorithms},
    source::{OCTETS, OID, SEQUENCE, SET, context},
};
use crate::{Anchor, Certificate, Error, Issuer, Profile, Purpose, Verifier, parts, subject};

const CONTENT: &[u8] = b"pay Bob 100 yuan";

/// An authority, and people with certificates.
struct World {
    ca: Issuer,
}

struct Person {
    key: Arc<SoftwareKey>,
    certificate: Certificate,
}

impl Person {
    fn credential(&self) -> Credential {
        Credential::new(vec![self.certificate.as_der().to_vec()], self.key.clone()).unwrap()
    }
}

impl World {
    fn new() -> Self {
        let key = Arc::new(SoftwareKey::generate().unwrap());
        let params = Profile::Ca.params(subject("CN=CA").unwrap(), 100).unwrap();
        Self { ca: Issuer::self_signed(params, key).unwrap() }
    }

    fn person(&self, name: &str, profile: Profile) -> Person {
        let key = Arc::new(SoftwareKey::generate().unwrap());
        let params = profile.params(subject(name).unwrap(), 10).unwrap();
        let certificate = self.ca.issue(params, key.public_key()).unwrap();
        Person { key, certificate }
    }

    fn signer(&self, name: &str) -> Person {
        self.person(name, Profile::Sign)
    }

    fn policy(&self) -> Policy {
        let anchor = Anchor::new(self.ca.certificate().clone());
        Policy::chain(Verifier::new(vec![anchor], Purpose::Sign))
    }
}

fn attached(signer: &Person) -> Vec<u8> {
    let signing = Signing::new(Dialect::Rfc5652).with_signer(&signer.credential()).unwrap();
    let mut writer = signing.attached(Vec::new());
    writer.update(CONTENT).unwrap();
    writer.finish().unwrap()
}

/// Reads a message with its content.
fn read(message: &[u8]) -> Result<(Vec<u8>, SignedMessage, ContentDigest), Error> {
    let mut reader = SignedReader::new(message)?;
    let (mut content, mut buffer) = (Vec::new(), [0; 7]);
    loop {
        match reader.read(&mut buffer)? {
            0 => break,
            n => content.extend_from_slice(&buffer[..n]),
        }
    }
    let (message, digest) = reader.finish()?;
    Ok((content, message, digest))
}

fn verify(message: &[u8], policy: &Policy) -> Report {
    let (_, message, digest) = read(message).unwrap();
    message.verify(&digest, policy)
}

/// Why the only signer is refused.
fn refusal(message: &[u8], policy: &Policy) -> Refusal {
    let report = verify(message, policy);
    assert!(!report.is_good());
    assert_eq!(report.signers.len(), 1);
    report.signers[0].verdict.clone().unwrap_err()
}

/// A signed message in its parts.
#[derive(Clone)]
struct Draft {
    digests: Vec<u8>,
    content_type: Vec<u8>,
    content: Option<Vec<u8>>,
    certificates: Vec<Vec<u8>>,
    signers: Vec<SignerDraft>,
}

#[derive(Clone)]
struct SignerDraft {
    id: Vec<u8>,
    digest: Vec<u8>,
    attributes: Option<Vec<Vec<u8>>>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
    unsigned: Vec<Vec<u8>>,
}

fn owned(value: &[u8]) -> Vec<Vec<u8>> {
    let members = parts::members_within(parts::content(value).unwrap()).unwrap();
    members.into_iter().map(<[u8]>::to_vec).collect()
}

impl Draft {
    /// Takes a message in DER apart, as gmkit writes it.
    fn of(message: &[u8]) -> Self {
        let outer = owned(message);
        let signed = owned(&owned(&outer[1])[0]);
        let content = owned(&signed[2]);
        let octets =
            content.get(1).map(|explicit| parts::content(&owned(explicit)[0]).unwrap().to_vec());
        Self {
            digests: signed[1].clone(),
            content_type: content[0].clone(),
            content: octets,
            certificates: owned(&signed[3]),
            signers: owned(signed.last().unwrap()).iter().map(|der| SignerDraft::of(der)).collect(),
        }
    }

    fn write(&self) -> Vec<u8> {
        let mut content = vec![self.content_type.clone()];
        if let Some(octets) = &self.content {
            content.push(frame::wrap(context(0), &[&frame::wrap(OCTETS, &[octets])]));
        }
        let signers: Vec<_> = self.signers.iter().map(SignerDraft::write).collect();
        let signed = frame::wrap(
            SEQUENCE,
            &[
                VERSION_1,
                &self.digests,
                &frame::wrap(SEQUENCE, &[&content.concat()]),
                &frame::wrap(context(0), &[&self.certificates.concat()]),
                &frame::wrap(SET, &[&signers.concat()]),
            ],
        );
        let oid = Dialect::Rfc5652.oid(super::Kind::SignedData);
        frame::wrap(SEQUENCE, &[&oid, &frame::wrap(context(0), &[&signed])])
    }

    /// Signs the first signer's attributes, or the content, anew.
    fn sign(&mut self, key: &SoftwareKey) -> &mut Self {
        let signed = match &self.signers[0].attributes {
            Some(attributes) => frame::wrap(SET, &[&attributes.concat()]),
            None => self.content.clone().unwrap(),
        };
        let signature = key.sign(Id::DEFAULT, &signed).unwrap();
        self.signers[0].signature = signature.to_der().as_bytes().to_vec();
        self
    }

    fn attributes(&mut self) -> &mut Vec<Vec<u8>> {
        self.signers[0].attributes.as_mut().unwrap()
    }

    /// Where the attribute with this OID is.
    fn position(&mut self, oid: &str) -> usize {
        let oid = der::asn1::ObjectIdentifier::new_unwrap(oid);
        let oid = der::Encode::to_der(&oid).unwrap();
        self.attributes().iter().position(|attribute| owned(attribute)[0] == oid).unwrap()
    }
}

impl SignerDraft {
    fn of(der: &[u8]) -> Self {
        let members = owned(der);
        let unsigned = members.get(6).map(|set| owned(set)).unwrap_or_default();
        Self {
            id: members[1].clone(),
            digest: members[2].clone(),
            attributes: Some(owned(&members[3])),
            algorithm: members[4].clone(),
            signature: parts::content(&members[5]).unwrap().to_vec(),
            unsigned,
        }
    }

    fn write(&self) -> Vec<u8> {
        let mut members = vec![VERSION_1.to_vec(), self.id.clone(), self.digest.clone()];
        if let Some(attributes) = &self.attributes {
            members.push(frame::wrap(context(0), &[&attributes.concat()]));
        }
        members.extend([self.algorithm.clone(), octet_string(&self.signature)]);
        if !self.unsigned.is_empty() {
            members.push(frame::wrap(context(1), &[&self.unsigned.concat()]));
        }
        frame::wrap(SEQUENCE, &[&members.concat()])
    }
}

#[test]
fn a_draft_is_the_message() {
    let alice = World::new().signer("CN=Alice");
    let message = attached(&alice);
    let draft = Draft::of(&message);
    assert_eq!(draft.write(), message);
    assert_eq!(draft.digests, digest_algorithms());
    assert_eq!(draft.content_type, data_oid(Dialect::Rfc5652));
    assert_eq!(draft.content_type[0], OID);
}
