//! Dates that exist.

/// Whether a day exists, and lies in `years`.
pub(crate) fn exists(
    year: u32,
    month: u32,
    day: u32,
    years: std::ops::RangeInclusive<u32>,
) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    years.contains(&year) && (1..=days).contains(&day)
}

/// A number of some decimal digits.
pub(crate) fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0'))
}

/// The year of today, UTC.
pub(crate) fn this_year() -> u32 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    // A mean Gregorian year; a day more or less at the turn does not matter.
    since.map_or(0, |since| 1970 + (since.as_secs() / 31_556_952) as u32)
}
