//! Resident identity numbers (GB 11643-1999) and permits with the same structure.

use super::{
    date::{exists, number, this_year},
    weighted,
};

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// ISO 7064 MOD 11-2, as the standard's table.
const CHECKS: &[u8; 11] = b"10X98765432";

/// Provinces, for 1954 to today: the first two digits. 81 to 83 are Hong Kong, Macau and Taiwan.
pub(crate) fn is_province(digits: &[u8]) -> bool {
    matches!(
        number(&digits[..2]),
        11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83
    )
}

/// Seventeen digits and the check, which may be `X` or `x`; area, date and check are right.
pub(crate) fn is_valid_18(id: &[u8]) -> bool {
    let [digits @ .., check] = id else { return false };
    if digits.len() != 17 || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let (year, month, day) =
        (number(&digits[6..10]), number(&digits[10..12]), number(&digits[12..14]));
    // A foreigner's permanent residence card (2023) begins with 9, province and country.
    let area = is_province(digits) || digits[0] == b'9' && is_province(&digits[1..]);
    // Asking for the year takes longer than the rest.
    area && exists(year, month, day, 1800..=9999)
        && CHECKS[(weighted(digits, &WEIGHTS) % 11) as usize] == check.to_ascii_uppercase()
        && year <= this_year()
}

/// Fifteen digits of before 1999: area and date are plausible, more cannot be said.
pub(crate) fn is_valid_15(id: &[u8]) -> bool {
    id.len() == 15
        && id.iter().all(u8::is_ascii_digit)
        && is_province(id)
        && exists(1900 + number(&id[6..8]), number(&id[8..10]), number(&id[10..12]), 1900..=1999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_published() {
        for id in [
            "11010519491231002X",
            "440524188001010014",
            "110101199003070003",
            "11010119900318000x",
            "810000199003070007",
            "820000199003070009",
            "830000199003070000",
            "911840199003070006",
        ] {
            assert!(is_valid_18(id.as_bytes()), "{id}");
        }
        for id in [
            "110101199003070004",
            "11010119900307000X",
            "110101199002300006",
            "110101199013010004",
            "170101199003070004",
            "1101011990030700031",
            "11010119900307000",
            "X10101199003070003",
            "",
        ] {
            assert!(!is_valid_18(id.as_bytes()), "{id}");
        }
        assert!(is_valid_15(b"110105491231002"));
        assert!(!is_valid_15(b"110105491331002") && !is_valid_15(b"11010549123100X"));
    }
}
