//! Strategies, as a policy's file says them.

use std::num::NonZeroU64;

use serde::Deserialize;

use super::values::{Table, said, style};
use crate::{Digits, Error, Keys, Sealing, Strategy, Style, Tokens};

/// `"mask"`, or `{ token = "key", domain = "..." }`.
#[derive(Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "a strategy: \"mask\", \"nullify\", \"drop\", { style = \"usual\" }, { truncate = 3 }, { generalise = 10 }, \
        { token = \"KEY\" }, { seal = \"KEY\" } or { ff1 = \"KEY\" }"
)]
pub(super) enum StrategyIn {
    Named(Named),
    Styled(Table<Styled>),
    Truncate(Table<Truncated>),
    Generalise(Table<Generalised>),
    Token(Table<Token>),
    Seal(Table<Seal>),
    Ff1(Table<Ff1>),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Named {
    Mask,
    Nullify,
    Drop,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Styled {
    #[serde(deserialize_with = "style")]
    style: Style,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Truncated {
    truncate: usize,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Generalised {
    #[serde(rename = "generalise")]
    step: NonZeroU64,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seal {
    seal: String,
    #[serde(default, deserialize_with = "said")]
    domain: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ff1 {
    ff1: String,
    #[serde(default, deserialize_with = "said")]
    domain: Option<String>,
    /// How many digits stay, in front and at the end.
    #[serde(default)]
    keep: [u8; 2],
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    token: String,
    #[serde(default, deserialize_with = "said")]
    domain: Option<String>,
}

impl StrategyIn {
    /// The one that is meant, with a registry's keys; `None` is the mask of the policy's style.
    pub(super) fn built(
        this: Option<&Self>,
        domain: &str,
        plain: Style,
        keys: &Keys,
    ) -> Result<Strategy, Error> {
        Ok(match this {
            None | Some(Self::Named(Named::Mask)) => Strategy::Mask(plain),
            Some(Self::Named(Named::Nullify)) => Strategy::Nullify,
            Some(Self::Named(Named::Drop)) => Strategy::Drop,
            Some(Self::Styled(Table(styled))) => Strategy::Mask(styled.style),
            Some(Self::Truncate(Table(truncated))) => Strategy::Truncate(truncated.truncate),
            Some(Self::Generalise(Table(general))) => Strategy::Generalise(general.step.get()),
            Some(Self::Token(Table(token))) => {
                let domain = token.domain.as_deref().unwrap_or(domain);
                Strategy::Token(Tokens::new(keys.secret(&token.token)?, domain)?)
            }
            Some(Self::Seal(Table(seal))) => {
                let domain = seal.domain.as_deref().unwrap_or(domain);
                Strategy::Seal(Sealing::new(keys.field(&seal.seal)?, domain)?)
            }
            Some(Self::Ff1(Table(ff1))) => {
                let domain = ff1.domain.as_deref().unwrap_or(domain);
                let [first, last] = ff1.keep.map(usize::from);
                let digits = Digits::new(keys.field(&ff1.ff1)?, domain)?;
                Strategy::Digits(digits.keeping(first, last))
            }
        })
    }
}
