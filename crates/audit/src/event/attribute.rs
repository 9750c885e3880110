//! Values of attributes.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor},
};

/// A typed value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Attribute {
    /// True or false.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Number(f64),
    /// Text.
    Text(String),
    /// What stands for something too long for a record, or not to be kept in one.
    Digest {
        /// SM3 of it, in hexadecimal.
        sm3: String,
        /// How long it is, in bytes.
        bytes: u64,
    },
}

impl Attribute {
    /// The digest of something.
    #[must_use]
    pub fn digest(bytes: &[u8]) -> Self {
        let sm3 = gmkit_sm3::digest(&[bytes]).iter().map(|byte| format!("{byte:02x}")).collect();
        Self::Digest { sm3, bytes: bytes.len() as u64 }
    }

    /// Whether what is written of it can be read.
    pub(crate) fn reads_back(&self) -> bool {
        match self {
            Self::Number(number) => number.is_finite(),
            Self::Digest { sm3, .. } => is_sm3(sm3),
            _ => true,
        }
    }
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Value)
    }
}

struct Value;

impl<'de> Visitor<'de> for Value {
    type Value = Attribute;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, true, false, or a digest")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Attribute, E> {
        Ok(Attribute::Flag(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Attribute, E> {
        Ok(Attribute::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Attribute, E> {
        i64::try_from(value)
            .map(Attribute::Integer)
            .map_err(|_| E::custom("a number above 2^63 - 1"))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Attribute, E> {
        Ok(Attribute::Number(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Attribute, E> {
        Ok(Attribute::Text(value.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Attribute, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Digest {
            sm3: String,
            bytes: u64,
        }
        let Digest { sm3, bytes } =
            Digest::deserialize(de::value::MapAccessDeserializer::new(map))?;
        match is_sm3(&sm3) {
            true => Ok(Attribute::Digest { sm3, bytes }),
            false => Err(de::Error::custom("sm3 has not got 64 hexadecimal digits")),
        }
    }
}

fn is_sm3(digits: &str) -> bool {
    digits.len() == 64 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// Attributes by name: a name that is there twice is a mistake, and not the second value's.
pub(crate) fn each_once<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Attribute>, D::Error> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = BTreeMap<String, Attribute>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("attributes by name")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut attributes = BTreeMap::new();
            while let Some((name, value)) = map.next_entry::<String, Attribute>()? {
                if attributes.contains_key(&name) {
                    return Err(de::Error::custom(format_args!(
                        "attribute {name:?} is there twice"
                    )));
                }
                attributes.insert(name, value);
            }
            Ok(attributes)
        }
    }

    deserializer.deserialize_map(Names)
}

impl From<bool> for Attribute {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<i64> for Attribute {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<i32> for Attribute {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

/// What JSON cannot hold, infinity and no number, becomes text.
impl From<f64> for Attribute {
    fn from(value: f64) -> Self {
        match value.is_finite() {
            true => Self::Number(value),
            false => Self::Text(value.to_string()),
        }
    }
}

impl From<&str> for Attribute {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Attribute {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
