//! `#[mask(…)]`.

use heck::{ToKebabCase, ToLowerCamelCase, ToPascalCase, ToShoutySnakeCase};
use syn::{
    Attribute, Error, Field, Ident, LitInt, LitStr, Path, Result, meta::ParseNestedMeta,
    spanned::Spanned,
};

/// What stands at the struct.
pub(crate) struct Container {
    /// Where gmkit-mask is.
    pub(crate) root: Path,
    case: Option<Case>,
}

type Case = fn(&str) -> String;

impl Container {
    pub(crate) fn new(attributes: &[Attribute]) -> Result<Self> {
        let mut container = Self { root: syn::parse_quote!(::gmkit::mask), case: None };
        each(attributes, |meta| {
            if meta.path.is_ident("crate") {
                container.root = meta.value()?.parse::<LitStr>()?.parse()?;
            } else if meta.path.is_ident("rename_all") {
                let name: LitStr = meta.value()?.parse()?;
                container.case = Some(match &*name.value() {
                    "camelCase" => |name| name.to_lower_camel_case(),
                    "PascalCase" => |name| name.to_pascal_case(),
                    "kebab-case" => |name| name.to_kebab_case(),
                    "SCREAMING_SNAKE_CASE" => |name| name.to_shouty_snake_case(),
                    _ => {
                        return Err(Error::new(
                            name.span(),
                            "camelCase, PascalCase, kebab-case or SCREAMING_SNAKE_CASE",
                        ));
                    }
                });
            } else {
                return Err(meta.error("a struct says crate = \"…\" or rename_all = \"…\""));
            }
            Ok(())
        })?;
        Ok(container)
    }

    /// The name under which a field is written.
    pub(crate) fn name_of(&self, field: &Ident, own: &Shown) -> String {
        let name = field.to_string();
        let name = name.trim_start_matches("r#");
        own.name
            .clone()
            .unwrap_or_else(|| self.case.map_or_else(|| name.to_owned(), |case| case(name)))
    }
}

/// What of a field is shown.
pub(crate) struct Shown {
    name: Option<String>,
    pub(crate) how: How,
}

pub(crate) enum How {
    Clear,
    Nested,
    Masked { kind: Option<Ident>, strategy: Strategy },
}

pub(crate) enum Strategy {
    Strict,
    Usual,
    Nullify,
    Drop,
    Truncate(LitInt),
    Generalise(LitInt),
}

const SAYS: &str = "a field says clear, nested, kind = Kind, usual, nullify, drop, truncate = 3, generalise = 10 or name = \"…\"";

impl Shown {
    /// A field that says nothing is an error: nobody has thought about it.
    pub(crate) fn new(field: &Field) -> Result<Self> {
        let (mut name, mut kind, mut strategy, mut whole) = (None, None, None, None);
        each(&field.attrs, |meta| {
            let is = |word: &str| meta.path.is_ident(word);
            if is("name") {
                let text: LitStr = meta.value()?.parse()?;
                if text.value().contains('"') {
                    return Err(Error::new(text.span(), "no path leads to a name with a quote"));
                }
                name = Some(text.value());
            } else if is("kind") {
                kind = Some(meta.value()?.parse::<Ident>()?);
            } else if is("clear") {
                once(&mut whole, How::Clear, &meta)?;
            } else if is("nested") {
                once(&mut whole, How::Nested, &meta)?;
            } else {
                let own = match () {
                    () if is("usual") => Strategy::Usual,
                    () if is("nullify") => Strategy::Nullify,
                    () if is("drop") => Strategy::Drop,
                    () if is("truncate") => Strategy::Truncate(meta.value()?.parse()?),
                    () if is("generalise") => {
                        Strategy::Generalise(positive(meta.value()?.parse()?)?)
                    }
                    () => return Err(meta.error(SAYS)),
                };
                once(&mut strategy, own, &meta)?;
            }
            Ok(())
        })?;
        let how = match (whole, kind, strategy) {
            (Some(how), None, None) => how,
            (None, Some(kind), None) => {
                How::Masked { kind: Some(kind), strategy: Strategy::Strict }
            }
            (None, None, Some(Strategy::Usual)) => {
                return Err(Error::new(field.span(), "what is usual depends on the kind"));
            }
            (None, kind, Some(strategy)) => How::Masked { kind, strategy },
            (None, None, None) => return Err(Error::new(field.span(), SAYS)),
            _ => {
                return Err(Error::new(field.span(), "what is clear or nested is not masked here"));
            }
        };
        Ok(Self { name, how })
    }
}

fn positive(step: LitInt) -> Result<LitInt> {
    match step.base10_parse::<u64>()? {
        0 => Err(Error::new(step.span(), "a step is 1 or more")),
        _ => Ok(step),
    }
}

fn once<T>(slot: &mut Option<T>, value: T, meta: &ParseNestedMeta<'_>) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(meta.error("that was said already")),
    }
}

fn each(
    attributes: &[Attribute],
    mut read: impl FnMut(ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    let own = attributes.iter().filter(|attribute| attribute.path().is_ident("mask"));
    own.into_iter().try_for_each(|attribute| attribute.parse_nested_meta(&mut read))
}
