//! What the CPU has. A token can only be had by asking the CPU, and only its methods use the kernels: so
//! no kernel runs where its instructions do not exist. The answer is remembered.

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

#[cfg(feature = "alloc")]
token!(
    /// AVX-512 with IFMA, and what [`Adx`] has: Ice Lake, Zen 4 and later. To Rust AVX-512F implies F16C,
    /// which `cpufeatures` cannot ask for; every CPU with it has it, and nothing here uses it.
    Ifma in ifma: "adx", "bmi2", "avx2", "fma", "avx512f", "avx512ifma"
);

token!(
    /// MULX, two chains of carries at once, and AVX2: Broadwell, Zen and later; Hygon.
    Adx in adx: "adx", "bmi2", "avx2"
);
