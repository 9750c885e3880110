//! What machine the vectors ran on.

use serde::Serialize;

/// The CPU, as far as it tells.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The architecture this binary was built for.
    pub arch: &'static str,
    /// The CPU's name, where the system gives one.
    pub cpu: String,
    /// Instruction set extensions that gmkit has, or will have, a use for.
    pub features: Vec<&'static str>,
}

impl Machine {
    /// Asks the system.
    #[must_use]
    pub fn detect() -> Self {
        Self { arch: std::env::consts::ARCH, cpu: cpu_name(), features: features() }
    }
}

fn cpu_name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    ["model name", "Model Name", "Hardware", "CPU part"]
        .into_iter()
        .find_map(field)
        .unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! detected {
    ($macro:ident: $($feature:tt),*) => {
        [$(($feature, std::arch::$macro!($feature))),*]
            .into_iter()
            .filter_map(|(name, present)| present.then_some(name))
            .collect()
    };
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    detected!(is_x86_feature_detected:
        "ssse3", "aes", "pclmulqdq", "avx2", "bmi2", "adx", "gfni", "vaes", "vpclmulqdq",
        "avx512f", "avx512bw", "avx512vl", "avx512ifma", "avx512vbmi", "sm3", "sm4")
}

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<&'static str> {
    detected!(is_aarch64_feature_detected: "neon", "aes", "pmull", "sha2", "sha3", "sm4", "sve2")
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<&'static str> {
    Vec::new()
}
