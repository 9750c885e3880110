//! Bank cards (ISO/IEC 7812).

use super::date::number;

/// What the first digits and the length say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Issuer {
    /// A network that gives out numbers of this length.
    Network,
    /// An older domestic card, whose check may not be right.
    Legacy,
}

/// The Luhn check.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') << (place % 2);
            value / 10 + value % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Who gives out cards with such a number.
pub(crate) fn issuer(digits: &[u8]) -> Option<Issuer> {
    if !(12..=19).contains(&digits.len()) {
        return None;
    }
    let (two, three, four) = (number(&digits[..2]), number(&digits[..3]), number(&digits[..4]));
    let network = match digits.len() {
        13 => digits[0] == b'4',
        14 => matches!(three, 300..=305) || matches!(two, 36 | 38 | 39),
        15 => matches!(two, 34 | 37),
        16 => {
            matches!(two, 62 | 81 | 51..=55 | 65)
                || digits[0] == b'4'
                || matches!(three, 644..=649)
                || matches!(four, 2221..=2720 | 3528..=3589 | 6011)
        }
        17 | 18 => two == 62,
        19 => matches!(two, 62 | 81) || digits[0] == b'4',
        _ => false,
    };
    match network {
        true => Some(Issuer::Network),
        false => (digits[0] == b'9' || matches!(two, 60 | 95)).then_some(Issuer::Legacy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_published() {
        for card in [
            "6200000000000005",
            "6205500000000000004",
            "4111111111111111",
            "5555555555554444",
            "378282246310005",
        ] {
            assert!(luhn(card.as_bytes()), "{card}");
            assert_eq!(issuer(card.as_bytes()), Some(Issuer::Network), "{card}");
        }
        assert!(!luhn(b"6200000000000006"));
        assert_eq!(issuer(b"1700000000000000"), None);
        assert_eq!(issuer(b"95588000000000000"), Some(Issuer::Legacy));
    }
}
