//! Policies in TOML and YAML.

mod parts;
mod strategy;
mod values;

use serde::Deserialize;

use self::{
    parts::{Detect, DetectorIn, LimitsIn, Parts, RuleIn},
    values::{Checked, Shape, Table},
};
use super::{Keys, Policy};
use crate::{Direction, Error, Policies, Scope, Style};

/// A policy, and scopes with others. Its fields stand again in [`ScopeIn`], as serde knows no flattened struct that
/// denies unknown fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(deserialize_with = "values::version")]
    #[expect(dead_code, reason = "read to be checked")]
    version: u32,
    /// All for which there is no scope passes.
    #[serde(default)]
    clear: bool,
    #[serde(default, deserialize_with = "values::style")]
    style: Style,
    #[serde(default, deserialize_with = "values::said")]
    limits: Option<Checked<LimitsIn>>,
    #[serde(default, rename = "rule", deserialize_with = "values::some")]
    rules: Vec<Checked<RuleIn>>,
    #[serde(default, deserialize_with = "values::or_empty")]
    detect: Option<Table<Detect>>,
    #[serde(default, rename = "detector", deserialize_with = "values::some")]
    detectors: Vec<Checked<DetectorIn>>,
    #[serde(default, rename = "scope", deserialize_with = "values::some")]
    scopes: Vec<Checked<ScopeIn>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeIn {
    #[serde(default, deserialize_with = "values::text")]
    route: Option<String>,
    #[serde(default, deserialize_with = "values::some")]
    methods: Vec<String>,
    #[serde(default = "response", deserialize_with = "values::direction")]
    direction: Direction,
    #[serde(default, deserialize_with = "values::some")]
    roles: Vec<String>,
    #[serde(default, deserialize_with = "values::some")]
    purposes: Vec<String>,
    #[serde(default)]
    consent: bool,
    #[serde(default)]
    clear: bool,
    #[serde(default, deserialize_with = "values::style")]
    style: Style,
    #[serde(default, deserialize_with = "values::said")]
    limits: Option<Checked<LimitsIn>>,
    #[serde(default, rename = "rule", deserialize_with = "values::some")]
    rules: Vec<Checked<RuleIn>>,
    #[serde(default, deserialize_with = "values::or_empty")]
    detect: Option<Table<Detect>>,
    #[serde(default, rename = "detector", deserialize_with = "values::some")]
    detectors: Vec<Checked<DetectorIn>>,
}

fn response() -> Direction {
    Direction::Response
}

/// What is masked, if anything is, and scopes whose policies are not built yet.
type Whole = (Option<Parts>, Vec<(Scope, Option<Parts>)>);

impl Shape for File {
    type Checked = Whole;

    fn checked(self) -> Result<Whole, String> {
        let Self { clear, style, limits, rules, detect, detectors, scopes, .. } = self;
        let limits = limits.map(|limits| limits.0);
        let parts = said(
            clear,
            Parts { style, limits, rules, detect: detect.map(|own| own.0), detectors },
        )?;
        Ok((parts, scopes.into_iter().map(|scope| scope.0).collect()))
    }
}

impl Shape for ScopeIn {
    type Checked = (Scope, Option<Parts>);

    fn checked(self) -> Result<Self::Checked, String> {
        if self
            .methods
            .iter()
            .any(|own| own.is_empty() || !own.bytes().all(|c| c.is_ascii_uppercase()))
        {
            return Err("methods are written in capital letters".to_owned());
        }
        let Self { clear, style, limits, rules, detect, detectors, .. } = self;
        let limits = limits.map(|limits| limits.0);
        let parts = said(
            clear,
            Parts { style, limits, rules, detect: detect.map(|own| own.0), detectors },
        )?;
        let scope = Scope {
            route: self.route,
            methods: self.methods,
            direction: self.direction,
            roles: self.roles,
            purposes: self.purposes,
            consent: self.consent,
            ..Scope::new(None)
        };
        Ok((scope, parts))
    }
}

/// `None` for what says that it is clear; to say nothing is not enough for that.
fn said(clear: bool, parts: Parts) -> Result<Option<Parts>, String> {
    if parts.detect.is_none() && !parts.detectors.is_empty() {
        return Err("detectors of its own are used where there is a [detect]".to_owned());
    }
    match (clear, parts.masks()) {
        (true, false) => Ok(None),
        (false, true) => Ok(Some(parts)),
        (true, true) => Err("what is clear has no rules and no [detect]".to_owned()),
        (false, false) => Err("what masks nothing says clear = true".to_owned()),
    }
}

/// A language that policies are written in.
#[derive(Clone, Copy)]
pub(crate) enum Language {
    Toml,
    #[cfg(feature = "yaml")]
    Yaml,
}

impl Language {
    /// One policy, without scopes.
    pub(super) fn read(self, text: &str, keys: &Keys) -> Result<Policy, Error> {
        match self.parsed(text)? {
            (Some(parts), scopes) if scopes.is_empty() => parts.built(keys),
            _ => {
                let reason = "one policy is wanted: no scopes, and nothing that is clear";
                Err(Error::Policy { line: 0, column: 0, reason: reason.to_owned() })
            }
        }
    }

    /// All of them.
    pub(crate) fn read_all(self, text: &str, keys: &Keys) -> Result<Policies, Error> {
        let (parts, scopes) = self.parsed(text)?;
        let built = |parts: Option<Parts>| parts.map(|parts| parts.built(keys)).transpose();
        scopes.into_iter().try_fold(Policies::with(built(parts)?), |policies, (scope, parts)| {
            Ok(policies.with_scope(scope.with_policy(built(parts)?)))
        })
    }

    fn parsed(self, text: &str) -> Result<Whole, Error> {
        let file: Checked<File> = match self {
            Self::Toml => toml::from_str(text).map_err(|error| {
                let (line, column) = error.span().map_or((0, 0), |span| place(text, span.start));
                Error::Policy { line, column, reason: error.message().to_owned() }
            })?,
            #[cfg(feature = "yaml")]
            Self::Yaml => super::yaml::read(text)?,
        };
        Ok(file.0)
    }
}

/// Line and column of a byte, from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or_default();
    let line = 1 + before.matches('\n').count();
    (line, 1 + before.rsplit('\n').next().unwrap_or_default().chars().count())
}
