//! Policies with scopes, in TOML.

use serde::{Deserialize, Deserializer, de::Error as _};
use toml::Spanned;

use super::{
    Keys,
    file::{Detect, DetectorIn, LimitsIn, Parts, RuleIn, built, fault, parsed, style, version},
};
use crate::{Direction, Error, Policies, Scope, Style};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(deserialize_with = "version")]
    #[expect(dead_code, reason = "read to be checked")]
    version: u32,
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
    let File { style, limits, rules, detect, detectors, scopes, .. } = parsed(text)?;
    let otherwise = built(text, Parts { style, limits, rules, detect, detectors }, keys)?;
    scopes.into_iter().try_fold(Policies::new(otherwise), |policies, scope| {
        Ok(policies.with_scope(self::scope(text, scope, keys)?))
    })
}

fn scope(text: &str, scope: Spanned<ScopeIn>, keys: &Keys) -> Result<Scope, Error> {
    let at = scope.span().start;
    let scope = scope.into_inner();
    let refuse = |reason: &str| Err(fault(text, at, reason.to_owned()));
    if scope.methods.iter().any(|method| !method.bytes().all(|c| c.is_ascii_uppercase())) {
        return refuse("methods are written in capital letters");
    }
    let ScopeIn { style, limits, rules, detect, detectors, .. } = scope;
    let says = !rules.is_empty() || detect.is_some() || !detectors.is_empty();
    let policy = match (scope.clear, says) {
        (true, false) => None,
        (true, true) => return refuse("what is clear has no rules and no [detect]"),
        (false, false) => return refuse("a scope that masks nothing says clear = true"),
        (false, true) => {
            Some(built(text, Parts { style, limits, rules, detect, detectors }, keys)?)
        }
    };
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
