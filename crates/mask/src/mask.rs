//! Conventional masks: what of a value is still shown.
//!
//! What does not look like its kind is hidden whole. A mask of a mask is the same mask.

use std::net::Ipv6Addr;

use crate::{
    Kind,
    fold::{Folded, folded},
    region::region,
};

/// How much is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Style {
    /// As little as still makes sense to somebody who knows the value.
    #[default]
    Strict,
    /// What screens of banks and shops show by custom: of a resident's number, for one, all but the birthday, which
    /// leaves some 3,300 candidates.
    Usual,
}

/// What stands for all of a value, whatever its length was.
const HIDDEN: &str = "****";

/// Masks a value of a kind.
///
/// ```
/// use gmkit_mask::{Kind, Style, mask};
///
/// assert_eq!(mask(Kind::Mobile, Style::Usual, "+86 138-0013-8000"), "+86 138-****-8000");
/// assert_eq!(mask(Kind::Mobile, Style::Strict, "13800138000"), "138******00");
/// assert_eq!(mask(Kind::Mobile, Style::Usual, "1380013"), "****", "it is none");
/// ```
#[must_use]
pub fn mask(kind: Kind, style: Style, text: &str) -> String {
    if kind.is_secret() {
        return format!("[REDACTED:{kind}]");
    }
    masked(kind, style == Style::Strict, text).unwrap_or_else(|| HIDDEN.to_owned())
}

/// Whether all characters are ones that values of the kind have, or what separates their groups: the mask may leave any of
/// them in sight.
fn is_plausible(kind: Kind, text: &str) -> bool {
    let own: fn(char) -> bool = match kind {
        Kind::Mobile | Kind::Landline | Kind::Card | Kind::Ssn | Kind::MacauId | Kind::CnId15 => {
            |c| c.is_ascii_digit()
        }
        Kind::CnId => |c| c.is_ascii_digit() || c.eq_ignore_ascii_case(&'X'),
        Kind::BirthDate => |c| c.is_ascii_digit() || "年月日".contains(c),
        Kind::Mac => |c| c.is_ascii_hexdigit(),
        Kind::Military => |c| c.is_ascii_digit() || c.is_alphabetic() && !c.is_ascii(),
        Kind::Plate => char::is_alphanumeric,
        Kind::Mrz => |c| c.is_ascii_alphanumeric() || c == '<',
        Kind::Passport
        | Kind::TravelPermit
        | Kind::HkId
        | Kind::TwId
        | Kind::Uscc
        | Kind::Iban
        | Kind::Vin => |c| c.is_ascii_alphanumeric(),
        // Their masks look at the characters themselves.
        _ => return true,
    };
    let fits = |c: char| own(c) || " -./_()+:·*".contains(c);
    text.chars().all(|c| if c.is_ascii() { fits(c) } else { folded(c).all(fits) })
}

/// `None` for what does not look like its kind.
fn masked(kind: Kind, strict: bool, text: &str) -> Option<String> {
    if !is_plausible(kind, text) {
        return None;
    }
    let n = match kind {
        Kind::Email | Kind::Name | Kind::Address | Kind::Ipv4 | Kind::Ipv6 => 0,
        _ => text.chars().filter(|c| counts(*c)).count(),
    };
    // How many characters are shown in front and at the end.
    let show =
        |lengths: std::ops::RangeInclusive<usize>, usual: (usize, usize), less: (usize, usize)| {
            let (front, end) = if strict { less } else { usual };
            lengths.contains(&n).then(|| hide(text, |i| i < front || i + end >= n))
        };
    match kind {
        Kind::CnId => show(18..=18, (6, 4), (1, 1)),
        Kind::CnId15 => show(15..=15, (6, 3), (1, 1)),
        Kind::Passport | Kind::TravelPermit => show(8..=15, (1, 2), (1, 0)),
        Kind::TwId => show(10..=10, (2, 3), (1, 0)),
        Kind::MacauId => show(8..=8, (1, 0), (0, 0)),
        Kind::HkId if strict => show(8..=9, (1, 0), (1, 0)),
        // The check tells as much as a digit.
        Kind::HkId => (8..=9).contains(&n).then(|| hide(text, |i| i == 0 || i + 2 == n)),
        Kind::Mobile => {
            let end = if strict { 2 } else { 4 };
            // Before its eleven digits stands the code of the country at most.
            let own = text.chars().filter(|c| counts(*c)).take(n.saturating_sub(11));
            let prefix: String = own.flat_map(folded).collect();
            ((11..=15).contains(&n) && matches!(&*prefix, "" | "0" | "86" | "0086"))
                .then(|| hide(text, |i| i + 11 < n + 3 || i + end >= n))
        }
        // The first six and the last four leave too little of a short one.
        Kind::Card if n >= 16 => show(16..=19, (6, 4), (0, 4)),
        Kind::Card => show(12..=15, (0, 4), (0, 4)),
        Kind::Uscc => show(18..=18, (2, 4), (2, 0)),
        Kind::Iban if text.starts_with(|c: char| c.is_numeric()) => None,
        Kind::Iban => show(15..=34, (2, 4), (2, 0)),
        Kind::Ssn => show(9..=9, (0, 4), (0, 0)),
        Kind::Plate => show(7..=8, (3, 1), (2, 0)),
        Kind::Vin => show(17..=17, (3, 0), (3, 0)),
        Kind::Mac => show(12..=12, (6, 0), (0, 0)),
        Kind::Mrz => show(44..=88, (0, 0), (0, 0)),
        Kind::Military => military(text),
        Kind::BirthDate => {
            (4..=11).contains(&n).then(|| {
                // The year, where it comes first.
                let first =
                    text.chars().take_while(|c| folded(*c).all(|c| c.is_ascii_digit())).count();
                hide_digits(text, if !strict && matches!(first, 4 | 8) { 4 } else { 0 })
            })
        }
        Kind::Landline => landline(text, strict),
        Kind::Email => mailbox(text, strict),
        Kind::Ipv4 => ipv4(text, strict),
        Kind::Ipv6 => ipv6(text, strict),
        Kind::Name => name(text, strict),
        Kind::Address => address(text, strict),
        Kind::WeChat | Kind::Qq => first(text, strict),
        Kind::Jwt | Kind::PrivateKey | Kind::ApiKey | Kind::Password | Kind::Own(_) => None,
    }
}

/// Whether a character is one of the value's own, and no separator. Stars are of a mask before this one.
fn counts(c: char) -> bool {
    let own = |c: char| c.is_alphanumeric() || c == '*' || c == '<';
    if c.is_ascii() { own(c) } else { folded(c).any(own) }
}

/// Stars for all characters but those whose place among them is shown. Separators stay; what cannot be seen goes.
fn hide(text: &str, shown: impl Fn(usize) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut place = 0;
    for c in text.chars() {
        if counts(c) {
            out.push(if shown(place) { c } else { '*' });
            place += 1;
        } else if folded(c).next().is_some() {
            out.push(c);
        }
    }
    out
}

/// Stars for all digits but the first ones.
fn hide_digits(text: &str, shown: usize) -> String {
    let mut seen = 0;
    let hidden = |c: char| {
        let c = Some(c).filter(|c| folded(*c).next().is_some())?;
        let digit = folded(c).any(|c| c.is_ascii_digit());
        seen += usize::from(digit);
        Some(if digit && seen > shown { '*' } else { c })
    };
    text.chars().filter_map(hidden).collect()
}

/// One character, and what is the same on all of them.
fn military(text: &str) -> Option<String> {
    let (first, rest) = text.split_once("字第")?;
    let digits = rest.strip_suffix('号')?;
    let right = first.chars().count() == 1 && digits.chars().all(|c| c.is_numeric() || c == '*');
    right.then(|| hide_digits(text, 0))
}

fn landline(text: &str, strict: bool) -> Option<String> {
    let digits: String = text.chars().filter(|c| counts(*c)).flat_map(folded).collect();
    if digits.len() != text.chars().filter(|c| counts(*c)).count() {
        return None;
    }
    let area = if digits.starts_with("010") || digits.starts_with("02") { 3 } else { 4 };
    let rest = digits.len().checked_sub(area)?;
    if !digits.starts_with('0') || !digits.is_ascii() || !(7..=14).contains(&rest) {
        return None;
    }
    // An extension is behind the second separator, or behind the eighth digit.
    let second = text.char_indices().filter(|(_, c)| !counts(*c)).nth(1).map(|(at, _)| &text[..at]);
    let before = second.map_or(0, |own| own.chars().filter(|c| counts(*c)).count());
    let own = before.checked_sub(area).filter(|own| (7..=8).contains(own)).unwrap_or(rest.min(8));
    let end = if strict { 2 } else { 4 };
    Some(hide(text, |i| i < area || (area + own - end..area + own).contains(&i)))
}

fn mailbox(text: &str, strict: bool) -> Option<String> {
    let (local, domain) = text.rsplit_once(['@', '＠'])?;
    if !is_domain(domain) {
        return None;
    }
    let first = local.chars().next().filter(|c| *c != '*' && !strict && local.chars().count() > 2);
    let first = first.map_or("", |first| &local[..first.len_utf8()]);
    Some([first, HIDDEN, "@", domain].concat())
}

/// Labels between dots, none of which is a number that may be somebody's.
fn is_domain(text: &str) -> bool {
    let plain = Folded::new(text);
    let plain = plain.text();
    let label = |label: &str| {
        let digits = label.bytes().filter(u8::is_ascii_digit).count();
        !label.is_empty() && digits < 7 && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let top = |top: &str| top.starts_with("xn--") || top.chars().all(char::is_alphabetic);
    plain.rsplit_once('.').is_some_and(|(_, last)| top(last)) && plain.split('.').all(label)
}

fn ipv4(text: &str, strict: bool) -> Option<String> {
    let parts: Vec<_> = text.split(['.', '．']).collect();
    let right = |part: &&str| {
        *part == "*"
            || (1..=3).contains(&part.chars().count()) && part.chars().all(char::is_numeric)
    };
    let [a, b, c, _] = parts[..] else { return None };
    let mask = if strict { format!("{a}.*.*.*") } else { format!("{a}.{b}.{c}.*") };
    parts.iter().all(right).then_some(mask)
}

fn ipv6(text: &str, strict: bool) -> Option<String> {
    let groups = if strict { 1 } else { 3 };
    let shown: Vec<u16> = match text.strip_suffix(":*") {
        Some(masked) => {
            let read = masked.split(':').map(|group| u16::from_str_radix(group, 16));
            read.collect::<Result<_, _>>().ok().filter(|read: &Vec<_>| read.len() <= 3)?
        }
        None => {
            let address = text.split('%').next()?;
            address.parse::<Ipv6Addr>().ok()?.segments()[..3].to_vec()
        }
    };
    let shown: Vec<_> = shown.iter().take(groups).map(|group| format!("{group:x}")).collect();
    Some(format!("{}:*", shown.join(":")))
}

/// The family name, and two stars however long the rest is.
fn name(text: &str, strict: bool) -> Option<String> {
    const COMPOUND: [&str; 18] = [
        "欧阳", "上官", "司马", "诸葛", "令狐", "皇甫", "尉迟", "慕容", "司徒", "东方", "端木",
        "独孤", "南宫", "夏侯", "公孙", "轩辕", "长孙", "宇文",
    ];
    let text = text.trim();
    let first = text.chars().next().filter(|c| c.is_alphabetic())?;
    if strict {
        return None;
    }
    let family =
        COMPOUND.iter().find(|family| text.starts_with(**family) && text.chars().count() > 2);
    Some(family.map_or_else(|| format!("{first}**"), |family| format!("{family}**")))
}

/// Up to the district, or strictly to the city.
fn address(text: &str, strict: bool) -> Option<String> {
    let levels: &[char] =
        if strict { &['市', '省', '州', '盟'] } else { &['区', '县', '旗', '市'] };
    // The district is not what a street may be called after.
    let limit = text.find(['路', '街', '巷', '村', '号', '栋']).unwrap_or(text.len());
    let start = region(&text[..limit])?;
    let (text, limit) = (&text[start..], limit - start);
    let at = levels.iter().find_map(|level| text[..limit].find(*level))?;
    // Whatever else stands before it is no place.
    let place = text[..at].chars().count() <= 16
        && text[..at].chars().all(|c| c.is_alphabetic() && !c.is_ascii());
    if !place {
        return None;
    }
    Some([&text[..at + '区'.len_utf8()], HIDDEN].concat())
}

fn first(text: &str, strict: bool) -> Option<String> {
    let first = text
        .chars()
        .next()
        .filter(|c| c.is_alphanumeric() && !strict && text.chars().count() > 4)?;
    Some(format!("{first}{HIDDEN}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_is_usual() {
        for (kind, text, masked) in [
            (Kind::CnId, "110101199003070003", "110101********0003"),
            (Kind::CnId, "11010119900318000X", "110101********000X"),
            (Kind::CnId, "110101 19900307 0003", "110101 ******** 0003"),
            (Kind::CnId15, "110105491231002", "110105******002"),
            (Kind::Mobile, "13800138000", "138****8000"),
            (Kind::Mobile, "+86 138-0013-8000", "+86 138-****-8000"),
            (Kind::Mobile, "１３８００１３８０００", "１３８****８０００"),
            (Kind::Mobile, "138\u{200b}00138000", "138****8000"),
            (Kind::Card, "6200000000000005", "620000******0005"),
            (Kind::Card, "4111 1111 1111 1111", "4111 11** **** 1111"),
            (Kind::Card, "378282246310005", "***********0005"),
            (Kind::Uscc, "91350100M000100Y43", "91************0Y43"),
            (Kind::HkId, "A123456(3)", "A*****6(*)"),
            (Kind::TwId, "A123456789", "A1*****789"),
            (Kind::Vin, "LZZ0A0AA9R0000001", "LZZ**************"),
            (Kind::Iban, "GB82WEST12345698765432", "GB****************5432"),
            (Kind::Ssn, "219-09-9999", "***-**-9999"),
            (Kind::Email, "alice@example.com", "a****@example.com"),
            (Kind::Email, "al@example.com", "****@example.com"),
            (Kind::Ipv4, "192.0.2.7", "192.0.2.*"),
            (Kind::Ipv6, "2001:db8:1::7", "2001:db8:1:*"),
            (Kind::Mac, "00:00:5e:00:53:01", "00:00:5e:**:**:**"),
            (Kind::Plate, "京A00000", "京A0***0"),
            (Kind::Plate, "京AD00000", "京AD****0"),
            (Kind::Landline, "0571-80000000", "0571-****0000"),
            (Kind::Landline, "010-80000000-801", "010-****0000-***"),
            (Kind::Landline, "01080000000", "010****0000"),
            (Kind::Name, "张伟", "张**"),
            (Kind::Name, "欧阳小明", "欧阳**"),
            (Kind::Name, "Alice", "A**"),
            (Kind::Address, "北京市朝阳区示例路1号院2号楼", "北京市朝阳区****"),
            (Kind::BirthDate, "1990-03-07", "1990-**-**"),
            (Kind::BirthDate, "1990年3月7日", "1990年*月*日"),
            (Kind::Passport, "E00000000", "E******00"),
            (Kind::Military, "军字第00000000号", "军字第********号"),
            (Kind::Jwt, "eyJ", "[REDACTED:jwt]"),
            (Kind::WeChat, "zhang_san2", "z****"),
        ] {
            assert_eq!(mask(kind, Style::Usual, text), masked, "{kind}");
            for style in [Style::Usual, Style::Strict] {
                let once = mask(kind, style, text);
                assert_eq!(mask(kind, style, &once), once, "twice, {kind}");
                assert_ne!(once, text);
            }
        }
    }

    #[test]
    fn digits_in_brackets() {
        assert_eq!(mask(Kind::Mobile, Style::Usual, "13800138000⑴⑵"), "****");
        assert_eq!(mask(Kind::Military, Style::Usual, "军字第⑴⑶⑻⑴⑴⑴号"), "军字第******号");
    }

    #[test]
    fn what_does_not_look_like_it_is_hidden() {
        let odd = [
            "",
            "1",
            "*",
            "1380013",
            "@",
            "a@",
            "1.2.3",
            "::x",
            "一",
            "\u{200b}",
            "12345678901234567890123456",
            "x\ny",
            "abcdefghijk",
            "abcdefghijklmnopqr",
            "张三13800138000",
            "alice@13800138000",
            "no phone: see note",
            "张三 13800138000 北京市朝阳区",
            "军字第 see 13800138000",
            "9999138001380001",
            "13800138000⑴⑵",
            "军字第⑴⑶⑻⑴⑴⑴号",
            "alice@example.com,tel:13800138000,bob.see",
            "a@110101199003070003.cn",
            "07/03/1990",
            "x@y",
        ];
        for kind in Kind::ALL {
            for text in odd {
                for style in [Style::Usual, Style::Strict] {
                    let masked = mask(*kind, style, text);
                    let digits = masked.chars().filter(char::is_ascii_digit).count();
                    assert!(digits <= 4 || *kind == Kind::Card, "{kind} {text}: {masked}");
                    assert!(text.len() < 5 || masked != text, "{kind} {text}");
                    assert!(
                        !["see", "phone", "cdef", "8000", "@y", "07/03", "@1"]
                            .iter()
                            .any(|raw| masked.contains(raw)),
                        "{kind} {text}: {masked}"
                    );
                    assert_eq!(mask(*kind, style, &masked), masked, "{kind} {text}");
                }
            }
        }
    }
}
