//! SignedData that is read (RFC 5652, 5).

use std::io::Read;

use gmkit_keys::selftest::{self, Algorithm};
use gmkit_sm2::{Id, PublicKey};

use super::{
    Dialect, Kind,
    content::{ContentDigest, ContentHasher},
    kind,
    message::SignedMessage,
    signer_info::SignerInfo,
    source::{INTEGER, OCTETS, OID, SEQUENCE, SET, Source, context, fault},
};
use crate::{Error, pem};

/// Most bytes of a member that is small by its nature.
pub(super) const SMALL: usize = 4096;

/// Most bytes of a signer: attributes may hold a time stamp with its certificates.
const MAX_SIGNER: usize = 1 << 20;

/// Most signers: each costs two verifications at least.
const MAX_SIGNERS: usize = 64;

/// Most bytes of certificates, or of revocation lists.
const MAX_ATTACHED: usize = 32 << 20;

/// Most certificates, or revocation lists.
const MAX_MEMBERS: usize = 256;

/// Most bytes of a message in PEM, which is read into memory.
const MAX_PEM: u64 = 32 << 20;

/// What stands in front of a message in PEM.
const ARMOUR: &[u8] = b"-----BEGIN ";

/// A message in DER or BER, whatever armour it came in.
pub(super) type Unarmoured<R> = std::io::Chain<std::io::Cursor<Vec<u8>>, std::io::Take<R>>;

/// Takes PEM off. A message in PEM is held in memory: 32 MiB at most.
pub(super) fn unarmoured<R: Read>(mut input: R) -> Result<Unarmoured<R>, Error> {
    let mut start = Vec::new();
    (&mut input).take(ARMOUR.len() as u64).read_to_end(&mut start).map_err(Error::Stream)?;
    if start != ARMOUR {
        return Ok(std::io::Cursor::new(start).chain(input.take(u64::MAX)));
    }
    (&mut input).take(MAX_PEM + 1).read_to_end(&mut start).map_err(Error::Stream)?;
    if start.len() as u64 > MAX_PEM {
        return Err(fault("longer than 32 MiB in PEM: convert it to DER"));
    }
    Ok(std::io::Cursor::new(pem::message(&start)?).chain(input.take(0)))
}

/// Reads a signed message whose content may be of any length: first the content, which is not verified
/// yet, then the signers.
///
/// ```
/// use std::sync::Arc;
/// use gmkit_keys::{Credential, SoftwareKey};
/// use gmkit_pki::{Anchor, Issuer, Profile, Purpose, Verifier, cms, subject};
///
/// # let (ca_key, key) = (Arc::new(SoftwareKey::generate()?), Arc::new(SoftwareKey::generate()?));
/// # let ca = Issuer::self_signed(Profile::Ca.params(subject("CN=CA")?, 365)?, ca_key)?;
/// # let certificate = ca.issue(Profile::Sign.params(subject("CN=Alice")?, 90)?,
/// #     gmkit_keys::PrivateKey::public_key(&*key))?;
/// let alice = Credential::new(vec![certificate.as_der().to_vec()], key)?;
/// let mut writer = cms::Signing::new(cms::Dialect::Rfc5652).with_signer(&alice)?.attached(Vec::new());
/// writer.update(b"what is signed")?;
/// let message = writer.finish()?;
///
/// let mut reader = cms::SignedReader::new(&message[..])?;
/// let (mut content, mut piece) = (Vec::new(), [0; 4096]);
/// while let n @ 1.. = reader.read(&mut piece)? {
///     content.extend_from_slice(&piece[..n]);
/// }
/// assert_eq!(content, b"what is signed");
/// let (message, digest) = reader.finish()?;
///
/// let anchor = Anchor::new(ca.certificate().clone());
/// let policy = cms::Policy::chain(Verifier::new(vec![anchor], Purpose::Sign));
/// assert!(message.verify(&digest, &policy).is_good());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SignedReader<R> {
    source: Source<Unarmoured<R>>,
    dialect: Dialect,
    digests: Vec<der::asn1::ObjectIdentifier>,
    content_type: der::asn1::ObjectIdentifier,
    attached: bool,
    hasher: ContentHasher,
}

impl<R: Read> SignedReader<R> {
    /// Reads up to the content: DER, BER or PEM.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Pem`], [`Error::Stream`].
    pub fn new(input: R) -> Result<Self, Error> {
        Self::with_keys(input, &[], Id::DEFAULT)
    }

    /// The same, for signers without signed attributes, whose hash begins with their key: they must be
    /// known before an attached content is read. [`SignedMessage::keys_without_attributes`] tells them.
    ///
    /// # Errors
    /// As [`SignedReader::new`].
    pub fn with_keys(input: R, keys: &[PublicKey], id: Id<'_>) -> Result<Self, Error> {
        selftest::require(Algorithm::Sm3)?;
        let mut source = Source::new(unarmoured(input)?);
        source.enter(SEQUENCE)?;
        let (dialect, kind) = kind::of_message(&source.element(OID, SMALL)?)?;
        if kind != Kind::SignedData {
            return Err(fault("it is encrypted, not signed"));
        }
        source.enter(context(0))?;
        source.enter(SEQUENCE)?;
        source.element(INTEGER, SMALL)?;
        let digests = digest_algorithms(&mut source)?;
        source.start_tap();
        source.enter(SEQUENCE)?;
        let content_type = kind::read_oid(&source.element(OID, SMALL)?).map_err(fault)?;
        let attached = source.peek()?.is_some();
        if attached {
            source.enter(context(0))?;
            source.start_octets(OCTETS)?;
        }
        let hasher = ContentHasher::new(keys, id);
        Ok(Self { source, dialect, digests, content_type, attached, hasher })
    }

    /// Whether the content is in the message.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.attached
    }

    /// The next piece of the content, which nobody has verified yet: its length, 0 at the end. It may be
    /// shorter than the buffer before the end.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Stream`].
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let n = self.source.read_octets(buffer)?;
        self.hasher.update(&buffer[..n]);
        Ok(n)
    }

    /// Reads what is left of the content, which is hashed and dropped, and the signers. The hashes are those of the attached content; a
    /// detached one is hashed with [`SignedMessage::hasher`].
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Stream`].
    pub fn finish(mut self) -> Result<(SignedMessage, ContentDigest), Error> {
        let mut rest = vec![0; 64 * 1024];
        while self.read(&mut rest)? > 0 {}
        if self.attached {
            self.source.leave()?;
        }
        self.source.leave()?;
        let framed = self.source.end_tap();
        let mut source = self.source;
        let certificates = optional_set(&mut source, 0)?;
        let crls = optional_set(&mut source, 1)?;
        let signers = signers(&mut source)?;
        (0..3).try_for_each(|_| source.leave())?;
        source.finish()?;
        let message = SignedMessage::new(
            self.dialect,
            (self.content_type, self.digests),
            self.attached,
            (certificates, crls),
            signers,
        );
        let digest = ContentDigest { framed: Some(framed), ..self.hasher.finish() };
        Ok((message, digest))
    }
}

/// The algorithms that the signers are said to use.
pub(super) fn digest_algorithms<R: Read>(
    source: &mut Source<R>,
) -> Result<Vec<der::asn1::ObjectIdentifier>, Error> {
    source.enter(SET)?;
    let mut algorithms = Vec::new();
    while source.peek()?.is_some() {
        if algorithms.len() == MAX_SIGNERS {
            return Err(fault("more digest algorithms than are read"));
        }
        let algorithm = source.element(SEQUENCE, SMALL)?;
        algorithms.push(kind::algorithm(&algorithm).map_err(fault)?.0);
    }
    source.leave()?;
    Ok(algorithms)
}

/// Certificates or revocation lists, each in its encoding, and of any kind.
pub(super) fn optional_set<R: Read>(source: &mut Source<R>, n: u8) -> Result<Vec<Vec<u8>>, Error> {
    let mut members = Vec::new();
    if source.peek()? != Some(context(n)) {
        return Ok(members);
    }
    source.enter(context(n))?;
    let mut room = MAX_ATTACHED;
    while source.peek()?.is_some() {
        if members.len() == MAX_MEMBERS {
            return Err(fault("more than 256 certificates or revocation lists"));
        }
        let member = source.any(room)?;
        room = room.saturating_sub(member.len());
        members.push(member);
    }
    source.leave()?;
    Ok(members)
}

pub(super) fn signers<R: Read>(source: &mut Source<R>) -> Result<Vec<SignerInfo>, Error> {
    source.enter(SET)?;
    let mut signers = Vec::new();
    while source.peek()?.is_some() {
        if signers.len() == MAX_SIGNERS {
            return Err(fault("more than 64 signers"));
        }
        let signer = source.element(SEQUENCE, MAX_SIGNER)?;
        signers.push(SignerInfo::read(&signer).map_err(fault)?);
    }
    source.leave()?;
    Ok(signers)
}
