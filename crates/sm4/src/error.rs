//! What can go wrong in the modes.

use core::fmt;

/// Error of an SM4 mode. Caller mistakes are told apart; a failed check is one opaque value, so
/// that nothing about the plaintext can be learned from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The ciphertext is not authentic, or its padding is wrong. Deliberately not more precise.
    Rejected,
    /// A GCM nonce must have at least one byte and less than 2^61 bytes.
    NonceLength,
    /// A GCM tag has 12 to 16 bytes; shorter ones are in [`crate::hazmat`].
    TagLength,
    /// More than 2^36 - 32 bytes under one GCM nonce, or 2^61 bytes of associated data
    /// (NIST SP 800-38D, 5.2.1.1).
    MessageTooLong,
    /// The output buffer is too small; nothing was written.
    OutputTooSmall,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rejected => "ciphertext rejected",
            Self::NonceLength => "nonce length not allowed",
            Self::TagLength => "tag length not allowed",
            Self::MessageTooLong => "message too long for this mode",
            Self::OutputTooSmall => "output buffer too small",
        })
    }
}

impl core::error::Error for Error {}
