//! Values as they are compared.

use crate::{Kind, fold::Folded};

/// Without disguises, separators, case, and the code of the country.
pub(crate) fn normalised(kind: Option<Kind>, text: &str) -> String {
    let folded = Folded::new(text);
    let text = folded.text().trim();
    let serial = |text: &str| {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
    };
    match kind {
        Some(Kind::Mobile) => {
            let digits: String = serial(text);
            let own = digits
                .len()
                .checked_sub(11)
                .map(|at| digits.is_char_boundary(at).then(|| digits.split_at(at)));
            match own.flatten() {
                Some(("" | "0" | "86" | "0086", own)) => own.to_owned(),
                _ => digits,
            }
        }
        Some(Kind::Email | Kind::Ipv6 | Kind::Mac) => text.to_lowercase(),
        Some(Kind::BirthDate) => date(text).unwrap_or_else(|| serial(text)),
        None
        | Some(
            Kind::Name
            | Kind::Address
            | Kind::Password
            | Kind::PrivateKey
            | Kind::Jwt
            | Kind::ApiKey
            | Kind::Own(_),
        ) => text.to_owned(),
        Some(Kind::Ipv4 | Kind::WeChat) => text.to_owned(),
        Some(_) => serial(text),
    }
}

/// YYYYMMDD of a date in three groups.
pub(super) fn date(text: &str) -> Option<String> {
    let groups = text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty());
    let groups: Vec<u32> = groups.map(str::parse).collect::<Result<_, _>>().ok()?;
    let [year, month, day] = groups[..] else { return None };
    Some(format!("{year:04}{month:02}{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_in_other_clothes() {
        for text in [
            "+86 138-0013-8000",
            "008613800138000",
            "１３８００１３８０００",
            "013800138000",
            "13800138000",
        ] {
            assert_eq!(normalised(Some(Kind::Mobile), text), "13800138000");
        }
        assert_eq!(normalised(Some(Kind::CnId), " 11010119900318000x"), "11010119900318000X");
        assert_eq!(normalised(Some(Kind::Email), "Alice@Example.COM"), "alice@example.com");
        assert_eq!(normalised(Some(Kind::Mobile), "短"), "短");
        for text in ["1990-1-11", "1990年01月11日", "19900111"] {
            assert_eq!(normalised(Some(Kind::BirthDate), text), "19900111");
        }
        assert_ne!(normalised(Some(Kind::Password), "a-b"), normalised(Some(Kind::Password), "AB"));
    }
}
