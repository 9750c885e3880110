//! Types that say what of their values is shown.

use std::{borrow::Cow, fmt, rc::Rc, sync::Arc};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::{Action, Kind, Policy, Strategy, Style};

/// A struct whose fields say what of them is shown. It is derived, and with it come `Serialize` and `Debug` that show no
/// more than that, rules for policies, and a JSON Schema: all from the same attributes.
///
/// Each field says one thing, and one that says nothing does not compile, as nobody has thought about it:
///
/// - `kind = Mobile`: the mask of that [`Kind`], strictly, or as is `usual`;
/// - `nullify`, `drop`, `truncate = 3`, `generalise = 10`, with a kind or without: as the [`Strategy`] of that name;
/// - `nested`: what is in it says so itself; `clear`: all of it is shown.
///
/// `name = "…"`, and `rename_all = "camelCase"` at the struct, give the names under which fields are written.
/// `crate = "gmkit_mask"` says where this crate is, if not at `gmkit::mask`.
///
/// ```
/// use gmkit_mask::{Keys, Mask, Policy, json, rules_to_toml};
///
/// #[derive(Mask)]
/// #[mask(crate = "gmkit_mask", rename_all = "camelCase")]
/// struct Order {
///     #[mask(clear)]
///     order_id: u64,
///     #[mask(nested)]
///     buyer: Buyer,
///     #[mask(drop)]
///     cost: u32,
/// }
///
/// #[derive(Mask)]
/// #[mask(crate = "gmkit_mask")]
/// struct Buyer {
///     #[mask(kind = Mobile, usual)]
///     phones: Vec<String>,
///     #[mask(generalise = 10)]
///     age: Option<u8>,
/// }
///
/// let buyer = Buyer { phones: vec!["13800138000".into()], age: Some(37) };
/// let order = Order { order_id: 7, buyer, cost: 3 };
/// let masked = r#"{"orderId":7,"buyer":{"phones":["138****8000"],"age":"30-39"}}"#;
/// assert_eq!(serde_json::to_string(&order)?, masked);
/// assert_eq!(
///     format!("{order:?}"),
///     r#"Order { order_id: 7, buyer: Buyer { phones: ["138****8000"], age: "30-39" } }"#
/// );
/// // For bodies that others write, the same rules, also as a file.
/// let body = br#"{"orderId":7,"buyer":{"phones":["13800138000"],"age":37},"cost":3}"#;
/// assert_eq!(json(&Policy::new().with_rules_of::<Order>(""), body)?, masked.as_bytes());
/// let file = format!("version = 1\n{}", rules_to_toml(&Order::rules("")));
/// assert_eq!(json(&Policy::from_toml(&file, &Keys::new())?, body)?, masked.as_bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```compile_fail
/// # use gmkit_mask::Mask;
/// #[derive(Mask)]
/// #[mask(crate = "gmkit_mask")]
/// struct Forgotten {
///     phone: String,
/// }
/// ```
pub trait Mask {
    /// The rules for values of this type at a place: `""` for all of a body, else a path.
    fn rules(at: &str) -> Vec<MaskRule>;

    /// What is written, as JSON Schema (2020-12); how a value is masked stands in `x-gmkit-mask`.
    fn schema() -> Value;
}

/// A value that can be masked as a whole, or element by element.
pub trait Maskable {
    /// What of it is shown.
    fn masked(&self, kind: Option<Kind>, strategy: &Strategy) -> Masked;

    /// The schema of what is shown, from that of what is shown of one value.
    #[must_use]
    fn schema(of: Value) -> Value {
        of
    }
}

/// What of a value is shown.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Masked {
    /// Nothing.
    Null,
    /// A text.
    Text(String),
    /// What is shown of each element.
    List(Vec<Self>),
}

impl Masked {
    fn of(kind: Option<Kind>, strategy: &Strategy, text: &str) -> Self {
        match strategy {
            Strategy::Nullify | Strategy::Drop => Self::Null,
            // Without a key nothing fails.
            _ => Self::Text(strategy.apply(kind, text).unwrap_or_else(|_| "****".to_owned())),
        }
    }
}

impl Serialize for Masked {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Text(text) => to.serialize_str(text),
            Self::List(list) => list.serialize(to),
        }
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Text(text) => fmt::Debug::fmt(text, f),
            Self::List(list) => f.debug_list().entries(list).finish(),
        }
    }
}

macro_rules! maskable {
    ($($type:ty),*) => {
        $(
            impl Maskable for $type {
                fn masked(&self, kind: Option<Kind>, strategy: &Strategy) -> Masked {
                    Masked::of(kind, strategy, &self.to_string())
                }
            }
        )*
    };
}

maskable!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, char, Cow<'_, str>);

impl Maskable for str {
    fn masked(&self, kind: Option<Kind>, strategy: &Strategy) -> Masked {
        Masked::of(kind, strategy, self)
    }
}

impl Maskable for String {
    fn masked(&self, kind: Option<Kind>, strategy: &Strategy) -> Masked {
        Masked::of(kind, strategy, self)
    }
}

/// Nothing is shown of it, as in JSON.
impl Maskable for bool {
    fn masked(&self, _: Option<Kind>, _: &Strategy) -> Masked {
        Masked::Null
    }
}

impl<T: Maskable> Maskable for Option<T> {
    fn masked(&self, kind: Option<Kind>, strategy: &Strategy) -> Masked {
        self.as_ref().map_or(Masked::Null, |value| value.masked(kind, strategy))
    }

    fn schema(of: Value) -> Value {
        json!({ "anyOf": [T::schema(of), { "type": "null" }] })
    }
}

impl<T: Maskable> Maskable for [T] {
    fn masked(&self, kind: Option<Kind>, strategy: &Strategy) -> Masked {
        Masked::List(self.iter().map(|value| value.masked(kind, strategy)).collect())
    }

    fn schema(of: Value) -> Value {
        json!({ "type": "array", "items": T::schema(of) })
    }
}

macro_rules! through {
    ($($type:ty),*) => {
        $(
            impl<T: Maskable + ?Sized> Maskable for $type {
                fn masked(&self, kind: Option<Kind>, strategy: &Strategy) -> Masked {
                    (**self).masked(kind, strategy)
                }

                fn schema(of: Value) -> Value {
                    T::schema(of)
                }
            }

            impl<T: Mask + ?Sized> Mask for $type {
                fn rules(at: &str) -> Vec<MaskRule> {
                    T::rules(at)
                }

                fn schema() -> Value {
                    T::schema()
                }
            }
        )*
    };
}

through!(&T, Box<T>, Rc<T>, Arc<T>);

impl<T: Maskable> Maskable for Vec<T> {
    fn masked(&self, kind: Option<Kind>, strategy: &Strategy) -> Masked {
        (**self).masked(kind, strategy)
    }

    fn schema(of: Value) -> Value {
        <[T]>::schema(of)
    }
}

impl<T: Mask> Mask for Option<T> {
    fn rules(at: &str) -> Vec<MaskRule> {
        T::rules(at)
    }

    fn schema() -> Value {
        json!({ "anyOf": [T::schema(), { "type": "null" }] })
    }
}

impl<T: Mask> Mask for Vec<T> {
    fn rules(at: &str) -> Vec<MaskRule> {
        T::rules(&format!("{at}[*]"))
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}

/// A rule that a type has for itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MaskRule {
    /// The place, as a [`crate::Path`] is written.
    pub path: String,
    /// What stands there.
    pub kind: Option<Kind>,
    /// What is done with it.
    pub strategy: Strategy,
}

impl MaskRule {
    /// For what stands at a path.
    #[must_use]
    pub fn new(path: String, kind: Option<Kind>, strategy: Strategy) -> Self {
        Self { path, kind, strategy }
    }
}

/// Rules as a policy's file has them. Strategies with keys are none of a type's.
#[must_use]
pub fn rules_to_toml(rules: &[MaskRule]) -> String {
    let mut text = String::new();
    for MaskRule { path, kind, strategy } in rules {
        text += &format!("[[rule]]\npath = {}\n", Value::from(path.as_str()));
        if let Some(kind) = kind {
            text += &format!("kind = \"{kind}\"\n");
        }
        let strategy = match strategy {
            Strategy::Mask(Style::Usual) => "{ style = \"usual\" }".to_owned(),
            Strategy::Drop => "\"drop\"".to_owned(),
            Strategy::Truncate(most) => format!("{{ truncate = {most} }}"),
            Strategy::Generalise(step) => format!("{{ generalise = {step} }}"),
            Strategy::Mask(_) => "{ style = \"strict\" }".to_owned(),
            _ => "\"nullify\"".to_owned(),
        };
        text += &format!("strategy = {strategy}\n");
    }
    text
}

impl Policy {
    /// Adds the rules that a type has, for its values at a place: `""` for all of a body.
    ///
    /// # Panics
    /// If `at` is no path; those of types are.
    #[must_use]
    pub fn with_rules_of<T: Mask>(self, at: &str) -> Self {
        T::rules(at).into_iter().fold(self, |policy, rule| {
            let path = rule.path.parse().unwrap_or_else(|_| panic!("{}: no path", rule.path));
            policy.with_rule(path, Action::Replace(rule.kind, rule.strategy))
        })
    }
}

/// What derived code calls. Nothing in here is for people.
#[doc(hidden)]
pub mod derived {
    pub use serde;
    pub use serde_json::Value;
    use serde_json::{Map, json};

    use crate::{Kind, Strategy};

    /// One step further down.
    #[must_use]
    pub fn step(at: &str, name: &str) -> String {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let name = match !name.is_empty() && name.chars().all(plain) {
            true => name.to_owned(),
            false => format!("\"{name}\""),
        };
        if at.is_empty() { name } else { format!("{at}.{name}") }
    }

    #[must_use]
    pub fn anything() -> Value {
        Value::Bool(true)
    }

    #[must_use]
    pub fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
        let members: Map<String, Value> =
            members.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
        let required: Vec<String> = members.keys().cloned().collect();
        json!({
            "type": "object", "properties": members, "required": required,
            "additionalProperties": false,
        })
    }

    #[must_use]
    pub fn schema(kind: Option<Kind>, strategy: &Strategy) -> Value {
        let (shown, name) = match strategy {
            Strategy::Nullify => ("null", "nullify"),
            Strategy::Truncate(_) => ("string", "truncate"),
            Strategy::Generalise(_) => ("string", "generalise"),
            _ => ("string", "mask"),
        };
        json!({ "type": shown, "x-gmkit-mask": { "kind": kind.map(Kind::name), "strategy": name } })
    }
}
