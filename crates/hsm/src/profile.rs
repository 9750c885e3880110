//! What a vendor does, as data: numbers, and how they behave.

use std::{fs::File, io::Read, num::NonZeroUsize, path::Path};

use serde::Deserialize;

use crate::Error;

/// The profiles that come with the library; the first one that matches a module is its.
const EMBEDDED: &[&str] = &[
    include_str!("../profiles/gmkit.toml"),
    include_str!("../profiles/sansec.toml"),
    include_str!("../profiles/tass.toml"),
    include_str!("../profiles/koal.toml"),
    include_str!("../profiles/luna.toml"),
    include_str!("../profiles/ep11.toml"),
    include_str!("../profiles/westone.toml"),
    include_str!("../profiles/generic.toml"),
];

/// Largest profile file that is read, in bytes.
const MAX_FILE: usize = 64 * 1024;

/// A vendor's numbers and habits.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Profile {
    /// What a URI or an option calls it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Where its facts are from.
    pub sources: String,
    /// Which modules it is for.
    #[serde(rename = "match")]
    pub modules: Match,
    /// SM2, where the vendor has it.
    pub sm2: Option<Sm2>,
    /// SM3.
    pub sm3: Option<Sm3>,
    /// SM4.
    pub sm4: Option<Sm4>,
    /// What else is peculiar.
    #[serde(default)]
    pub quirks: Quirks,
}

/// Which modules a profile is for: substrings, in lower case, of what the module says of itself.
/// Any of a list will do; all lists that are not empty must; with none, any module matches.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// Of CK_INFO.manufacturerID, or of the library's file name.
    pub manufacturer: Vec<String>,
    /// Of CK_INFO.libraryDescription.
    pub description: Vec<String>,
    /// Of the library's file name, where the manufacturer does not say.
    pub file: Vec<String>,
}

/// Numbers for SM2.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Sm2 {
    /// CKK of keys.
    pub key_type: u64,
    /// Makes key pairs.
    pub generate: u64,
    /// Sign `e`, 32 bytes; in the order in which they are tried.
    pub sign_e: Vec<u64>,
    /// Sign messages.
    pub sign_message: Vec<SignMessage>,
    /// Encrypt and decrypt.
    pub encrypt: Vec<u64>,
    /// Whether templates for new keys name the curve.
    pub ec_params: bool,
}

/// A mechanism that hashes and signs.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct SignMessage {
    /// Its number.
    pub code: u64,
    /// Who puts Z in front of the message.
    pub z: Z,
}

/// Who puts Z in front of a message that a device hashes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Z {
    /// The device, for the default ID.
    Inside,
    /// The caller.
    Outside,
    /// Nobody knows: found out at the first use of a key.
    Unknown,
}

/// Numbers for SM3.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Sm3 {
    /// The hash.
    pub digest: u64,
    /// HMAC.
    pub hmac: Option<u64>,
}

/// Numbers for SM4.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Sm4 {
    /// CKK of keys.
    pub key_type: u64,
    /// Makes keys.
    pub generate: u64,
    /// ECB.
    pub ecb: u64,
    /// CBC.
    pub cbc: u64,
    /// CBC with padding.
    pub cbc_pad: Option<u64>,
    /// GCM.
    pub gcm: Option<u64>,
    /// CBC-MAC or CMAC.
    pub mac: Option<u64>,
    /// Key wrap of RFC 3394.
    pub wrap: Option<u64>,
}

/// What else is peculiar.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Quirks {
    /// Most bytes in one call.
    pub frame: Option<NonZeroUsize>,
}

impl Profile {
    /// Its mechanisms by what they do, in the order of the book.
    #[must_use]
    pub fn mechanisms(&self) -> Vec<(&'static str, u64)> {
        let mut all = Vec::new();
        if let Some(sm2) = &self.sm2 {
            all.push(("SM2 key pair", sm2.generate));
            all.extend(sm2.sign_e.iter().map(|code| ("SM2 sign e", *code)));
            all.extend(sm2.sign_message.iter().map(|sign| ("SM2 sign message", sign.code)));
            all.extend(sm2.encrypt.iter().map(|code| ("SM2 encrypt", *code)));
        }
        if let Some(sm3) = &self.sm3 {
            all.push(("SM3", sm3.digest));
            all.extend(sm3.hmac.map(|code| ("HMAC-SM3", code)));
        }
        if let Some(sm4) = &self.sm4 {
            all.extend([("SM4 key", sm4.generate), ("SM4-ECB", sm4.ecb), ("SM4-CBC", sm4.cbc)]);
            all.extend(sm4.cbc_pad.map(|code| ("SM4-CBC padded", code)));
            all.extend(sm4.gcm.map(|code| ("SM4-GCM", code)));
            all.extend(sm4.mac.map(|code| ("SM4 MAC", code)));
            all.extend(sm4.wrap.map(|code| ("SM4 key wrap", code)));
        }
        all
    }

    fn parse(text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| Error::Profile { reason: error.message().to_owned() })
    }

    /// Whether a module with these strings is one of the profile's.
    fn fits(&self, manufacturer: &str, description: &str, file: &str) -> bool {
        let has = |text: &str, wanted: &[String]| {
            let text = text.to_lowercase();
            wanted.iter().any(|part| text.contains(&part.to_lowercase()))
        };
        let Match { manufacturer: by, description: of, file: named } = &self.modules;
        let by_name = has(manufacturer, by) || has(file, named);
        let nameless = by.is_empty() && named.is_empty();
        (nameless || by_name) && (of.is_empty() || has(description, of))
    }
}

/// Profiles, in the order in which they are tried.
///
/// ```
/// use gmkit_hsm::Profiles;
///
/// let profiles = Profiles::embedded();
/// assert_eq!(profiles.matching("SANSEC", "", "libupkcs11.so").name, "sansec");
/// assert_eq!(profiles.matching("SafeNet", "Chrystoki", "libCryptoki2.so").name, "luna");
/// assert_eq!(profiles.matching("somebody", "", "lib.so").name, "generic");
/// ```
#[derive(Clone, Debug)]
pub struct Profiles(Vec<Profile>);

impl Profiles {
    /// Those that come with the library.
    ///
    /// # Panics
    /// Never: the tests read each of them.
    #[must_use]
    pub fn embedded() -> Self {
        let parse = |text: &&str| Profile::parse(text).expect("a profile of ours");
        Self(EMBEDDED.iter().map(parse).collect())
    }

    /// Puts a profile of the user's before the others, in TOML; it takes the place of one with its
    /// name.
    ///
    /// # Errors
    /// [`Error::Profile`].
    pub fn with_file(self, path: &Path) -> Result<Self, Error> {
        let mut text = String::new();
        let read = File::open(path)
            .and_then(|file| file.take(MAX_FILE as u64 + 1).read_to_string(&mut text));
        if let Err(error) = read {
            return Err(Error::Profile { reason: error.to_string() });
        }
        if text.len() > MAX_FILE {
            return Err(Error::Profile { reason: "longer than any profile".to_owned() });
        }
        self.with(&text)
    }

    /// The same with the text itself.
    ///
    /// # Errors
    /// [`Error::Profile`].
    pub fn with(mut self, text: &str) -> Result<Self, Error> {
        let profile = Profile::parse(text)?;
        self.0.retain(|other| other.name != profile.name);
        self.0.insert(0, profile);
        Ok(self)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.0.iter()
    }

    /// The one with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Profile> {
        self.0.iter().find(|profile| profile.name == name)
    }

    /// The first one for a module that says this of itself, and whose library's file has this name.
    ///
    /// # Panics
    /// Never: `generic` is for any module.
    #[must_use]
    pub fn matching(&self, manufacturer: &str, description: &str, file: &str) -> &Profile {
        let fits = |profile: &&Profile| profile.fits(manufacturer, description, file);
        self.0.iter().find(fits).expect("the generic profile")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_profiles_are_sound() {
        let profiles = Profiles::embedded();
        assert_eq!(profiles.iter().count(), EMBEDDED.len());
        for profile in profiles.iter() {
            assert!(!profile.sources.is_empty());
            for (what, code) in profile.mechanisms() {
                assert!(code >= 0x8000_0000, "{}: {what}", profile.name);
            }
            assert_eq!(profiles.named(&profile.name), Some(profile));
        }
        assert_eq!(profiles.iter().last().unwrap().name, "generic");
    }

    #[test]
    fn matching() {
        let profiles = Profiles::embedded();
        for (manufacturer, description, file, expected) in [
            ("TASS in Security", "PKCS#11 Library", "x.so", "tass"),
            ("", "", "libupkcs11.so", "sansec"),
            ("SafeNet", "something else", "x.so", "generic"),
            ("gmkit", "gmkit software token", "libgmkit_token.so", "gmkit"),
            ("SoftHSM", "Implementation of PKCS11", "libsofthsm2.so", "generic"),
        ] {
            assert_eq!(profiles.matching(manufacturer, description, file).name, expected);
        }
    }

    #[test]
    fn a_user_s_profile_goes_first() {
        let text = "name = \"sansec\"\ntitle = \"ours\"\nsources = \"the device\"\n[match]\nmanufacturer = [\"acme\"]\n";
        let profiles = Profiles::embedded().with(text).unwrap();
        assert_eq!(profiles.matching("ACME", "", "").title, "ours");
        assert_eq!(
            profiles.matching("sansec", "", "x").name,
            "generic",
            "it took the old one's place"
        );
        for bad in
            ["", "name = 1", "name = \"a\"\nunknown = 1", &format!("{text}\n[sm2]\nkey_type = 1")]
        {
            assert!(matches!(Profiles::embedded().with(bad), Err(Error::Profile { .. })), "{bad}");
        }
    }
}
