//! What the CPU has. A token can only be had by asking the CPU, and a kernel demands its token: so no
//! kernel runs where its instructions do not exist. The answer is remembered.

macro_rules! token {
    ($(#[$doc:meta])* $name:ident in $module:ident: $($feature:tt),+) => {
        cpufeatures::new!($module, $($feature),+);

        $(#[$doc])*
        pub(super) struct $name(());

        impl $name {
            pub(super) fn detect() -> Option<&'static Self> {
                $module::get().then_some(&Self(()))
            }
        }
    };
}

token!(
    /// AVX-512 with BMI2: Skylake-SP, Zen 4 and later.
    Avx512 in avx512: "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "bmi1", "bmi2"
);

token!(
    /// AVX2 with BMI2: Haswell, Zen and later; Hygon, newer Zhaoxin.
    Avx2 in avx2: "avx2", "bmi1", "bmi2"
);
