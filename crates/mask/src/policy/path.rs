//! Paths to values, as `customer.phones[*]` and `**.id_card`.

use std::{fmt, str::FromStr};

use crate::Error;

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A member of this name, folded.
    Key(String),
    /// Any member.
    AnyKey,
    /// An element.
    Index(u64),
    /// Any element.
    AnyIndex,
    /// Any number of steps, or none.
    Deep,
}

/// A path to values. Names are compared without case, `_` and `-`; `*` is any member, `[*]` any element, `**` any number
/// of both. A name with other characters than letters, digits, `_` and `-` stands in double quotes.
///
/// ```
/// use gmkit_mask::Path;
///
/// for path in ["phone", "customer.phones[0]", "**.id_card", "rows[*].*", r#""a.b".c"#] {
///     assert_eq!(path.parse::<Path>()?.to_string(), path);
/// }
/// # Ok::<(), gmkit_mask::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    text: String,
    pub(crate) steps: Vec<Step>,
}

/// Names as they are compared.
pub(crate) fn fold_name(name: &str, into: &mut String) {
    into.clear();
    into.reserve(name.len());
    for c in name.chars() {
        match c {
            '_' | '-' | ' ' => {}
            c if c.is_ascii() => into.push(c.to_ascii_lowercase()),
            c => into.extend(c.to_lowercase()),
        }
    }
}

impl FromStr for Path {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let steps = steps(text).map_err(|reason| Error::Policy {
            line: 0,
            column: 0,
            reason: reason.to_owned(),
        })?;
        Ok(Self { text: text.to_owned(), steps })
    }
}

fn steps(text: &str) -> Result<Vec<Step>, &'static str> {
    let mut steps = Vec::new();
    let mut rest = text;
    loop {
        if let Some(behind) = rest.strip_prefix('[') {
            let (index, behind) =
                behind.split_once(']').ok_or("a path with a [ that nothing closes")?;
            steps.push(match index {
                "*" => Step::AnyIndex,
                index => Step::Index(index.parse().map_err(|_| "an index is a number, or *")?),
            });
            rest = behind;
        } else {
            let name;
            (name, rest) = name_of(rest)?;
            steps.push(name);
        }
        match rest.as_bytes().first() {
            None => break,
            Some(b'.') => rest = &rest[1..],
            Some(b'[') => {}
            Some(_) => return Err("behind a name there is a . or a ["),
        }
        if rest.is_empty() {
            return Err("a path does not end with a .");
        }
    }
    if steps.len() > 32 {
        return Err("a path has at most 32 steps");
    }
    match steps.last() {
        Some(Step::Deep) => Err("a path does not end with **: it would be everything"),
        _ => Ok(steps),
    }
}

fn name_of(text: &str) -> Result<(Step, &str), &'static str> {
    let folded = |name: &str| {
        let mut folded = String::new();
        fold_name(name, &mut folded);
        Step::Key(folded)
    };
    if let Some(behind) = text.strip_prefix('"') {
        let (name, rest) = behind.split_once('"').ok_or("a path with a \" that nothing closes")?;
        return Ok((folded(name), rest));
    }
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match name {
        "" => Err("a path with a step that has no name"),
        "*" => Ok((Step::AnyKey, rest)),
        "**" => Ok((Step::Deep, rest)),
        name if name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) => {
            Ok((folded(name), rest))
        }
        _ => Err(
            "a name with other characters than letters, digits, _ and - stands in double quotes",
        ),
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_path() {
        for text in [
            "", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[-1]", "a]", "**", "a.**", "\"a", "a b",
            "a[0]b", "a*",
        ] {
            assert!(matches!(text.parse::<Path>(), Err(Error::Policy { .. })), "{text}");
        }
        assert!("a.".repeat(40).parse::<Path>().is_err());
        let path: Path = "ID_Card.[3]".parse().unwrap_or_else(|_| "idcard[3]".parse().unwrap());
        assert_eq!(path.steps, [Step::Key("idcard".into()), Step::Index(3)]);
    }
}
