//! What each test type does. A check says whether the outputs are as given, or, when the input is
//! refused, why: the name of the error.

mod drng;
mod sm2;
mod sm3;
mod sm4;
mod sm4_modes;
mod sm4_rare;

use crate::schema::{Group, Test};

/// `Ok(true)`: accepted, with the right output. `Ok(false)`: accepted, with another output.
/// `Err`: refused for that reason.
pub(crate) type Outcome = Result<bool, String>;

pub(crate) type Check = fn(&Group, &Test) -> Outcome;

/// # Panics
/// For a type that no check exists for: a vector must never count as run without being run.
pub(crate) fn by_type(kind: &str) -> Check {
    match kind {
        "DigestTest" => sm3::digest,
        "MacTest" => sm3::mac,
        "HkdfTest" => sm3::hkdf,
        "PbkdfTest" => sm3::pbkdf2,
        "KdfTest" => sm3::kdf,
        "BlockTest" => sm4::block,
        "CbcPkcs7Test" => sm4::cbc,
        "CtrTest" => sm4::ctr,
        "CfbTest" => sm4_modes::cfb,
        "OfbTest" => sm4_modes::ofb,
        "XtsGbTest" => sm4_modes::xts_gb,
        "XtsIeeeTest" => sm4_modes::xts_ieee,
        "CcmTest" => sm4_modes::ccm,
        "GcmSivTest" => sm4_modes::gcm_siv,
        "CmacTest" => sm4_modes::cmac,
        "WrapTest" => sm4_modes::wrap,
        "WrapPaddedTest" => sm4_modes::wrap_padded,
        "BcTest" => sm4_rare::bc,
        "OfbnlfTest" => sm4_rare::ofbnlf,
        "HctrTest" => sm4_rare::hctr,
        "Ff1Test" => sm4_rare::ff1,
        "Tls12PrfTest" => sm3::tls12_prf,
        "Tls13LabelTest" => sm3::tls13_expand_label,
        "DrngSm3Test" => drng::sm3,
        "DrngSm4Test" => drng::sm4,
        "EnvelopedKeyTest" => sm2::enveloped_key,
        "AeadTest" => sm4::gcm,
        "Sm2Sign" => sm2::sign,
        "Sm2Verify" => sm2::verify,
        "Sm2VerifyE" => sm2::verify_e,
        "Sm2Point" => sm2::point,
        "Sm2Decrypt" => sm2::decrypt,
        "Sm2Exchange" => sm2::exchange,
        kind => panic!("no check for test type {kind}"),
    }
}

/// The reason of a refusal.
fn reason(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

/// A value of fixed size in a vector; its absence is a refusal that no vector expects.
fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], String> {
    bytes.try_into().map_err(|_| format!("{} bytes where {N} belong", bytes.len()))
}
