//! Identity numbers of Hong Kong, Taiwan and the United States, and machine-readable zones.

use super::{date::number, value, weighted};

/// One or two capital letters, six digits, and the check.
pub(crate) fn is_hkid(id: &[u8]) -> bool {
    let (letters, rest) = match id.len() {
        8 => ([36, value(id[0]).unwrap_or(0)], &id[1..]),
        9 if id[1].is_ascii_uppercase() => {
            ([value(id[0]).unwrap_or(0), value(id[1]).unwrap_or(0)], &id[2..])
        }
        _ => return false,
    };
    let (digits, check) = (&rest[..6], rest[6]);
    let check = match check {
        b'0'..=b'9' => u32::from(check - b'0'),
        b'A' => 10,
        _ => return false,
    };
    id[0].is_ascii_uppercase()
        && digits.iter().all(u8::is_ascii_digit)
        && (9 * letters[0] + 8 * letters[1] + weighted(digits, &[7, 6, 5, 4, 3, 2]) + check)
            .is_multiple_of(11)
}

/// A capital letter, 1, 2, 8 or 9, and eight digits of which the last is the check.
pub(crate) fn is_twid(id: &[u8]) -> bool {
    const ORDER: &[u8; 26] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let [letter, digits @ ..] = id else { return false };
    let Some(place) = ORDER.iter().position(|known| known == letter) else { return false };
    if digits.len() != 9 || !digits.iter().all(u8::is_ascii_digit) || !b"1289".contains(&digits[0])
    {
        return false;
    }
    let number = place as u32 + 10;
    (number / 10 + 9 * (number % 10) + weighted(digits, &[8, 7, 6, 5, 4, 3, 2, 1, 1]))
        .is_multiple_of(10)
}

/// Nine digits that may have been given to somebody.
pub(crate) fn is_ssn(digits: &[u8]) -> bool {
    digits.len() == 9
        && digits.iter().all(u8::is_ascii_digit)
        && !matches!(number(&digits[..3]), 0 | 666 | 900..)
        && digits[3..5] != *b"00"
        && digits[5..] != *b"0000"
}

/// The second line of a passport's zone (ICAO 9303): 44 characters with their check digits.
pub(crate) fn is_mrz_line(line: &[u8]) -> bool {
    let right = |range: std::ops::Range<usize>, check: usize| {
        let sum: Option<u32> = line[range]
            .iter()
            .zip([7, 3, 1].into_iter().cycle())
            .map(|(c, weight)| if *c == b'<' { Some(0) } else { value(*c).map(|v| v * weight) })
            .sum();
        sum.is_some_and(|sum| u32::from(line[check]) == u32::from(b'0') + sum % 10)
    };
    line.len() == 44 && right(0..9, 9) && right(13..19, 19) && right(21..27, 27)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_published() {
        assert!(
            is_hkid(b"A1234563")
                && is_hkid(b"Z0000001")
                && !is_hkid(b"A1234564")
                && !is_hkid(b"A123456")
        );
        assert!(is_twid(b"A123456789") && !is_twid(b"A123456788") && !is_twid(b"A323456789"));
        assert!(is_ssn(b"219099999") && is_ssn(b"078051120"));
        for ssn in ["000123456", "666123456", "900123456", "123003456", "123450000"] {
            assert!(!is_ssn(ssn.as_bytes()), "{ssn}");
        }
        // The specimen of ICAO 9303.
        assert!(is_mrz_line(b"L898902C36UTO7408122F1204159ZE184226B<<<<<10"));
        assert!(!is_mrz_line(b"L898902C37UTO7408122F1204159ZE184226B<<<<<10"));
    }
}
