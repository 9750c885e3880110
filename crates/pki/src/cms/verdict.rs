//! What came out of the check of a message.

use std::fmt;

use super::signer_info::EntityId;
use crate::{Certificate, Chain, Untrusted, strict::Fault};

/// The signers of a message, and whether their signatures are good.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// In the order of the message.
    pub signers: Vec<Signer>,
}

impl Report {
    /// Whether there is a good signature, and none that is not. Signers that were not asked about, as there
    /// are where one key or certificate was given, do not count.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let verdicts = || self.signers.iter().map(|signer| &signer.verdict);
        verdicts().any(Result::is_ok)
            && verdicts().all(|verdict| matches!(verdict, Ok(_) | Err(Refusal::NotAsked)))
    }

    /// Whether a signer came behind a content whose hash begins with the signer's key: [`Refusal::ReadAgain`].
    #[must_use]
    pub fn must_read_again(&self) -> bool {
        self.signers.iter().any(|signer| matches!(signer.verdict, Err(Refusal::ReadAgain)))
    }
}

/// A signer, and the verdict on the signature.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Signer {
    /// Who it is, by what the message says: nobody has signed that.
    pub id: EntityId,
    /// The certificate that the signature was checked with; none where a key was given.
    pub certificate: Option<Certificate>,
    /// What was signed.
    pub form: Form,
    /// When it was signed, in seconds since 1970, by what the signer says.
    pub claimed_time: Option<i64>,
    /// What time-stamping authorities say.
    pub time_stamps: Vec<Result<TimeStamp, Refusal>>,
    /// How many attributes nobody has signed.
    pub unsigned_attributes: usize,
    /// Why it is good, or why not.
    pub verdict: Result<Trusted, Refusal>,
}

/// A time stamp that is good.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TimeStamp {
    /// When the signature was there, in seconds since 1970.
    pub time: i64,
    /// Who says so.
    pub chain: Chain,
}

/// What the trust in a good signature rests on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Trusted {
    /// A chain of certificates.
    Chain(Chain),
    /// The certificate, or the key, is the one that was given.
    Given,
}

/// What the signature is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// Signed attributes, with the hash of the content among them: SM3(Z ‖ attributes).
    Attributes,
    /// The content: SM3(Z ‖ content), as gmsm has it.
    Content,
    /// The content without Z: SM3(content), as OpenSSL has it.
    BareContent,
    /// The content in its framing without Z, as GmSSL has it.
    BareFramed,
}

/// Why a signature is not good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The signature is not of SM2 with SM3, or uses another hash than the message says.
    Algorithm,
    /// The signed attributes are not what they must be.
    Attributes(Fault),
    /// The signer's certificate is neither in the message nor was it given.
    NoCertificate,
    /// The signer says in what is signed that another certificate is meant.
    OtherCertificate,
    /// The content, the signature, the key or the ID is not the one it was made with. Deliberately not more
    /// precise.
    Rejected,
    /// The signature does not hash the signer's ID and key, and that was not allowed:
    /// [`super::Policy::with_bare_signatures`].
    Bare,
    /// There are no signed attributes, and the content looks like some: they may come from a message with
    /// another content.
    Ambiguous,
    /// The signature is over the content alone, and the key was not known when that was read:
    /// [`super::SignedReader::with_keys`].
    ReadAgain,
    /// Another signer than the one who was asked about.
    NotAsked,
    /// The certificate is not trusted.
    Untrusted(Untrusted),
    /// A time stamp is about something else, or not one.
    TimeStamp(Fault),
    /// Nobody was named who may say what time it is: [`super::Policy::with_time_stamps`].
    NoTimeAuthority,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Algorithm => f.write_str("the signature is not of SM2 with SM3"),
            Self::Attributes(reason) => write!(f, "signed attributes: {reason}"),
            Self::NoCertificate => f.write_str("the signer's certificate is not there"),
            Self::OtherCertificate => f.write_str("the signer has named another certificate"),
            Self::Rejected => f.write_str(
                "BAD signature: the content, the signature, the key or the ID is not the one it was made with",
            ),
            Self::Bare => f.write_str(
                "the signature does not say which key it is of (SM3 without Z), and that was not allowed",
            ),
            Self::Ambiguous => f.write_str(
                "the content looks like the signed attributes of another message, and nothing says that it is not",
            ),
            Self::ReadAgain => f.write_str(
                "the signature is over the content alone, which was read before the signer was known",
            ),
            Self::NotAsked => f.write_str("another signer than the one given"),
            Self::Untrusted(reason) => write!(f, "not trusted: {reason}"),
            Self::TimeStamp(reason) => write!(f, "time stamp: {reason}"),
            Self::NoTimeAuthority => f.write_str("no authority for time stamps was given"),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Untrusted> for Refusal {
    fn from(reason: Untrusted) -> Self {
        Self::Untrusted(reason)
    }
}
