//! Unified social credit codes (GB 32100-2015).

use super::resident::is_province;

const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Departments and the types of organisations that each registers.
const TYPES: &[(u8, &[u8])] = &[
    (b'1', b"1239"),
    (b'2', b"19"),
    (b'3', b"123459"),
    (b'4', b"19"),
    (b'5', b"1239"),
    (b'6', b"129"),
    (b'7', b"129"),
    (b'8', b"19"),
    (b'9', b"123"),
    (b'A', b"19"),
    (b'N', b"1239"),
    (b'Y', b"1"),
];

/// Eighteen capital letters and digits: department, type, area, and both checks are right.
pub(crate) fn is_valid(code: &[u8]) -> bool {
    let Ok(code) = <&[u8; 18]>::try_from(code) else { return false };
    let registered =
        TYPES.iter().any(|(department, types)| code[0] == *department && types.contains(&code[1]));
    registered
        && code[2..8].iter().all(u8::is_ascii_digit)
        && (is_province(&code[2..]) || code[2..8] == *b"100000")
        && check(&code[..17]) == Some(code[17])
        && body_check(&code[8..16]) == Some(code[16])
}

fn check(characters: &[u8]) -> Option<u8> {
    let mut weight = 1;
    let mut sum = 0;
    for character in characters {
        sum += ALPHABET.iter().position(|letter| letter == character)? * weight;
        weight = weight * 3 % 31;
    }
    Some(ALPHABET[(31 - sum % 31) % 31])
}

/// The check of the organisation's own code (GB 11714).
fn body_check(characters: &[u8]) -> Option<u8> {
    let mut sum = 0;
    for (character, weight) in characters.iter().zip([3, 7, 9, 10, 5, 8, 4, 2]) {
        sum += super::value(*character)? * weight;
    }
    Some(match 11 - sum % 11 {
        10 => b'X',
        11 => b'0',
        digit => b'0' + digit as u8,
    })
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn as_published() {
        assert!(is_valid(b"91350100M000100Y43") && is_valid(b"91110101MA0000007T"));
        for code in
            ["91350100M000100Y4Z", "91350100M000100Y44", "91350100M000100Y4", "Z1350100M000100Y43"]
        {
            assert!(!is_valid(code.as_bytes()), "{code}");
        }
    }
}
