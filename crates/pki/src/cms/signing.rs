//! Who signs a message, and what goes with the signatures.

use std::{fmt, sync::Arc};

use der::asn1::ObjectIdentifier;
use gmkit_keys::{
    Credential, PrivateKey,
    selftest::{self, Algorithm},
};
use gmkit_sm2::Id;
use gmkit_sm3::{Sm3, digest::Digest};

use super::{
    Dialect, Kind, SignedMessage, SignedWriter,
    attributes::{SM3, SignedAttributes, octet_string},
    frame,
    kind::write_algorithm,
    signer_info::{EntityId, SignerInfo},
    source::{SEQUENCE, SET, context},
};
use crate::{
    Certificate, Crl, Error, Purpose,
    validity::{date, now},
};

/// sm2-with-sm3, which OpenSSL, Tongsuo and GmSSL write.
const SM2_WITH_SM3: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.501");

/// The SM2 signature algorithm, which GB/T 35275 asks for.
const SM2_SIGNATURE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301.1");

/// INTEGER 1: the version of nearly everything here.
pub(super) const VERSION_1: &[u8] = &[2, 1, 1];

/// A message that is to be signed: by whom, in which dialect, with which certificates.
///
/// Every signature is over signed attributes: the content's type and hash, the time, and the signer's
/// certificate. See [`super::SignedReader`] for an example.
#[derive(Clone)]
pub struct Signing {
    dialect: Dialect,
    signers: Vec<SignerKey>,
    certificates: Vec<Vec<u8>>,
    crls: Vec<Vec<u8>>,
    others: Vec<SignerInfo>,
    time: Option<i64>,
}

#[derive(Clone)]
struct SignerKey {
    certificate: Certificate,
    key: Arc<dyn PrivateKey>,
    id: Vec<u8>,
}

impl Signing {
    /// A message without signers yet.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            signers: Vec::new(),
            certificates: Vec::new(),
            crls: Vec::new(),
            others: Vec::new(),
            time: None,
        }
    }

    /// Adds a signer, who signs under the default ID. The whole chain goes into the message.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a chain that cannot be read; [`Error::Untrusted`] when the first certificate
    /// says that its key does not sign documents, or not now.
    pub fn with_signer(self, signer: &Credential) -> Result<Self, Error> {
        self.with_signer_id(signer, Id::DEFAULT)
    }

    /// Adds a signer who signs under another ID. Those who check must know it.
    ///
    /// # Errors
    /// As [`Signing::with_signer`].
    pub fn with_signer_id(mut self, signer: &Credential, id: Id<'_>) -> Result<Self, Error> {
        let mut chain = Vec::new();
        for der in signer.chain() {
            chain.push(Certificate::from_der(der)?);
        }
        chain.iter().for_each(|certificate| add(&mut self.certificates, certificate.as_der()));
        let certificate = chain.swap_remove(0);
        Purpose::Sign.check(&certificate, self.time.unwrap_or_else(now))?;
        let id = id.as_bytes().to_vec();
        self.signers.push(SignerKey { certificate, key: Arc::clone(signer.key()), id });
        Ok(self)
    }

    /// Adds a certificate that may help those who check.
    #[must_use]
    pub fn with_certificate(mut self, certificate: &Certificate) -> Self {
        add(&mut self.certificates, certificate.as_der());
        self
    }

    /// Adds a revocation list.
    #[must_use]
    pub fn with_crl(mut self, crl: &Crl) -> Self {
        add(&mut self.crls, crl.as_der());
        self
    }

    /// The time that is signed, in seconds since 1970, instead of now.
    #[must_use]
    pub fn at(mut self, time: i64) -> Self {
        self.time = Some(time);
        self
    }

    /// Keeps the signatures of a message over the same content, with their certificates and revocation
    /// lists. Whether they are good is not looked at; that they name another content is an error once that
    /// is known.
    ///
    /// # Errors
    /// [`Error::Request`] when they are in another dialect, over something that is not only bytes, or name
    /// another hash.
    pub fn with_signatures_of(mut self, message: &SignedMessage) -> Result<Self, Error> {
        let refused = |reason| Err(Error::Request { reason });
        if message.dialect != self.dialect || message.content_type != self.dialect.data() {
            return refused("the signatures that are there are in another dialect");
        }
        if message.signers.iter().any(|signer| signer.digest != SM3) {
            return refused("the signatures that are there do not name SM3 as their hash");
        }
        message.certificates_der.iter().for_each(|der| add(&mut self.certificates, der));
        message.crls_der.iter().for_each(|der| add(&mut self.crls, der));
        self.others.extend(message.signers.iter().cloned());
        Ok(self)
    }

    /// Signs a content that stays outside.
    #[must_use]
    pub fn detached(self) -> DetachedSigner {
        DetachedSigner { signing: self, hash: Sm3::new() }
    }

    /// Signs a content that goes into the message, which is written to `out`.
    #[must_use]
    pub fn attached<W: std::io::Write>(self, out: W) -> SignedWriter<W> {
        SignedWriter::new(self, out)
    }

    /// The version of SignedData: 3 where a signer is named by a key (RFC 5652, 5.1).
    pub(super) fn version(&self) -> &'static [u8] {
        let by_key = |signer: &SignerInfo| matches!(signer.id, EntityId::KeyId(_));
        match self.dialect == Dialect::Rfc5652 && self.others.iter().any(by_key) {
            true => &[2, 1, 3],
            false => VERSION_1,
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What stands after the content: certificates, revocation lists, signers.
    pub(super) fn tail(&self, digest: &[u8; 32]) -> Result<Vec<u8>, Error> {
        selftest::require(Algorithm::Sm3)?;
        if self.signers.is_empty() {
            return Err(Error::Request { reason: "a signed message has a signer" });
        }
        let about = |signer: &SignerInfo| match &signer.attributes {
            Some(Ok(attributes)) => attributes.message_digest == digest,
            Some(Err(_)) => false,
            None => true,
        };
        if !self.others.iter().all(about) {
            return Err(Error::Request {
                reason: "the signatures that are there are about another content",
            });
        }
        let mut signers: Vec<_> = self.others.iter().map(|signer| signer.der.clone()).collect();
        for signer in &self.signers {
            signers.push(self.sign(signer, digest)?);
        }
        let mut tail = Vec::new();
        for (n, members) in [(0, &self.certificates), (1, &self.crls)] {
            if !members.is_empty() {
                tail.extend(frame::set_of(context(n), members.clone()));
            }
        }
        tail.extend(frame::set_of(SET, signers));
        Ok(tail)
    }

    fn sign(&self, signer: &SignerKey, digest: &[u8; 32]) -> Result<Vec<u8>, Error> {
        let time = self.time.unwrap_or_else(now);
        if time < 0 || date(time).is_none() {
            return Err(Error::Request { reason: "a time before 1970 or after the year 9999" });
        }
        let certificate = &signer.certificate;
        let attributes = SignedAttributes::write(self.dialect.data(), digest, time, certificate);
        let id = Id::new(&signer.id)?;
        let signature = signer.key.sign(id, &attributes)?;
        // A fault in the computation, or in a device, would show here and not with the receiver.
        certificate.public_key()?.verify(id, &attributes, &signature)?;
        let algorithm = match self.dialect {
            Dialect::Rfc5652 => SM2_WITH_SM3,
            Dialect::Gmt0010 => SM2_SIGNATURE,
        };
        let implicit = [&[context(0)], &attributes[1..]].concat();
        Ok(frame::wrap(
            SEQUENCE,
            &[
                VERSION_1,
                &EntityId::of(certificate).write(),
                &write_algorithm(SM3, &[]),
                &implicit,
                &write_algorithm(algorithm, &[]),
                &octet_string(signature.to_der().as_bytes()),
            ],
        ))
    }
}

/// Each once: the signers of a message may have authorities in common.
fn add(list: &mut Vec<Vec<u8>>, der: &[u8]) {
    if !list.iter().any(|known| known == der) {
        list.push(der.to_vec());
    }
}

/// The one digest algorithm that is used.
pub(super) fn digest_algorithms() -> Vec<u8> {
    frame::wrap(SET, &[&write_algorithm(SM3, &[])])
}

/// A signature over a content that stays outside, and comes in pieces.
///
/// ```
/// # use std::sync::Arc;
/// # use gmkit_keys::{Credential, PrivateKey, SoftwareKey};
/// # use gmkit_pki::{Issuer, Profile, cms, subject};
/// # let (ca_key, key) = (Arc::new(SoftwareKey::generate()?), Arc::new(SoftwareKey::generate()?));
/// # let ca = Issuer::self_signed(Profile::Ca.params(subject("CN=CA")?, 365)?, ca_key)?;
/// # let certificate = ca.issue(Profile::Sign.params(subject("CN=Alice")?, 90)?, key.public_key())?;
/// let alice = Credential::new(vec![certificate.as_der().to_vec()], key)?;
/// let mut signer = cms::Signing::new(cms::Dialect::Rfc5652).with_signer(&alice)?.detached();
/// signer.update(b"what is ");
/// signer.update(b"signed");
/// let signature = signer.finish()?;
///
/// let (message, _) = cms::SignedReader::new(&signature[..])?.finish()?;
/// let policy = cms::Policy::certificate(certificate);
/// let mut content = message.hasher(&policy);
/// content.update(b"what is signed");
/// assert!(message.verify(&content.finish(), &policy).is_good());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct DetachedSigner {
    signing: Signing,
    hash: Sm3,
}

impl DetachedSigner {
    /// Adds the next piece of the content.
    pub fn update(&mut self, piece: &[u8]) {
        self.hash.update(piece);
    }

    /// Signs what has come in: the message in DER.
    ///
    /// # Errors
    /// [`Error::Request`] without a signer; [`Error::Key`]; [`Error::Rejected`] when a signature that was
    /// made is not good.
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        let Self { signing, hash } = self;
        let content = frame::wrap(SEQUENCE, &[&data_oid(signing.dialect)]);
        let tail = signing.tail(&hash.finalize().into())?;
        Ok(whole(&signing, &content, &tail))
    }
}

pub(super) fn data_oid(dialect: Dialect) -> Vec<u8> {
    der::Encode::to_der(&dialect.data()).expect("an OID encodes")
}

/// The message around a content in its framing, in DER.
pub(super) fn whole(signing: &Signing, content: &[u8], tail: &[u8]) -> Vec<u8> {
    let dialect = signing.dialect;
    let signed = frame::wrap(SEQUENCE, &[signing.version(), &digest_algorithms(), content, tail]);
    let explicit = frame::wrap(context(0), &[&signed]);
    frame::wrap(SEQUENCE, &[&dialect.oid(Kind::SignedData), &explicit])
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signers: Vec<_> = self.signers.iter().map(|signer| &signer.certificate).collect();
        f.debug_struct("Signing").field("signers", &signers).finish_non_exhaustive()
    }
}

impl fmt::Debug for DetachedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DetachedSigner").field(&self.signing).finish()
    }
}
