//! What can go wrong in the modes.

use core::fmt;

/// Error of an SM4 mode. Caller mistakes are told apart; a failed check is one opaque value, so
/// that nothing about the plaintext can be learned from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The ciphertext is not authentic, or its padding is wrong. Deliberately not more precise.
    Rejected,
    /// A GCM nonce must have at least one byte and less than 2^61 bytes, a CCM nonce 7 to 13.
    NonceLength,
    /// A GCM tag has 12 to 16 bytes, a CCM tag 12, 14 or 16; shorter ones are in
    /// [`crate::hazmat`].
    TagLength,
    /// More than 2^36 - 32 bytes under one GCM nonce, or 2^61 bytes of associated data
    /// (NIST SP 800-38D, 5.2.1.1); more than a CCM nonce of that length allows; or an FF1 tweak of
    /// 4 GiB.
    MessageTooLong,
    /// The output buffer is too small; nothing was written.
    OutputTooSmall,
    /// The two halves of an XTS key are equal.
    EqualKeys,
    /// An XTS data unit has 16 to 2^24 bytes.
    DataUnitLength,
    /// HCTR works on 16 bytes and more.
    TooShort,
    /// An FF1 radix is 2 to 65,536.
    Radix,
    /// FF1 refuses domains of less than a million values, and more than
    /// 4096 numerals.
    Domain,
    /// A numeral is not below the radix, or a character is not in the alphabet.
    Numeral,
    /// An alphabet has less than two characters, more than 65,536, one of them twice, or another
    /// number of them than the key's radix.
    Alphabet,
    /// A key to be wrapped has not a length that the method allows.
    KeyDataLength,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rejected => "ciphertext rejected",
            Self::NonceLength => "nonce length not allowed",
            Self::TagLength => "tag length not allowed",
            Self::MessageTooLong => "message too long for this mode",
            Self::OutputTooSmall => "output buffer too small",
            Self::EqualKeys => "the two halves of the XTS key are equal",
            Self::DataUnitLength => "an XTS data unit has 16 to 2^24 bytes",
            Self::TooShort => "HCTR works on 16 bytes and more",
            Self::Radix => "an FF1 radix is 2 to 65536",
            Self::Domain => {
                "FF1 works on at most 4096 numerals that take at least a million values"
            }
            Self::Alphabet => "not an alphabet, or not one for this key's radix",
            Self::Numeral => "not a numeral of this radix or a character of this alphabet",
            Self::KeyDataLength => "length of the key to be wrapped not allowed",
        })
    }
}

impl core::error::Error for Error {}
