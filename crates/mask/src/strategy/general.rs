//! Values that are said less exactly.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::token::date;
use crate::{Kind, fold::Folded, region::region};

/// The range of `step` in which a number or year lies, the place in which an address lies, the network of an IP address;
/// `None` for what has nothing more general. What is general already stays.
pub(super) fn generalised(kind: Option<Kind>, step: u64, text: &str) -> Option<String> {
    let folded = Folded::new(text);
    let text = folded.text().trim();
    match kind {
        // A range of one would be the number.
        None if step < 2 => None,
        None => range(text, step, |text| text.parse().ok()),
        Some(Kind::BirthDate) => range(text, step, |text| {
            let year = date(text).and_then(|date| date.get(..4)?.parse().ok());
            year.or_else(|| text.parse().ok().filter(|year| (1900..=9999).contains(year)))
        }),
        Some(Kind::Ipv4) => {
            let address: Ipv4Addr = text.strip_suffix("/24").unwrap_or(text).parse().ok()?;
            let [a, b, c, _] = address.octets();
            Some(format!("{a}.{b}.{c}.0/24"))
        }
        Some(Kind::Ipv6) => {
            let text = text.split('%').next()?;
            let address: Ipv6Addr = text.strip_suffix("/48").unwrap_or(text).parse().ok()?;
            let [a, b, c, ..] = address.segments();
            Some(format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)))
        }
        Some(Kind::Address) => place(text),
        Some(_) => None,
    }
}

/// `30-39`; one that has these ends stays.
fn range(text: &str, step: u64, value: impl Fn(&str) -> Option<u64>) -> Option<String> {
    let range = |value: u64| {
        let first = value / step * step;
        Some(format!("{first}-{}", first.checked_add(step - 1)?))
    };
    if let Some((first, _)) = text.split_once('-')
        && let Some(known) = first.parse().ok().and_then(range)
        && known == text
    {
        return Some(known);
    }
    value(text).and_then(range)
}

/// The city, or the province if none is named.
fn place(text: &str) -> Option<String> {
    let end = text.find(['区', '县', '路', '街', '巷', '村', '号']).unwrap_or(text.len());
    let text = &text[region(&text[..end])?..end];
    let levels = ['市', '州', '盟', '省'];
    let (at, level) = levels.iter().find_map(|level| Some((text.find(*level)?, level)))?;
    let place = &text[..at];
    (place.chars().count() <= 16).then(|| format!("{place}{level}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_exactly() {
        for (kind, step, text, general) in [
            (None, 10, "37", Some("30-39")),
            (None, 1000, "12999", Some("12000-12999")),
            (None, 1, "5", None),
            (Some(Kind::BirthDate), 1, "1990-03-07", Some("1990-1990")),
            (None, 10, "-5", None),
            (None, 10, "3.7", None),
            (None, 10, "18446744073709551615", None),
            (None, 10, "张伟", None),
            (None, 10, "31-39", None),
            (Some(Kind::BirthDate), 10, "1990-03-07", Some("1990-1999")),
            (Some(Kind::BirthDate), 5, "1988年12月1日", Some("1985-1989")),
            (Some(Kind::BirthDate), 10, "19900307", None),
            (Some(Kind::BirthDate), 10, "soon", None),
            (Some(Kind::Ipv4), 10, "192.0.2.77", Some("192.0.2.0/24")),
            (Some(Kind::Ipv6), 10, "2001:db8:1:2::7%eth0", Some("2001:db8:1::/48")),
            (Some(Kind::Address), 10, "广东省深圳市南山区示例路1号", Some("广东省深圳市")),
            (Some(Kind::Address), 10, "北京市朝阳区示例路1号", Some("北京市")),
            (Some(Kind::Address), 10, "示例路1号", None),
            (Some(Kind::Address), 10, "收件人张伟广东省深圳市南山区", Some("广东省深圳市")),
            (Some(Kind::Address), 10, "张伟小镇市", None),
            (Some(Kind::Mobile), 10, "13800138000", None),
        ] {
            let once = generalised(kind, step, text);
            assert_eq!(once.as_deref(), general, "{text}");
            if let Some(once) = once {
                assert_eq!(generalised(kind, step, &once).as_ref(), Some(&once), "twice, {text}");
            }
        }
    }
}
