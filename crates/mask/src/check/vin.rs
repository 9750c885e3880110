//! Vehicle identification numbers (GB 16735, ISO 3779).

const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];

/// Whether they may be one: seventeen capital letters, without I, O and Q, and digits.
pub(crate) fn is_shaped(vin: &[u8]) -> bool {
    vin.len() == 17
        && vin.iter().all(|c| (c.is_ascii_digit() || c.is_ascii_uppercase()) && !b"IOQ".contains(c))
        && vin[13..].iter().all(u8::is_ascii_digit)
}

/// Whether the check at the ninth place is right, too.
pub(crate) fn is_valid(vin: &[u8]) -> bool {
    if !is_shaped(vin) {
        return false;
    }
    let sum: u32 = vin.iter().zip(WEIGHTS).map(|(c, weight)| value(*c) * weight).sum();
    match sum % 11 {
        10 => vin[8] == b'X',
        check => u32::from(vin[8]) == u32::from(b'0') + check,
    }
}

fn value(character: u8) -> u32 {
    u32::from(match character {
        b'0'..=b'9' => character - b'0',
        b'A'..=b'H' => character - b'A' + 1,
        b'J'..=b'R' => character - b'J' + 1,
        letter => letter - b'S' + 2,
    })
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn as_published() {
        assert!(is_valid(b"11111111111111111") && is_valid(b"LZZ0A0AA9R0000001"));
        assert!(is_valid(b"1M8GDM9AXKP042788"), "X as check");
        for vin in ["LZZ0A0AA8R0000001", "LZZ0A0AA9R000000", "LZZ0A0AA9O0000001"] {
            assert!(!is_valid(vin.as_bytes()), "{vin}");
        }
    }
}
