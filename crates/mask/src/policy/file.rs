//! Policies in TOML.

use std::{collections::BTreeMap, num::NonZeroU64};

use serde::{Deserialize, Deserializer, de::Error as _};
use toml::Spanned;

use super::{Action, Keys, Limits, OnLimit, Path, Policy, Rule, confidence};
use crate::{Confidence, Detector, Digits, Error, Finder, Kind, Sealing, Strategy, Style, Tokens};

/// What a policy says.
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
}

/// What this policy looks for, beside what all do.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DetectorIn {
    name: Spanned<String>,
    pattern: String,
    #[serde(default)]
    words: Vec<String>,
    strategy: Option<StrategyIn>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsIn {
    max_inspect: Option<usize>,
    depth: Option<usize>,
    nested: Option<usize>,
    #[serde(deserialize_with = "on_limit")]
    on_limit: OnLimit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleIn {
    #[serde(deserialize_with = "path")]
    path: Path,
    #[serde(default, deserialize_with = "some_kind")]
    kind: Option<Kind>,
    #[serde(default)]
    strategy: Option<StrategyIn>,
    #[serde(default)]
    opaque: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Detect {
    #[serde(default, deserialize_with = "kinds")]
    kinds: Option<Vec<Kind>>,
    #[serde(default, deserialize_with = "least")]
    least: Option<Confidence>,
    strategy: Option<StrategyIn>,
    #[serde(default)]
    strategies: BTreeMap<KindIn, StrategyIn>,
}

/// `"mask"`, or `{ token = "key", domain = "..." }`.
#[derive(Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "a strategy: \"mask\", \"nullify\", \"drop\", { style = \"usual\" }, { truncate = 3 }, { generalise = 10 }, \
        { token = \"KEY\" }, { seal = \"KEY\" } or { ff1 = \"KEY\" }"
)]
enum StrategyIn {
    Named(Named),
    Styled(Styled),
    Truncate(Truncated),
    Generalise(Generalised),
    Token(Token),
    Seal(Seal),
    Ff1(Ff1),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Named {
    Mask,
    Nullify,
    Drop,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Styled {
    #[serde(deserialize_with = "style")]
    style: Style,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Truncated {
    truncate: usize,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generalised {
    #[serde(rename = "generalise")]
    step: NonZeroU64,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal {
    seal: String,
    domain: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ff1 {
    ff1: String,
    domain: Option<String>,
    /// How many digits stay, in front and at the end.
    #[serde(default)]
    keep: [u8; 2],
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    token: String,
    domain: Option<String>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct KindIn(Kind);

impl<'de> Deserialize<'de> for KindIn {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        kind(&String::deserialize(from)?).map(Self)
    }
}

fn kind<E: serde::de::Error>(name: &str) -> Result<Kind, E> {
    Kind::from_name(name).ok_or_else(|| E::custom(format!("{name:?} is no kind of personal data")))
}

fn some_kind<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Kind>, D::Error> {
    kind(&String::deserialize(from)?).map(Some)
}

fn kinds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Kind>>, D::Error> {
    let kinds = Vec::<KindIn>::deserialize(from)?;
    Ok(Some(kinds.into_iter().map(|kind| kind.0).collect()))
}

fn least<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Confidence>, D::Error> {
    let least = confidence(&String::deserialize(from)?);
    least.map(Some).ok_or_else(|| D::Error::custom("\"low\", \"medium\" or \"high\""))
}

pub(super) fn style<'de, D: Deserializer<'de>>(from: D) -> Result<Style, D::Error> {
    match &*String::deserialize(from)? {
        "strict" => Ok(Style::Strict),
        "usual" => Ok(Style::Usual),
        _ => Err(D::Error::custom("a style is \"strict\" or \"usual\"")),
    }
}

fn on_limit<'de, D: Deserializer<'de>>(from: D) -> Result<OnLimit, D::Error> {
    match &*String::deserialize(from)? {
        "refuse" => Ok(OnLimit::Refuse),
        "nullify" => Ok(OnLimit::Nullify),
        _ => Err(D::Error::custom("on_limit is \"refuse\" or \"nullify\"")),
    }
}

pub(super) fn version<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        1 => Ok(1),
        _ => Err(D::Error::custom("this gmkit reads policies of version 1")),
    }
}

fn path<'de, D: Deserializer<'de>>(from: D) -> Result<Path, D::Error> {
    String::deserialize(from)?.parse().map_err(|error| match error {
        Error::Policy { reason, .. } => D::Error::custom(reason),
        error => D::Error::custom(error),
    })
}

pub(super) fn read(text: &str, keys: &Keys) -> Result<Policy, Error> {
    let File { style, limits, rules, detect, detectors, .. } = parsed(text)?;
    built(text, Parts { style, limits, rules, detect, detectors }, keys)
}

/// What TOML says of a `T`, or where it does not.
pub(super) fn parsed<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, Error> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        fault(text, at, error.message().to_owned())
    })
}

/// What a policy is made of, wherever that stands.
pub(super) struct Parts {
    pub(super) style: Style,
    pub(super) limits: LimitsIn,
    pub(super) rules: Vec<RuleIn>,
    pub(super) detect: Option<Detect>,
    pub(super) detectors: Vec<DetectorIn>,
}

pub(super) fn built(text: &str, file: Parts, keys: &Keys) -> Result<Policy, Error> {
    let strategy = |strategy: Option<StrategyIn>, domain: &str| match strategy {
        None | Some(StrategyIn::Named(Named::Mask)) => Ok(Strategy::Mask(file.style)),
        Some(StrategyIn::Named(Named::Nullify)) => Ok(Strategy::Nullify),
        Some(StrategyIn::Named(Named::Drop)) => Ok(Strategy::Drop),
        Some(StrategyIn::Styled(styled)) => Ok(Strategy::Mask(styled.style)),
        Some(StrategyIn::Truncate(truncated)) => Ok(Strategy::Truncate(truncated.truncate)),
        Some(StrategyIn::Token(token)) => {
            let domain = token.domain.as_deref().unwrap_or(domain);
            Tokens::new(keys.secret(&token.token)?, domain).map(Strategy::Token)
        }
        Some(StrategyIn::Generalise(general)) => Ok(Strategy::Generalise(general.step.get())),
        Some(StrategyIn::Seal(seal)) => {
            let domain = seal.domain.as_deref().unwrap_or(domain);
            Sealing::new(keys.field(&seal.seal)?, domain).map(Strategy::Seal)
        }
        Some(StrategyIn::Ff1(ff1)) => {
            let domain = ff1.domain.as_deref().unwrap_or(domain);
            let [first, last] = ff1.keep.map(usize::from);
            let digits = Digits::new(keys.field(&ff1.ff1)?, domain)?;
            Ok(Strategy::Digits(digits.keeping(first, last)))
        }
    };
    let mut rules = Vec::new();
    for rule in file.rules {
        if rule.opaque && (rule.kind.is_some() || rule.strategy.is_some()) {
            let reason = format!("{}: what is opaque has no kind and no strategy", rule.path);
            return Err(Error::Policy { line: 0, column: 0, reason });
        }
        let action = match rule.opaque {
            true => Action::Opaque,
            // Tokens of a kind are the same wherever it stands; of no kind, they are of the place.
            false => {
                let domain = rule.kind.map_or_else(|| rule.path.to_string(), |_| String::new());
                Action::Replace(rule.kind, strategy(rule.strategy, &domain)?)
            }
        };
        rules.push(Rule { path: rule.path, action });
    }
    let mut policy = Policy::new().with_finder(None).with_limits(limits(&file.limits)?);
    policy.rules = rules;
    let Some(detect) = file.detect else {
        if !file.detectors.is_empty() {
            let reason = "detectors of its own are used where there is a [detect]".to_owned();
            return Err(Error::Policy { line: 0, column: 0, reason });
        }
        return Ok(policy);
    };
    let mut finder = Finder::new();
    for own in file.detectors {
        let words: Vec<&str> = own.words.iter().map(String::as_str).collect();
        let detector = Detector::new(own.name.get_ref(), &own.pattern);
        let detector = detector.map_err(|error| match error {
            Error::Policy { reason, .. } => fault(text, own.name.span().start, reason),
            error => error,
        })?;
        let detector = detector.with_words(&words);
        if own.strategy.is_some() {
            policy = policy.with_strategy_for(detector.kind(), strategy(own.strategy, "")?);
        }
        finder = finder.with_detector(detector);
    }
    if let Some(kinds) = detect.kinds {
        finder = finder.with_kinds(&kinds);
    }
    if let Some(least) = detect.least {
        finder = finder.with_least(least);
    }
    policy = policy.with_finder(Some(finder)).with_strategy(strategy(detect.strategy, "")?);
    for (kind, of) in detect.strategies {
        policy = policy.with_strategy_for(kind.0, strategy(Some(of), "")?);
    }
    Ok(policy)
}

/// What is wrong at a place in the text.
pub(super) fn fault(text: &str, at: usize, reason: String) -> Error {
    let before = text.get(..at.min(text.len())).unwrap_or_default();
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
    Error::Policy { line, column, reason }
}

fn limits(file: &LimitsIn) -> Result<Limits, Error> {
    let mut limits = Limits { on_limit: file.on_limit, ..Limits::default() };
    for (given, limit, most, name) in [
        (file.max_inspect, &mut limits.max_inspect, 1 << 26, "max_inspect"),
        (file.depth, &mut limits.depth, 1024, "depth"),
        (file.nested, &mut limits.nested, 8, "nested"),
    ] {
        let Some(given) = given else { continue };
        if given > most || given == 0 && name != "nested" {
            return Err(Error::Policy {
                line: 0,
                column: 0,
                reason: format!("{name} is 1 to {most}"),
            });
        }
        *limit = given;
    }
    Ok(limits)
}
