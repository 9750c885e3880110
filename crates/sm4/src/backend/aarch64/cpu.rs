//! The tokens of ARM64.

use super::token;

token!(
    /// The SM4 instructions of ARMv8.2, and those of AES with PMULL: Kunpeng, Yitian.
    Sm4e in sm4e: "sm4", "aes"; has_all(SM4 | AES | PMULL)
);

token!(
    /// The AES instructions of ARMv8 with PMULL.
    AesNeon in aes_neon: "aes"; has_all(AES | PMULL)
);

/// NEON, which the target has: nothing to ask the CPU for.
pub(super) struct Neon(());

impl Neon {
    pub(super) const fn detect() -> Option<&'static Self> {
        if cfg!(target_feature = "neon") { Some(&Self(())) } else { None }
    }
}

/// Bits of Linux's AT_HWCAP.
const AES: u64 = 1 << 3;
const PMULL: u64 = 1 << 4;
const SM4: u64 = 1 << 19;

/// `cpufeatures` takes any bit of a feature for all of them: AES without PMULL would do.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_all(bits: u64) -> bool {
    cpufeatures::aarch64::getauxval_hwcap() & bits == bits
}

/// Elsewhere the system's answer, or the target's, is for the whole feature.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const fn has_all(_: u64) -> bool {
    true
}
