//! Encrypted messages that are read (RFC 5652, 6; RFC 5083; RFC 2315, 11; GB/T 35275).

use std::io::Read;

use gmkit_keys::{
    PrivateKey,
    selftest::{self, Algorithm},
};
use gmkit_sm2::{Id, PublicKey};
use zeroize::Zeroizing;

use super::{
    Dialect, EntityId, Kind,
    attributes::octets,
    content::{ContentDigest, ContentHasher},
    content_cipher::{ContentKey, Decryptor, Mode},
    kind,
    message::SignedMessage,
    recipient::RecipientInfo,
    signed_reader::{SMALL, Unarmoured, digest_algorithms, optional_set, signers, unarmoured},
    source::{INTEGER, OCTETS, OID, SEQUENCE, SET, Source, context, fault},
};
use crate::{Certificate, Error, issuer::key_id};

/// Most recipients, of whatever kind.
const MAX_RECIPIENTS: usize = 1024;

/// Most bytes of a recipient.
const MAX_RECIPIENT: usize = 1 << 16;

/// Recipients that are tried with a key that none of them names.
const MAX_TRIALS: usize = 64;

/// Bytes of ciphertext that are read at once.
const PIECE: usize = 1 << 16;

/// Reads an encrypted message up to the content: to whom it is, and how it is encrypted.
///
/// See [`super::Encrypting`] for an example.
pub struct EncryptedReader<R> {
    source: Source<Unarmoured<R>>,
    dialect: Dialect,
    kind: Kind,
    recipients: Vec<RecipientInfo>,
    others: usize,
    digests: Vec<der::asn1::ObjectIdentifier>,
    content_type: der::asn1::ObjectIdentifier,
    mode: Mode,
}

impl<R: Read> EncryptedReader<R> {
    /// Reads up to the content: DER, BER or PEM.
    ///
    /// # Errors
    /// [`Error::Malformed`], also for other ciphers than SM4; [`Error::Pem`]; [`Error::Stream`].
    pub fn new(input: R) -> Result<Self, Error> {
        let mut source = Source::new(unarmoured(input)?);
        source.enter(SEQUENCE)?;
        let (dialect, kind) = kind::of_message(&source.element(OID, SMALL)?)?;
        if kind == Kind::SignedData {
            return Err(fault("it is signed, not encrypted"));
        }
        source.enter(context(0))?;
        source.enter(SEQUENCE)?;
        source.element(INTEGER, SMALL)?;
        if kind != Kind::SignedAndEnvelopedData && source.peek()? == Some(context(0)) {
            // originatorInfo: certificates for key agreement, which is not used here.
            source.any(MAX_RECIPIENT)?;
        }
        let (recipients, others) = recipients(&mut source)?;
        let digests = match kind {
            Kind::SignedAndEnvelopedData => digest_algorithms(&mut source)?,
            _ => Vec::new(),
        };
        source.enter(SEQUENCE)?;
        let content_type = kind::read_oid(&source.element(OID, SMALL)?).map_err(fault)?;
        let algorithm = source.element(SEQUENCE, SMALL)?;
        let mode = Mode::read(&algorithm, kind == Kind::AuthEnvelopedData).map_err(fault)?;
        // GB/T 35275 has shared information here, which nobody is known to use.
        source.start_octets(CONTENT)?;
        Ok(Self { source, dialect, kind, recipients, others, digests, content_type, mode })
    }

    /// What kind of message it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Which OIDs it uses.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether changes to the content are noticed when it is decrypted. SM4-CBC does not notice them.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.mode.is_authenticated()
    }

    /// Those with an SM2 key who can decrypt it, by what it says.
    #[must_use]
    pub fn recipients(&self) -> Vec<&EntityId> {
        self.recipients.iter().map(|recipient| &recipient.id).collect()
    }

    /// How many recipients use something else than SM2 key transport.
    #[must_use]
    pub fn other_recipients(&self) -> usize {
        self.others
    }

    /// Finds the recipient with this key. With a certificate, only those that name it are tried.
    ///
    /// # Errors
    /// [`Error::NotDecrypted`] when there is none; what the key's device says.
    pub fn open(
        self,
        key: &dyn PrivateKey,
        certificate: Option<&Certificate>,
    ) -> Result<ContentReader<R>, Error> {
        self.open_with_keys(key, certificate, &[], Id::DEFAULT)
    }

    /// The same, for SignedAndEnvelopedData, whose signers sign the content alone: they must be known before
    /// it is read. [`SignedMessage::keys_without_attributes`] tells them.
    ///
    /// # Errors
    /// As [`EncryptedReader::open`].
    pub fn open_with_keys(
        self,
        key: &dyn PrivateKey,
        certificate: Option<&Certificate>,
        signers: &[PublicKey],
        id: Id<'_>,
    ) -> Result<ContentReader<R>, Error> {
        selftest::require(Algorithm::Sm4)?;
        selftest::require(Algorithm::Sm2Encryption)?;
        let content_key = self.content_key(key, certificate)?;
        let decryptor = self.mode.decryptor(&content_key)?;
        let signed = self.kind == Kind::SignedAndEnvelopedData;
        Ok(ContentReader {
            decryptor,
            hasher: signed.then(|| ContentHasher::new(signers, id)),
            piece: vec![0; PIECE],
            message: self,
        })
    }

    fn content_key(
        &self,
        key: &dyn PrivateKey,
        certificate: Option<&Certificate>,
    ) -> Result<ContentKey, Error> {
        let own = EntityId::KeyId(key_id(key.public_key()));
        let named = |recipient: &&RecipientInfo| match certificate {
            Some(certificate) => recipient.id.names(certificate),
            None => recipient.id == own,
        };
        let first = self.recipients.iter().filter(named);
        let rest = self.recipients.iter().filter(|recipient| !named(recipient));
        let rest = rest.filter(|_| certificate.is_none());
        for recipient in first.chain(rest).take(MAX_TRIALS) {
            match recipient.open(key) {
                Err(Error::NotDecrypted) => {}
                result => return result,
            }
        }
        Err(Error::NotDecrypted)
    }
}

/// `[0]`, in one piece.
const CONTENT: u8 = 0x80;

fn recipients<R: Read>(source: &mut Source<R>) -> Result<(Vec<RecipientInfo>, usize), Error> {
    source.enter(SET)?;
    let (mut recipients, mut others) = (Vec::new(), 0);
    while let Some(tag) = source.peek()? {
        if recipients.len() + others == MAX_RECIPIENTS {
            return Err(fault("more than 1,024 recipients"));
        }
        let der = source.any(MAX_RECIPIENT)?;
        match tag {
            SEQUENCE => match RecipientInfo::read(&der).map_err(fault)? {
                Some(recipient) => recipients.push(recipient),
                None => others += 1,
            },
            _ => others += 1,
        }
    }
    source.leave()?;
    Ok((recipients, others))
}

/// The content of an encrypted message, while it is decrypted.
pub struct ContentReader<R> {
    message: EncryptedReader<R>,
    decryptor: Decryptor,
    hasher: Option<ContentHasher>,
    piece: Vec<u8>,
}

/// What stood behind the content.
#[non_exhaustive]
pub struct Opened {
    /// The last bytes of the content, of which CBC does not know whether they are padding before its end.
    pub rest: Zeroizing<Vec<u8>>,
    /// The signers of SignedAndEnvelopedData, and the hashes of the content: nobody has checked them yet.
    pub signed: Option<(SignedMessage, ContentDigest)>,
}

impl<R: Read> ContentReader<R> {
    /// Decrypts the next piece of the content: its length, 0 at the end; [`ContentReader::finish`] gives the
    /// last bytes. It must not be used, nor shown to
    /// anybody, before [`ContentReader::finish`] has said that it is genuine. The buffer has 32 bytes at
    /// least.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Stream`], [`Error::NotDecrypted`].
    ///
    /// # Panics
    /// When the buffer is smaller.
    pub fn read_unverified(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        assert!(buffer.len() >= 32, "a buffer of 32 bytes at least");
        loop {
            let most = self.piece.len().min(buffer.len() - 16);
            let n = self.message.source.read_octets(&mut self.piece[..most])?;
            if n == 0 {
                return Ok(0);
            }
            let written = self.decryptor.update_unverified(&self.piece[..n], buffer)?;
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&buffer[..written]);
            }
            // CBC keeps a block back.
            if written > 0 {
                return Ok(written);
            }
        }
    }

    /// Reads the rest of the message, once the content was read, and checks that it is genuine: its tag, or
    /// with SM4-CBC no more than its padding. Gives the content's last bytes.
    ///
    /// # Errors
    /// [`Error::Request`] when the content was not read to its end;
    /// [`Error::NotDecrypted`], deliberately not more precise; [`Error::Malformed`]; [`Error::Stream`].
    pub fn finish(mut self) -> Result<Opened, Error> {
        let mut rest = Zeroizing::new(vec![0; 32]);
        if self.read_unverified(&mut rest)? > 0 {
            return Err(Error::Request { reason: "the content was not read to its end" });
        }
        rest.clear();
        let Self { message, decryptor, hasher, .. } = self;
        let EncryptedReader { mut source, dialect, kind, content_type, digests, mode, .. } =
            message;
        source.leave()?;
        // All of the framing is read before the verdict: what is wrong with it tells nothing about the content.
        let mut tag = None;
        let mut signed = None;
        match kind {
            Kind::SignedAndEnvelopedData => {
                let certificates = optional_set(&mut source, 0)?;
                let crls = optional_set(&mut source, 1)?;
                signed = Some((certificates, crls, signers(&mut source)?));
            }
            Kind::AuthEnvelopedData => {
                if source.peek()? == Some(context(1)) {
                    return Err(fault("authenticated attributes, which are not read"));
                }
                tag = Some(source.element(OCTETS, SMALL)?);
                optional_set(&mut source, 2).map(drop)?;
            }
            _ => optional_set(&mut source, 1).map(drop)?,
        }
        (0..3).try_for_each(|_| source.leave())?;
        source.finish()?;
        let tag = tag.as_deref().map(octets).transpose().map_err(fault)?;
        if let Mode::Gcm { tag_len, .. } = mode
            && tag.is_none_or(|tag| tag.len() != tag_len)
        {
            return Err(Error::NotDecrypted);
        }
        let mut last = Zeroizing::new([0; 16]);
        let n = decryptor.finish(tag, &mut last)?;
        rest.extend_from_slice(&last[..n]);
        let signed = signed.zip(hasher).map(|((certificates, crls, signers), mut hasher)| {
            hasher.update(&rest);
            let message = SignedMessage::new(
                dialect,
                (content_type, digests),
                true,
                (certificates, crls),
                signers,
            );
            (message, hasher.finish())
        });
        Ok(Opened { rest, signed })
    }
}
