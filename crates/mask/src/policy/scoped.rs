//! Policies with scopes, in TOML.

use serde::{Deserialize, Deserializer, de::Error as _};
use toml::Spanned;

use super::{
    Keys, Policy,
    file::{Detect, DetectorIn, LimitsIn, Parts, RuleIn, built, fault, parsed, style, version},
};
use crate::{Direction, Error, Policies, Scope, Style};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(deserialize_with = "version")]
    #[expect(dead_code, reason = "read to be checked")]
    version: u32,
    /// All for which there is no scope passes.
    #[serde(default)]
    clear: bool,
    #[serde(default, deserialize_with = "style")]
    style: Style,
    #[serde(default)]
    limits: LimitsIn,
    #[serde(default, rename = "rule")]
    rules: Vec<RuleIn>,
    detect: Option<Detect>,
    #[serde(default, rename = "detector")]
    detectors: Vec<DetectorIn>,
    #[serde(default, rename = "scope")]
    scopes: Vec<Spanned<ScopeIn>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeIn {
    route: Option<String>,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default, deserialize_with = "direction")]
    direction: Option<Direction>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    purposes: Vec<String>,
    #[serde(default)]
    consent: bool,
    #[serde(default)]
    clear: bool,
    #[serde(default, deserialize_with = "style")]
    style: Style,
    #[serde(default)]
    limits: LimitsIn,
    #[serde(default, rename = "rule")]
    rules: Vec<RuleIn>,
    detect: Option<Detect>,
    #[serde(default, rename = "detector")]
    detectors: Vec<DetectorIn>,
}

fn direction<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Direction>, D::Error> {
    match &*String::deserialize(from)? {
        "request" => Ok(Some(Direction::Request)),
        "response" => Ok(Some(Direction::Response)),
        _ => Err(D::Error::custom("a direction is \"request\" or \"response\"")),
    }
}

pub(crate) fn read_all(text: &str, keys: &Keys) -> Result<Policies, Error> {
    let File { clear, style, limits, rules, detect, detectors, scopes, .. } = parsed(text)?;
    let parts = Parts { style, limits, rules, detect, detectors };
    let otherwise = policy(text, 0, clear, parts, keys)?;
    let policies = Policies::with(otherwise);
    scopes.into_iter().try_fold(policies, |policies, scope| {
        Ok(policies.with_scope(self::scope(text, scope, keys)?))
    })
}

/// `None` for what says that it is clear; to say nothing is not enough for that.
fn policy(
    text: &str,
    at: usize,
    clear: bool,
    parts: Parts,
    keys: &Keys,
) -> Result<Option<Policy>, Error> {
    let says = !parts.rules.is_empty() || parts.detect.is_some() || !parts.detectors.is_empty();
    match (clear, says) {
        (true, false) => Ok(None),
        (false, true) => built(text, parts, keys).map(Some),
        (true, true) => {
            Err(fault(text, at, "what is clear has no rules and no [detect]".to_owned()))
        }
        (false, false) => Err(fault(text, at, "what masks nothing says clear = true".to_owned())),
    }
}

fn scope(text: &str, scope: Spanned<ScopeIn>, keys: &Keys) -> Result<Scope, Error> {
    let at = scope.span().start;
    let scope = scope.into_inner();
    if scope.methods.iter().any(|method| !method.bytes().all(|c| c.is_ascii_uppercase())) {
        return Err(fault(text, at, "methods are written in capital letters".to_owned()));
    }
    let ScopeIn { clear, style, limits, rules, detect, detectors, .. } = scope;
    let parts = Parts { style, limits, rules, detect, detectors };
    let policy = policy(text, at, clear, parts, keys)?;
    Ok(Scope {
        route: scope.route,
        methods: scope.methods,
        direction: scope.direction.unwrap_or(Direction::Response),
        roles: scope.roles,
        purposes: scope.purposes,
        consent: scope.consent,
        ..Scope::new(policy)
    })
}
