//! What the CPU has. A token can only be had by asking the CPU, and only its methods use the kernels: so
//! no kernel runs where its instructions do not exist. The answer is remembered.

cpufeatures::new!(adx, "adx", "bmi2", "avx2");

/// MULX, two chains of carries at once, and AVX2: Broadwell, Zen and later; Hygon.
pub(super) struct Adx(());

impl Adx {
    pub(super) fn detect() -> Option<&'static Self> {
        adx::get().then_some(&Self(()))
    }
}
