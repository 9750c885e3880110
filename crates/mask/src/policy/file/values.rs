//! What single values of a policy's file are.

use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    Confidence, Direction, Error, Kind, OnLimit, Style,
    policy::{Path, confidence},
};

/// What is right in more than its form, which is found out where it is read: so the reader knows the place.
pub(super) trait Shape {
    type Checked;

    /// What it is, or why it is not right.
    fn checked(self) -> Result<Self::Checked, String>;
}

/// See [`Shape`].
pub(super) struct Checked<S: Shape>(pub(super) S::Checked);

impl<'de, S: Shape + Deserialize<'de>> Deserialize<'de> for Checked<S> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        S::deserialize(from)?.checked().map(Self).map_err(D::Error::custom)
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KindIn(pub(super) Kind);

impl<'de> Deserialize<'de> for KindIn {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        let none = || D::Error::custom(format!("{name:?} is no kind of personal data"));
        Kind::from_name(&name).map(Self).ok_or_else(none)
    }
}

/// Some, as a list of none could as well mean all.
pub(super) fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    let values = Vec::deserialize(from)?;
    match values.is_empty() {
        true => Err(D::Error::custom("a list of none: name some, or leave it out")),
        false => Ok(values),
    }
}

/// In YAML what is named and has nothing in it is there, as the empty table of TOML is.
pub(super) fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(from).map(|value| Some(value.unwrap_or_default()))
}

pub(super) fn least<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Confidence>, D::Error> {
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

pub(super) fn on_limit<'de, D: Deserializer<'de>>(from: D) -> Result<OnLimit, D::Error> {
    match &*String::deserialize(from)? {
        "refuse" => Ok(OnLimit::Refuse),
        "nullify" => Ok(OnLimit::Nullify),
        _ => Err(D::Error::custom("on_limit is \"refuse\" or \"nullify\"")),
    }
}

pub(super) fn direction<'de, D: Deserializer<'de>>(from: D) -> Result<Direction, D::Error> {
    match &*String::deserialize(from)? {
        "request" => Ok(Direction::Request),
        "response" => Ok(Direction::Response),
        _ => Err(D::Error::custom("a direction is \"request\" or \"response\"")),
    }
}

pub(super) fn version<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        1 => Ok(1),
        _ => Err(D::Error::custom("this gmkit reads policies of version 1")),
    }
}

pub(super) fn path<'de, D: Deserializer<'de>>(from: D) -> Result<Path, D::Error> {
    String::deserialize(from)?.parse().map_err(|error| match error {
        Error::Policy { reason, .. } => D::Error::custom(reason),
        error => D::Error::custom(error),
    })
}
