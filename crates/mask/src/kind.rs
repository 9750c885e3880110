//! Kinds of personal data, and of secrets.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// What a piece of text is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
            /// What one of a policy's own detectors finds.
            Own(OwnKind),
        }

        impl Kind {
            /// All but those of policies.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Its name in policies and reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                    Self::Own(own) => own.0,
                }
            }
        }
    };
}

kinds! {
    /// Resident identity number of 18 characters (GB 11643), and the permits that are built like it.
    CnId = "cn_id",
    /// Resident identity number of 15 digits, as given out before 1999.
    CnId15 = "cn_id15",
    /// Passport of the mainland or of Hong Kong or Macau.
    Passport = "passport",
    /// Permit to cross between the mainland, Hong Kong, Macau and Taiwan.
    TravelPermit = "travel_permit",
    /// Military officer's or soldier's card.
    Military = "military",
    /// Machine-readable zone of a passport.
    Mrz = "mrz",
    /// Identity card of Hong Kong.
    HkId = "hkid",
    /// Identity card or residence certificate of Taiwan.
    TwId = "twid",
    /// Identity card of Macau.
    MacauId = "macau_id",
    /// Mobile telephone number of the mainland.
    Mobile = "mobile",
    /// Landline telephone number of the mainland.
    Landline = "landline",
    /// E-mail address.
    Email = "email",
    /// WeChat name.
    WeChat = "wechat",
    /// QQ number.
    Qq = "qq",
    /// Postal address.
    Address = "address",
    /// Name of a person.
    Name = "name",
    /// Date of birth.
    BirthDate = "birth_date",
    /// IPv4 address.
    Ipv4 = "ipv4",
    /// IPv6 address.
    Ipv6 = "ipv6",
    /// MAC address.
    Mac = "mac",
    /// Bank card (ISO/IEC 7812).
    Card = "card",
    /// Unified social credit code (GB 32100).
    Uscc = "uscc",
    /// International bank account number (ISO 13616).
    Iban = "iban",
    /// Social security number of the United States.
    Ssn = "ssn",
    /// Licence plate (GA 36).
    Plate = "plate",
    /// Vehicle identification number (GB 16735).
    Vin = "vin",
    /// JSON web token.
    Jwt = "jwt",
    /// Private key in PEM.
    PrivateKey = "private_key",
    /// Key to some service's interface.
    ApiKey = "api_key",
    /// Password, one-time code, cookie or other credential.
    Password = "password",
}

/// The name of a kind that a policy has of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnKind(&'static str);

impl OwnKind {
    /// Each name is kept once, for as long as the program runs, so that kinds can be copied.
    pub(crate) fn new(name: &str) -> Result<Self, &'static str> {
        static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
        let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !(1..=64).contains(&name.len()) || !name.chars().all(right) {
            return Err("a name is 1 to 64 small letters, digits and _");
        }
        if Kind::from_name(name).is_some() {
            return Err("there is a kind of that name");
        }
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = names.get(name) {
            return Ok(Self(known));
        }
        let name: &'static str = name.to_owned().leak();
        names.insert(name);
        Ok(Self(name))
    }
}

impl Kind {
    /// The kind of this name; not for those of policies.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether it is a secret, of which nothing is ever shown.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Jwt | Self::PrivateKey | Self::ApiKey | Self::Password)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_of_policies_knows_all() {
        let schema = include_str!("../../../docs/src/en/mask-policy-1.schema.json");
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        let names = schema["$defs"]["kind"]["enum"].as_array().unwrap();
        let own: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(*names, own);
    }
}
