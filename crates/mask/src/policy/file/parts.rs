//! What a policy's file says of one policy.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    strategy::StrategyIn,
    values::{self, Checked, KindIn, Shape},
};
use crate::{
    Action, Confidence, Detector, Error, Finder, Keys, Limits, OnLimit, Path, Policy, Strategy,
    Style,
};

/// What a policy is made of, wherever that stands.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) style: Style,
    pub(super) limits: Option<Limits>,
    pub(super) rules: Vec<Checked<RuleIn>>,
    pub(super) detect: Option<Detect>,
    pub(super) detectors: Vec<Checked<DetectorIn>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsIn {
    #[serde(deserialize_with = "values::said")]
    max_inspect: Option<usize>,
    #[serde(deserialize_with = "values::said")]
    depth: Option<usize>,
    #[serde(deserialize_with = "values::said")]
    nested: Option<usize>,
    #[serde(deserialize_with = "values::on_limit")]
    on_limit: OnLimit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleIn {
    #[serde(deserialize_with = "values::path")]
    path: Path,
    #[serde(default, deserialize_with = "values::said")]
    kind: Option<KindIn>,
    #[serde(default, deserialize_with = "values::said")]
    strategy: Option<StrategyIn>,
    #[serde(default)]
    opaque: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Detect {
    #[serde(deserialize_with = "values::some")]
    kinds: Vec<KindIn>,
    #[serde(deserialize_with = "values::least")]
    least: Option<Confidence>,
    #[serde(deserialize_with = "values::said")]
    strategy: Option<StrategyIn>,
    strategies: BTreeMap<KindIn, StrategyIn>,
}

/// What this policy looks for, beside what all do.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DetectorIn {
    name: String,
    pattern: String,
    #[serde(default, deserialize_with = "values::some")]
    words: Vec<String>,
    #[serde(default, deserialize_with = "values::said")]
    strategy: Option<StrategyIn>,
}

impl Shape for LimitsIn {
    type Checked = Limits;

    fn checked(self) -> Result<Limits, String> {
        let mut limits = Limits { on_limit: self.on_limit, ..Limits::default() };
        for (given, limit, most, name) in [
            (self.max_inspect, &mut limits.max_inspect, 1 << 26, "max_inspect"),
            (self.depth, &mut limits.depth, 1024, "depth"),
            (self.nested, &mut limits.nested, 8, "nested"),
        ] {
            let Some(given) = given else { continue };
            let least = usize::from(name != "nested");
            if !(least..=most).contains(&given) {
                return Err(format!("{name} is {least} to {most}"));
            }
            *limit = given;
        }
        Ok(limits)
    }
}

impl Shape for RuleIn {
    type Checked = Self;

    fn checked(self) -> Result<Self, String> {
        if self.opaque && (self.kind.is_some() || self.strategy.is_some()) {
            return Err(format!("{}: what is opaque has no kind and no strategy", self.path));
        }
        Ok(self)
    }
}

impl Shape for DetectorIn {
    type Checked = (Detector, Option<StrategyIn>);

    fn checked(self) -> Result<Self::Checked, String> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let detector = Detector::new(&self.name, &self.pattern).map_err(|error| match error {
            Error::Policy { reason, .. } => reason,
            error => error.to_string(),
        })?;
        Ok((detector.with_words(&words), self.strategy))
    }
}

impl Parts {
    /// Whether anything is to be masked.
    pub(super) fn masks(&self) -> bool {
        !self.rules.is_empty() || self.detect.is_some()
    }

    /// The policy of them, with a registry's keys.
    pub(super) fn built(self, keys: &Keys) -> Result<Policy, Error> {
        let strategy = |strategy: Option<&StrategyIn>, domain: &str| {
            StrategyIn::built(strategy, domain, self.style, keys)
        };
        let mut policy =
            Policy::new().with_finder(None).with_limits(self.limits.unwrap_or_default());
        for Checked(rule) in self.rules {
            let action = rule.action(strategy)?;
            policy = policy.with_rule(rule.path, action);
        }
        let Some(detect) = self.detect else { return Ok(policy) };
        let mut finder = Finder::new();
        for Checked((detector, own)) in self.detectors {
            if own.is_some() {
                policy = policy.with_strategy_for(detector.kind(), strategy(own.as_ref(), "")?);
            }
            finder = finder.with_detector(detector);
        }
        if !detect.kinds.is_empty() {
            let kinds: Vec<_> = detect.kinds.into_iter().map(|kind| kind.0).collect();
            finder = finder.with_kinds(&kinds);
        }
        if let Some(least) = detect.least {
            finder = finder.with_least(least);
        }
        policy =
            policy.with_finder(Some(finder)).with_strategy(strategy(detect.strategy.as_ref(), "")?);
        for (kind, of) in detect.strategies {
            policy = policy.with_strategy_for(kind.0, strategy(Some(&of), "")?);
        }
        Ok(policy)
    }
}

impl RuleIn {
    fn action(
        &self,
        strategy: impl FnOnce(Option<&StrategyIn>, &str) -> Result<Strategy, Error>,
    ) -> Result<Action, Error> {
        if self.opaque {
            return Ok(Action::Opaque);
        }
        let kind = self.kind.as_ref().map(|kind| kind.0);
        // Tokens of a kind are the same wherever it stands; of no kind, they are of the place.
        let domain = kind.map_or_else(|| self.path.to_string(), |_| String::new());
        Ok(Action::Replace(kind, strategy(self.strategy.as_ref(), &domain)?))
    }
}
