//! The tokens of x86-64.

use core::sync::atomic::{AtomicU8, Ordering};

use super::token;

token!(
    /// AVX-512 with GFNI and VPCLMULQDQ: Ice Lake, Zen 4 and later.
    GfniAvx512 in gfni_avx512:
    "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "gfni", "pclmulqdq", "vpclmulqdq"; true
);

token!(
    /// AVX2 with GFNI, as also CPUs without AVX-512 have them.
    GfniAvx2 in gfni_avx2: "avx2", "aes", "pclmulqdq"; has_gfni()
);

token!(
    /// AVX2 with AES-NI: Haswell, Zen and later; Hygon, newer Zhaoxin.
    AesniAvx2 in aesni_avx2: "avx2", "aes", "pclmulqdq"; true
);

token!(
    /// AES-NI with SSSE3: Westmere and later.
    Aesni in aesni: "ssse3", "aes", "pclmulqdq"; true
);

/// `cpufeatures` gives GFNI only to programs that may use AVX-512. On shorter vectors the instructions
/// need what AVX2 does, which is asked for before.
fn has_gfni() -> bool {
    const UNKNOWN: u8 = 2;
    static HAS: AtomicU8 = AtomicU8::new(UNKNOWN);

    let mut has = HAS.load(Ordering::Relaxed);
    if has == UNKNOWN {
        #[allow(unused_unsafe, reason = "no longer unsafe in newer Rust")]
        // SAFETY: a CPU with AVX2 has CPUID, and its leaf 7.
        let leaf = unsafe { core::arch::x86_64::__cpuid_count(7, 0) };
        has = (leaf.ecx >> 8 & 1) as u8;
        HAS.store(has, Ordering::Relaxed);
    }
    has == 1
}
