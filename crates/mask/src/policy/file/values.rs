//! What single values of a policy's file are.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};

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
        Table::<S>::deserialize(from)?.0.checked().map(Self).map_err(D::Error::custom)
    }
}

/// What has names for its values: serde's structs would take a list of them, too.
#[derive(Clone, Default)]
pub(super) struct Table<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Names<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Names<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        from.deserialize_map(Names(PhantomData)).map(Self)
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

/// What is named is there: nothing could as well mean anything.
pub(super) fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    match Option::deserialize(from)? {
        Some(value) => Ok(Some(value)),
        None => Err(D::Error::custom("there is nothing: give a value, or leave it out")),
    }
}

/// A text with something in it.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match said::<D, String>(from)? {
        Some(text) if text.is_empty() => Err(D::Error::custom("an empty text: leave it out")),
        text => Ok(text),
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
