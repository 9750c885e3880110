//! From when to when.

use std::time::{SystemTime, UNIX_EPOCH};

use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

use crate::Error;

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// A span of time, in seconds since 1970-01-01 UTC, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: i64,
    /// The last second.
    pub not_after: i64,
}

impl Validity {
    /// Whether `time` is in it.
    #[must_use]
    pub fn contains(self, time: i64) -> bool {
        (self.not_before..=self.not_after).contains(&time)
    }

    /// Whole days from `time` to the end; negative once it is over.
    #[must_use]
    pub fn days_left(self, time: i64) -> i64 {
        self.not_after.saturating_sub(time).div_euclid(DAY)
    }
}

/// Now, in seconds since 1970.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// A time as people and JSON have it: `2026-11-22T08:00:00Z`.
#[must_use]
pub fn rfc3339(time: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    OffsetDateTime::from_unix_timestamp(time)
        .ok()
        .and_then(|time| time.format(&format).ok())
        .unwrap_or_else(|| format!("{time} s after 1970"))
}

/// Reads a time as people and JSON have it.
///
/// # Errors
/// [`Error::Text`].
pub fn parse_rfc3339(text: &str) -> Result<i64, Error> {
    let time = OffsetDateTime::parse(text, &Rfc3339);
    let fault =
        |_| Error::Text { part: text.to_owned(), reason: "not a time like 2026-11-22T08:00:00Z" };
    time.map(OffsetDateTime::unix_timestamp).map_err(fault)
}

/// What the standard's time types can hold: the years 1950 to 9999 (RFC 5280, 4.1.2.5).
pub(crate) fn date(time: i64) -> Option<OffsetDateTime> {
    let time = OffsetDateTime::from_unix_timestamp(time).ok()?;
    (1950..=9999).contains(&time.year()).then_some(time)
}
