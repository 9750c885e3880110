//! What the CPU has. A token can only be had by asking the CPU, and a kernel demands its token: so no
//! kernel runs where its instructions do not exist. The answer is remembered.

macro_rules! token {
    ($(#[$doc:meta])* $name:ident in $module:ident: $($feature:tt),+) => {
        cpufeatures::new!($module, $($feature),+);

        $(#[$doc])*
        pub(crate) struct $name(());

        impl $name {
            pub(crate) fn detect() -> Option<&'static Self> {
                $module::get().then_some(&Self(()))
            }
        }
    };
}

#[cfg(target_arch = "aarch64")]
token!(
    /// The SM4 instructions of ARMv8.2, and those of AES, to which PMULL belongs: Kunpeng, Yitian.
    Sm4e in sm4e: "sm4", "aes"
);

#[cfg(target_arch = "aarch64")]
token!(
    /// The AES instructions of ARMv8, to which PMULL belongs.
    AesNeon in aes_neon: "aes"
);

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::*;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::sync::atomic::{AtomicU8, Ordering};

    token!(
        /// AVX-512 with GFNI and VPCLMULQDQ: Ice Lake, Zen 4 and later.
        GfniAvx512 in gfni_avx512:
        "avx2", "avx512f", "avx512bw", "avx512vl", "gfni", "pclmulqdq", "vpclmulqdq"
    );

    token!(
        /// AVX2 with AES-NI: Haswell, Zen and later; Hygon, newer Zhaoxin.
        AesniAvx2 in aesni_avx2: "avx2", "aes", "pclmulqdq"
    );

    token!(
        /// AES-NI with SSSE3: Westmere and later.
        Aesni in aesni: "ssse3", "sse4.1", "aes", "pclmulqdq"
    );

    /// AVX2 with GFNI, as also CPUs without AVX-512 have them.
    pub(crate) struct GfniAvx2(());

    impl GfniAvx2 {
        /// `cpufeatures` gives GFNI only to programs that may use AVX-512; the instructions on
        /// shorter vectors need no more than AVX2 does.
        pub(crate) fn detect() -> Option<&'static Self> {
            const UNKNOWN: u8 = 2;
            static HAS_GFNI: AtomicU8 = AtomicU8::new(UNKNOWN);

            AesniAvx2::detect()?;
            let mut has = HAS_GFNI.load(Ordering::Relaxed);
            if has == UNKNOWN {
                #[allow(unsafe_code, unused_unsafe, reason = "no longer unsafe in newer Rust")]
                // SAFETY: a CPU with AVX2 has CPUID, and its leaf 7.
                let leaf = unsafe { core::arch::x86_64::__cpuid_count(7, 0) };
                has = (leaf.ecx >> 8 & 1) as u8;
                HAS_GFNI.store(has, Ordering::Relaxed);
            }
            (has == 1).then_some(&Self(()))
        }
    }
}
