//! What the CPU has. A token can only be had by asking the CPU, and a kernel demands its token: so no
//! kernel runs where its instructions do not exist. The answer is remembered.

cpufeatures::new!(sm3, "sm4");

/// The SM3 instructions of ARMv8.2, which to Rust are a part of the feature `sm4`: newer Kunpeng, Yitian.
pub(super) struct Sm3(());

impl Sm3 {
    pub(super) fn detect() -> Option<&'static Self> {
        (sm3::get() && has_both()).then_some(&Self(()))
    }
}

/// `cpufeatures` takes any bit of a feature for all of them: SM4 without SM3 would do.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_both() -> bool {
    // SM3 and SM4 of Linux's AT_HWCAP.
    const BITS: u64 = 1 << 18 | 1 << 19;
    cpufeatures::aarch64::getauxval_hwcap() & BITS == BITS
}

/// Elsewhere the system's answer, or the target's, is for the whole feature.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const fn has_both() -> bool {
    true
}

/// NEON, which a target has, or this file is not compiled for it.
pub(super) struct Neon(());

impl Neon {
    pub(super) const fn detect() -> &'static Self {
        &Self(())
    }
}
