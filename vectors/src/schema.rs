//! The shape of a vector file: Wycheproof's, with the fields of all test types in one struct.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct File {
    pub(crate) source: Option<Source>,
    pub(crate) number_of_tests: usize,
    pub(crate) test_groups: Vec<Group>,
}

impl File {
    /// # Panics
    /// When an embedded file is not what its schema says, which the tests exclude.
    pub(crate) fn parse(text: &str) -> Self {
        let file: Self = serde_json::from_str(text).expect("embedded vectors are well-formed");
        let tests: usize = file.test_groups.iter().map(|group| group.tests.len()).sum();
        assert_eq!(tests, file.number_of_tests, "embedded vectors are complete");
        file
    }
}

#[derive(Deserialize)]
pub(crate) struct Source {
    pub(crate) standard: String,
    pub(crate) clause: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Group {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) tag_size: usize,
    #[serde(default)]
    pub(crate) public_key: Hex,
    #[serde(default)]
    pub(crate) id: Hex,
    #[serde(default)]
    pub(crate) d: Hex,
    #[serde(default)]
    pub(crate) form: String,
    pub(crate) tests: Vec<Test>,
}

/// Bytes, in hexadecimal.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub(crate) struct Hex(#[serde(with = "hex")] pub(crate) Vec<u8>);

impl std::ops::Deref for Hex {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Expected {
    Valid,
    Invalid,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Test {
    pub(crate) tc_id: u32,
    pub(crate) comment: String,
    pub(crate) flags: Vec<String>,
    pub(crate) result: Expected,
    /// The error that must be given; our own negative vectors all have one.
    pub(crate) reason: Option<String>,
    #[serde(flatten)]
    pub(crate) values: Values,
}

impl Test {
    /// Whether `reason` is the one for which this input has to be refused. Wycheproof's files give
    /// no reasons, but their flags leave no doubt.
    pub(crate) fn wants(&self, reason: &str) -> bool {
        match &self.reason {
            Some(wanted) => wanted == reason,
            None if self.flags.iter().any(|flag| flag == "ZeroLengthIv") => reason == "NonceLength",
            None => reason == "Rejected",
        }
    }
}

/// Inputs and outputs; each test type uses some of them.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Values {
    pub(crate) aad: Hex,
    pub(crate) ct: Hex,
    pub(crate) d: Hex,
    pub(crate) d_b: Hex,
    pub(crate) digest: Hex,
    pub(crate) dk: Hex,
    pub(crate) dk_len: Option<usize>,
    pub(crate) e: Hex,
    pub(crate) encoded: Hex,
    pub(crate) id_a: Hex,
    pub(crate) id_b: Hex,
    pub(crate) ikm: Hex,
    pub(crate) info: Hex,
    pub(crate) iteration_count: u32,
    pub(crate) iv: Hex,
    pub(crate) k: Hex,
    pub(crate) key: Hex,
    pub(crate) msg: Hex,
    pub(crate) okm: Hex,
    pub(crate) out: Hex,
    pub(crate) password: Hex,
    pub(crate) point: Hex,
    pub(crate) r_a: Hex,
    pub(crate) r_b: Hex,
    pub(crate) repeat: u32,
    pub(crate) s_a: Hex,
    pub(crate) s_b: Hex,
    pub(crate) salt: Hex,
    pub(crate) sig: Hex,
    pub(crate) size: Option<usize>,
    pub(crate) tag: Hex,
    pub(crate) z: Hex,
}
