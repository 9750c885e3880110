//! The embedded files.

/// One file, and where it comes from if it does not say so itself.
pub(crate) struct Embedded {
    pub(crate) suite: &'static str,
    pub(crate) text: &'static str,
    pub(crate) origin: Option<(&'static str, &'static str)>,
}

macro_rules! own {
    ($suite:literal) => {
        Embedded {
            suite: $suite,
            text: include_str!(concat!("../data/", $suite, "_test.json")),
            origin: None,
        }
    };
}

macro_rules! wycheproof {
    ($suite:literal, $file:literal, $standard:literal) => {
        Embedded {
            suite: $suite,
            text: include_str!(concat!("../data/third_party/", $file)),
            origin: Some(($standard, "Project Wycheproof 0.9")),
        }
    };
}

pub(crate) const FILES: &[Embedded] = &[
    own!("sm3"),
    own!("hmac_sm3_gm"),
    wycheproof!("hmac_sm3_wycheproof", "hmac_sm3_test.json", "RFC 2104"),
    own!("hkdf_sm3"),
    own!("pbkdf2_sm3"),
    own!("sm2_kdf"),
    own!("sm4_block"),
    own!("sm4_cbc_pkcs7"),
    own!("sm4_ctr"),
    own!("sm4_cfb"),
    own!("sm4_ofb"),
    own!("sm4_xts"),
    own!("sm4_ccm"),
    own!("sm4_gcm_siv"),
    own!("sm4_cmac"),
    own!("sm4_wrap"),
    own!("sm4_gcm_gm"),
    wycheproof!("sm4_gcm_wycheproof", "sm4_gcm_test.json", "NIST SP 800-38D"),
    own!("sm4_rare"),
    own!("sm4_ff1"),
    own!("tls_prf_sm3"),
    own!("drng"),
    own!("sm2_sign"),
    own!("sm2_verify"),
    own!("sm2_point"),
    own!("sm2_decrypt"),
    own!("sm2_exchange"),
    own!("sm2_enveloped_key"),
];
