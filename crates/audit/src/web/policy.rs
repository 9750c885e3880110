//! What is recorded of which request.

use http::Method;

use crate::WhenFull;

/// How much of a request is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    None,
    /// Who, what, from where, how it ended and how long it took; no query and no body.
    Metadata,
    /// Query and body of the request, too.
    Request,
    /// The body of the response, too.
    Response,
}

/// Says of some requests how they are recorded. What it does not name may be anything.
#[derive(Clone, Debug)]
pub struct Rule {
    route: Option<String>,
    methods: Vec<Method>,
    users: Vec<String>,
    pub(super) level: Level,
    pub(super) when_full: WhenFull,
}

impl Rule {
    /// For every request: metadata, and waiting while the log is full.
    #[must_use]
    pub fn new() -> Self {
        let (route, methods, users) = (None, Vec::new(), Vec::new());
        Self { route, methods, users, level: Level::Metadata, when_full: WhenFull::Block }
    }

    /// For this template of a route, or for all that begin with what stands before a `*` at its end.
    #[must_use]
    pub fn route(mut self, template: impl Into<String>) -> Self {
        self.route = Some(template.into());
        self
    }

    /// For this method, too.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.methods.push(method);
        self
    }

    /// For this user, too.
    #[must_use]
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.users.push(name.into());
        self
    }

    /// How much is recorded.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// What is done when the log takes no more: [`WhenFull::Block`] lets the request wait, [`WhenFull::Refuse`]
    /// answers it with 503 or UNAVAILABLE; with [`WhenFull::Drop`] it is served all the same. A log that has
    /// stopped answers as for `Refuse`, but for `Drop`.
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    fn matches(&self, method: &Method, route: &str, user: Option<&str>) -> bool {
        let by_route = self.route.as_deref().is_none_or(|own| match own.strip_suffix('*') {
            Some(begin) => route.starts_with(begin),
            None => route == own,
        });
        let by_user = || user.is_some_and(|user| self.users.iter().any(|own| own == user));
        by_route
            && (self.methods.is_empty() || self.methods.contains(method))
            && (self.users.is_empty() || by_user())
    }
}

impl Default for Rule {
    fn default() -> Self {
        Self::new()
    }
}

/// Rules, of which the first that matches decides. Where none does, [`Rule::new`].
///
/// ```
/// use gmkit_audit::{Level, Policy, Rule, WhenFull};
/// use http::Method;
///
/// let policy = Policy::default()
///     .with(Rule::new().route("/health").level(Level::None))
///     .with(Rule::new().route("/admin/*").level(Level::Response).when_full(WhenFull::Refuse))
///     .with(Rule::new().method(Method::GET).when_full(WhenFull::Drop));
/// # let _ = policy;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Policy {
    rules: Vec<Rule>,
}

impl Policy {
    /// Adds a rule, behind those that are there.
    #[must_use]
    pub fn with(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// How a request is recorded.
    pub(super) fn rule(&self, method: &Method, route: &str, user: Option<&str>) -> Rule {
        let rule = self.rules.iter().find(|rule| rule.matches(method, route, user));
        rule.cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_matches_decides() {
        let policy = Policy::default()
            .with(Rule::new().route("/health").level(Level::None))
            .with(Rule::new().route("/admin/*").user("root").level(Level::Response))
            .with(Rule::new().method(Method::GET).method(Method::HEAD).level(Level::Request))
            .with(Rule::new().user("root").level(Level::None));
        let level = |method, route, user| policy.rule(&method, route, user).level;
        assert_eq!(level(Method::POST, "/health", None), Level::None);
        assert_eq!(level(Method::POST, "/health/x", None), Level::Metadata);
        assert_eq!(level(Method::GET, "/admin/users", Some("root")), Level::Response);
        assert_eq!(level(Method::GET, "/admin/users", Some("alice")), Level::Request);
        assert_eq!(level(Method::HEAD, "/", None), Level::Request);
        assert_eq!(level(Method::POST, "/", Some("root")), Level::None);
        assert_eq!(level(Method::POST, "/", Some("toor")), Level::Metadata);
    }
}
