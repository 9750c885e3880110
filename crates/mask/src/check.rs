//! Check digits and plausible parts of numbers, on characters in ASCII.

pub(crate) mod card;
pub(crate) mod date;
pub(crate) mod iban;
pub(crate) mod neighbours;
pub(crate) mod resident;
pub(crate) mod uscc;
pub(crate) mod vin;

/// The value of a digit, or of a letter that counts from 10.
fn value(character: u8) -> Option<u32> {
    char::from(character).to_digit(36)
}

/// Σ weight × digit, for decimal digits.
fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum()
}
