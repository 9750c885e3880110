//! SM3 for the transcript.

use gmkit_sm3::{Digest, Sm3};
use rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};

/// SM3 (GB/T 32905).
pub(crate) struct Sm3Hash;

impl Hash for Sm3Hash {
    fn start(&self) -> Box<dyn Context> {
        Box::new(Running(Sm3::new()))
    }

    fn hash(&self, data: &[u8]) -> Output {
        Output::new(&gmkit_sm3::digest(&[data]))
    }

    fn output_len(&self) -> usize {
        32
    }

    fn algorithm(&self) -> HashAlgorithm {
        // `sm3` of the registry of TLS 1.2's HashAlgorithm, as 0x0708 has it.
        HashAlgorithm::Unknown(7)
    }
}

struct Running(Sm3);

impl Context for Running {
    fn fork_finish(&self) -> Output {
        Output::new(&self.0.clone().finalize())
    }

    fn fork(&self) -> Box<dyn Context> {
        Box::new(Self(self.0.clone()))
    }

    fn finish(self: Box<Self>) -> Output {
        Output::new(&self.0.finalize())
    }

    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }
}
