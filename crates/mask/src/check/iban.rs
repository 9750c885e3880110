//! International bank account numbers (ISO 13616).

/// Most characters that one has (ISO 13616).
pub(crate) const LONGEST: usize = 34;

/// Countries, and how long their numbers are.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SC", 31),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"BI", 27),
    (b"DJ", 27),
    (b"FK", 18),
    (b"HN", 28),
    (b"MN", 20),
    (b"NI", 28),
    (b"OM", 23),
    (b"RU", 33),
    (b"SD", 18),
    (b"SO", 23),
    (b"YE", 30),
    (b"XK", 20),
];

/// How long the numbers of the country are with which this one begins.
pub(crate) fn length(start: &[u8]) -> Option<usize> {
    let country = start.first_chunk::<2>()?;
    LENGTHS.iter().find(|(name, _)| *name == country).map(|(_, length)| *length)
}

/// Capital letters and digits, of the length that the country has, with the right check digits.
pub(crate) fn is_valid(iban: &[u8]) -> bool {
    if length(iban) != Some(iban.len()) || !iban[2..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let rearranged = iban[4..].iter().chain(&iban[..4]);
    let remainder = rearranged.into_iter().try_fold(0, |remainder: u32, character| {
        let value = super::value(*character)?;
        Some((remainder * if value < 10 { 10 } else { 100 } + value) % 97)
    });
    remainder == Some(1)
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn as_published() {
        assert!(is_valid(b"GB82WEST12345698765432") && is_valid(b"DE89370400440532013000"));
        for iban in
            ["GB82WEST12345698765431", "GB82WEST1234569876543", "ZZ82WEST12345698765432", "GB"]
        {
            assert!(!is_valid(iban.as_bytes()), "{iban}");
        }
    }
}
