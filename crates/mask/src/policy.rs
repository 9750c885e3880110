//! What is masked, and how.

mod file;
mod path;
#[cfg(feature = "yaml")]
mod yaml;

use std::{collections::BTreeMap, sync::Arc};

use gmkit_keys::{FieldKey, SecretKey};

use crate::{Confidence, Error, Finder, Hit, Kind, Strategy, Style, find::Label};
pub(crate) use file::Language;
pub use path::Path;
pub(crate) use path::{Step, fold_name};

/// One value, or part of a text, that was replaced. What it was is not told.
#[derive(Debug)]
#[non_exhaustive]
pub struct Decision<'t> {
    /// The name of the member, or of the member that an array is, masked itself; empty in a text.
    pub name: &'t str,
    /// What it was.
    pub kind: Option<Kind>,
    /// How sure that was; `None` if a rule decided.
    pub confidence: Option<Confidence>,
    /// What was done.
    pub strategy: &'t Strategy,
    /// What stands in its place; empty for nothing, or `null`.
    pub becomes: &'t str,
}

/// Is told what is replaced: for an audit log, for statistics.
pub trait Observer: Send + Sync + std::fmt::Debug {
    /// Something was replaced. A panic in here ends the stream, of which nothing more comes out.
    fn replaced(&self, decision: &Decision<'_>);
}

/// What is done with a value that is longer, or nested deeper, than is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnLimit {
    /// The whole body is refused.
    #[default]
    Refuse,
    /// Nothing of the value is left: `null`, or `[REDACTED:too_long]` in a text.
    Nullify,
}

/// How much is held, and looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Longest value, key or line, in bytes as it is written. 64 KiB by default.
    pub max_inspect: usize,
    /// Deepest nesting of objects and arrays. 128 by default.
    pub depth: usize,
    /// How often JSON or base64 within a string is looked into. 3 by default.
    pub nested: usize,
    /// What is done beyond `max_inspect`. Deeper nesting is always refused.
    pub on_limit: OnLimit,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_inspect: 64 << 10, depth: 128, nested: 3, on_limit: OnLimit::Refuse }
    }
}

/// What a rule does with the values that its path leads to, and with all below them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Action {
    /// Replaces them, whatever is in them, as values of a kind.
    Replace(Option<Kind>, Strategy),
    /// Lets them pass, however long, without looking.
    Opaque,
}

/// A rule for values at a place.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) path: Path,
    pub(crate) action: Action,
}

impl Rule {
    /// Whether it lets values pass.
    pub(crate) fn opens(&self) -> bool {
        matches!(self.action, Action::Opaque)
    }
}

/// What is masked, and how: rules for places, and detectors for everything else.
///
/// ```
/// use gmkit_mask::{Policy, json};
///
/// let policy = Policy::from_toml(r#"
///     version = 1
///     style = "usual"
///     [[rule]]
///     path = "**.phone"
///     kind = "mobile"
///     [[rule]]
///     path = "internal"
///     strategy = "drop"
///     [detect]
/// "#, &Default::default())?;
/// let body = r#"{"phone": 13800138000, "note": "身份证110101199003070003", "internal": [1]}"#;
/// let masked = json(&policy, body.as_bytes())?;
/// assert_eq!(masked, r#"{"phone": "138****8000", "note": "身份证110101********0003"}"#.as_bytes());
/// # Ok::<(), gmkit_mask::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) rules: Vec<Rule>,
    pub(crate) finder: Option<Finder>,
    strategy: Strategy,
    by_kind: BTreeMap<Kind, Strategy>,
    pub(crate) limits: Limits,
    observer: Option<Arc<dyn Observer>>,
}

/// The keys that a service lets its policies name.
///
/// ```
/// use std::sync::Arc;
/// use gmkit_keys::{SoftwareFieldKey, SoftwareSecret};
/// use gmkit_mask::{Keys, Policy};
///
/// let keys = Keys::new()
///     .with_secret("joins", Arc::new(SoftwareSecret::hmac_sm3(&[7; 32])?))
///     .with_field("archive", Arc::new(SoftwareFieldKey::sealing(&[7; 16])?));
/// let policy = r#"
///     version = 1
///     [[rule]]
///     path = "**.phone"
///     kind = "mobile"
///     strategy = { token = "joins" }
///     [[rule]]
///     path = "**.id"
///     kind = "cn_id"
///     strategy = { seal = "archive" }
/// "#;
/// assert!(Policy::from_toml(policy, &keys).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Keys {
    secrets: BTreeMap<String, Arc<dyn SecretKey>>,
    fields: BTreeMap<String, Arc<dyn FieldKey>>,
}

impl Keys {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a key for tokens.
    #[must_use]
    pub fn with_secret(mut self, name: impl Into<String>, key: Arc<dyn SecretKey>) -> Self {
        self.secrets.insert(name.into(), key);
        self
    }

    /// With a key that seals, or one that turns digits into others.
    #[must_use]
    pub fn with_field(mut self, name: impl Into<String>, key: Arc<dyn FieldKey>) -> Self {
        self.fields.insert(name.into(), key);
        self
    }

    fn secret(&self, name: &str) -> Result<Arc<dyn SecretKey>, Error> {
        self.secrets.get(name).cloned().ok_or_else(|| Error::NoKey { name: name.to_owned() })
    }

    fn field(&self, name: &str) -> Result<Arc<dyn FieldKey>, Error> {
        self.fields.get(name).cloned().ok_or_else(|| Error::NoKey { name: name.to_owned() })
    }
}

impl Policy {
    /// One that masks strictly all that the detectors find, and has no rules.
    #[must_use]
    pub fn new() -> Self {
        Self {
            rules: Vec::new(),
            finder: Some(Finder::new()),
            strategy: Strategy::Mask(Style::Strict),
            by_kind: BTreeMap::new(),
            limits: Limits::default(),
            observer: None,
        }
    }

    /// Reads one from TOML, which has no scopes: see [`crate::Policies`].
    ///
    /// # Errors
    /// [`Error::Policy`] with line and column; [`Error::NoKey`], [`Error::Key`].
    pub fn from_toml(text: &str, keys: &Keys) -> Result<Self, Error> {
        Language::Toml.read(text, keys)
    }

    /// The same from YAML, or JSON.
    ///
    /// # Errors
    /// As [`Policy::from_toml`].
    #[cfg(feature = "yaml")]
    pub fn from_yaml(text: &str, keys: &Keys) -> Result<Self, Error> {
        Language::Yaml.read(text, keys)
    }

    /// Adds a rule. The first one whose path fits decides.
    #[must_use]
    pub fn with_rule(mut self, path: Path, action: Action) -> Self {
        self.rules.push(Rule { path, action });
        self
    }

    /// With other detectors, or none.
    #[must_use]
    pub fn with_finder(mut self, finder: Option<Finder>) -> Self {
        self.finder = finder;
        self
    }

    /// Whether it has rules: they are for places in JSON, and do nothing to a text.
    #[must_use]
    pub fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Whether it has detectors: without them nothing is done to a text.
    #[must_use]
    pub fn has_detectors(&self) -> bool {
        self.finder.is_some()
    }

    /// What is done with what they find.
    #[must_use]
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// What is done with what they find of one kind.
    #[must_use]
    pub fn with_strategy_for(mut self, kind: Kind, strategy: Strategy) -> Self {
        self.by_kind.insert(kind, strategy);
        self
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Tells what is replaced.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// What stands in a hit's place.
    pub(crate) fn put_hit(&self, name: &str, hit: &Hit, text: &str) -> Result<String, Error> {
        self.put(name, Some(hit.kind), Some(hit.confidence), self.strategy_for(hit.kind), text)
    }

    /// What stands in a text's place, which is told.
    pub(crate) fn put(
        &self,
        name: &str,
        kind: Option<Kind>,
        confidence: Option<Confidence>,
        strategy: &Strategy,
        text: &str,
    ) -> Result<String, Error> {
        let becomes = strategy.apply(kind, text)?;
        self.tell(name, kind, confidence, strategy, &becomes);
        Ok(becomes)
    }

    /// Tells that something was replaced.
    pub(crate) fn tell(
        &self,
        name: &str,
        kind: Option<Kind>,
        confidence: Option<Confidence>,
        strategy: &Strategy,
        becomes: &str,
    ) {
        if let Some(observer) = &self.observer {
            let name = &*shown(name);
            observer.replaced(&Decision { name, kind, confidence, strategy, becomes });
        }
    }

    pub(crate) fn strategy_for(&self, kind: Kind) -> &Strategy {
        self.by_kind.get(&kind).unwrap_or(&self.strategy)
    }

    /// Whether a kind is looked for.
    pub(crate) fn finds(&self, kind: Kind) -> bool {
        self.finder.as_ref().is_some_and(|finder| finder.looks_for(kind))
    }

    /// What is found in a text that has a name.
    pub(crate) fn find(&self, label: &Label, text: &str) -> Vec<Hit> {
        self.finder.as_ref().map_or_else(Vec::new, |finder| finder.find_labelled(label, text))
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

/// A member's name for those who must not see what is masked in it.
fn shown(name: &str) -> String {
    let mut shown = name.to_owned();
    for hit in Finder::new().with_least(Confidence::Low).find(name).into_iter().rev() {
        let with = crate::mask(hit.kind, Style::Strict, &name[hit.range.clone()]);
        shown.replace_range(hit.range, &with);
    }
    shown
}

/// The confidence of this name.
fn confidence(name: &str) -> Option<Confidence> {
    [Confidence::Low, Confidence::Medium, Confidence::High]
        .into_iter()
        .find(|least| least.name() == name)
}
