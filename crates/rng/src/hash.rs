//! The DRNG on SM3 of GM/T 0105-2021: NIST's Hash_DRBG but for the order at reseeding, where the
//! entropy comes before V.

use gmkit_sm3::digest;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// seedlen: 440 bits.
const SEED: usize = 55;

type Seed = [u8; SEED];

/// The working state.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct HashState {
    v: Seed,
    c: Seed,
    reseed_counter: u64,
}

impl HashState {
    /// Most bytes per request.
    pub(crate) const MAX_REQUEST: usize = 32;

    pub(crate) fn instantiate(entropy: &[u8], nonce: &[u8], personalization: &[u8]) -> Self {
        let mut state = Self { v: [0; SEED], c: [0; SEED], reseed_counter: 0 };
        state.seed(&[entropy, nonce, personalization]);
        state
    }

    pub(crate) fn reseed(&mut self, entropy: &[u8], additional: &[u8]) {
        let v = Zeroizing::new(self.v);
        self.seed(&[&[1], entropy, &*v, additional]);
    }

    /// In place: what is moved leaves a copy behind.
    fn seed(&mut self, material: &[&[u8]]) {
        df(material, &mut self.v);
        df(&[&[0], &self.v], &mut self.c);
        self.reseed_counter = 1;
    }

    /// Fills `out`, which has at most [`Self::MAX_REQUEST`] bytes.
    pub(crate) fn generate(&mut self, additional: &[u8], out: &mut [u8]) {
        if !additional.is_empty() {
            let w = Zeroizing::new(digest(&[&[2], &self.v, additional]));
            add(&mut self.v, &*w);
        }
        let block = Zeroizing::new(digest(&[&self.v]));
        out.copy_from_slice(&block[..out.len()]);
        let h = Zeroizing::new(digest(&[&[3], &self.v]));
        let c = Zeroizing::new(self.c);
        add(&mut self.v, &*h);
        add(&mut self.v, &*c);
        add(&mut self.v, &self.reseed_counter.to_be_bytes());
        self.reseed_counter += 1;
    }
}

/// SM3_df: SM3(i ‖ 440 ‖ material) for i = 1 and 2, cut to 440 bits.
fn df(material: &[&[u8]], seed: &mut Seed) {
    for (chunk, i) in seed.chunks_mut(32).zip(1_u8..) {
        let bits = (8 * SEED as u32).to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![core::slice::from_ref(&i), &bits];
        parts.extend_from_slice(material);
        let block = Zeroizing::new(digest(&parts));
        chunk.copy_from_slice(&block[..chunk.len()]);
    }
}

/// v + x modulo 2^440, big-endian.
fn add(v: &mut Seed, x: &[u8]) {
    let mut carry = 0;
    for (i, v) in v.iter_mut().rev().enumerate() {
        let x = if i < x.len() { x[x.len() - 1 - i] } else { 0 };
        let sum = u16::from(*v) + u16::from(x) + carry;
        *v = sum as u8;
        carry = sum >> 8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values in the test of the Go library gmsm.
    #[test]
    fn known_answer() {
        let h = |s| hex::decode(s).unwrap();
        let mut state = HashState::instantiate(
            &h("63363377e41e86468deb0ab4a8ed683f6a134e47e014c700454e81e95358a569"),
            &h("808aa38f2a72a62359915a9f8a04ca68"),
            b"",
        );
        state.reseed(&h("e62b8a8ee8f141b6980566e3bfe3c04903dad4ac2cdf9f2280010a6739bc83d3"), b"");
        let mut out = [0; 32];
        state.generate(b"", &mut out);
        state.generate(b"", &mut out);
        let want = "00d98d35a2fab8df23e9e1fb9aad143d62c0759eb79e15c37e8f2bc5064e68da";
        assert_eq!(hex::encode(out), want);
    }

    #[test]
    fn addition_carries_and_wraps() {
        let mut v = [0xff; SEED];
        add(&mut v, &[1]);
        assert_eq!(v, [0; SEED]);
        v[SEED - 1] = 0xff;
        add(&mut v, &[1, 1]);
        assert_eq!(v[SEED - 2..], [2, 0]);
    }
}
