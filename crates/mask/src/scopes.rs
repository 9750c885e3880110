//! Which policy is for whom, and for what.

use std::sync::{Arc, PoisonError, RwLock};

use crate::{Error, Keys, Policy, policy::Language};

/// Which way a body goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To the service.
    Request,
    /// From it.
    Response,
}

/// Who asks, and what for, as the service has found out. Whoever it knows nothing of has none of it, and gets what
/// nobody in particular gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// What the caller is, as `teller`.
    pub roles: Vec<String>,
    /// What the data is wanted for, as `support`.
    pub purpose: Option<String>,
    /// Whether whom the data is about has agreed to that.
    pub consent: bool,
}

/// A body on its way.
#[derive(Clone, Copy, Debug)]
pub struct Passage<'t> {
    /// The route, as `/accounts/{id}`, or the path.
    pub route: &'t str,
    /// The method, as `GET`.
    pub method: &'t str,
    /// Which way.
    pub direction: Direction,
    /// Who asks.
    pub caller: &'t Caller,
}

/// Some bodies, and their policy. What it does not name may be anything.
#[derive(Clone, Debug)]
pub struct Scope {
    pub(crate) route: Option<String>,
    pub(crate) methods: Vec<String>,
    pub(crate) direction: Direction,
    pub(crate) roles: Vec<String>,
    pub(crate) purposes: Vec<String>,
    pub(crate) consent: bool,
    pub(crate) policy: Option<Arc<Policy>>,
}

impl Scope {
    /// For all responses; `None` lets them pass as they are.
    #[must_use]
    pub fn new(policy: Option<Policy>) -> Self {
        Self {
            route: None,
            methods: Vec::new(),
            direction: Direction::Response,
            roles: Vec::new(),
            purposes: Vec::new(),
            consent: false,
            policy: policy.map(Arc::new),
        }
    }

    /// For this route, or for all that begin with what stands before a `*` at its end.
    #[must_use]
    pub fn route(mut self, route: impl Into<String>) -> Self {
        self.route = Some(route.into());
        self
    }

    /// For this method, too.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.methods.push(method.into());
        self
    }

    /// For requests instead of responses.
    #[must_use]
    pub fn requests(mut self) -> Self {
        self.direction = Direction::Request;
        self
    }

    /// For callers of this role, too.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }

    /// For this purpose, too.
    #[must_use]
    pub fn purpose(mut self, purpose: impl Into<String>) -> Self {
        self.purposes.push(purpose.into());
        self
    }

    /// Only with the consent of whom the data is about.
    #[must_use]
    pub fn with_consent(mut self) -> Self {
        self.consent = true;
        self
    }

    pub(crate) fn with_policy(mut self, policy: Option<Policy>) -> Self {
        self.policy = policy.map(Arc::new);
        self
    }

    fn fits(&self, passage: &Passage<'_>) -> bool {
        let Passage { route, method, direction, caller } = *passage;
        let by_route = self.route.as_deref().is_none_or(|own| match own.strip_suffix('*') {
            Some(begin) => route.starts_with(begin),
            None => route == own,
        });
        let of = |own: &[String], has: &[String]| {
            own.is_empty() || has.iter().any(|value| own.contains(value))
        };
        let sure = self.policy.is_some() || self.route.is_none() || !is_odd(route);
        self.direction == direction
            && sure
            && by_route
            && (self.methods.is_empty() || self.methods.iter().any(|own| own == method))
            && of(&self.roles, &caller.roles)
            && of(&self.purposes, caller.purpose.as_slice())
            && (!self.consent || caller.consent)
    }
}

/// Whether it may lead elsewhere than it seems to: no scope that lets bodies pass is for such a path.
fn is_odd(route: &str) -> bool {
    let route = route.to_ascii_lowercase().replace("%2e", ".");
    let odd = ["%2f", "%5c", "\\"].iter().any(|odd| route.contains(odd));
    odd || route.split('/').any(|step| matches!(step, "." | ".."))
}

/// The policies of a service: scopes, of which the first that fits decides, and the policy for all other responses.
/// Requests that no scope is for pass as they are.
///
/// ```
/// use gmkit_mask::{Caller, Direction, Keys, Passage, Policies};
///
/// let policies = Policies::from_toml(r#"
///     version = 1
///     [detect]                      # for all responses but
///     [[scope]]
///     route = "/accounts/*"
///     roles = ["auditor"]
///     purposes = ["fraud"]
///     clear = true                  # these, and
///     [[scope]]
///     roles = ["teller"]
///     style = "usual"               # these
///     [scope.detect]
/// "#, &Keys::new())?;
/// let nobody = Caller::default();
/// let auditor = Caller { roles: vec!["auditor".into()], purpose: Some("fraud".into()), ..Caller::default() };
/// let of = |caller| {
///     let direction = Direction::Response;
///     policies.of(&Passage { route: "/accounts/7", method: "GET", direction, caller })
/// };
/// assert!(of(&nobody).is_some() && of(&auditor).is_none());
/// # Ok::<(), gmkit_mask::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Policies {
    scopes: Vec<Scope>,
    otherwise: Option<Arc<Policy>>,
}

impl Default for Policies {
    fn default() -> Self {
        Self::new(Policy::default())
    }
}

impl Policies {
    /// The one for all responses.
    #[must_use]
    pub fn new(otherwise: Policy) -> Self {
        Self::with(Some(otherwise))
    }

    pub(crate) fn with(otherwise: Option<Policy>) -> Self {
        Self { scopes: Vec::new(), otherwise: otherwise.map(Arc::new) }
    }

    /// Reads them from TOML: a policy, and `[[scope]]`s with policies of their own. What is to pass as it is says
    /// `clear = true`, also outside of the scopes.
    ///
    /// # Errors
    /// [`Error::Policy`] with line and column; [`Error::NoKey`], [`Error::Key`].
    pub fn from_toml(text: &str, keys: &Keys) -> Result<Self, Error> {
        Language::Toml.read_all(text, keys)
    }

    /// The same from YAML, or JSON: `rule`, `scope` and `detector` are lists.
    ///
    /// ```
    /// use gmkit_mask::{Keys, Policies};
    ///
    /// let policies = Policies::from_yaml("
    /// version: 1
    /// detect:
    /// scope:
    ///   - route: /accounts/*
    ///     roles: [auditor]
    ///     clear: true
    /// ", &Keys::new());
    /// assert!(policies.is_ok());
    /// ```
    ///
    /// # Errors
    /// As [`Policies::from_toml`].
    #[cfg(feature = "yaml")]
    pub fn from_yaml(text: &str, keys: &Keys) -> Result<Self, Error> {
        Language::Yaml.read_all(text, keys)
    }

    /// Adds a scope, behind those that are there.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scopes.push(scope);
        self
    }

    /// The policy for a body; `None` lets it pass as it is.
    #[must_use]
    pub fn of(&self, passage: &Passage<'_>) -> Option<&Arc<Policy>> {
        match self.scopes.iter().find(|scope| scope.fits(passage)) {
            Some(scope) => scope.policy.as_ref(),
            None => self.otherwise.as_ref().filter(|_| passage.direction == Direction::Response),
        }
    }
}

/// Policies that can be changed while bodies pass: those under way keep the ones with which they began.
///
/// ```
/// use gmkit_mask::{CurrentPolicies, Keys, Policies};
///
/// let current = CurrentPolicies::new(Policies::default());
/// assert!(current.reload("version = 1\n[detect]\nleast = \"low\"\n", &Keys::new()).is_ok());
/// assert!(current.reload("version = 1\n[detect", &Keys::new()).is_err(), "the ones before stay");
/// ```
#[derive(Debug, Default)]
pub struct CurrentPolicies(RwLock<Arc<Policies>>);

impl CurrentPolicies {
    /// Begins with these.
    #[must_use]
    pub fn new(policies: Policies) -> Self {
        Self(RwLock::new(Arc::new(policies)))
    }

    /// Those of now.
    #[must_use]
    pub fn get(&self) -> Arc<Policies> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Others from now on.
    pub fn set(&self, policies: Policies) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policies);
    }

    /// Others from now on, from TOML. What is not right changes nothing.
    ///
    /// # Errors
    /// As [`Policies::from_toml`].
    pub fn reload(&self, text: &str, keys: &Keys) -> Result<(), Error> {
        self.set(Policies::from_toml(text, keys)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_fits_decides() {
        let clear = || Scope::new(None);
        let policies = Policies::default()
            .with_scope(clear().route("/health"))
            .with_scope(clear().route("/a/*").role("root").method("GET").method("HEAD"))
            .with_scope(clear().purpose("support").with_consent())
            .with_scope(Scope::new(Some(Policy::new())).requests().route("/in"))
            .with_scope(clear().role("root").role("admin").purpose("audit"));
        let caller = |role: &str, purpose: &str, consent| Caller {
            roles: vec!["other".into(), role.into()],
            purpose: Some(purpose.into()),
            consent,
        };
        let masked = |route, method, direction, caller: &Caller| {
            policies.of(&Passage { route, method, direction, caller }).is_some()
        };
        let response =
            |route, method, caller: Caller| masked(route, method, Direction::Response, &caller);
        let nobody = Caller::default();
        assert!(
            !response("/health", "POST", nobody.clone())
                && response("/health/x", "GET", nobody.clone())
        );
        assert!(!response("/a/b", "GET", caller("root", "", false)));
        assert!(response("/a/b", "POST", caller("root", "", false)));
        assert!(response("/a/b", "GET", nobody.clone()));
        for odd in ["/a/../b", "/a/%2E%2e/b", "/a/x%2Fb", "/a/./b", "/a/\\b"] {
            assert!(response(odd, "GET", caller("root", "", false)), "{odd}");
        }
        assert!(!response("/a/.well-known", "GET", caller("root", "", false)));
        assert!(!response("/x", "GET", caller("", "support", true)));
        assert!(response("/x", "GET", caller("", "support", false)));
        assert!(!response("/x", "GET", caller("admin", "audit", false)));
        assert!(response("/x", "GET", Caller { purpose: None, ..caller("admin", "", true) }));
        assert!(masked("/in", "POST", Direction::Request, &nobody));
        assert!(!masked("/x", "POST", Direction::Request, &nobody));
    }

    #[cfg(feature = "yaml")]
    #[test]
    fn from_yaml() {
        let read = |text: &str| Policies::from_yaml(text, &Keys::new());
        for (text, why) in [
            ("version: 2\ndetect:\n", "line 1"),
            ("version: 1\n", "nothing"),
            ("version: 1\ndetect:\ndetect:\n", "line 3"),
            ("version: 1\ndetect:\n---\nversion: 1\n", "document"),
            ("a: &a {version: 1}\n<<: *a\ndetect:\n", "line 1"),
            ("version: 1\nclear: yes\n", "line 2"),
            ("version: 1\nclear: true\nrule:\n", "line 3"),
            ("version: 1\nclear: true\nscope:\n  - clear: true\n    roles:\n", "line"),
            ("version: 1\nclear: true\nscope:\n  - route: /x\n", "line 4, column 5"),
            ("version: 1\ndetect: {kinds: [no_kind]}\n", "line 2"),
            ("version: 1\nrule: [{path: 'a.', strategy: drop}]\n", "line 2"),
            ("version: 1\nrule: [{path: a, strategy: {truncate: 2, more: 1}}]\n", "a strategy"),
            ("version: 1\ndetect:\n  kinds: &x [mobile, *x]\n", "line 3"),
            ("\u{0}", "line 1"),
            ("", "line 1"),
            ("version: 1\ndetect:\nscope:\n  - {route: , clear: true}\n", "line 4"),
            ("version: 1\ndetect:\nscope:\n  - {route: ~, clear: true}\n", "line 4"),
            ("version: 1\ndetect:\nscope:\n  - {route: \"\", clear: true}\n", "line 4"),
            ("version: 1\ndetect:\nscope:\n  - {route: !!null /x, clear: true}\n", "line 4"),
            ("version: 1\nrule: [{path: a, strategy: [3]}]\n", "a strategy"),
            ("version: 1\nrule: [{path: a, kind: }]\n", "line 2"),
            ("version: 1\nrule: [[a]]\n", "line 2"),
            ("version: 1\ndetect: [[mobile]]\n", "line 2"),
            ("[1]\n", "line 1"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        let json = r#"{"version": 1, "rule": [{"path": "a", "strategy": {"truncate": 2}}], "detect": null}"#;
        let policy = Policy::from_yaml(json, &Keys::new()).unwrap();
        let masked = crate::json(&policy, br#"{"a":"long","b":"alice@example.com"}"#).unwrap();
        assert_eq!(masked, br#"{"a":"lo","b":"****@example.com"}"#, "null is an empty [detect]");
        assert!(Policy::from_yaml("version: 1\nclear: true\n", &Keys::new()).is_err());
    }

    #[test]
    fn from_files() {
        let read = |text: &str| Policies::from_toml(text, &Keys::new());
        for (text, why) in [
            ("version = 1\nclear = true\n[[scope]]\nclear = true\n[scope.detect]\n", "clear"),
            ("version = 1\nclear = true\n[[scope]]\nroute = \"/x\"\n", "nothing"),
            ("version = 1\n[[scope]]\nclear = true\n", "nothing"),
            ("version = 1\n", "nothing"),
            ("version = 1\n[[scope]]\nclear = true\ndirection = \"up\"\n", "line 4, column 13"),
            ("version = 1\n[[scope]]\nclear = true\nwho = \"x\"\n", "line 4, column 1"),
            (
                "version = 1\nclear = true\n[[scope]]\nclear = true\nmethods = [\"get\"]\n",
                "capital",
            ),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        // Where a list of none could be taken for all, or an empty value for nothing.
        for list in ["roles", "methods", "purposes"] {
            let text = format!("version = 1\nclear = true\n[[scope]]\nclear = true\n{list} = []\n");
            assert!(read(&text).unwrap_err().to_string().contains("line 5"), "{list}");
        }
        let text = "version = 1\n[[scope]]\nclear = true\n";
        assert!(matches!(Policy::from_toml(text, &Keys::new()), Err(Error::Policy { .. })));
        let scoped = read(
            "version = 1\nclear = true\n[[scope]]\ndirection = \"request\"\nconsent = true\n[[scope.rule]]\npath = \"a\"\n\
             strategy = \"drop\"\n[scope.limits]\ndepth = 3\n",
        );
        let (scoped, mut caller) = (scoped.unwrap(), Caller { consent: true, ..Caller::default() });
        let of = |caller: &Caller| {
            let direction = Direction::Request;
            scoped.of(&Passage { route: "/", method: "PUT", direction, caller }).cloned()
        };
        let policy = of(&caller).unwrap();
        assert_eq!(crate::json(&policy, br#"{"a":1,"b":2}"#).unwrap(), br#"{"b":2}"#);
        assert!(crate::json(&policy, b"[[[[]]]]").is_err() && !policy.has_detectors());
        caller.consent = false;
        assert!(of(&caller).is_none());
    }
}
