//! Which core computes a suite, and its backends.

/// A core and what it says of its backends.
pub(crate) struct Core {
    /// How the suites that test it begin.
    prefix: &'static str,
    /// Names, and whether this CPU has what they need.
    pub(crate) backends: fn() -> Vec<(&'static str, bool)>,
    /// `None`: the CPU's choice.
    prefer: fn(Option<&str>) -> bool,
}

const SM4: Core = Core {
    prefix: "sm4_",
    backends: || gmkit_sm4::backends().collect(),
    prefer: gmkit_sm4::prefer_backend,
};
const SM2: Core = Core {
    prefix: "sm2_",
    backends: || gmkit_sm2::backends().collect(),
    prefer: gmkit_sm2::prefer_backend,
};
/// Hashes, and what is made of them.
const SM3: Core = Core {
    prefix: "",
    backends: || gmkit_sm3::backends().collect(),
    prefer: gmkit_sm3::prefer_backend,
};

pub(crate) const CORES: &[Core] = &[SM4, SM2, SM3];

impl Core {
    pub(crate) fn of(suite: &str) -> &'static Self {
        match suite {
            "sm2_kdf" => &SM3,
            _ => CORES.iter().find(|core| suite.starts_with(core.prefix)).unwrap_or(&SM3),
        }
    }

    /// Computes with the named backend until what this returns is dropped.
    pub(crate) fn through(&self, backend: &str) -> Preferred {
        assert!((self.prefer)(Some(backend)), "{backend} was there a moment ago");
        Preferred(self.prefer)
    }
}

pub(crate) struct Preferred(fn(Option<&str>) -> bool);

impl Drop for Preferred {
    fn drop(&mut self) {
        (self.0)(None);
    }
}
