//! What is about a person, in a form that only the key of that person opens.

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Error;

/// Members of an event that are about one person, sealed under that person's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Personal {
    /// The number of the person's key, which says nothing about the person.
    pub subject: Uuid,
    /// A nonce of 12 bytes, the ciphertext, and the tag of 16 bytes.
    pub sealed: Sealed,
}

/// Bytes, in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sealed(pub(crate) Vec<u8>);

impl Sealed {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<String> for Sealed {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        let bytes = Base64::decode_vec(&text).ok().filter(|bytes| bytes.len() >= 12 + 16);
        let fault = || Error::Event { reason: "sealed is no nonce, ciphertext and tag".to_owned() };
        bytes.map(Self).ok_or_else(fault)
    }
}

impl From<Sealed> for String {
    fn from(sealed: Sealed) -> Self {
        Base64::encode_string(&sealed.0)
    }
}
