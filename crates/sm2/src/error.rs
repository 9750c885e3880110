//! What can go wrong, and whose fault it is.

use core::fmt;

/// Error of an SM2 operation.
///
/// Caller mistakes and malformed public data are told apart. A failed signature check or
/// decryption is the one value [`Error::Rejected`], so that nothing can be learned from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The signature does not fit, or the ciphertext does not decrypt. Deliberately not more
    /// precise.
    Rejected,
    /// The random number generator failed. Nothing was signed or encrypted.
    Rng,
    /// A nonce k that was given is not in [1, n-1], or must not be used with this message.
    NonceRange,
    /// A private key is not in [1, n-2] (GB/T 32918.1-2016, 6.1).
    PrivateKeyRange,
    /// The private key's file names a public key that does not belong to it.
    PublicKeyMismatch,
    /// A point's encoding is not one of 04 ‖ X ‖ Y, 02 ‖ X, 03 ‖ X with the right length.
    PointEncoding,
    /// A coordinate is not below p, or the point is not on the curve.
    PointNotOnCurve,
    /// An ID has more than 8191 bytes, so that its bit length does not fit into ENTL.
    IdTooLong,
    /// r or s is not in [1, n-1] (GB/T 32918.2-2016, 7.1).
    SignatureRange,
    /// A raw signature has 64 bytes.
    SignatureLength,
    /// The plaintext is empty, which SM2 encryption cannot protect.
    EmptyPlaintext,
    /// The plaintext or ciphertext is longer than the KDF or DER allows.
    TooLong,
    /// A shared key was asked for that is empty or longer than [`crate::exchange::MAX_KLEN`] bytes.
    KeyLength,
    /// A ciphertext is too short, or its C3 is not 32 bytes long.
    CiphertextLength,
    /// The DER of a signature, ciphertext or key is malformed.
    Der(DerFault),
    /// The key belongs to another algorithm.
    ForeignAlgorithm,
    /// The key is an elliptic curve key, but on another curve.
    ForeignCurve,
    /// The curve is spelled out instead of named. Such parameters are refused unread, because
    /// they have been used to forge keys on look-alike curves.
    ExplicitCurve,
    /// A bare EC private key does not name its curve.
    CurveMissing,
}

/// What is wrong with a DER encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DerFault {
    /// The data end before the value does.
    Truncated,
    /// Bytes follow the value.
    TrailingData,
    /// A value of another type was expected.
    Tag,
    /// A length is indefinite or not in its shortest form (BER, not DER).
    Length,
    /// An integer has leading zero bytes that it does not need.
    NonMinimalInteger,
    /// An integer is negative.
    NegativeInteger,
    /// An integer has more than 256 bits, or none.
    IntegerSize,
    /// Anything else that the standard's structure does not allow.
    Value,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rejected => "rejected: signature or ciphertext does not fit the key",
            Self::Rng => "the random number generator failed",
            Self::NonceRange => "the nonce k cannot be used",
            Self::PrivateKeyRange => "private key is not in [1, n-2]",
            Self::PublicKeyMismatch => "public key in the file does not belong to the private key",
            Self::PointEncoding => "point encoding not understood",
            Self::PointNotOnCurve => "point is not on the SM2 curve",
            Self::IdTooLong => "ID is longer than 8191 bytes",
            Self::SignatureRange => "signature has r or s outside [1, n-1]",
            Self::SignatureLength => "raw signature is not 64 bytes long",
            Self::EmptyPlaintext => "empty plaintext cannot be encrypted with SM2",
            Self::TooLong => "message too long for SM2 encryption",
            Self::KeyLength => "shared key of that length is not given out",
            Self::CiphertextLength => "ciphertext length does not fit its form",
            Self::Der(fault) => return write!(f, "DER: {fault}"),
            Self::ForeignAlgorithm => "key is not an elliptic curve key",
            Self::ForeignCurve => "key is on another curve than SM2's",
            Self::ExplicitCurve => "key spells out its curve parameters, which is refused",
            Self::CurveMissing => "EC private key does not name its curve",
        })
    }
}

impl fmt::Display for DerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "data end too early",
            Self::TrailingData => "trailing bytes",
            Self::Tag => "unexpected type",
            Self::Length => "indefinite or non-minimal length",
            Self::NonMinimalInteger => "integer with needless leading zeros",
            Self::NegativeInteger => "negative integer",
            Self::IntegerSize => "integer of the wrong size",
            Self::Value => "malformed value",
        })
    }
}

impl core::error::Error for Error {}

impl From<der::Error> for Error {
    fn from(error: der::Error) -> Self {
        use der::ErrorKind;
        Self::Der(match error.kind() {
            ErrorKind::Incomplete { .. } => DerFault::Truncated,
            ErrorKind::TrailingData { .. } => DerFault::TrailingData,
            ErrorKind::TagUnexpected { .. } | ErrorKind::TagUnknown { .. } => DerFault::Tag,
            ErrorKind::IndefiniteLength
            | ErrorKind::Length { .. }
            | ErrorKind::Overlength
            | ErrorKind::Overflow => DerFault::Length,
            _ => DerFault::Value,
        })
    }
}

impl From<Error> for signature::Error {
    fn from(_: Error) -> Self {
        Self::new()
    }
}
