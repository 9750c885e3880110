//! Sharp tools: the mechanisms alone, for known-answer tests. What comes out is as secret as what
//! is put in, and nothing is watched over.

use std::fmt;

use crate::{Mechanism, drng::State};

/// A mechanism on given entropy.
///
/// ```
/// use gmkit_rng::{Mechanism, hazmat::Deterministic};
///
/// let mut rng = Deterministic::new(Mechanism::Sm3, &[1; 32], &[2; 16], b"");
/// let mut out = [0; 32];
/// rng.generate(b"", &mut out);
/// # assert_ne!(out, [0; 32]);
/// ```
pub struct Deterministic(State);

impl Deterministic {
    /// Instantiates a mechanism (GM/T 0105-2021).
    #[must_use]
    pub fn new(mechanism: Mechanism, entropy: &[u8], nonce: &[u8], personalization: &[u8]) -> Self {
        Self(State::instantiate(mechanism, entropy, nonce, personalization))
    }

    /// Reseeds.
    pub fn reseed(&mut self, entropy: &[u8], additional: &[u8]) {
        self.0.reseed(entropy, additional);
    }

    /// Fills `out`, in as many steps as it takes.
    pub fn generate(&mut self, additional: &[u8], out: &mut [u8]) {
        for chunk in out.chunks_mut(self.0.step()) {
            self.0.generate(additional, chunk);
        }
    }
}

impl fmt::Debug for Deterministic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deterministic { .. }")
    }
}
