//! Signatures of a message, checked.

use gmkit_keys::selftest::{self, Algorithm};
use gmkit_sm2::{PublicKey, Signature, hazmat};

use super::{
    attributes::SignedAttributes,
    content::{ContentDigest, can_be_signed_attributes},
    message::SignedMessage,
    policy::{Policy, Trust},
    signer_info::SignerInfo,
    time_stamp,
    verdict::{Form, Refusal, Report, Signer, TimeStamp, Trusted},
};
use crate::{Certificate, Purpose, validity::now};

impl SignedMessage {
    /// Checks every signature over a content that was hashed by [`super::SignedReader`], or with
    /// [`SignedMessage::hasher`].
    #[must_use]
    pub fn verify(&self, content: &ContentDigest, policy: &Policy) -> Report {
        let vouched = match policy.trust() {
            Trust::Chain(verifier) => verifier.vouched(self.certificates()),
            _ => Vec::new(),
        };
        let signers = self.signers.iter();
        let signers = signers.map(|info| self.check(info, content, policy, &vouched));
        Report { signers: signers.collect() }
    }

    fn check(
        &self,
        info: &SignerInfo,
        content: &ContentDigest,
        policy: &Policy,
        vouched: &[Certificate],
    ) -> Signer {
        let attributes = info.attributes.as_ref().and_then(|attributes| attributes.as_ref().ok());
        let mut signer = Signer {
            id: info.id.clone(),
            certificate: None,
            form: Form::Attributes,
            claimed_time: attributes.and_then(|attributes| attributes.signing_time),
            time_stamps: Vec::new(),
            unsigned_attributes: info.unsigned.len(),
            verdict: Err(Refusal::NoCertificate),
        };
        if attributes.is_none() {
            signer.form = Form::Content;
        }
        signer.verdict = match self.check_form(info) {
            Err(refusal) => Err(refusal),
            Ok(()) => match policy.trust() {
                Trust::Key(key) => self.check_key(info, content, policy, key, &mut signer),
                _ => self.check_certificates(info, content, policy, vouched, &mut signer),
            },
        };
        signer
    }

    /// What can be wrong whatever the key.
    fn check_form(&self, info: &SignerInfo) -> Result<(), Refusal> {
        if selftest::require(Algorithm::Sm2Signature).is_err() {
            return Err(Refusal::Rejected);
        }
        if !info.national || !self.digests.contains(&info.digest) {
            return Err(Refusal::Algorithm);
        }
        match &info.attributes {
            Some(Err(reason)) => Err(Refusal::Attributes(reason)),
            Some(Ok(attributes)) if attributes.content_type != self.content_type => {
                Err(Refusal::Attributes("they are about another type of content"))
            }
            // Other types of content are structures, which could be mistaken for bytes (RFC 5652, 5.3).
            None if self.special_content_type().is_some() => {
                Err(Refusal::Attributes("there are none, which only bytes may do without"))
            }
            _ => Ok(()),
        }
    }

    fn check_key(
        &self,
        info: &SignerInfo,
        content: &ContentDigest,
        policy: &Policy,
        key: &PublicKey,
        signer: &mut Signer,
    ) -> Result<Trusted, Refusal> {
        // Nobody vouches for a certificate here: anybody can write one about this key, with any name.
        let candidates = self.candidates(info, policy);
        let certified = |c: &&Certificate| c.public_key().is_ok_and(|k| k == key);
        let somebody_else = !candidates.is_empty() && !candidates.iter().any(certified);
        match check_signature(info, content, policy, key, &mut signer.form) {
            Ok(()) => {
                signer.time_stamps = time_stamp::all(info, policy);
                Ok(Trusted::Given)
            }
            // As the certificate in the message says.
            Err(Refusal::Rejected) if somebody_else => Err(Refusal::NotAsked),
            Err(refusal) => Err(refusal),
        }
    }

    fn check_certificates(
        &self,
        info: &SignerInfo,
        content: &ContentDigest,
        policy: &Policy,
        vouched: &[Certificate],
        signer: &mut Signer,
    ) -> Result<Trusted, Refusal> {
        let mut candidates = self.candidates(info, policy);
        if let Some(only) = policy.only_signer() {
            if !info.id.names(only) {
                return Err(Refusal::NotAsked);
            }
            candidates.retain(|certificate| *certificate == only);
        }
        let mut verdict = Err(Refusal::NoCertificate);
        for certificate in candidates {
            let checked = check_certificate(info, content, policy, vouched, certificate, signer);
            match checked {
                Ok(trusted) => {
                    signer.certificate = Some(certificate.clone());
                    return Ok(trusted);
                }
                // What is wrong with the right certificate tells more than that others do not fit.
                Err(refusal)
                    if matches!(verdict, Err(Refusal::NoCertificate | Refusal::Rejected)) =>
                {
                    signer.certificate = Some(certificate.clone());
                    verdict = Err(refusal);
                }
                Err(_) => {}
            }
        }
        verdict
    }
}

fn check_certificate(
    info: &SignerInfo,
    content: &ContentDigest,
    policy: &Policy,
    vouched: &[Certificate],
    certificate: &Certificate,
    signer: &mut Signer,
) -> Result<Trusted, Refusal> {
    if let Some(Ok(attributes)) = &info.attributes
        && !attributes.certificates.iter().all(|hash| hash.matches(certificate))
    {
        return Err(Refusal::OtherCertificate);
    }
    let key = certificate.public_key().map_err(|_| Refusal::Algorithm)?;
    check_signature(info, content, policy, key, &mut signer.form)?;
    // What others say of a signature is looked at once it is known to be one.
    signer.time_stamps = time_stamp::all(info, policy);
    let time = signer.time_stamps.iter().flatten().map(|stamp| stamp.time).min();
    match policy.trust() {
        Trust::Chain(verifier) => {
            let mut verifier = verifier
                .as_ref()
                .clone()
                .with_intermediates(policy.certificates().cloned())
                .with_intermediates(vouched.iter().cloned());
            if let Some(time) = time {
                verifier = verifier.signed_at(time);
            }
            Ok(Trusted::Chain(verifier.verify(certificate)?))
        }
        _ => {
            Purpose::Sign.check(certificate, time.unwrap_or_else(now))?;
            Ok(Trusted::Given)
        }
    }
}

/// Whether the signature is of a key, and what it is over.
fn check_signature(
    info: &SignerInfo,
    content: &ContentDigest,
    policy: &Policy,
    key: &PublicKey,
    form: &mut Form,
) -> Result<(), Refusal> {
    let signature = Signature::from_der(&info.signature).map_err(|_| Refusal::Rejected)?;
    match &info.attributes {
        Some(Ok(attributes)) => check_attributes(attributes, content, policy, key, &signature),
        Some(Err(reason)) => Err(Refusal::Attributes(reason)),
        None => check_without_attributes(content, policy, key, &signature, form),
    }
}

fn check_attributes(
    attributes: &SignedAttributes,
    content: &ContentDigest,
    policy: &Policy,
    key: &PublicKey,
    signature: &Signature,
) -> Result<(), Refusal> {
    if attributes.message_digest != content.sm3() {
        return Err(Refusal::Rejected);
    }
    key.verify(policy.id(), &attributes.der, signature).map_err(|_| Refusal::Rejected)
}

/// Three forms that are met: with Z first, as the standard has it.
fn check_without_attributes(
    content: &ContentDigest,
    policy: &Policy,
    key: &PublicKey,
    signature: &Signature,
    form: &mut Form,
) -> Result<(), Refusal> {
    if can_be_signed_attributes(&content.start) {
        return Err(Refusal::Ambiguous);
    }
    let is_over = |e: &[u8; 32]| hazmat::verify_e(key, e, signature).is_ok();
    let keyed = content.keyed(key);
    if keyed.is_some_and(is_over) {
        return Ok(());
    }
    let bare =
        [(Form::BareContent, Some(&content.plain)), (Form::BareFramed, content.framed.as_ref())];
    for (bare_form, e) in bare {
        if e.is_some_and(is_over) {
            *form = bare_form;
            // Z in front of what somebody has signed with it makes the same hash.
            if content.start.starts_with(&key.z(policy.id())) {
                return Err(Refusal::Ambiguous);
            }
            return if policy.allows_bare() { Ok(()) } else { Err(Refusal::Bare) };
        }
    }
    Err(if keyed.is_some() { Refusal::Rejected } else { Refusal::ReadAgain })
}

/// So that a time stamp is not half checked.
pub(super) type Stamped = Result<TimeStamp, Refusal>;
