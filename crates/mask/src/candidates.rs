//! How many values a mask leaves possible.

use crate::{Kind, Style};

/// How many values have the same mask, by order of magnitude: among how many somebody has to guess who sees it, and knows
/// nothing else. `None` where nobody can tell, as for names.
///
/// ```
/// use gmkit_mask::{Kind, Style, candidates};
///
/// assert_eq!(candidates(Kind::CnId, Style::Usual), Some(3_320));
/// assert_eq!(candidates(Kind::Email, Style::Usual), None);
/// ```
#[must_use]
pub const fn candidates(kind: Kind, style: Style) -> Option<u64> {
    let (usual, strict) = match kind {
        // The days of a century, one in eleven of which has the check; strictly, with them the areas that have the first
        // digit, some 500, and the sequence.
        Kind::CnId => (3_320, 1_660_000_000),
        Kind::CnId15 => (36_525, 18_000_000_000),
        Kind::Mobile | Kind::Landline => (10_000, 1_000_000),
        // Six digits, one in ten of which has the check; strictly, twelve.
        Kind::Card => (100_000, 100_000_000_000),
        Kind::HkId => (100_000, 1_000_000),
        Kind::TwId => (10_000, 40_000_000),
        Kind::MacauId => (1_000_000, 3_000_000),
        Kind::Ssn => (88_902, 888_931_098),
        Kind::Plate => (39_304, 45_435_424),
        Kind::Ipv4 => (256, 16_777_216),
        Kind::Mac => (16_777_216, 281_474_976_710_656),
        Kind::BirthDate => (365, 36_525),
        Kind::Passport => (1_000_000, 100_000_000),
        // Of the shortest ones.
        Kind::TravelPermit => (100_000, 10_000_000),
        _ => return None,
    };
    Some(match style {
        Style::Usual => usual,
        Style::Strict => strict,
    })
}
